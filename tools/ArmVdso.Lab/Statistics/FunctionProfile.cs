namespace ArmVdso.Lab.Statistics;

/// <summary>The profile of a program on the kernel model.</summary>
/// <param name="kernel">The kernel of the run.</param>
public sealed class FunctionProfile(LinuxKernel kernel) : CycleProfile(kernel.Machine)
{
    private readonly CodeMap _code = new(kernel);
    private readonly Dictionary<KernelTask, CallStack> _stacks = [];
    private readonly (KernelTask? Task, MemoryMap? Memory, CallStack Stack)[] _last =
        new (KernelTask?, MemoryMap?, CallStack)[kernel.Machine.Cpus.Count];

    /// <inheritdoc/>
    protected override object? SpaceOf(Cpu cpu) => kernel.Scheduler.Current(cpu.Index).Mm;

    private protected override CallStack StackOf(Cpu cpu)
    {
        KernelTask task = kernel.Scheduler.Current(cpu.Index);
        ref var last = ref _last[cpu.Index];
        if (ReferenceEquals(last.Task, task) && ReferenceEquals(last.Memory, task.Mm))
            return last.Stack;
        if (!_stacks.TryGetValue(task, out CallStack? stack))
            _stacks[task] = stack = new CallStack(Calls.Callee(task.ToString(), ""));
        else if (ReferenceEquals(last.Task, task) && task.Mm is not null)
            stack.Begin(Calls.Callee(task.ToString(), ""));
        last = (task, task.Mm, stack);
        return stack;
    }

    private protected override string SourceOf(Cpu cpu, ulong pc) =>
        cpu.EL == 0 && kernel.Scheduler.Current(cpu.Index).Mm is { } memory && _code.Find(memory, pc) is { File: { } file } place
            && file.Lines.Find(pc - place.Bias) is var (name, line) && name.Length > 0 ? $"{name}:{line}" : "";

    /// <inheritdoc/>
    protected override CodeRange Find(Cpu cpu, ulong pc) => _code.RangeOf(kernel.Scheduler.Current(cpu.Index).Mm, pc);
}
