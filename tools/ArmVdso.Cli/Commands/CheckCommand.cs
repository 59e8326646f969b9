using System.Text.Json.Nodes;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>armvdso check: every function of a design, interrupted at every instruction boundary by every event, compared with what the
/// system call would have answered.</summary>
internal static class CheckCommand
{
    internal static Command Make()
    {
        var designs = new Argument<string[]>("DESIGN") { Description = "designs to check; all without", Arity = ArgumentArity.ZeroOrMore };
        Option<string[]> function = Repeated("--function", "only functions whose name contains this (repeatable)", "NAME");
        Option<string[]> @event = Repeated("--event", "only this event (repeatable)", "NAME");
        var pairs = new Option<bool>("--pairs") { Description = "also two events at any two boundaries; takes minutes" };
        var sample = new Option<string?>(
            "--sample")
        { Description = "also so many schedules of three events for each function, chosen by --seed", HelpName = "N" };
        var seed = new Option<string>(
            "--seed")
        { Description = "with --sample: what chooses them", HelpName = "N", DefaultValueFactory = _ => "1" };
        var replay = new Option<string?>(
            "--replay")
        { Description = "runs one schedule and shows every instruction and event", HelpName = "ID" };
        var debugger = new DebugOption("with --replay: waits, before the call's first instruction,");
        var brief = new Option<bool>("--brief") { Description = "with --replay: EL1 code as one line a function" };
        var mutant = new Option<string?>("--mutant") { Description = "plants a fault first (with --replay too)", HelpName = "NAME" };
        var mutants = new Option<bool>("--mutants")
        {
            Description = "plants each fault in turn and says what finds it; status 1 when one is not found",
        };
        var exposure = new Option<bool>("--exposure") { Description = "instead: who can read whose data, who can write it" };
        var faults = new Option<bool>("--faults")
        {
            Description = "plants a fault at each place in turn: instructions removed, stores of updates dropped or spoilt; takes minutes",
        };
        var litmus = new Option<bool>("--litmus")
        {
            Description = "instead: the memory model held against published litmus results; DESIGN is a test, a shape (MP) or a source",
        };
        Option<bool> json = CliCommand.Json();
        var booted = new BootedOptions();
        // No core: timing models play no part. A core's profile and kernel are given by --cpu and --kernel.
        var kernel = new KernelOptions();
        OptionGroup[] groups = [new CpuOptions("without: max"), kernel];
        return new CliCommand(
            "check", "explores every interleaving of a vDSO call with switches, signals and updates", groups,
            [
                function, @event, pairs, sample, seed, replay, brief, debugger.Option, mutant, mutants, faults, exposure, litmus, json,
                .. booted.Options,
            ],
            [designs], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups, new SessionSettings { Core = "none" });
                if (booted.Read(input) is { } files)
                {
                    input.Refuse(
                        booted.With, [pairs, sample, seed, debugger.Option, mutants, faults, exposure, litmus, .. kernel.Options]);
                    if (input.Operands(designs).Length > 0)
                        throw CommandInput.Error($"DESIGN means nothing {booted.With}: its own vDSO is checked");
                    return BootedCheckCommand.Bind(
                        input, settings, files, new BootedCheckOptions(function, @event, replay, brief, mutant, json));
                }
                if (settings.Cpus < 2)
                    throw CommandInput.Error("--cpus: check needs at least 2 CPUs");
                var lab = new ArmVdsoLab(settings);
                string[] named = input.Operands(designs);
                if (input.Value(litmus))
                {
                    input.Refuse(
                        "with --litmus", function, @event, pairs, sample, replay, brief, debugger.Option, mutant, mutants, faults,
                        exposure);
                    bool asNodes = input.Value(json);
                    return () => LitmusReport.Write(Console.Out, ArmVdsoLab.Litmus(named), asNodes) ? 0 : 1;
                }
                IReadOnlyList<string> wanted = named.Length > 0 ? named : ArmVdsoLab.CheckedDesigns;
                foreach (string design in wanted)
                    DesignOptions.Check("DESIGN", design);
                string[] functions = Functions(ArmVdsoLab.CheckedFunctionsOf(wanted), input.Words(function));
                string[]? events = Events(ArmVdsoLab.CheckEvents, input.Words(@event));
                string[] Of(string design) => [.. functions.Where(ArmVdsoLab.CheckedFunctionsOf(design).Contains)];
                string? fault = input.Value(mutant), id = input.Value(replay);
                bool inPairs = input.Value(pairs), hunt = input.Value(mutants), expose = input.Value(exposure), short_ = input.Value(brief);
                bool asJson = input.Value(json);
                int samples = input.Value(sample) is { } budget ? (int)CommandInput.Number(sample.Name, budget, 1, 10_000_000) : 0;
                ulong chosenBy = input.Number(seed, 0, ulong.MaxValue);
                if (samples == 0)
                    input.Refuse("without --sample", seed);
                CheckMutant(fault, ArmVdsoLab.IsMutant, ArmVdsoLab.Mutants);
                if (id is not null)
                {
                    input.Refuse("with --replay", function, @event, pairs, sample, mutants, exposure, json);
                    if (named.Length > 0)
                        throw CommandInput.Error("DESIGN means nothing with --replay, whose ID names it");
                    if (debugger.Read(input) is { } place)
                    {
                        input.Refuse("with -g", brief);
                        return () => lab.DebugReplay(id, t => debugger.Serve(place, t, "GNU/Linux", () => { }), fault) ? 0 : 1;
                    }
                    return () => lab.Replay(id, Console.Out, fault, short_) ? 0 : 1;
                }
                _ = debugger.Read(input);
                input.Refuse("without --replay", brief, debugger.Option);
                if (expose)
                {
                    input.Refuse("with --exposure", function, @event, pairs, sample, mutant, mutants);
                    return () => Expose(lab, wanted, asJson);
                }
                if (input.Value(faults))
                {
                    input.Refuse("with --faults", pairs, sample, mutant, mutants);
                    return () => PlantFaults(lab, wanted, Of, events, asJson);
                }
                if (hunt)
                {
                    input.Refuse("with --mutants", @event, pairs, sample, mutant);
                    return () => HuntMutants(lab, wanted, Of, asJson);
                }
                return () => Check(wanted, d => lab.Check(d, Of(d), events, inPairs, fault, samples, chosenBy), events, fault, asJson);
            });
    }

    private static Option<string[]> Repeated(string name, string description, string argument) => new(name)
    {
        Description = description,
        HelpName = argument,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>The functions whose name contains one of some names.</summary>
    /// <exception cref="UserError">There is none.</exception>
    internal static string[] Functions(IReadOnlyList<string> known, string[] names)
    {
        string? unknown = names.FirstOrDefault(n => !known.Any(f => f.Contains(n, StringComparison.Ordinal)));
        if (unknown is not null)
            throw CommandInput.Error($"--function: there is no function '{unknown}'; known: {string.Join(' ', known)}");
        // An exact name means that function alone.
        return [.. known.Where(
            f => names.Length == 0 || names.Any(n => known.Contains(n) ? f == n : f.Contains(n, StringComparison.Ordinal)))];
    }

    /// <summary>Events that are named; null: none is, so all are meant.</summary>
    /// <exception cref="UserError">There is no such event.</exception>
    internal static string[]? Events(IReadOnlyList<CheckName> events, string[] names)
    {
        string[] known = [.. events.Select(e => e.Name)];
        string? unknown = names.FirstOrDefault(n => !known.Contains(n));
        if (unknown is not null)
            throw CommandInput.Error($"--event: there is no event '{unknown}'; known: {string.Join(' ', known)}");
        return names.Length == 0 ? null : names;
    }

    /// <summary>Refuses a fault that nobody knows.</summary>
    internal static void CheckMutant(string? name, Func<string, bool> isMutant, IReadOnlyList<CheckName> known)
    {
        if (name is not null && !isMutant(name))
            throw CommandInput.Error($"--mutant: there is no mutant '{name}'; known: {string.Join(' ', known.Select(m => m.Name))}");
    }

    private static int Check(
        IReadOnlyList<string> designs, Func<string, CheckResult> check, string[]? events, string? mutant, bool json)
    {
        bool held = true;
        var all = new JsonArray();
        void WriteAll() =>
            Console.Out.WriteLine(new JsonObject { ["held"] = held, ["mutant"] = mutant, ["designs"] = all }.ToJsonString());

        foreach (string design in designs)
        {
            Terminal.Progress($"check {design}");
            CheckResult result = check(design);
            held &= result.Held;
            if (!json)
            {
                CheckReport.Write(Console.Out, result);
                continue;
            }
            Interruption.Found(null);
            all.Add(CheckReport.Json(result));
            Interruption.Found(WriteAll);
        }
        Interruption.Found(null);
        if (json)
            WriteAll();
        else
            CheckReport.WriteLegend(Console.Out, ArmVdsoLab.CheckEvents.Where(e => events?.Contains(e.Name) ?? true));
        return held ? 0 : 1;
    }

    private static int HuntMutants(ArmVdsoLab lab, IReadOnlyList<string> designs, Func<string, string[]> functions, bool json)
    {
        void Report(List<MutantResult> found)
        {
            if (json)
                Console.Out.WriteLine(MutantReport.Json(lab.Settings, found).ToJsonString());
            else
                MutantReport.Write(Console.Out, lab.Settings, found);
        }

        List<MutantResult> results = Interruption.Gather("mutants", designs.SelectMany(d => lab.HuntMutants(d, functions(d))), Report);
        Report(results);
        return results.TrueForAll(r => r.AsExpected) ? 0 : 1;
    }

    private static int PlantFaults(
        ArmVdsoLab lab, IReadOnlyList<string> designs, Func<string, string[]> functions, string[]? events, bool json)
    {
        void Report(List<FaultResult> found)
        {
            if (json)
                Console.Out.WriteLine(FaultReport.Json(lab.Settings, found).ToJsonString());
            else
                FaultReport.Write(Console.Out, lab.Settings, found);
        }

        List<FaultResult> results = Interruption.Gather(
            "planted faults", designs.SelectMany(d => lab.PlantFaults(d, functions(d), events)), Report);
        Report(results);
        return results.TrueForAll(r => r.Outcome != FaultOutcome.Gap) ? 0 : 1;
    }

    private static int Expose(ArmVdsoLab lab, IReadOnlyList<string> designs, bool json)
    {
        List<Exposure> findings = [.. designs.Select(lab.Expose)];
        if (json)
            Console.Out.WriteLine(ExposureReport.Json(lab.Settings, findings).ToJsonString());
        else
            ExposureReport.Write(Console.Out, lab.Settings, findings);
        return findings.TrueForAll(f => f.TamperProof) ? 0 : 1;
    }
}
