using ArmVdso.Emulator;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Configuration;
using BenchmarkDotNet.Attributes;

namespace ArmVdso.Benchmarks;

/// <summary>Whole programs (tests/guests/src/bench) from start to exit, without and with a timing model.</summary>
public class ProgramBenchmarks
{
    /// <summary>Programs to run.</summary>
    public static IEnumerable<string> Programs => BenchPrograms.Names;

    [ParamsSource(nameof(Programs))]
    public string Program { get; set; } = "";

    [Params(EngineKind.Reference, EngineKind.Portable)]
    public EngineKind Engine { get; set; }

    [Params("none", "cortex-a53")]
    public string Core { get; set; } = "none";

    [Benchmark]
    public ulong Run()
    {
        using var machine = new Machine(1, 256 << 20, CoreTimings.Of(Core)) { Engine = Engine };
        var options =
            new KernelOptions { ProgramHostPath = BenchPrograms.Path(Program), ProgramGuestPath = "/program", Arguments = [Program] };
        var kernel = new LinuxKernel(machine, options);
        if (kernel.Start(out string error) < 0)
            throw new InvalidOperationException(error);
        while (!kernel.Finished)
            machine.Run();
        return machine.Cpus[0].Instructions;
    }
}
