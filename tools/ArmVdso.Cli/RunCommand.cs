using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Portable;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Cli;

/// <summary>armvdso run: runs a program.</summary>
internal static class RunCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var strace = new Option<string?>("--strace") { Description = "prints system calls, to a file when one is named (--strace=FILE)", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var stats = new Option<string?>("--stats") { Description = "prints counts at the end, to a file when one is named (--stats=FILE)", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var trace = new Option<string?>("--trace") { Description = "writes each TPIDRRO_EL0 write to a file, one JSON object a line", HelpName = "FILE" };
        var program = new Argument<string>("PROGRAM") { Description = "path on the host or in the root, or a name to look for" };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("run", "runs an arm64 Linux program");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(strace);
        command.Options.Add(stats);
        command.Options.Add(trace);
        command.Options.Add(options.Json);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result => Run(
            options.Read(result), result.GetValue(program)!, result.GetValue(arguments) ?? [],
            result.GetResult(strace) is not null, result.GetValue(strace), result.GetResult(stats) is not null, result.GetValue(stats),
            result.GetValue(trace), result.GetValue(options.Json)));
        return command;
    }

    private static int Run(
        SessionSettings settings, string program, string[] arguments, bool straceOn, string? straceFile, bool statsOn, string? statsFile, string? traceFile, bool json)
    {
        using TextWriter? straceOutput = straceOn ? Open(straceFile) : null;
        Strace? strace = straceOutput is null ? null : new Strace(straceOutput);
        using TextWriter? traceOutput = traceFile is null ? null : Open(traceFile);
        using Stream output = StandardStream.Open(1);
        using Stream error = StandardStream.Open(2);
        using Stream input = StandardStream.Open(0);
        using var session = new Session(settings, program, arguments, new Session.Hooks
        {
            Input = input,
            Output = output,
            Error = error,
            Syscall = strace is null ? null : strace.Syscall,
            Signal = strace is null ? null : strace.Signal,
            Exit = strace is null ? null : strace.Exit,
        });
        foreach (Stream stream in (Stream[])[input, output, error])
        {
            if (stream is StandardStream standard)
                standard.Stopped = () => session.Machine.StopRequested;
        }
        if (traceOutput is not null)
            session.Machine.Observer = new OffsetTrace(session.Kernel, e => traceOutput.WriteLine(e.ToJson()));
        var clock = Stopwatch.StartNew();
        try
        {
            return session.Run();
        }
        catch (EngineMismatchException e)
        {
            output.Flush();
            string command = string.Join(' ', Environment.GetCommandLineArgs().Skip(1));
            throw new UserError($"{e.Message}reproduce with: armvdso {command}", ExitStatus.EmulatorError);
        }
        finally
        {
            clock.Stop();
            output.Flush();
            if (statsOn)
            {
                using TextWriter statsOutput = Open(statsFile);
                PrintStatistics(session, clock.Elapsed, statsOutput, json);
            }
        }
    }

    /// <summary>A file for a report; stderr when none is named.</summary>
    internal static TextWriter Open(string? file)
    {
        if (string.IsNullOrEmpty(file))
            return TextWriter.Synchronized(Console.Error);
        try
        {
            return new StreamWriter(file) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.EmulatorError);
        }
    }

    /// <summary>Counts in the manner of perf stat: value, event, remark.</summary>
    private static void PrintStatistics(Session session, TimeSpan elapsed, TextWriter output, bool json)
    {
        ulong instructions = 0, cycles = 0, waiting = 0, charged = 0, exceptions = 0;
        foreach (Cpu cpu in session.Machine.Cpus)
        {
            instructions += cpu.Instructions;
            cycles += cpu.Cycles;
            waiting += cpu.Timing.WaitCycles;
            charged += cpu.Timing.ChargedCycles;
            exceptions += cpu.ExceptionEntries;
        }
        ulong busy = cycles - waiting;
        double seconds = elapsed.TotalSeconds;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                instructions,
                cycles = busy,
                cycles_executed = busy - charged,
                cycles_charged = charged,
                cycles_waiting = waiting,
                exceptions,
                context_switches = session.Kernel.Scheduler.Switches,
                host_seconds = seconds,
            }));
            return;
        }
        var table = new Table("count", "event", "remark");
        table.Add(Count(instructions), "instructions", $"{(busy == 0 ? 0 : (double)instructions / busy):f2} per cycle");
        table.Add(Count(busy), "cycles", $"over {session.Machine.Cpus.Count} CPUs, not waiting");
        table.Add(Count(busy - charged), "cycles executed", $"{(busy == 0 ? 0 : 100.0 * (busy - charged) / busy):f1}% of cycles");
        table.Add(Count(charged), "cycles charged", "modelled: kernel bodies in C#, from stock kernel counts at an assumed 1.5 cycles an instruction");
        table.Add(Count(waiting), "cycles waiting", "in WFI");
        table.Add(Count(exceptions), "exceptions taken", "");
        table.Add(Count((ulong)session.Kernel.Scheduler.Switches), "context switches", "");
        output.WriteLine();
        table.Write(output);
        output.WriteLine();
        if (session.Machine.TranslatedBlocks != 0)
            output.WriteLine($"{Count(session.Machine.TranslatedBlocks)} blocks translated");
        if (session.Machine.Check is { } check)
            output.WriteLine($"{Count(check.Compared)} instructions compared in {Count(check.Blocks)} blocks, {Count(check.NotCompared)} executed by the reference engine only");
        output.WriteLine($"{seconds:f3} seconds of the host, {instructions / Math.Max(seconds, 1e-9) / 1e6:f1} million instructions a second");
    }

    private static string Count(ulong value) => value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
}
