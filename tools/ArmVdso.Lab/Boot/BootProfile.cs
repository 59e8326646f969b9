using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Boot;

/// <summary>The profile of a booted kernel: by its functions at EL1, by task at EL0.</summary>
/// <param name="machine">The machine that it runs on.</param>
/// <param name="kernel">The kernel.</param>
public sealed class BootProfile(Machine machine, GuestKernel kernel) : CycleProfile(machine)
{
    private readonly Dictionary<ulong, (ulong Task, CallStack Stack)> _stacks = [];
    private readonly (ulong Key, CallStack? Stack)[] _last = new (ulong, CallStack?)[machine.Cpus.Count];

    /// <summary>A thread is known by its stack in the kernel; interrupts have one of their own for each CPU.</summary>
    private protected override CallStack StackOf(Cpu cpu)
    {
        ulong key = GuestKernel.StackOf(cpu);
        ref var last = ref _last[cpu.Index];
        if (last.Stack is { } same && last.Key == key)
            return same;
        BootedTask task = kernel.Current(cpu);
        // A stack is given to another task when its own has ended.
        if (!_stacks.TryGetValue(key, out (ulong Task, CallStack Stack) known) || known.Task != task.Address)
            _stacks[key] = known = (task.Address, new CallStack(Calls.Callee(task.ToString(), "")));
        last = (key, known.Stack);
        return known.Stack;
    }

    /// <inheritdoc/>
    protected override CodeRange Find(Cpu cpu, ulong pc)
    {
        if (cpu.EL == 0)
            return new CodeRange(kernel.TaskOf(cpu), "[EL0]", 0, ulong.MaxValue);
        // Each task is seen with its stack, so that its name is known at EL0.
        kernel.NoteTask(cpu);
        (string name, ulong start, ulong end) = kernel.FunctionAt(pc);
        return new CodeRange(name, "[EL1]", start, end);
    }
}
