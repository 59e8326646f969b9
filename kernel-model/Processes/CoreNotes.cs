using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Processes;

/// <summary>The notes of a core file (fill_note_info in fs/binfmt_elf.c).</summary>
internal sealed class CoreNotes(Machine machine, TaskRecords records, KernelTask task, SignalInfo info)
{
    private const int NT_PRSTATUS = 1, NT_FPREGSET = 2, NT_PRPSINFO = 3, NT_AUXV = 6, NT_SIGINFO = 0x53494749, NT_FILE = 0x46494C45,
        NT_ARM_TLS = 0x401, NT_ARM_SYSTEM_CALL = 0x404, NT_ARM_PAC_MASK = 0x406;

    private const int StatusSize = 392, ProcessSize = 136, ArgumentsSize = 80, PageSize = PhysicalMemory.PageSize;

    private readonly MemoryStream _notes = new();

    /// <summary>Makes them: the thread that took the signal first, what all share after its status, then the other threads.</summary>
    internal byte[] Make()
    {
        AddStatus(task, info.Number);
        Add(NT_PRPSINFO, "CORE", Process());
        Add(NT_SIGINFO, "CORE", info.ToBytes());
        Add(NT_AUXV, "CORE", task.Group.Auxv);
        Add(NT_FILE, "CORE", Files());
        AddRegisters(task);
        foreach (KernelTask thread in task.Group.Threads.Where(t => !ReferenceEquals(t, task)))
        {
            AddStatus(thread, info.Number);
            AddRegisters(thread);
        }
        return _notes.ToArray();
    }

    private void Add(uint type, string owner, ReadOnlySpan<byte> bytes)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(header, owner.Length + 1);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], type);
        _notes.Write(header);
        _notes.Write(Encoding.ASCII.GetBytes(owner + "\0"));
        Pad();
        _notes.Write(bytes);
        Pad();
    }

    private void Pad()
    {
        while (_notes.Length % 4 != 0)
            _notes.WriteByte(0);
    }

    /// <summary>struct elf_prstatus.</summary>
    private void AddStatus(KernelTask thread, int signal)
    {
        var b = new byte[StatusSize];
        ThreadGroup group = thread.Group;
        BinaryPrimitives.WriteInt32LittleEndian(b, info.Number);
        BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(4), info.Code);
        BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(8), info.Errno);
        BinaryPrimitives.WriteInt16LittleEndian(b.AsSpan(12), (short)signal);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(16), thread.Signals.Pending.Set);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(24), thread.Signals.Blocked);
        WriteIdentity(b.AsSpan(32), thread.OwnTid, group);
        bool leader = ReferenceEquals(group.Leader, thread);
        WriteTime(b.AsSpan(48), thread.UserCycles + (leader ? group.ExitedUserCycles : 0));
        WriteTime(b.AsSpan(64), thread.SystemCycles + (leader ? group.ExitedSystemCycles : 0));
        WriteTime(b.AsSpan(80), group.ChildUserCycles);
        WriteTime(b.AsSpan(96), group.ChildSystemCycles);
        records.Context(machine, thread).WriteGeneral(b.AsSpan(112, ThreadContext.GeneralSize));
        BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(384), 1);
        Add(NT_PRSTATUS, "CORE", b);
    }

    /// <summary>pid, ppid, pgrp, sid.</summary>
    private void WriteIdentity(Span<byte> b, int pid, ThreadGroup group)
    {
        BinaryPrimitives.WriteInt32LittleEndian(b, pid);
        BinaryPrimitives.WriteInt32LittleEndian(b[4..], task.ParentPid);
        BinaryPrimitives.WriteInt32LittleEndian(b[8..], task.PidNamespace.NumberOf(group.Pgid));
        BinaryPrimitives.WriteInt32LittleEndian(b[12..], task.PidNamespace.NumberOf(group.Sid));
    }

    private void WriteTime(Span<byte> b, ulong cycles)
    {
        ulong microseconds = (ulong)((UInt128)cycles * 1_000_000 / machine.ClockFrequency);
        BinaryPrimitives.WriteUInt64LittleEndian(b, microseconds / 1_000_000);
        BinaryPrimitives.WriteUInt64LittleEndian(b[8..], microseconds % 1_000_000);
    }

    private void AddRegisters(KernelTask thread)
    {
        ThreadContext context = records.Context(machine, thread);
        var fp = new byte[ThreadContext.FpsimdSize];
        context.WriteFpsimd(fp);
        Add(NT_FPREGSET, "CORE", fp);
        Span<byte> word = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(word, context.ThreadPointer);
        Add(NT_ARM_TLS, "LINUX", word[..8]);
        BinaryPrimitives.WriteInt32LittleEndian(word, context.SyscallNumber);
        Add(NT_ARM_SYSTEM_CALL, "LINUX", word[..4]);
        const int authenticates = 0xff0;
        if ((machine.Identification["ID_AA64ISAR1_EL1"] & authenticates) == 0)
            return;
        ulong mask = RegisterSets.PacMask(task);
        BinaryPrimitives.WriteUInt64LittleEndian(word, mask);
        BinaryPrimitives.WriteUInt64LittleEndian(word[8..], mask);
        Add(NT_ARM_PAC_MASK, "LINUX", word);
    }

    /// <summary>struct elf_prpsinfo.</summary>
    private byte[] Process()
    {
        var b = new byte[ProcessSize];
        b[1] = (byte)'R';
        b[3] = (byte)task.Nice;
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(16), task.Credentials.Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(20), task.Credentials.Gid);
        WriteIdentity(b.AsSpan(24), task.OwnPid, task.Group);
        Encoding.Latin1.GetBytes(task.Comm).AsSpan().CopyTo(b.AsSpan(40, 15));
        Span<byte> arguments = b.AsSpan(56, ArgumentsSize - 1);
        MemoryBounds bounds = task.Mm!.Bounds;
        int length = (int)Math.Min(bounds.ArgumentsEnd - Math.Min(bounds.ArgumentsStart, bounds.ArgumentsEnd), (ulong)arguments.Length);
        length = task.Mm.Peek(bounds.ArgumentsStart, arguments[..length]);
        arguments[..length].Replace((byte)0, (byte)' ');
        return b;
    }

    /// <summary>Which file lies where.</summary>
    private byte[] Files()
    {
        Vma[] mapped = [.. task.Mm!.Vmas.Where(v => v.File is not null)];
        var b = new MemoryStream();
        using var writer = new BinaryWriter(b, Encoding.Latin1);
        writer.Write((ulong)mapped.Length);
        writer.Write((ulong)PageSize);
        foreach (Vma area in mapped)
        {
            writer.Write(area.Start);
            writer.Write(area.End);
            writer.Write(area.Offset / PageSize);
        }
        foreach (Vma area in mapped)
            writer.Write(Encoding.Latin1.GetBytes(area.File!.Path + "\0"));
        writer.Flush();
        return b.ToArray();
    }
}
