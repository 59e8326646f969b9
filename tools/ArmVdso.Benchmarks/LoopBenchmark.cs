using ArmVdso.Emulator;
using BenchmarkDotNet.Attributes;

namespace ArmVdso.Benchmarks;

/// <summary>Time of one instruction in a loop, on each engine, without and with a timing model.</summary>
public abstract class LoopBenchmark
{
    private const int Instructions = 100_000;
    private BareMachine _machine = null!;

    [Params(EngineKind.Reference, EngineKind.Portable)]
    public EngineKind Engine { get; set; }

    [Params("none", "cortex-a53")]
    public string Core { get; set; } = "none";

    /// <summary>Places the loop and sets its registers.</summary>
    protected abstract void Load(BareMachine machine);

    [GlobalSetup]
    public void Setup()
    {
        _machine = new BareMachine(Engine, Core);
        Load(_machine);
        _machine.Run(1000);
    }

    [GlobalCleanup]
    public void Cleanup() => _machine.Dispose();

    [Benchmark(OperationsPerInvoke = Instructions)]
    public ulong Loop() => _machine.Run(Instructions);
}
