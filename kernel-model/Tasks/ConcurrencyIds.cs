using System.Buffers.Binary;
using System.Numerics;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Concurrency IDs (rseq's mm_cid), by the rule of Linux 6.12 (kernel/sched/core.c, sched.h): a CPU has one for each memory that
/// it has run, and keeps it. A task that moves takes it along unless another thread of the memory runs there; the end of a thread gives
/// it back; from time to time those are taken away that were not used for long or are higher than need be. Where EL1 code executes what
/// rseq costs, it does the part that belongs to a switch, on words in RAM; else this class does that too.</summary>
/// <param name="machine">RAM and CPUs.</param>
/// <param name="records">What EL1 code knows of a task.</param>
/// <param name="clock">The CPU that calls the model.</param>
/// <param name="pages">Where the words of a memory lie; null: EL1 code does nothing for rseq, and they are in no RAM.</param>
/// <param name="current">The task that a CPU runs.</param>
internal sealed class ConcurrencyIds(
    Machine machine, TaskRecords records, MachineClock clock, PageAllocator? pages, Func<int, KernelTask> current)
{
    /// <summary>MM_CID_SCAN_DELAY and SCHED_MM_CID_PERIOD_NS, in ns.</summary>
    private const ulong ScanDelay = 100_000_000, Period = 100_000_000;

    private const int None = -1;
    private const int LazyPut = 1 << ConcurrencyRecord.LazyPutBit;
    private readonly int _cpus = machine.Cpus.Count;

    /// <summary>Time of the CPU that calls, in ns (rq->clock).</summary>
    private ulong Now => clock.NsOfCycles(clock.Active?.Cycles ?? 0);

    /// <summary>A task has a memory from now on (sched_mm_cid_fork, sched_mm_cid_after_execve); while it runs it has an ID.</summary>
    internal void Enter(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        if (!mm.HasConcurrencyIds)
        {
            mm.MakeConcurrencyIds(pages is not null);
            mm.NextConcurrencyScan = Now + ScanDelay;
            for (int i = 0; i < _cpus; i++)
                SetCid(mm, i, None);
        }
        task.HasConcurrencyId = true;
        Forget(task);
        records.SetConcurrencyIds(task, mm.ConcurrencyIdsPa == 0 ? 0 : El1Image.Linear(mm.ConcurrencyIdsPa));
        if (task.OnCpu)
            Get(task, task.Cpu);
    }

    /// <summary>A task is about to have no memory, or another (sched_mm_cid_exit_signals, sched_mm_cid_before_execve): what its CPU has is
    /// free again, even if other threads go on.</summary>
    internal void Leave(KernelTask task)
    {
        if (!task.HasConcurrencyId)
            return;
        MemoryMap mm = task.Mm!;
        int cid = Cid(mm, task.Cpu);
        if (cid != None)
        {
            SetCid(mm, task.Cpu, None);
            Free(mm, cid);
        }
        task.HasConcurrencyId = false;
        Forget(task);
        records.SetConcurrencyIds(task, 0);
    }

    /// <summary>switch_mm_cid, for memories of which EL1 code has no words; for others it needs the time.</summary>
    internal void Switch(Cpu on, KernelTask previous, KernelTask next)
    {
        int cpu = on.Index;
        ulong now = Now;
        if (pages is not null)
            machine.Memory.Write(El1Image.Physical(on.TPIDR_EL1) + CpuRecord.Clock, now);
        if (previous.HasConcurrencyId && !IsExecuted(previous.Mm!))
        {
            SetTime(previous.Mm!, cpu, now);
            PutLazy(previous.Mm!, cpu);
            records.SetConcurrencyId(previous, None);
        }
        if (next.HasConcurrencyId && !IsExecuted(next.Mm!))
            Get(next, cpu);
    }

    /// <summary>A running task may not stay on its CPU and is moved by the CPU's stopper thread: nobody runs there at that moment, so it
    /// takes the ID along.</summary>
    internal void Pushed(KernelTask task)
    {
        if (!task.HasConcurrencyId)
            return;
        MemoryMap mm = task.Mm!;
        int cid = Cid(mm, task.Cpu);
        // With a choice of CPUs it is not known yet which it will be.
        bool stays = AllowedCpus(task) == 1 && Keeps(mm, task, BitOperations.TrailingZeroCount(task.Affinity));
        if (cid < 0 || records.LastConcurrencyId(task) != cid || stays)
            return;
        SetCid(mm, task.Cpu, None);
        task.CarriedConcurrencyId = cid;
    }

    /// <summary>A CPU is about to run a task that last ran on another (sched_mm_cid_migrate_to).</summary>
    internal void Moved(KernelTask task, int from, int to)
    {
        if (!task.HasConcurrencyId)
            return;
        MemoryMap mm = task.Mm!;
        int cid = task.CarriedConcurrencyId;
        task.CarriedConcurrencyId = None;
        if (cid == None)
        {
            cid = Cid(mm, from);
            if (cid < 0 || records.LastConcurrencyId(task) != cid || Keeps(mm, task, to) || Runs(from, mm))
                return;
            SetCid(mm, from, None);
        }
        if (Cid(mm, to) != None)
        {
            Free(mm, cid);
            return;
        }
        SetTime(mm, to, Now);
        SetCid(mm, to, cid);
    }

    /// <summary>A tick found a task running (task_tick_mm_cid, task_mm_cid_work).</summary>
    internal void Tick(KernelTask task)
    {
        ulong now = Now;
        if (!task.HasConcurrencyId || task.Mm is not { } mm || now < mm.NextConcurrencyScan)
            return;
        mm.NextConcurrencyScan = now + ScanDelay;
        for (int i = 0; i < _cpus; i++)
        {
            if (Runs(i, mm))
                SetTime(mm, i, now);
            else if (now >= Time(mm, i) + Period)
                Clear(mm, i);
        }
        int weight = BitOperations.PopCount(Taken(mm));
        for (int i = 0; i < _cpus; i++)
        {
            if (Cid(mm, i) >= weight)
                Clear(mm, i);
        }
    }

    /// <summary>sched_mm_cid_remote_clear: who runs with it gives it up at the next switch.</summary>
    private void Clear(MemoryMap mm, int cpu)
    {
        int cid = Cid(mm, cpu);
        if (cid < 0)
            return;
        if (Runs(cpu, mm))
        {
            SetCid(mm, cpu, cid | LazyPut);
            return;
        }
        SetCid(mm, cpu, None);
        Free(mm, cid);
    }

    /// <summary>mm_cid_get.</summary>
    private void Get(KernelTask task, int cpu)
    {
        MemoryMap mm = task.Mm!;
        PutLazy(mm, cpu);
        int cid = Cid(mm, cpu);
        if (cid == None)
        {
            ulong taken = Taken(mm);
            cid = BitOperations.TrailingZeroCount(~taken);
            SetTaken(mm, taken | 1UL << cid);
            SetCid(mm, cpu, cid);
        }
        SetTime(mm, cpu, Now);
        records.SetConcurrencyId(task, cid);
        records.SetLastConcurrencyId(task, cid);
    }

    private void PutLazy(MemoryMap mm, int cpu)
    {
        int cid = Cid(mm, cpu);
        if (cid >= 0 || cid == None)
            return;
        SetCid(mm, cpu, None);
        Free(mm, cid);
    }

    private void Forget(KernelTask task)
    {
        task.CarriedConcurrencyId = None;
        records.SetConcurrencyId(task, None);
        records.SetLastConcurrencyId(task, None);
    }

    /// <summary>Whether a task that comes leaves its ID where it was: there is one, and there are threads enough for all CPUs.</summary>
    private bool Keeps(MemoryMap mm, KernelTask task, int to) =>
        Cid(mm, to) != None && mm.Users >= AllowedCpus(task);

    private bool Runs(int cpu, MemoryMap mm) => current(cpu) is { HasConcurrencyId: true } task && ReferenceEquals(task.Mm, mm);

    private int AllowedCpus(KernelTask task) => BitOperations.PopCount(task.Affinity & (ulong.MaxValue >> (64 - _cpus)));

    private static bool IsExecuted(MemoryMap mm) => mm.ConcurrencyIdsPa != 0;

    /// <summary>__mm_cid_put.</summary>
    private static void Free(MemoryMap mm, int cid) => SetTaken(mm, Taken(mm) & ~(1UL << (cid & ~LazyPut)));

    private static ulong Taken(MemoryMap mm) => BinaryPrimitives.ReadUInt64LittleEndian(mm.ConcurrencyIds[ConcurrencyRecord.Taken..]);

    private static void SetTaken(MemoryMap mm, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(mm.ConcurrencyIds[ConcurrencyRecord.Taken..], value);

    private static int Cid(MemoryMap mm, int cpu) => BinaryPrimitives.ReadInt32LittleEndian(OfCpu(mm, cpu)[ConcurrencyRecord.Cid..]);

    private static void SetCid(MemoryMap mm, int cpu, int value) =>
        BinaryPrimitives.WriteInt32LittleEndian(OfCpu(mm, cpu)[ConcurrencyRecord.Cid..], value);

    private static ulong Time(MemoryMap mm, int cpu) => BinaryPrimitives.ReadUInt64LittleEndian(OfCpu(mm, cpu)[ConcurrencyRecord.Time..]);

    private static void SetTime(MemoryMap mm, int cpu, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(OfCpu(mm, cpu)[ConcurrencyRecord.Time..], value);

    private static Span<byte> OfCpu(MemoryMap mm, int cpu) => mm.ConcurrencyIds[(cpu << ConcurrencyRecord.CpuShift)..];
}
