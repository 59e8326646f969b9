using System.CommandLine.Parsing;
using System.CommandLine;
using ArmVdso.Cli;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Explain;

// A standard stream that was closed may be a file of the runtime's by now.
if (StandardStream.IsClosed(1))
    Console.SetOut(TextWriter.Null);
if (StandardStream.IsClosed(2))
    Console.SetError(TextWriter.Null);
var root = new RootCommand("ArmVdso runs arm64 Linux programs on emulated CPUs, in cycles, and compares system calls with the vDSO.")
{
    RunCommand.Make(),
    CompareCommand.Make(),
    TraceCommand.Make(),
    KernelPathCommand.Make(),
    CheckCommand.Make(),
    ExplainCommand.Make(),
    ModelsCommand.Make(),
    SyscallsCommand.Make(),
    VdsoCommand.Make(),
    YardsticksCommand.Make(),
    InfoCommands.MakeIsa(),
    CpusCommand.Make(),
};
// No terminal colours, @file expansion or suggestions: arguments after PROGRAM are the guest's, to the letter.
ParseResult parsed = root.Parse(CommandLine.Prepare(args), new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine($"armvdso: {parsed.Errors[0].Message}");
    Console.Error.WriteLine("armvdso: --help shows the options");
    return ExitStatus.Usage;
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (UserError e)
{
    Console.Out.Flush();
    Console.Error.WriteLine($"armvdso: {e.Message}");
    return e.Status;
}
catch (IOException e) when (e.HResult == unchecked((int)0x80131620) || e.Message.Contains("pipe", StringComparison.OrdinalIgnoreCase))
{
    // The reader of our output has gone.
    return ExitStatus.SignalBase + 13;
}
catch (Exception e)
{
    Console.Error.WriteLine($"armvdso: internal error: {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}");
    return ExitStatus.EmulatorError;
}
