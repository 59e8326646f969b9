using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Proc;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>The calls of EL1 code, and how the run stands.</summary>
public sealed partial class LinuxKernel
{
    /// <summary>Whether the first process has ended.</summary>
    public bool Finished => Tasks.Init is { IsZombie: true };

    /// <summary>wait4 status with which the first process ended; 0 while it lives.</summary>
    public int ExitStatus => Finished ? Tasks.Init!.ExitStatus : 0;

    /// <summary>Set when EL1 code faulted in a way that only a bug of ours explains.</summary>
    public string? Panic => _panic ?? Vdso.Hooks?.Failure;

    private string? _panic;

    /// <summary>The guest stopped because every task waits for something that cannot happen any more.</summary>
    public bool Deadlock { get; private set; }

    /// <summary>Starts the first process. 0, or -errno with one line in <paramref name="error"/>.</summary>
    public long Start(out string error)
    {
        long result = _first.Start(out error);
        if (result >= 0 && Vfs.Devices.HostTerminal is KeyboardTerminal terminal && Tasks.Init is { } first)
            terminal.ForegroundGroup = first.Pgid;
        if (Panic is not { } panic)
            return result;
        error = panic;
        return -Errno.EIO;
    }

    /// <summary>Takes what has come from the person at the terminal.</summary>
    public void TakeKeys()
    {
        if (Hooks.Keyboard is { Pending: true } keyboard && Vfs.Devices.HostTerminal is KeyboardTerminal terminal)
            terminal.Feed(keyboard);
    }

    /// <summary>A person's time passes as the guest's does. What comes meanwhile arrives at the time at which it came.</summary>
    /// <param name="keyboard">The person.</param>
    /// <param name="most">Nanoseconds of the guest after which something else happens; null: nothing does.</param>
    /// <returns>Whether something has come.</returns>
    private bool WaitForPerson(IKeyboard keyboard, ulong? most)
    {
        TimeSpan? limit = most is { } ns ? TimeSpan.FromTicks((long)Math.Min(ns / 100, int.MaxValue * 10_000UL)) : null;
        TimeSpan passed = keyboard.Wait(limit, () => Machine.StopRequested);
        if (!keyboard.Pending)
            return false;
        ulong after = Math.Min((ulong)passed.Ticks * 100, most ?? ulong.MaxValue);
        _timers.Add(Timekeeper.Monotonic(Clock.Now) + after, _ => TakeKeys());
        return true;
    }

    /// <inheritdoc/>
    public void Idle(ulong now, ulong until)
    {
        if (Hooks.Keyboard is { } keyboard && Tasks.AnyoneAlive)
            WaitForPerson(keyboard, Clock.NsOfCycles(until - now));
    }

    /// <summary>Who sleeps for what, a line for each thread that does: task, call, object, and who could wake it.</summary>
    public IEnumerable<string> Waits() => new WaitText(Tasks, Syscalls.Futexes).Lines();

    /// <summary>The text of /proc/PID/maps.</summary>
    public string MapsOf(MemoryMap memory) => MemoryText.Maps(memory);

    /// <inheritdoc/>
    public void Hypercall(Cpu cpu, int imm16)
    {
        if (Vdso.Hooks is { } hooks && hooks.Own(cpu))
        {
            hooks.Serve(cpu, (HypercallNumber)imm16);
            return;
        }
        // Another one, when somebody steps this CPU in the middle of a hook of that one.
        Cpu? outer = Clock.Active;
        Clock.Active = cpu;
        try
        {
            KernelTask current = Scheduler.Current(cpu.Index);
            Accounting.Enter(cpu, (HypercallNumber)imm16);
            Handle(cpu, current, (HypercallNumber)imm16);
            Accounting.Leave(cpu, current);
        }
        finally
        {
            Clock.Active = outer;
        }
    }

    private void Handle(Cpu cpu, KernelTask current, HypercallNumber number)
    {
        if (current.Mm is { } memory)
            memory.TagsIgnored = current.TagsIgnored;
        switch (number)
        {
            case HypercallNumber.Syscall:
                cpu.SetX(0, (ulong)_syscalls.Enter(cpu, current));
                break;
            case HypercallNumber.Work:
                if (_return.BeforeUser(cpu, current) is { } done)
                    cpu.SetX(0, (ulong)(done ? El1Action.Done : El1Action.Schedule));
                else
                    cpu.RepeatCall();
                break;
            case HypercallNumber.Schedule:
                _slices?.GaveWay(current);
                KernelTask next = Scheduler.Schedule(cpu);
                _sequences.SwitchedIn(next);
                cpu.SetX(0, El1Image.Linear(next.RecordPa));
                break;
            case HypercallNumber.Fault:
                cpu.SetX(0, _faults.Handle(cpu, current, cpu.X(1), cpu.X(2)) ? (ulong)El1Action.Schedule : 0);
                break;
            case HypercallNumber.Irq:
                if ((int)cpu.X(0) == Cpu.VirtualTimerInterrupt)
                    _clockEvents.Interrupt(cpu);
                break;
            case HypercallNumber.KernelFault:
                cpu.SetX(0, _faults.HandleKernelAccess(cpu, current, cpu.X(1), cpu.X(2)) ? 0UL : 1UL);
                break;
            case HypercallNumber.Switched:
                Scheduler.FinishSwitch(Tasks.WithRecord(cpu.X(0)));
                break;
            case HypercallNumber.Rseq:
                _sequences.Fault(current);
                break;
            case HypercallNumber.Slice:
                _slices!.Granted(cpu, current, cpu.X(0) == 0);
                break;
            case HypercallNumber.Random:
                _randomBatch.Fill(cpu);
                break;
            default:
                _panic = $"kernel panic on cpu{cpu.Index}: esr=0x{cpu.X(1):x} far=0x{cpu.X(2):x} elr=0x{cpu.ELR_EL1:x} "
                    + $"({El1.FunctionAt(cpu.ELR_EL1)})";
                Machine.StopRequested = true;
                break;
        }
    }

    /// <summary>What the body of a system call says, on behalf of a task that makes no call: the kernel's own answer from its own objects.
    /// Bodies that write do it to the task's memory.</summary>
    /// <param name="task">A live task.</param>
    /// <param name="number">arm64 system call number.</param>
    /// <param name="arguments">Up to six.</param>
    public long Answer(KernelTask task, int number, params ReadOnlySpan<ulong> arguments)
    {
        Span<ulong> six = stackalloc ulong[6];
        six.Clear();
        arguments.CopyTo(six);
        SyscallRow row = SyscallTable.Find(number) ?? throw new ArgumentException($"there is no system call {number}", nameof(number));
        return row.Body(new SyscallContext(Syscalls, task, Machine.Cpus[task.Cpu], number, six));
    }

    /// <inheritdoc/>
    public bool AllWaiting()
    {
        if (Hooks.Keyboard is { } keyboard && Tasks.AnyoneAlive && (!keyboard.Ended || keyboard.Pending))
            return WaitForPerson(keyboard, null);
        // Nobody can run and no timer is armed. With live tasks that is a guest that waits for what cannot come.
        if (Tasks.AnyoneAlive)
            Deadlock = true;
        return false;
    }
}
