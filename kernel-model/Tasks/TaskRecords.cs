using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Writes the records that EL1 code reads: tasks and CPUs. Offsets come from El1/layout.h.</summary>
public sealed partial class TaskRecords
{
    /// <summary>Bytes of a kernel stack.</summary>
    public const int StackSize = 16384;

    private const int RecordSize = (int)TaskRecord.Size;

    /// <summary>Pages that a task takes: its kernel stack and its record.</summary>
    internal const int Pages = (int)((StackSize + RecordSize) / PhysicalMemory.PageSize);

    private readonly PhysicalMemory _memory;
    private readonly PageAllocator _pages;
    private readonly DeterministicRandom _random;
    private readonly bool _traceSyscalls;
    private readonly Stack<(ulong Record, ulong Stack)> _spare = new();

    /// <summary>No records yet.</summary>
    /// <param name="memory">Where they lie.</param>
    /// <param name="pages">Where their pages come from.</param>
    /// <param name="random">Their stacks' canaries.</param>
    /// <param name="traceSyscalls">Whether every system call of every task is to reach the model (strace).</param>
    internal TaskRecords(PhysicalMemory memory, PageAllocator pages, DeterministicRandom random, bool traceSyscalls)
    {
        _memory = memory;
        _pages = pages;
        _random = random;
        _traceSyscalls = traceSyscalls;
    }

    /// <summary>Called when a task's user or group IDs have changed and its record has the new ones.</summary>
    internal Action<KernelTask>? CredentialsChanged { get; set; }

    /// <summary>Gives a task its record and kernel stack. False: RAM is full.</summary>
    internal bool Allocate(KernelTask task)
    {
        if (_spare.TryPop(out (ulong Record, ulong Stack) spare))
        {
            _memory.Span(spare.Record, RecordSize).Clear();
            (task.RecordPa, task.StackPa) = spare;
        }
        else
        {
            // The stack is aligned to twice its size, so that one bit of SP tells an overflow; the record lies above it.
            ulong pa = _pages.AllocateAligned(Pages, 2 * StackSize);
            if (pa == 0)
                return false;
            task.StackPa = pa;
            task.RecordPa = pa + StackSize;
        }
        _memory.Write(task.RecordPa + TaskRecord.StackTop, El1Image.Linear(task.StackPa + StackSize));
        _memory.Write(task.RecordPa + TaskRecord.Canary, _random.Next() & ~0xffUL);
        Link(task.RecordPa);
        return true;
    }

    /// <summary>Takes record and stack of a dead task back.</summary>
    internal void Free(KernelTask task)
    {
        if (task.RecordPa != 0)
            _spare.Push((task.RecordPa, task.StackPa));
        task.RecordPa = 0;
    }

    /// <summary>User registers of a task, at the top of its kernel stack.</summary>
    public UserRegisters Registers(KernelTask task) => new(_memory, task.StackPa + StackSize - PtRegs.FrameSize);

    /// <summary>All registers of a task now.</summary>
    public ThreadContext Context(Machine machine, KernelTask task) => new(machine, this, task);

    /// <summary>Sets where a new task starts: the EL1 function and its stack.</summary>
    internal void SetStart(KernelTask task, El1Symbol function)
    {
        ulong context = task.RecordPa + TaskRecord.Context;
        _memory.Span(context, 13 * 8).Clear();
        _memory.Write(context + 11 * 8, El1Image.Linear(task.StackPa + StackSize - PtRegs.FrameSize));
        _memory.Write(context + 12 * 8, (ulong)function);
    }

    /// <summary>Writes identity: thread group, thread, user and group IDs, parent.</summary>
    internal void SyncAll(KernelTask task)
    {
        _memory.Write(task.RecordPa + TaskRecord.Pidns, (ulong)task.PidNamespace.Number);
        _memory.Write(task.RecordPa + TaskRecord.PidnsLevel, (ulong)task.PidNamespace.Level);
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
        {
            ulong numbers = NumbersAt(task, space);
            _memory.Write(numbers + TaskNumbers.Ns, (ulong)space.Number);
            _memory.Write(numbers + TaskNumbers.Tgid, space.NumberOf(task.Group.Pid));
            _memory.Write(numbers + TaskNumbers.Tid, space.NumberOf(task.Tid));
        }
        SyncPids(task);
        SyncCredentials(task);
        SyncParent(task);
        SyncGroups(task);
        ShowSlice(task);
    }

    private static ulong NumbersAt(KernelTask task, PidNamespace space) =>
        task.RecordPa + TaskRecord.Numbers + (ulong)space.Level * TaskNumbers.Size;

    /// <summary>Writes all that a vDSO slot says of a task. What becomes of the slot is the design's affair.</summary>
    private void SyncIdentity(KernelTask task)
    {
        foreach (VdsoFieldRow field in VdsoCalls.Fields)
            _memory.Write(task.RecordPa + (ulong)field.Record, field.Truth(task));
    }

    /// <summary>Writes user and group IDs, after a change of credentials.</summary>
    internal void SyncCredentials(KernelTask task)
    {
        if (task.RecordPa == 0)
            return;
        SyncIdentity(task);
        SyncCred(task);
    }

    /// <summary>A task has other credentials than before: its record says so, and who keeps copies hears of it.</summary>
    internal void CommitCredentials(KernelTask task)
    {
        SyncCredentials(task);
        CredentialsChanged?.Invoke(task);
    }

    /// <summary>Writes ppid, after fork and when the parent has exited.</summary>
    internal void SyncParent(KernelTask task)
    {
        if (task.RecordPa == 0)
            return;
        SyncIdentity(task);
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
            _memory.Write(NumbersAt(task, space) + TaskNumbers.Ppid, task.ParentPidIn(space));
        SyncParentPid(task);
    }

    /// <summary>Writes process group and session, after setpgid and setsid.</summary>
    internal void SyncGroups(KernelTask task)
    {
        if (task.RecordPa == 0)
            return;
        SyncIdentity(task);
        SyncGroupPids(task);
    }

    /// <summary>Whether the task is outside of the first PID or user namespace.</summary>
    internal void SetForeign(KernelTask task, bool foreign)
    {
        if (task.RecordPa != 0)
            _memory.Write(task.RecordPa + TaskRecord.VdsoForeign, foreign ? 1 : 0);
    }

    /// <summary>Sets the thread's own slot (kernel address; 0: none) and its value for TPIDRRO_EL0.</summary>
    internal void SetVdso(KernelTask task, ulong slot, ulong register)
    {
        if (task.RecordPa == 0)
            return;
        _memory.Write(task.RecordPa + TaskRecord.VdsoSlot, slot);
        _memory.Write(task.RecordPa + TaskRecord.VdsoRegister, register);
    }

    /// <summary>Gives a task the slot and the register's value of another one.</summary>
    internal void ShareVdso(KernelTask from, KernelTask to)
    {
        if (from.RecordPa != 0)
        {
            SetVdso(
                to, _memory.Read<ulong>(from.RecordPa + TaskRecord.VdsoSlot),
                _memory.Read<ulong>(from.RecordPa + TaskRecord.VdsoRegister));
        }
    }

    /// <summary>The file system user that EL1 code granted the thread (writable page).</summary>
    internal uint VdsoRequest(KernelTask task) => _memory.Read<uint>(task.RecordPa + TaskRecord.VdsoRequest);

    /// <inheritdoc cref="VdsoRequest"/>
    internal void SetVdsoRequest(KernelTask task, uint user)
    {
        if (task.RecordPa != 0)
            _memory.Write(task.RecordPa + TaskRecord.VdsoRequest, user);
    }

    /// <summary>Sets where the image lies in the task's memory.</summary>
    internal void SetVdsoBase(KernelTask task, ulong address)
    {
        if (task.RecordPa != 0)
            _memory.Write(task.RecordPa + TaskRecord.VdsoBase, address);
    }

    /// <summary>Turns over whether the task's PC was moved back the last time (per-cpu-fixup); returns what it was.</summary>
    internal bool FlipFixed(KernelTask task)
    {
        bool before = _memory.Read<uint>(task.RecordPa + TaskRecord.VdsoFixed) != 0;
        _memory.Write(task.RecordPa + TaskRecord.VdsoFixed, before ? 0u : 1u);
        return before;
    }

    /// <summary>Names the address space of a task: what TTBR0_EL1 and the ASID in TTBR1_EL1 become when it runs.</summary>
    internal void SetTtbr0(KernelTask task, ulong value)
    {
        _memory.Write(task.RecordPa + TaskRecord.Ttbr0, value);
        _memory.Write(task.RecordPa + TaskRecord.Asid, (ulong)AsidOf(value) << 48);
    }

    /// <summary>The kernel's ASID of an address space: even; the odd one after it is user space's under KPTI.</summary>
    internal static ushort AsidOf(ulong handle) => (ushort)(handle >> 12 << 1);

    internal void SetTp(KernelTask task, ulong value) => _memory.Write(task.RecordPa + TaskRecord.TpValue, value);

    /// <summary>Sets or clears a flag.</summary>
    internal void SetFlag(KernelTask task, TaskFlag flag, bool on)
    {
        if (task.RecordPa == 0)
            return;
        ulong flags = _memory.Read<ulong>(task.RecordPa + TaskRecord.Flags);
        flags = on ? flags | Bit(flag) : flags & ~Bit(flag);
        _memory.Write(task.RecordPa + TaskRecord.Flags, flags);
    }

    /// <summary>The task looks at what is to be done before it next returns to EL0 (signals, rseq).</summary>
    internal void RequestWork(KernelTask task) => SetFlag(task, TaskFlag.Work, true);

    /// <summary>Kernel address of the concurrency IDs of a task's memory, if EL1 code gives them; else 0.</summary>
    internal void SetConcurrencyIds(KernelTask task, ulong words) => _memory.Write(task.RecordPa + TaskRecord.MmCids, words);

    /// <summary>The concurrency ID of a task that runs; -1: none.</summary>
    internal int ConcurrencyId(KernelTask task) => _memory.Read<int>(task.RecordPa + TaskRecord.MmCid);

    /// <inheritdoc cref="ConcurrencyId"/>
    internal void SetConcurrencyId(KernelTask task, int id) => _memory.Write(task.RecordPa + TaskRecord.MmCid, id);

    /// <summary>The concurrency ID that a task had the last time it ran; -1: none.</summary>
    internal int LastConcurrencyId(KernelTask task) => _memory.Read<int>(task.RecordPa + TaskRecord.LastMmCid);

    /// <inheritdoc cref="LastConcurrencyId"/>
    internal void SetLastConcurrencyId(KernelTask task, int id) => _memory.Write(task.RecordPa + TaskRecord.LastMmCid, id);

    /// <summary>Tells EL1 code of a task's rseq area.</summary>
    /// <param name="task">The task.</param>
    /// <param name="stale">Whether the area is to be written before EL0.</param>
    /// <returns>Whether it is, for this or for an earlier reason.</returns>
    internal bool ShowRseq(KernelTask task, bool stale)
    {
        ulong record = task.RecordPa;
        _memory.Write(record + TaskRecord.Rseq, task.Rseq);
        _memory.Write(record + TaskRecord.RseqSig, task.RseqSignature);
        uint events = task.Rseq == 0 ? 0 : _memory.Read<uint>(record + TaskRecord.RseqEvent) | (stale ? 1u : 0);
        _memory.Write(record + TaskRecord.RseqEvent, events);
        return events != 0;
    }

    /// <summary>Tells EL1 code whether a task may ask for longer time slices, and whether it has one.</summary>
    internal void ShowSlice(KernelTask task)
    {
        _memory.Write(task.RecordPa + TaskRecord.Slice, task.MayExtendSlice ? (byte)1 : (byte)0);
        _memory.Write(task.RecordPa + TaskRecord.SliceGranted, task.SliceExtended ? (byte)1 : (byte)0);
    }

    /// <summary>A task has no rseq area any more, and nothing that it could ask for in it; nothing writes it on the way to EL0.</summary>
    internal void DropRseq(KernelTask task)
    {
        (task.Rseq, task.RseqLength, task.RseqSignature, task.RseqEvent) = (0, 0, 0, false);
        (task.MayExtendSlice, task.SliceExtended, task.SliceYielded) = (false, false, false);
        ShowRseq(task, false);
        ShowSlice(task);
    }

    /// <summary>Whether EL1 code has not taken a longer time slice back.</summary>
    internal bool SliceGranted(KernelTask task) => _memory.Read<byte>(task.RecordPa + TaskRecord.SliceGranted) != 0;

    /// <summary>Whether the task's system calls all reach the model: the run is traced, its tracer wants to see them, filters decide, the
    /// next one ends a longer time slice.</summary>
    internal void SyncSyscallTrace(KernelTask task) =>
        SetFlag(task, TaskFlag.SyscallTrace, _traceSyscalls || task.SeccompMode != SeccompMode.Disabled || task.SliceExtended
            || task.Tracing is { Syscalls: true } or { Emulates: true } or { Steps: true });

    /// <summary>Tells EL1 code whether tags of addresses in the task's system calls are ignored.</summary>
    internal void SyncTags(KernelTask task) => SetFlag(task, TaskFlag.TaggedAddr, task.TagsIgnored);

    internal bool Flag(KernelTask task, TaskFlag flag) => (_memory.Read<ulong>(task.RecordPa + TaskRecord.Flags) & Bit(flag)) != 0;

    private static ulong Bit(TaskFlag flag) => 1UL << (int)flag;

    /// <summary>Copies the FP state that is live on a CPU into a record (fork).</summary>
    internal void SaveFp(Cpu cpu, KernelTask task)
    {
        for (int i = 0; i < 32; i++)
            _memory.Write(task.RecordPa + TaskRecord.Fpsimd + (ulong)i * 16, cpu.V(i));
        _memory.Write(task.RecordPa + TaskRecord.Fpsr, cpu.FPSR);
        _memory.Write(task.RecordPa + TaskRecord.Fpcr, cpu.FPCR);
    }
}
