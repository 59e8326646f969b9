using ArmVdso.Lab.KernelPath;

namespace ArmVdso.Cli;

/// <summary>armvdso kernel-path: what system calls execute at EL1, by class, part and function, beside a stock kernel's counts.</summary>
internal static class KernelPathCommand
{
    internal static Command Make()
    {
        Argument<string?> program = CliCommand.Program("program whose system calls are watched; without one, a guest of ours");
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        var functions = new Option<bool>("--functions") { Description = "also the instructions of each EL1 function" };
        Option<bool> json = CliCommand.Json();
        var guest = new GuestOptions();
        OptionGroup[] groups = OptionGroup.OfRun(cpu: new CpuOptions(cpus: 1), guest: guest);
        return new CliCommand(
            "kernel-path", "what system calls execute at EL1, in instructions and cycles, beside a stock kernel", groups, [functions, json],
            [program, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[]? words = input.Program(program, arguments);
                if (words is null)
                    input.Refuse("without PROGRAM", guest.Options);
                bool asJson = input.Value(json), withFunctions = input.Value(functions);
                if (asJson)
                    input.Refuse("with --json, which has the functions", functions);
                return () =>
                {
                    using Stream error = Console.OpenStandardError();
                    using Stream output = asJson ? Stream.Null : Console.OpenStandardOutput();
                    KernelPathResult result = new ArmVdsoLab(settings).MeasureKernelPath(words, Terminal.Hooks(Stream.Null, output, error));
                    if (asJson)
                        KernelPathReport.WriteJson(Console.Out, result);
                    else
                        KernelPathReport.Write(Console.Out, result, withFunctions);
                    return 0;
                };
            })
        {
            OperandsBeforeProgram = 0,
        };
    }
}
