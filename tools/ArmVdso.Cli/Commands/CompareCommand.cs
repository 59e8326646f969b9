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
        OptionGroup[] groups =
        [
            new CpuOptions(), new CoreOptions(), new EngineOptions(), design, new KernelOptions(), new MachineOptions(), new TimeOptions(),
            new LimitOptions(),
        ];
        return new CliCommand(
            "compare", "compares system calls with the vDSO, in cycles; --vdso all compares the designs", groups, [threads, json],
                [functions], input =>
            {
                IReadOnlyList<string> designs = design.Designs(input);
                foreach (string name in designs)
                    DesignOptions.Check("--vdso", name);
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[] wanted = input.Operands(functions);
                IReadOnlyList<string> known = ArmVdsoLab.ComparedFunctionsOf([.. designs, settings.Vdso]);
                string[] shown = [
                    .. known.Where(
                    f => wanted.Length == 0 || wanted.Any(w => f.Contains(w, StringComparison.Ordinal)))];
                string? unknown = wanted.FirstOrDefault(w => !shown.Any(f => f.Contains(w, StringComparison.Ordinal)));
                if (unknown is not null)
                    throw CommandInput.Error($"there is no function '{unknown}'; known: {string.Join(' ', known)}");
                int count = (int)input.Number(threads, 2, 64);
                bool asJson = input.Value(json);
                return () =>
                {
                    var lab = new ArmVdsoLab(settings);
                    if (designs.Count > 1)
                    {
                        var report = new DesignReport(lab.CompareDesigns(designs, shown, count, Terminal.Progress));
                        if (asJson)
                            report.WriteJson(Console.Out);
                        else
                            report.Write(Console.Out);
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
}
