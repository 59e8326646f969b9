using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Cli;

/// <summary>How many CPUs, and what a program finds them to be.</summary>
internal sealed class CpuOptions : OptionGroup
{
    internal override string Title => "CPUs and timing";

    private readonly Option<string> _cpus;
    private readonly Option<string> _cpu;

    /// <summary>The options.</summary>
    /// <param name="fallback">What holds without --cpu, for the help.</param>
    /// <param name="cpus">CPUs without --cpus.</param>
    internal CpuOptions(string fallback = "without: the one that the core names", int cpus = 2)
    {
        _cpu = Text("--cpu", "", $"CPU profile: a name that 'cpus' lists, or a file; {fallback}", "NAME|FILE");
        _cpus = Text("--cpus", cpus.ToString(CultureInfo.InvariantCulture), "emulated CPUs, 1 to 64", "N");
    }

    internal override IReadOnlyList<Option> Options => [_cpus, _cpu];

    /// <summary>Whether the number of CPUs is chosen, on the command line or by the option's twin.</summary>
    internal bool AreGiven(CommandInput input) => input.Given(_cpus) || Twin(_cpus.Name) is not null;

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings)
    {
        string cpu = input.Text(_cpu);
        try
        {
            if (cpu.Length > 0)
                CpuProfile.Load(cpu);
        }
        catch (CpuProfileException e)
        {
            throw CommandInput.Error($"--cpu: {e.Message}");
        }
        return settings with { Cpus = (int)input.Number(_cpus, 1, Machine.MaxCpus), Cpu = cpu.Length == 0 ? null : cpu };
    }
}

/// <summary>The timing model.</summary>
internal sealed class CoreOptions : OptionGroup
{
    internal override string Title => "CPUs and timing";

    private readonly bool _several;

    private readonly Option<string> _core;

    /// <summary>The options.</summary>
    /// <param name="several">Whether --core takes several, joined by commas.</param>
    internal CoreOptions(bool several = false)
    {
        _several = several;
        string more = several ? "; several, joined by commas, are put side by side" : "";
        _core = Text(
            "--core", "cortex-a53",
            "timing model of the CPUs, which also names their profile and kernel: a name that 'models' lists, or a file; none: one cycle "
            + "an instruction" + more,
            several ? "NAME|FILE[,...]" : "NAME|FILE");
    }

    private readonly Option<string> _board = Text(
        "--board", "none",
        "board that the CPUs are on, which decides clock, outer caches and memory, and the core when --core is not given: a name that "
        + "'models' lists, or a file; none: what the core's file says",
        "NAME|FILE");

    internal override IReadOnlyList<Option> Options => [_core, _board];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings) => settings with { Core = Cores(input)[0] };

    /// <summary>The cores that --core names, on the board.</summary>
    /// <exception cref="UserError">There is no such core or board.</exception>
    internal IReadOnlyList<string> Cores(CommandInput input)
    {
        string core = input.Text(_core);
        return [.. (_several ? core.Split(',') : [core]).Select(c => OnBoard(input, c))];
    }

    private string OnBoard(CommandInput input, string core)
    {
        string board = input.Text(_board);
        string option = _core.Name;
        try
        {
            if (board != "none")
            {
                option = _board.Name;
                string own = CoreModel.LoadBoard(board).Core;
                core = (input.Given(_core) ? core : own) + "@" + board;
            }
            KernelConfiguration.ForCore(CoreModel.Load(core));
        }
        catch (CoreModelException e)
        {
            throw CommandInput.Error($"{option}: {e.Message}");
        }
        return core;
    }
}

/// <summary>What executes and times instructions: results and cycles are the same.</summary>
internal sealed class EngineOptions : OptionGroup
{
    internal override string Title => "Engine";

    private readonly Option<string> _engine = Text(
        "--engine", Machine.HasNativeEngine ? "native" : "portable",
        "what executes instructions: native (x64 code where no core is timed, the portable engine else; where the host has AVX2, FMA, BMI2 "
        + "and LZCNT), portable, or reference (the definition, slower); same results", "NAME");

    private readonly Option<bool> _check = Flag(
        "--check-engine",
        "runs the portable engine, and unless --engine is portable the native one, in lockstep with the reference engine; status 125 "
        + "when they differ");

    private readonly Option<string> _timing = Text(
        "--timing", "memoised",
        "how the portable engine times blocks: memoised, or naive (instruction by instruction, slower; same cycles)", "NAME");

    internal override IReadOnlyList<Option> Options => [_engine, _check, _timing];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings)
    {
        EngineKind engine = input.Word(
            _engine, "engine", ("reference", EngineKind.Reference), ("portable", EngineKind.Portable), ("native", EngineKind.Native));
        if (engine == EngineKind.Native && !Machine.HasNativeEngine)
            throw CommandInput.Error($"{_engine.Name}: the native engine needs Linux on x64 with AVX2, FMA, BMI2 and LZCNT");
        EngineKind lockstep = engine == EngineKind.Native ? EngineKind.NativeChecked : EngineKind.PortableChecked;
        return settings with
        {
            Engine = input.Value(_check) ? lockstep : engine,
            MemoisedTiming = input.Word(_timing, "timing", ("memoised", true), ("naive", false)),
        };
    }
}

/// <summary>The rest of the machine.</summary>
/// <param name="booted">For a kernel that is booted: options of the kernel model are left out.</param>
internal sealed class MachineOptions(bool booted = false) : OptionGroup
{
    internal override string Title => "Machine";

    private readonly Option<string> _memory = Text("--mem", "2G", "guest RAM, with suffix K, M or G", "SIZE");

    private readonly Option<string> _placement = Text(
        "--placement", "0",
        "order in which pages of RAM are used: 0 ascending, else the seed of a random one (cycles differ: pages compete for cache "
        + "lines)", "N");

    private readonly Option<string> _vaBits = Text("--va-bits", "39", "bits of user address: 39 or 48", "BITS");

    private readonly Option<string> _quantum = Text("--quantum", "1000", "cycles that a CPU may run ahead of the others", "CYCLES");

    private readonly Option<string> _seed = Text("--seed", "0", "seed of all that is random in the guest", "N");

    private readonly Option<string> _clock = Text(
        "--clock-mhz", "0", "clock of the CPUs, in MHz; 0: the timing model's (1000 without one)", "MHZ");

    internal override IReadOnlyList<Option> Options =>
        booted ? [_memory, _quantum, _seed, _clock] : [_memory, _placement, _vaBits, _quantum, _seed, _clock];

    /// <summary>Of them, those of the kernel model.</summary>
    internal IEnumerable<Option> ModelOptions => [_placement, _vaBits];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings) => settings with
    {
        MemoryBytes = Bytes(_memory.Name, input.Text(_memory)),
        PagePlacement = booted ? settings.PagePlacement : input.Number(_placement, 0, ulong.MaxValue),
        VaBits = booted ? settings.VaBits : input.Word(_vaBits, "size of addresses", ("39", 39), ("48", 48)),
        Quantum = input.Number(_quantum, 1, 1_000_000_000),
        Seed = input.Number(_seed, 0, ulong.MaxValue),
        ClockHz = input.Number(_clock, 0, 100_000) * 1_000_000,
    };

    internal static ulong Bytes(string option, string text)
    {
        ulong value = Size(option, text);
        if (value < 16 << 20 || value > 64UL << 30)
            throw CommandInput.Error($"{option}: '{text}' is not a size from 16M to 64G");
        return value & ~0xfffUL;
    }

    /// <summary>A number of bytes, with suffix K, M or G.</summary>
    internal static ulong Size(string option, string text)
    {
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        return CommandInput.Number(option, shift == 0 ? text : text[..^1], 1, 1 << 30) << shift;
    }
}
