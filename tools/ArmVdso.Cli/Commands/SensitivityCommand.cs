using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Cli;

/// <summary>armvdso model sensitivity: which uncertain parameters of a core move a program's figure.</summary>
internal static class SensitivityCommand
{
    /// <summary>Changes of a figure that are not worth a line.</summary>
    private const double Least = 0.001;

    internal static CliCommand Make()
    {
        var core = new Argument<string?>("CORE")
        {
            Description = "the core: a name that 'models' lists, with @BOARD on a board, or a file",
            Arity = ArgumentArity.ExactlyOne,
        };
        var programs = new Option<string?>("--programs")
        {
            Description = "folder of programs, as tools/ArmVdso.Yardsticks/Programs/fetch.sh makes it: their figures for this core; "
                + "without: programs of our own",
            HelpName = "DIR",
        };
        var figure = new Option<string?>("--figure") { Description = "only figures whose names have this in them", HelpName = "TEXT" };
        var parameter = new Option<string[]>("--parameter")
        {
            Description = "only this parameter; can be given several times",
            HelpName = "KEY",
            DefaultValueFactory = _ => [],
        };
        Option<bool> json = CliCommand.Json();
        return new CliCommand(
            "sensitivity", "which parameters that are known by a range move a program's figure, and how far", [],
            [programs, figure, parameter, json], [core], input =>
            {
                string name = input.Operand(core)!;
                IReadOnlyList<CoreParameter> uncertain;
                IReadOnlyList<ProgramFigure> figures;
                try
                {
                    uncertain = ProgramSensitivity.Uncertain(name);
                    YardstickData tables = YardstickData.BuiltIn;
                    if (input.Value(programs) is { } folder)
                        tables = tables.With(folder);
                    figures = ArmVdsoLab.ProgramFigures(name, tables);
                }
                catch (Exception e) when (e is CoreModelException or YardstickException)
                {
                    throw CommandInput.Error(e.Message);
                }
                string[] keys = input.Words(parameter);
                if (uncertain.Count == 0)
                    throw CommandInput.Error($"{name} has no parameter with a range");
                if (keys.FirstOrDefault(k => uncertain.All(p => p.Key != k)) is { } unknown)
                    throw CommandInput.Error($"--parameter: {name} has no '{unknown}' with a range; 'models {name}' prints them");
                string wanted = input.Value(figure) ?? "";
                figures = [.. figures.Where(f => f.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase))];
                if (figures.Count == 0)
                    throw CommandInput.Error($"there is no such figure of {name}");
                if (keys.Length > 0)
                    uncertain = [.. uncertain.Where(p => keys.Contains(p.Key))];
                bool asJson = input.Value(json);
                return () => Run(name, figures, uncertain, asJson);
            });
    }

    private static int Run(string core, IReadOnlyList<ProgramFigure> figures, IReadOnlyList<CoreParameter> parameters, bool json)
    {
        foreach (ProgramFigure figure in figures)
        {
            double now = figure.On(core);
            var effects = new List<ParameterEffect>();
            foreach (ParameterEffect effect in ProgramSensitivity.Of(core, figure, parameters))
            {
                effects.Add(effect);
                Terminal.Progress($"model sensitivity: {figure.Name}: {effects.Count} of {parameters.Count} parameters");
            }
            if (json)
                Write(core, figure, now, effects);
            else
                Print(core, figure, now, effects);
        }
        return 0;
    }

    private static void Print(string core, ProgramFigure figure, double now, List<ParameterEffect> effects)
    {
        Console.Out.WriteLine($"{figure.Name} on {core}: {Number(now)} {figure.Unit}");
        var table = new Table("parameter", "value", "range", "figure at low", "at high", "moves it by", "source");
        foreach (ParameterEffect effect in effects.Where(e => e.Share(now) >= Least).OrderByDescending(e => e.Share(now)))
        {
            CoreParameter p = effect.Parameter;
            table.Add(
                p.Key, Text.Plain(p.Value), $"{p.Range!.Value.Low}..{p.Range.Value.High}", End(effect.Low), End(effect.High),
                YardstickSets.Percent(effect.Share(now)), p.Source);
        }
        table.Write(Console.Out);
        string[] still = [.. effects.Where(e => e.Share(now) < Least && e.Reason.Length == 0).Select(e => e.Parameter.Key)];
        if (still.Length > 0)
            Console.Out.WriteLine($"less than {YardstickSets.Percent(Least)}: {string.Join(' ', still)}");
        foreach (ParameterEffect effect in effects.Where(e => e.Reason.Length > 0))
            Console.Out.WriteLine($"not at an end of its range: {effect.Reason}");
        Console.Out.WriteLine();
    }

    private static void Write(string core, ProgramFigure figure, double now, List<ParameterEffect> effects)
    {
        foreach (ParameterEffect effect in effects)
        {
            var line = new JsonObject
            {
                ["core"] = core,
                ["figure"] = figure.Name,
                ["unit"] = figure.Unit,
                ["now"] = now,
                ["parameter"] = effect.Parameter.Key,
                ["value"] = effect.Parameter.Value,
                ["low"] = effect.Parameter.Range!.Value.Low,
                ["high"] = effect.Parameter.Range.Value.High,
                ["at_low"] = effect.Low,
                ["at_high"] = effect.High,
                ["share"] = effect.Share(now),
            };
            Console.Out.WriteLine(line.ToJsonString());
        }
    }

    private static string End(double? figure) => figure is { } value ? Number(value) : "-";

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
