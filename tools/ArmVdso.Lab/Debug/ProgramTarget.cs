using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Lab.Debug;

/// <summary>The processes of a session, as a debugger of programs sees them: EL0 and what the kernel keeps of it. A stop is between two
/// instructions, and the run that goes on is the run that nobody looked at, to the cycle.</summary>
public sealed partial class ProgramTarget : DebugTarget
{
    private readonly HashSet<int> _detached = [];
    private readonly Queue<DebugStop> _stops = [];
    private Session _session;
    private Unit _unit;

    /// <summary>The kernel.</summary>
    internal LinuxKernel Kernel => _session.Kernel;

    private Machine Machine => _session.Machine;

    /// <summary>Whether no process is debugged any more.</summary>
    public bool IsFree => !_known.Attached.Any(IsAttached);

    /// <inheritdoc/>
    public override IReadOnlyList<ThreadId> Threads =>
        [.. Kernel.Tasks.Groups.Where(g => IsAttached(g.Pid)).SelectMany(g => g.Threads, (g, t) => new ThreadId(g.Pid, t.Tid))];

    private KernelTask? Find(ThreadId thread) =>
        Kernel.Tasks.Find(thread.Tid) is { Mm: not null } task && task.Group.Pid == thread.Pid ? task : null;

    private static ThreadId IdOf(KernelTask task) => new(task.Group.Pid, task.Tid);

    /// <inheritdoc/>
    public override string Name(ThreadId thread)
    {
        if (Find(thread) is not { } task)
            return "?";
        if (CpuOf(task) is { } cpu)
            return $"{task.Comm} on cpu{cpu.Index}";
        return task.Syscall is { } call
            ? $"{task.Comm} in {SyscallNames.Find(call.Number) ?? "an unknown call"}"
            : $"{task.Comm}, {(task.State == TaskState.Runnable ? "ready" : "asleep")}";
    }

    /// <summary>The CPU that runs a task; null: none does.</summary>
    private Cpu? CpuOf(KernelTask task) => ReferenceEquals(Kernel.Scheduler.Current(task.Cpu), task) ? Machine.Cpus[task.Cpu] : null;

    /// <summary>Whether the kernel has not saved all registers yet on its way in: what they were is in <see cref="Unit"/>.</summary>
    private bool Enters(Cpu cpu) => cpu.EL == 1 && Kernel.El1.FunctionAt(cpu.PC) is { } function
        && (function is "vectors" or "el0t_64_sync" or "el0t_64_irq" or "__bp_harden_el1_vectors"
            || function.StartsWith("tramp_ventry", StringComparison.Ordinal) || function.StartsWith("bhb_loop", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override bool ReadRegister(ThreadId thread, int register, Span<byte> value)
    {
        if (Find(thread) is not { } task)
            return false;
        Cpu? cpu = CpuOf(task);
        ulong? known = register switch
        {
            <= Cpsr => General(task, cpu, register),
            Tpidr => cpu?.TPIDR_EL0 ?? Kernel.Records.Context(Machine, task).ThreadPointer,
            Tpidrro => cpu?.TPIDRRO_EL0,
            Cycle => cpu?.Cycles,
            CpuNumber => (ulong)task.Cpu,
            Fpsr => cpu?.FPSR ?? Kernel.Records.Context(Machine, task).Fpsr,
            Fpcr => cpu?.FPCR ?? Kernel.Records.Context(Machine, task).Fpcr,
            _ => 0,
        };
        if (register is >= V0 and < V0 + 32)
        {
            Put(cpu?.V(register - V0) ?? Kernel.Records.Context(Machine, task).V(register - V0), value);
        }
        else if (known is { } number)
        {
            Put(register, number, value);
        }
        return known is not null;
    }

    private ulong General(KernelTask task, Cpu? cpu, int register)
    {
        if (cpu is { EL: 0 })
            return register switch { Sp => cpu.SP_EL0, Pc => cpu.PC, Cpsr => cpu.PackPstate(), _ => cpu.X(register) };
        if (cpu is not null && Enters(cpu))
            return _unit.Entry(cpu)[register];
        UserRegisters saved = Kernel.Records.Registers(task);
        return register switch { Sp => saved.SP, Pc => saved.PC, Cpsr => saved.Pstate, _ => saved[register] };
    }

    /// <inheritdoc/>
    public override bool WriteRegister(ThreadId thread, int register, ReadOnlySpan<byte> value)
    {
        if (Find(thread) is not { } task)
            return false;
        _changed = true;
        Cpu? cpu = CpuOf(task);
        ulong low = Low(register, value);
        switch (register)
        {
            case <= Cpsr when cpu is { EL: 0 }:
                WriteLive(cpu, register, low);
                return true;
            case <= Cpsr when cpu is not null && Enters(cpu):
                return _unit.WriteEntry(cpu, register, low);
            case <= Cpsr:
                WriteSaved(Kernel.Records.Registers(task), register, low);
                return true;
            case (>= V0 and < V0 + 32) or Fpsr or Fpcr or Tpidr when cpu is not null:
                return WriteHeld(cpu, register, value);
            case Tpidrro when cpu is not null:
                cpu.TPIDRRO_EL0 = low;
                return true;
            case Cycle or CpuNumber or Tpidrro:
                return false;
            default:
                ulong at = task.RecordPa + (register switch
                {
                    Fpsr => TaskRecord.Fpsr,
                    Fpcr => TaskRecord.Fpcr,
                    Tpidr => TaskRecord.TpValue,
                    _ => (ulong)(TaskRecord.Fpsimd + (register - V0) * 16),
                });
                value[..SizeOf(register)].CopyTo(Machine.Memory.Span(at, SizeOf(register)));
                return true;
        }
    }

    private static void WriteLive(Cpu cpu, int register, ulong value)
    {
        switch (register)
        {
            case Sp:
                cpu.SP_EL0 = value;
                break;
            case Pc:
                Jump(cpu, value);
                break;
            case Cpsr:
                cpu.NZCV = (int)(value >> 28) & 15;
                break;
            default:
                cpu.SetX(register, value);
                break;
        }
    }

    private static void WriteSaved(UserRegisters saved, int register, ulong value)
    {
        const ulong flags = 15UL << 28;
        switch (register)
        {
            case Sp:
                saved.SP = value;
                break;
            case Pc:
                // The call that the thread is in is not begun again from somewhere else (as ptrace has it).
                saved.PC = value;
                saved.SyscallNumber = -1;
                break;
            case Cpsr:
                saved.Pstate = (saved.Pstate & ~flags) | (value & flags);
                break;
            default:
                saved[register] = value;
                break;
        }
    }

    /// <inheritdoc/>
    public override int ReadMemory(ThreadId thread, ulong address, Span<byte> bytes)
    {
        if (Find(thread)?.Mm is not { } memory)
            return 0;
        const int page = 4096;
        var view = new GuestMemory(Kernel, memory);
        int done = 0;
        while (done < bytes.Length)
        {
            ulong at = address + (ulong)done;
            int n = Math.Min(bytes.Length - done, page - (int)(at % page));
            if (!view.Read(at, bytes.Slice(done, n)))
                break;
            done += n;
        }
        return done;
    }

    /// <inheritdoc/>
    public override bool WriteMemory(ThreadId thread, ulong address, ReadOnlySpan<byte> bytes)
    {
        if (Find(thread)?.Mm is not { } memory)
            return false;
        _changed = true;
        return memory.Poke(address & (memory.TaskSize - 1), bytes) == bytes.Length;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> AuxiliaryVector(int pid) => Kernel.Tasks.FindGroup(pid) is { } group ? group.Auxv : [];

    /// <inheritdoc/>
    public override string? ProgramOf(int pid) => Kernel.Tasks.FindGroup(pid)?.Leader.Mm?.Executable?.Path;

    /// <inheritdoc/>
    public override byte[]? File(int pid, string path)
    {
        KernelTask? task = (Kernel.Tasks.FindGroup(pid) ?? Kernel.Tasks.Groups.FirstOrDefault(g => IsAttached(g.Pid)))?.Leader;
        if (task is null)
            return null;
        var caller = new Caller(Credentials.For(0, 0), task.Fs);
        // Only files that opening does not change.
        if (Kernel.Vfs.Find(caller, task.Fs.Root, path, true, out Inode? inode) < 0 || inode is not { IsRegular: true })
            return null;
        if (inode.CanMap)
            return Contents(inode);
        if (inode.Open(0, task, out OpenFile? file) < 0)
            return null;
        using var bytes = new MemoryStream();
        var part = new byte[65536];
        for (long at = 0, n; (n = file!.Read(part, at)) > 0; at += n)
            bytes.Write(part, 0, (int)n);
        file!.Release();
        return bytes.ToArray();
    }

    private static byte[] Contents(Inode inode)
    {
        const int page = 4096;
        var bytes = new byte[(inode.Size + page - 1) / page * page];
        for (int at = 0; at < bytes.Length; at += page)
            inode.ReadPage((ulong)at, bytes.AsSpan(at, page));
        return bytes[..(int)inode.Size];
    }

    /// <inheritdoc/>
    public override (ulong Start, ulong End, string Permissions, string Name) Region(ThreadId thread, ulong address)
    {
        if (Find(thread)?.Mm is not { } memory)
            return (0, ulong.MaxValue, "", "");
        ulong from = 0;
        foreach (Vma vma in memory.Vmas)
        {
            if (address < vma.Start)
                return (from, vma.Start, "", "");
            if (address < vma.End)
            {
                string may = ((vma.Prot & 1) != 0 ? "r" : "") + ((vma.Prot & 2) != 0 ? "w" : "") + ((vma.Prot & 4) != 0 ? "x" : "");
                return (vma.Start, vma.End, may, vma.Name ?? vma.File?.Path ?? "");
            }
            from = vma.End;
        }
        return (from, ulong.MaxValue, "", "");
    }

    /// <inheritdoc/>
    public override void Detach(int pid)
    {
        Breakpoints.Clear(pid);
        if (pid == -1)
            _detached.UnionWith(_known.Attached);
        else
            _detached.Add(pid);
    }

    /// <inheritdoc/>
    public override void Kill(int pid)
    {
        foreach (ThreadGroup group in Kernel.Tasks.Groups.Where(g => IsAttached(g.Pid) && (pid == -1 || g.Pid == pid)).ToList())
            Kernel.SignalDelivery.Send(group, Signal.SIGKILL);
        Detach(pid);
    }

    /// <inheritdoc/>
    public override void RequestStop() => Machine.StopRequested = true;

    /// <summary>Runs to the end of the program, with nobody looking.</summary>
    /// <returns>As <see cref="Session.Run"/>.</returns>
    public int Finish()
    {
        Machine.Debug = null;
        Machine.PauseAt = ulong.MaxValue;
        _moments.Clear();
        return _session.Ended ?? _session.Run();
    }
}
