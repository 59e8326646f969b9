using System.CommandLine;
using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>The options that every command that runs a guest has. Each has an environment twin: ARMVDSO_ and its name in
/// capitals, so --cpus is ARMVDSO_CPUS.</summary>
internal sealed class SessionOptions
{
    private static T FromEnvironment<T>(string name, T fallback, Func<string, T> parse)
    {
        string? text = Environment.GetEnvironmentVariable("ARMVDSO_" + name.TrimStart('-').Replace('-', '_').ToUpperInvariant());
        return string.IsNullOrEmpty(text) ? fallback : parse(text);
    }

    private static Option<string> Text(string name, string fallback, string description, string argument) => new(name)
    {
        Description = description,
        HelpName = argument,
        DefaultValueFactory = _ => FromEnvironment(name, fallback, s => s),
    };

    internal Option<string> Cpus { get; } = Text("--cpus", "2", "emulated CPUs, 1 to 64", "N");

    internal Option<string> Cpu { get; } = Text("--cpu", "max", "CPU profile: a name that 'cpus' lists, or a file", "NAME|FILE");

    internal Option<string> Core { get; } = Text("--core", "cortex-a53", "timing model of the CPUs; none: one cycle an instruction", "NAME");

    internal Option<string> Engine { get; } = Text("--engine", "portable", "what executes instructions: portable, or reference (the definition, slower; same results)", "NAME");

    internal Option<bool> CheckEngine { get; } = new("--check-engine") { Description = "runs the portable engine in lockstep with the reference engine; status 125 when they differ" };

    internal Option<string> Timing { get; } = Text("--timing", "memoised", "how the portable engine times blocks: memoised, or naive (instruction by instruction, slower; same cycles)", "NAME");

    internal Option<string> Vdso { get; } = Text("--vdso", "per-cpu", "vDSO design, as 'vdso list' names them; per-cpu,fix=egid+cred mends defects of the talk's; stock:FILE is the vDSO of a stock kernel ('vdso extract')", "DESIGN[,fix=...]");

    internal Option<string> CounterFault { get; } = Text("--counter-fault", "none", "what is wrong with the counter as user space reads it: none, trapped, backwards, stopped", "KIND");

    internal Option<string> Suspend { get; } = Text("--suspend", "", "suspends the machine at times after boot, for so long, in milliseconds: AT:LENGTH[,AT:LENGTH...]", "AT:LENGTH");

    internal Option<string> Vvar { get; } = Text("--vvar", "", "layout of a stock vDSO's data pages; without it that of the image's kernel", "LAYOUT");

    internal Option<string> Kernel { get; } = Text("--kernel", "", "kernel configuration, words joined by +: plain, kpti, bhb, kstack-random, reload; without: what Linux decides on the core", "WORDS");

    internal Option<string> Root { get; } = Text("--root", "", "host folder that is the guest's root (only read; writes stay in memory)", "DIR");

    internal Option<string[]> Bind { get; } = new("--bind") { Description = "host file or folder shown at a guest path; rw reaches the host unless :ro", HelpName = "HOST:GUEST[:ro]", AllowMultipleArgumentsPerToken = false };

    internal Option<string[]> Env { get; } = new("-E") { Description = "environment variable of the guest (repeatable)", HelpName = "NAME=VALUE", AllowMultipleArgumentsPerToken = false };

    internal Option<string[]> UnsetEnv { get; } = new("-U") { Description = "removes a variable of the guest's environment (repeatable)", HelpName = "NAME", AllowMultipleArgumentsPerToken = false };

    internal Option<string> Argv0 { get; } = Text("-0", "", "argv[0] of the program", "ARGV0");

    internal Option<string> Cwd { get; } = Text("--cwd", "/", "working directory in the guest", "DIR");

    internal Option<string> User { get; } = Text("--user", "0", "user (and group) ID of the program", "UID[:GID]");

    internal Option<string> FirstPid { get; } = Text("--pid", "100", "PID of the program; 1 makes it the reaper of orphans", "PID");

    internal Option<string> Memory { get; } = Text("--mem", "2G", "guest RAM, with suffix K, M or G", "SIZE");

    internal Option<string> VaBits { get; } = Text("--va-bits", "39", "bits of user address: 39 or 48", "BITS");

    internal Option<string> Slice { get; } = Text("--slice", "4000", "time slice of the scheduler, in microseconds", "US");

    internal Option<string> Quantum { get; } = Text("--quantum", "1000", "cycles that a CPU may run ahead of the others", "CYCLES");

    internal Option<string> Seed { get; } = Text("--seed", "0", "seed of all that is random in the guest", "N");

    internal Option<string> PagePlacement { get; } = Text("--placement", "0", "order in which pages of RAM are used: 0 ascending, else the seed of a random one (cycles differ: pages compete for cache lines)", "N");

    internal Option<string> Epoch { get; } = Text("--epoch", "1598313600", "CLOCK_REALTIME at the start, in seconds since 1970", "SECONDS");

    internal Option<string> Clock { get; } = Text("--clock-mhz", "0", "clock of the CPUs, in MHz; 0: the timing model's (1000 without one)", "MHZ");

    internal Option<string> MaxCycles { get; } = Text("--max-cycles", "0", "ends the run after so many cycles, status 124; 0: no limit", "N");

    internal Option<string> Timeout { get; } = Text("--timeout", "0", "ends the run after so many seconds of the host, status 124; 0: no limit", "SECONDS");

    internal Option<bool> MendEgid { get; } = new("--mend-egid") { Description = "same as --vdso per-cpu,fix=egid: mends the talk's egid defect (egid filled from gid)" };

    internal Option<bool> UserMonitors { get; } = new("--pmu-user") { Description = "lets the program read and set the performance monitors (PMCCNTR_EL0 and events); otherwise that is SIGILL" };

    internal Option<bool> Json { get; } = new("--json") { Description = "output for programs" };

    /// <summary>All options, for a command.</summary>
    internal IEnumerable<Option> All() =>
    [
        Cpus, Cpu, Core, Engine, CheckEngine, Timing, Vdso, Kernel,
        Root, Bind, Env, UnsetEnv, Argv0, Cwd, User, FirstPid,
        Memory, PagePlacement, VaBits, Slice, Quantum, Seed, Epoch, Clock,
        MaxCycles, Timeout, UserMonitors, MendEgid,
        Vvar, CounterFault, Suspend,
    ];

    internal static ulong Number(string option, string text, ulong minimum, ulong maximum)
    {
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value < minimum || value > maximum)
            throw new UserError($"{option}: '{text}' is not a number from {minimum} to {maximum}", ExitStatus.Usage);
        return value;
    }

    private static ulong Bytes(string option, string text)
    {
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        ulong value = Number(option, shift == 0 ? text : text[..^1], 1, 1 << 30) << shift;
        if (value < 16 << 20 || value > 64UL << 30)
            throw new UserError($"{option}: '{text}' is not a size from 16M to 64G", ExitStatus.Usage);
        return value & ~0xfffUL;
    }

    private static KernelConfiguration OfCore(string core)
    {
        try
        {
            return KernelConfiguration.ForCore(CoreModel.Load(core));
        }
        catch (CoreModelException e)
        {
            throw new UserError($"--core: {e.Message}", ExitStatus.Usage);
        }
    }

    private static CounterFault ReadFault(string text) => text switch
    {
        "none" => ArmVdso.Kernel.Configuration.CounterFault.None,
        "trapped" => ArmVdso.Kernel.Configuration.CounterFault.Trapped,
        "backwards" => ArmVdso.Kernel.Configuration.CounterFault.Backwards,
        "stopped" => ArmVdso.Kernel.Configuration.CounterFault.Stopped,
        _ => throw new UserError($"--counter-fault: there is no fault '{text}'; known: none, trapped, backwards, stopped", ExitStatus.Usage),
    };

    private static List<(ulong At, ulong Length)> ReadSuspends(string text)
    {
        var list = new List<(ulong, ulong)>();
        foreach (string item in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = item.Split(':');
            if (parts.Length != 2)
                throw new UserError($"--suspend: '{item}' is not AT:LENGTH in milliseconds", ExitStatus.Usage);
            list.Add((Number("--suspend", parts[0], 0, 1_000_000_000) * 1_000_000, Number("--suspend", parts[1], 1, 1_000_000_000) * 1_000_000));
        }
        return list;
    }

    /// <summary>What the parsed options say.</summary>
    /// <exception cref="UserError">A value is out of range.</exception>
    /// <param name="result">The parsed command line.</param>
    /// <param name="design">A design in place of what --vdso says; null: what it says.</param>
    internal SessionSettings Read(ParseResult result, string? design = null)
    {
        string engine = result.GetValue(Engine)!;
        if (engine is not ("reference" or "portable"))
            throw new UserError($"--engine: there is no engine '{engine}'; known: reference, portable", ExitStatus.Usage);
        string timing = result.GetValue(Timing)!;
        if (timing is not ("memoised" or "naive"))
            throw new UserError($"--timing: there is no timing '{timing}'; known: memoised, naive", ExitStatus.Usage);
        string vdso = design ?? result.GetValue(Vdso)!;
        if (result.GetValue(MendEgid))
            vdso += vdso.Contains(",fix=", StringComparison.Ordinal) ? "+egid" : ",fix=egid";
        if (result.GetValue(Vvar) is { Length: > 0 } layout)
            vdso += $",vvar={layout}";
        try
        {
            VdsoDesigns.Create(vdso);
        }
        catch (ArgumentException e)
        {
            throw new UserError($"--vdso: {e.Message}", ExitStatus.Usage);
        }
        string core = result.GetValue(Core)!;
        KernelConfiguration kernel = KernelConfiguration.Parse(result.GetValue(Kernel)!, OfCore(core), out string unknown)
            ?? throw new UserError($"--kernel: there is no '{unknown}'; known: {string.Join(' ', KernelConfiguration.Words)}", ExitStatus.Usage);
        ulong va = Number("--va-bits", result.GetValue(VaBits)!, 39, 48);
        if (va is not (39 or 48))
            throw new UserError($"--va-bits: '{va}' is neither 39 nor 48", ExitStatus.Usage);
        string[] user = result.GetValue(User)!.Split(':');
        uint uid = (uint)Number("--user", user[0], 0, uint.MaxValue - 1);
        var binds = new List<Bind>();
        foreach (string text in result.GetValue(Bind) ?? [])
        {
            string[] parts = text.Split(':');
            if (parts.Length is not (2 or 3) || parts[0].Length == 0 || !parts[1].StartsWith('/') || (parts.Length == 3 && parts[2] is not ("ro" or "rw")))
                throw new UserError($"--bind: '{text}' is not HOST:GUEST[:ro] with an absolute guest path", ExitStatus.Usage);
            if (!File.Exists(parts[0]) && !Directory.Exists(parts[0]))
                throw new UserError($"--bind: {parts[0]}: not found on the host", ExitStatus.NotFound);
            binds.Add(new Bind(Path.GetFullPath(parts[0]), parts[1], parts.Length == 3 && parts[2] == "ro"));
        }
        string root = result.GetValue(Root)!;
        if (root.Length > 0 && !Directory.Exists(root))
            throw new UserError($"--root: {root}: {(File.Exists(root) ? "not a folder" : "not found on the host")}", ExitStatus.NotFound);
        return new SessionSettings
        {
            Engine = result.GetValue(CheckEngine) ? EngineKind.PortableChecked : engine == "portable" ? EngineKind.Portable : EngineKind.Reference,
            MemoisedTiming = timing == "memoised",
            Cpus = (int)Number("--cpus", result.GetValue(Cpus)!, 1, Machine.MaxCpus),
            Cpu = result.GetValue(Cpu)!,
            Core = core,
            Vdso = vdso,
            Kernel = kernel,
            Root = root.Length == 0 ? null : Path.GetFullPath(root),
            Binds = binds,
            Environment = EnvironmentOf(result),
            Argv0 = result.GetValue(Argv0)!,
            Cwd = result.GetValue(Cwd)!,
            Uid = uid,
            Gid = user.Length > 1 ? (uint)Number("--user", user[1], 0, uint.MaxValue - 1) : uid,
            CounterFault = ReadFault(result.GetValue(CounterFault)!),
            Suspends = ReadSuspends(result.GetValue(Suspend)!),
            FirstPid = (int)Number("--pid", result.GetValue(FirstPid)!, 1, 30000),
            MemoryBytes = Bytes("--mem", result.GetValue(Memory)!),
            VaBits = (int)va,
            SliceNs = Number("--slice", result.GetValue(Slice)!, 1, 1_000_000_000) * 1000,
            Quantum = Number("--quantum", result.GetValue(Quantum)!, 1, 1_000_000_000),
            Seed = Number("--seed", result.GetValue(Seed)!, 0, ulong.MaxValue),
            PagePlacement = Number("--placement", result.GetValue(PagePlacement)!, 0, ulong.MaxValue),
            Epoch = (long)Number("--epoch", result.GetValue(Epoch)!, 0, 1UL << 40),
            ClockHz = Number("--clock-mhz", result.GetValue(Clock)!, 0, 100_000) * 1_000_000,
            MaxCycles = Number("--max-cycles", result.GetValue(MaxCycles)!, 0, ulong.MaxValue),
            UserMonitors = result.GetValue(UserMonitors),
            TimeoutSeconds = Number("--timeout", result.GetValue(Timeout)!, 0, 1_000_000),
        };
    }

    /// <summary>A small fixed environment, as a login on a Debian system gives, changed by -E and -U: the host's is not passed.</summary>
    private List<string> EnvironmentOf(ParseResult result)
    {
        var variables = new List<string>
        {
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=xterm", "TZ=UTC", "USER=root",
        };
        foreach (string name in result.GetValue(UnsetEnv) ?? [])
            variables.RemoveAll(v => v.StartsWith(name + "=", StringComparison.Ordinal));
        foreach (string text in result.GetValue(Env) ?? [])
        {
            int equals = text.IndexOf('=');
            if (equals <= 0)
                throw new UserError($"-E: '{text}' is not NAME=VALUE", ExitStatus.Usage);
            variables.RemoveAll(v => v.StartsWith(text[..(equals + 1)], StringComparison.Ordinal));
            variables.Add(text);
        }
        return variables;
    }
}
