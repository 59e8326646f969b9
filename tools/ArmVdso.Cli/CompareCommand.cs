using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Cli;

/// <summary>armvdso compare: what each function costs by system call and by vDSO, and what a context switch pays.</summary>
internal static class CompareCommand
{
    /// <summary>Time slice in ns unless --slice says otherwise: short, so that preemption and migration happen often.</summary>
    internal const ulong SliceNs = 20_000;

    internal static readonly string[] Functions =
    [
        "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getppid", "getcpu",
        "clock_gettime_realtime", "clock_gettime_monotonic", "clock_gettime_monotonic_raw", "clock_gettime_boottime", "clock_gettime_tai",
        "clock_gettime_realtime_coarse", "clock_gettime_monotonic_coarse", "clock_getres", "gettimeofday",
    ];

    internal static Command Make()
    {
        var options = new SessionOptions();
        var threads = new Option<string>("--threads") { Description = "threads of the guest, 2 to 64", HelpName = "N", DefaultValueFactory = _ => "4" };
        var functions = new Argument<string[]>("FUNCTION") { Description = "functions to show (a part of the name is enough); all without", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("compare", "compares system calls with the vDSO, in cycles; --vdso all compares the designs");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(threads);
        command.Options.Add(options.Json);
        command.Arguments.Add(functions);
        command.SetAction(result =>
        {
            // Several designs: their names in one argument, or "all".
            string[] designs = DesignComparison.Names(result.GetValue(options.Vdso)!);
            SessionSettings settings = options.Read(result, designs.Length > 1 ? designs[0] : null);
            if (result.GetResult(options.Slice) is null or { Implicit: true })
                settings = settings with { SliceNs = SliceNs };
            string[] wanted = result.GetValue(functions) ?? [];
            string[] shown = [.. Functions.Where(f => wanted.Length == 0 || wanted.Any(w => f.Contains(w, StringComparison.Ordinal)))];
            if (shown.Length == 0)
                throw new UserError($"there is no function '{wanted[0]}'; known: {string.Join(' ', Functions)}", ExitStatus.Usage);
            int count = (int)SessionOptions.Number("--threads", result.GetValue(threads)!, 2, 64);
            if (designs.Length > 1)
                return DesignComparison.Run(settings, designs, shown, count, result.GetValue(options.Json));
            return Compare(settings, shown, count, result.GetValue(options.Json));
        });
        return command;
    }

    /// <summary>Runs the embedded guest with a design.</summary>
    internal static CallSampler Measure(SessionSettings settings, int threads) =>
        Measure(settings, [threads.ToString(CultureInfo.InvariantCulture), VdsoDesigns.Create(settings.Vdso).Name == "rseq" ? "r" : "-"], false);

    /// <summary>Runs the embedded guest with its arguments; see Guests/compare.c.</summary>
    internal static CallSampler Measure(SessionSettings settings, string[] arguments, bool cold)
    {
        using var guest = new EmbeddedGuest();
        using Stream error = Console.OpenStandardError();
        settings = settings with { Binds = [.. settings.Binds, guest.Bind] };
        using var session = new Session(settings, EmbeddedGuest.GuestPath, arguments, new Session.Hooks { Error = error });
        var sampler = new CallSampler(session.Kernel, guest.Symbols()) { Cold = cold };
        session.Machine.Observer = sampler;
        int status = session.Run();
        if (status != 0)
            throw new UserError($"the embedded guest ended with status {status}", ExitStatus.EmulatorError);
        return sampler;
    }

    private static int Compare(SessionSettings settings, string[] functions, int threads, bool json)
    {
        CallSampler sampler = Measure(settings, threads);
        CallSampler? without = settings.Vdso == "none" ? null : Measure(settings with { Vdso = "none" }, threads);
        if (!sampler.Samples.TryGetValue(("empty", CallKind.Empty), out CallSamples? empty))
            throw new UserError("the embedded guest did not run its loops", ExitStatus.EmulatorError);
        ulong switchWith = Median(sampler.Switches);
        ulong? switchWithout = without is null ? null : Median(without.Switches);
        Dictionary<string, CompareRange.Interval> range = CompareRange.Measure(settings, functions, threads);
        if (json)
        {
            WriteJson(settings, functions, threads, sampler, empty, switchWith, switchWithout, range);
            return 0;
        }
        WriteTable(settings, functions, threads, sampler, empty, switchWith, switchWithout);
        CompareRange.Write(Console.Out, range);
        return 0;
    }

    /// <summary>Cycles of clock_gettime(CLOCK_MONOTONIC) by system call and by vDSO.</summary>
    internal static (ulong Syscall, ulong Vdso) Clock(SessionSettings settings)
    {
        CallSampler sampler = Measure(settings with { SliceNs = SliceNs }, 2);
        ulong empty = sampler.Samples[("empty", CallKind.Empty)].Cycles;
        const string clock = "clock_gettime_monotonic";
        return (Less(sampler.Samples[(clock, CallKind.Syscall)].Cycles, empty), Less(sampler.Samples[(clock, CallKind.Vdso)].Cycles, empty));
    }

    internal static ulong Median(List<ulong> values)
    {
        if (values.Count == 0)
            return 0;
        ulong[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    internal static ulong Less(ulong value, ulong loop) => value > loop ? value - loop : 0;

    private static void WriteTable(
        SessionSettings settings, string[] functions, int threads, CallSampler sampler, CallSamples empty, ulong switchWith, ulong? switchWithout)
    {
        TextWriter output = Console.Out;
        output.WriteLine($"core {settings.Core}, {settings.Cpus} CPUs, {threads} threads, slices of {settings.SliceNs / 1000.0:0.###} us, vDSO design {settings.Vdso}, kernel {settings.Kernel}");
        output.WriteLine("Cycles are modelled (median of undisturbed calls, the loop around them taken off); the instructions were executed.");
        output.WriteLine();
        var table = new Table("function", "syscall cycles", "vDSO cycles", "ratio", "syscall insns", "vDSO insns", "vDSO calls", "fell back", "wrong");
        foreach (string name in functions)
        {
            CallSamples system = sampler.Samples[(name, CallKind.Syscall)];
            CallSamples? vdso = sampler.Samples.GetValueOrDefault((name, CallKind.Vdso));
            ulong cycles = Less(system.Cycles, empty.Cycles);
            ulong vdsoCycles = vdso is null ? 0 : Less(vdso.Cycles, empty.Cycles);
            table.Add(
                name, Text(cycles), vdso is null ? "-" : Text(vdsoCycles), vdsoCycles == 0 ? "-" : ((double)cycles / vdsoCycles).ToString("f1", CultureInfo.InvariantCulture),
                Text(Less(system.Instructions, empty.Instructions)), vdso is null ? "-" : Text(Less(vdso.Instructions, empty.Instructions)),
                vdso is null ? "-" : Text((ulong)vdso.Calls), vdso is null ? "-" : Text((ulong)vdso.Fallbacks), vdso is null ? "-" : Text((ulong)vdso.Wrong));
        }
        table.Write(output);
        output.WriteLine();
        output.WriteLine(switchWithout is null
            ? $"A context switch takes {switchWith} cycles in __switch_to ({sampler.Switches.Count} switches)."
            : $"A context switch takes {switchWith} cycles in __switch_to with the slot update, {switchWithout} without: {(long)switchWith - (long)switchWithout.Value} more ({sampler.Switches.Count} switches).");
        long wrong = functions.Sum(f => sampler.Samples.GetValueOrDefault((f, CallKind.Vdso))?.Wrong ?? 0);
        if (wrong > 0)
            output.WriteLine($"{wrong} vDSO answers were wrong: the thread was preempted between reading TPIDRRO_EL0 and the slot (a defect of this design).");
    }

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static void WriteJson(
        SessionSettings settings, string[] functions, int threads, CallSampler sampler, CallSamples empty, ulong switchWith, ulong? switchWithout,
        Dictionary<string, CompareRange.Interval> range)
    {
        var list = new JsonArray();
        foreach (string name in functions)
        {
            CallSamples system = sampler.Samples[(name, CallKind.Syscall)];
            CallSamples? vdso = sampler.Samples.GetValueOrDefault((name, CallKind.Vdso));
            list.Add(new JsonObject
            {
                ["name"] = name,
                ["syscall"] = Samples(system, empty),
                ["vdso"] = vdso is null ? null : Samples(vdso, empty, true),
                ["cycles_at_ends_of_calibrated_ranges"] = range.TryGetValue(name, out CompareRange.Interval? interval) ? CompareRange.ToJson(interval) : null,
            });
        }
        var root = new JsonObject
        {
            ["core"] = settings.Core,
            ["cpus"] = settings.Cpus,
            ["cpus_seen"] = sampler.CpusSeen.Count,
            ["threads"] = threads,
            ["design"] = settings.Vdso,
            ["kernel"] = settings.Kernel.ToString(),
            ["cycles"] = "modelled; median of undisturbed calls without the loop",
            ["functions"] = list,
            ["context_switch"] = new JsonObject { ["cycles"] = switchWith, ["cycles_without_update"] = switchWithout, ["switches"] = sampler.Switches.Count },
        };
        Console.Out.WriteLine(root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private static JsonObject Samples(CallSamples samples, CallSamples empty, bool vdso = false)
    {
        var result = new JsonObject
        {
            ["cycles"] = Less(samples.Cycles, empty.Cycles),
            ["instructions"] = Less(samples.Instructions, empty.Instructions),
            ["calls"] = samples.Calls,
        };
        if (vdso)
        {
            result["fallbacks"] = samples.Fallbacks;
            result["wrong"] = samples.Wrong;
        }
        return result;
    }
}
