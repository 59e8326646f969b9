using ArmVdso.Cli;
using ArmVdso.Emulator.Engine.Lockstep;

// A standard stream that was closed may be a file of the runtime's by now.
Console.SetOut(StandardStream.IsClosed(1) ? TextWriter.Null : ReportStream.Standard(1));
Console.SetError(StandardStream.IsClosed(2) ? TextWriter.Null : ReportStream.Standard(2));
Interruption.Install();
ProgressLine.Start();
// The kernel starts the program's interpreter with the program's words.
if (Path.GetFileName(Environment.GetCommandLineArgs()[0]) == SetupCommand.InterpreterName)
    args = ["run", "--", .. args];
ParseResult parsed = CommandTree.Parse(CommandTree.Make(), args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine($"armvdso: {parsed.Errors[0].Message}{CommandTree.Hint(parsed)}");
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
    Console.Error.WriteLine($"armvdso: {Text.Printable(e.Message)}");
    return e.Status;
}
catch (LabException e)
{
    Console.Out.Flush();
    string message = e.InnerException is EngineMismatchException
        ? $"{e.Message}reproduce with: armvdso {string.Join(' ', args)}" : Text.Printable(e.Message);
    Console.Error.WriteLine($"armvdso: {message}");
    return ExitStatus.Of(e.Fault);
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
