using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Recording;

/// <summary>The recorder of a run on the kernel model. It is the machine's observer; the kernel's hooks tell it of switches, signals,
/// starts and ends.</summary>
public sealed class RunRecorder : Recorder
{
    private readonly LinuxKernel _kernel;
    private readonly OffsetTrace _offsets;
    private readonly VdsoStream? _vdso;
    private readonly long[] _values = new long[2 + OffsetTrace.Fields.Count];
    private Cpu? _writing;

    /// <summary>A recorder of a session that has not run yet.</summary>
    /// <param name="kernel">The kernel of the run.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="set">What is recorded.</param>
    public RunRecorder(LinuxKernel kernel, RecordingWriter writer, RecordedSet set = RecordedSet.All)
        : base(kernel.Machine, writer, set)
    {
        _kernel = kernel;
        _offsets = new OffsetTrace(kernel, Written);
        if (Wants(RecordedSet.Vdso) && kernel.Vdso.Image is not null)
            _vdso = new VdsoStream(
                kernel, (task, call, result, cycles) => VdsoReturned(kernel.Machine.Cpus[task.Cpu], NameOf(task), call, result, cycles),
                (cpu, task, call) => VdsoEntered(cpu, NameOf(task), call));
    }

    /// <summary>The fields of a slot of a run.</summary>
    public static IReadOnlyList<string> SlotFieldsOf(LinuxKernel kernel) => OffsetTrace.FieldsOf(kernel.Vdso.Image);

    /// <inheritdoc/>
    public override bool WantsInstructions => _vdso is not null;

    /// <inheritdoc/>
    public override void OnInstruction(Cpu cpu, uint instruction) => _vdso?.OnInstruction(cpu, instruction);

    private static RecordedTask NameOf(KernelTask task) => new(task.Tid, task.Group.Pid, task.Comm);

    private protected override (object Key, RecordedTask Name) Current(Cpu cpu)
    {
        KernelTask task = _kernel.Scheduler.Current(cpu.Index);
        return (task, NameOf(task));
    }

    /// <inheritdoc/>
    public override void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        if (!Wants(RecordedSet.Offsets))
            return;
        _writing = cpu;
        _offsets.OnTpidrroWrite(cpu, oldValue, newValue);
    }

    private void Written(OffsetWrite write)
    {
        KernelTask current = _kernel.Scheduler.Current(write.Cpu);
        KernelTask before = write.Cause == "switch" && _kernel.Scheduler.LastSwitch.TryGetValue(write.Cpu, out var pair)
            ? pair.Previous : current;
        (_values[0], _values[1]) = ((long)write.Old, (long)write.New);
        int count = 2;
        foreach (int field in write.Slot?.Values ?? [])
            _values[count++] = field;
        Add(RecordedKind.Offset, _writing!, NameOf(current), write.Cause, _values.AsSpan(0, count), NameOf(before));
    }

    private protected override void SystemCall(Cpu cpu, ulong back) =>
        _vdso?.FellBack(_kernel.Scheduler.Current(cpu.Index), back);

    /// <summary><see cref="KernelHooks.Switching"/>.</summary>
    public void Switched(Cpu cpu, KernelTask previous, KernelTask next)
    {
        Left(cpu, previous);
        Came(cpu, next);
        bool ended = previous.State is TaskState.Zombie or TaskState.Dead;
        Switched(cpu, NameOf(previous), NameOf(next), (long)previous.State, ended);
        if (ended)
            Forget(previous);
    }

    /// <summary><see cref="KernelHooks.Signal"/>.</summary>
    public void Signalled(KernelTask task, SignalInfo info) =>
        Add(RecordedKind.Signal, _kernel.Machine.Cpus[task.Cpu], NameOf(task), Signal.NameOf(info.Number),
            [info.Number, info.Code, info.Synchronous ? (long)info.Address : 0]);

    /// <summary><see cref="KernelHooks.Exec"/>.</summary>
    public void Executed(KernelTask task) =>
        Add(RecordedKind.Exec, _kernel.Machine.Cpus[task.Cpu], NameOf(task), task.Comm, []);

    /// <summary><see cref="KernelHooks.Exit"/>.</summary>
    public void Exited(KernelTask task, int status) =>
        Add(RecordedKind.Exit, _kernel.Machine.Cpus[task.Cpu], NameOf(task), "", [status]);
}
