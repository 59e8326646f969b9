using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>armvdso check: every function of a design, interrupted at every instruction boundary by every event, compared
/// with what the system call would have answered.</summary>
internal static class CheckCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var designs = new Argument<string[]>("DESIGN") { Description = "designs to check; all without", Arity = ArgumentArity.ZeroOrMore };
        var function = new Option<string[]>("--function") { Description = "only functions whose name contains this (repeatable)", HelpName = "NAME", AllowMultipleArgumentsPerToken = false };
        var @event = new Option<string[]>("--event") { Description = "only this event (repeatable)", HelpName = "NAME", AllowMultipleArgumentsPerToken = false };
        var pairs = new Option<bool>("--pairs") { Description = "also two events at any two boundaries; takes minutes" };
        var replay = new Option<string?>("--replay") { Description = "runs one schedule and shows every instruction and event", HelpName = "ID" };
        var brief = new Option<bool>("--brief") { Description = "with --replay: EL1 code as one line a function" };
        var mutant = new Option<string?>("--mutant") { Description = "plants a fault first (with --replay too)", HelpName = "NAME" };
        var mutants = new Option<bool>("--mutants") { Description = "plants each fault in turn and says what finds it; status 1 when one is not found" };
        var exposure = new Option<bool>("--exposure") { Description = "instead: who can read whose data, who can write it" };
        var command = new Command("check", "explores every interleaving of a vDSO call with switches, signals and updates");
        foreach (Option option in options.All())
            command.Options.Add(option);
        foreach (Option option in new Option[] { function, @event, pairs, replay, brief, mutant, mutants, exposure, options.Json })
            command.Options.Add(option);
        command.Arguments.Add(designs);
        command.SetAction(result =>
        {
            SessionSettings settings = options.Read(result);
            if (settings.Cpus < 2)
                throw new UserError("--cpus: check needs at least 2 CPUs", ExitStatus.Usage);
            Mutant? planted = result.GetValue(mutant) is { } name ? Mutant.Find(name) : null;
            if (result.GetValue(replay) is { } id)
                return ReplayTrace.Run(settings, Schedule.Parse(id), planted, result.GetValue(brief), Console.Out);
            string[] wanted = result.GetValue(designs) is { Length: > 0 } named ? named : [.. KnownDesigns];
            List<CheckedFunction> functions = Functions(result.GetValue(function) ?? []);
            List<CheckEvent> events = Events(result.GetValue(@event) ?? []);
            if (result.GetValue(exposure))
                return ExposureCommand.Run(settings, wanted, result.GetValue(options.Json));
            if (result.GetValue(mutants))
                return MutantCommand.Run(settings, wanted, functions, result.GetValue(options.Json));
            return Run(settings, wanted, functions, events, planted, result.GetValue(pairs), result.GetValue(options.Json));
        });
        return command;
    }

    private static IReadOnlyList<string> KnownDesigns { get; } = [.. VdsoDesigns.Names.Where(n => VdsoDesigns.Create(n).LoadImage() is not null)];

    private static List<CheckedFunction> Functions(string[] names)
    {
        foreach (string name in names)
        {
            if (!CheckedFunction.All.Any(f => f.Name.Contains(name, StringComparison.Ordinal)))
                throw new UserError($"--function: there is no function '{name}'; known: {string.Join(' ', CheckedFunction.All.Select(f => f.Name))}", ExitStatus.Usage);
        }
        // An exact name means that function alone.
        return [.. CheckedFunction.All.Where(f => names.Length == 0 || names.Any(n => CheckedFunction.All.Any(g => g.Name == n) ? f.Name == n : f.Name.Contains(n, StringComparison.Ordinal)))];
    }

    private static List<CheckEvent> Events(string[] names)
    {
        foreach (string name in names)
        {
            if (CheckEvent.Find(name) is null)
                throw new UserError($"--event: there is no event '{name}'; known: {string.Join(' ', CheckEvent.All.Select(e => e.Name))}", ExitStatus.Usage);
        }
        return [.. CheckEvent.All.Where(e => names.Length == 0 || names.Contains(e.Name))];
    }

    private static int Run(SessionSettings settings, string[] designs, List<CheckedFunction> functions, List<CheckEvent> events, Mutant? mutant, bool pairs, bool json)
    {
        bool failed = false;
        var all = new JsonArray();
        foreach (string design in designs)
        {
            List<Cell> cells = [];
            using (var rig = new CheckRig(CheckRig.With(settings, design)))
            {
                if (mutant is not null && mutant.Plant(rig) == 0)
                    throw new UserError($"--mutant: design {design} has no place for {mutant.Name}", ExitStatus.Usage);
                var explorer = new Explorer(rig);
                foreach (CheckedFunction function in functions.Where(f => f.IsIn(rig)))
                    cells.AddRange(explorer.Explore(function, events, pairs));
            }
            failed |= cells.Any(c => c.Failed > 0);
            if (json)
                all.Add(CheckReport.Json(design, cells));
            else
                CheckReport.Write(Console.Out, design, settings.Cpus, cells);
        }
        if (json)
            Console.Out.WriteLine(new JsonObject { ["held"] = !failed, ["designs"] = all }.ToJsonString());
        else
            CheckReport.WriteLegend(Console.Out, events);
        return failed ? 1 : 0;
    }
}
