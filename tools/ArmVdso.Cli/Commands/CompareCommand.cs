using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>armvdso compare: what each function costs by system call and by vDSO, and what a context switch pays.</summary>
internal static class CompareCommand
{
    internal static Command Make()
    {
        var threads = new Option<string>(
            "--threads")
        { Description = "threads of the guest, 2 to 64", HelpName = "N", DefaultValueFactory = _ => "4" };
        var functions = new Argument<string[]>("FUNCTION")
        {
            Description = "functions to show (a part of the name is enough); all without",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> json = CliCommand.Json();
        var design = new DesignOptions(several: true);
        var (cpus, kernel, machine, time) = (new CpuOptions(), new KernelOptions(), new MachineOptions(), new TimeOptions());
        var booted = new BootedOptions();
        OptionGroup[] groups =
            [cpus, new CoreOptions(), new EngineOptions(), design, kernel, machine, time, new LimitOptions()];
        return new CliCommand(
            "compare", "compares system calls with the vDSO, in cycles; --vdso all compares the designs", groups,
            [threads, json, .. booted.Options], [functions], input =>
            {
                if (booted.Read(input) is { } files)
                {
                    input.Refuse(
                        booted.With,
                        [threads, .. design.Options, .. kernel.Options, .. machine.ModelOptions, .. time.ModelOptions]);
                    return Booted(input, CliCommand.Settings(input, groups), cpus, files, input.Operands(functions), input.Value(json));
                }
                IReadOnlyList<string> designs = design.Designs(input);
                foreach (string name in designs)
                    DesignOptions.Check("--vdso", name);
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[] wanted = input.Operands(functions);
                IReadOnlyList<string> known = ArmVdsoLab.ComparedFunctionsOf([.. designs, settings.Vdso]);
                string[] shown = Shown(known, wanted);
                int count = (int)input.Number(threads, 2, 64);
                bool asJson = input.Value(json);
                return () =>
                {
                    var lab = new ArmVdsoLab(settings);
                    if (designs.Count > 1)
                    {
                        void Report(DesignsResult result)
                        {
                            if (asJson)
                                new DesignReport(result).WriteJson(Console.Out);
                            else
                                new DesignReport(result).Write(Console.Out);
                        }

                        DesignsResult all = lab.CompareDesigns(
                            designs, shown, count, Terminal.Progress, soFar => Interruption.Found(() => Report(soFar)));
                        Interruption.Found(null);
                        Report(all);
                        return 0;
                    }
                    Terminal.Progress("compare");
                    ComparisonResult result = lab.Compare(shown, count);
                    if (asJson)
                        ComparisonReport.WriteJson(Console.Out, result);
                    else
                        ComparisonReport.Write(Console.Out, result);
                    return 0;
                };
            });
    }

    private static string[] Shown(IReadOnlyList<string> known, string[] wanted)
    {
        string[] shown = [.. known.Where(f => wanted.Length == 0 || wanted.Any(w => f.Contains(w, StringComparison.Ordinal)))];
        string? unknown = wanted.FirstOrDefault(w => !shown.Any(f => f.Contains(w, StringComparison.Ordinal)));
        return unknown is null ? shown : throw CommandInput.Error($"there is no function '{unknown}'; known: {string.Join(' ', known)}");
    }

    /// <summary>The same of a booted kernel. Its guest is one thread: there is one CPU unless more are asked for.</summary>
    private static Func<int> Booted(
        CommandInput input, SessionSettings settings, CpuOptions cpus, BootFiles files, string[] wanted, bool json)
    {
        settings = cpus.AreGiven(input) ? settings : settings with { Cpus = 1 };
        string[]? functions = wanted.Length == 0 ? null : Shown(ArmVdsoLab.ComparedFunctions, wanted);
        return () =>
        {
            Terminal.Progress("compare");
            BootedComparisonResult result = BootedComparison.Measure(settings, files, functions);
            if (json)
                ComparisonReport.WriteJson(Console.Out, result);
            else
                ComparisonReport.Write(Console.Out, result);
            return 0;
        };
    }
}
