using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator;

/// <summary>A machine as it stood, with the system software outside of it, kept in memory: it can be put back any number of times, and then
/// does again what it did. Code that engines made is no part of it, nor is what the host sees: files and streams.</summary>
public sealed class MachineCheckpoint
{
    private readonly Machine _machine;
    private readonly ObjectGraph _graph;
    private readonly Dictionary<ulong, byte[]> _pages;

    private MachineCheckpoint(Machine machine, ObjectGraph graph, Dictionary<ulong, byte[]> pages)
    {
        _machine = machine;
        _graph = graph;
        _pages = pages;
    }

    /// <summary>Whether this runtime lets machines be kept.</summary>
    public static bool IsSupported => ObjectGraph.IsSupported;

    /// <summary>Keeps a machine that stands.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="system">What besides it is part of it: the system software, what looks at it.</param>
    /// <param name="outside">Types whose objects are the host's.</param>
    /// <param name="previous">An earlier one, whose pages are shared where they are the same; null: none.</param>
    public static MachineCheckpoint Take(Machine machine, object system, Predicate<Type> outside, MachineCheckpoint? previous)
    {
        Settle(machine);
        ObjectGraph graph = ObjectGraph.Take([machine, system], type => IsAside(type) || outside(type));
        return new MachineCheckpoint(machine, graph, machine.Memory.Copy(previous?._pages));
    }

    /// <summary>Puts the machine back.</summary>
    public void Restore()
    {
        Settle(_machine);
        _graph.Restore();
        _machine.Memory.Restore(_pages);
        _machine.ForgetCode();
    }

    // Counts that memoised timing has not added up yet are part of the counters.
    private static void Settle(Machine machine)
    {
        foreach (Cpu cpu in machine.Cpus)
            _ = cpu.Timing.Counters(0);
    }

    private static bool IsAside(Type type) =>
        typeof(ExecutionEngine).IsAssignableFrom(type) || typeof(ITranslatedCode).IsAssignableFrom(type)
        || typeof(IMachineObserver).IsAssignableFrom(type) || typeof(DebugUnit).IsAssignableFrom(type)
        || type == typeof(PhysicalMemory) || type == typeof(NativeCode) || type == typeof(EngineCheck) || type == typeof(BlockMemo);
}
