using ArmVdso.Lab.KernelPath;

namespace ArmVdso.Cli;

/// <summary>armvdso kernel-path: what system calls execute at EL1, by class, part and function, beside a stock kernel's counts.</summary>
internal static class KernelPathCommand
{
    internal static Command Make()
    {
        var program = new Argument<string?>("PROGRAM")
        {
            Description = "program whose system calls are watched; without one, a guest of ours",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var functions = new Option<bool>("--functions") { Description = "also the instructions of each EL1 function" };
        Option<bool> json = CliCommand.Json();
        var guest = new GuestOptions();
        OptionGroup[] groups =
        [
            new CpuOptions(cpus: 1), new CoreOptions(), new EngineOptions(), new DesignOptions(), new KernelOptions(), guest,
            new MachineOptions(),
            new TimeOptions(), new LimitOptions(),
        ];
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
