using System.CommandLine;
using System.Globalization;
using ArmVdso.Lab;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>armvdso trace: every TPIDRRO_EL0 write of a run.</summary>
internal static class TraceCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var program = new Argument<string?>("PROGRAM") { Description = "program to trace; without one, the guest of compare", Arity = ArgumentArity.ZeroOrOne };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("trace", "prints every TPIDRRO_EL0 write: who, when, why, on which CPU");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(options.Json);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result =>
        {
            SessionSettings settings = options.Read(result);
            bool json = result.GetValue(options.Json);
            string? name = result.GetValue(program);
            using TextWriter output = new StreamWriter(Console.OpenStandardOutput());
            using EmbeddedGuest? guest = name is null ? new EmbeddedGuest() : null;
            string[] words = name is null ? ["4"] : result.GetValue(arguments) ?? [];
            if (guest is not null)
            {
                bool sliceGiven = result.GetResult(options.Slice) is { Implicit: false };
                settings = settings with { Binds = [.. settings.Binds, guest.Bind], SliceNs = sliceGiven ? settings.SliceNs : Comparison.SliceNs };
            }
            return Trace(settings, name ?? EmbeddedGuest.GuestPath, words, json, output);
        });
        return command;
    }

    private static int Trace(SessionSettings settings, string program, string[] arguments, bool json, TextWriter output)
    {
        using Stream error = Console.OpenStandardError();
        using Stream input = Console.OpenStandardInput();
        using var session = new Session(settings, program, arguments, new Session.Hooks { Error = error, Input = input, Log = Terminal.Log, Terminals = Terminal.Streams });
        using IDisposable interrupts = Terminal.Interrupts(session);
        if (!json)
            output.WriteLine(Line("cycle", "cpu", "cause", "previous", "next", "old", "new", "slot: cpu node pid tid uid euid gid egid ppid"));
        session.Machine.Observer = new OffsetTrace(session.Kernel, e =>
        {
            if (json)
            {
                output.WriteLine(e.ToJson());
                return;
            }
            string slot = e.Slot is null ? "-" : string.Join(' ', e.Slot.Values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
            output.WriteLine(Line(
                e.Cycle.ToString(CultureInfo.InvariantCulture), e.Cpu.ToString(CultureInfo.InvariantCulture), e.Cause, e.Previous, e.Next, Offset(e.Old), Offset(e.New), slot));
        });
        try
        {
            return session.Run();
        }
        finally
        {
            output.Flush();
        }
    }

    private static string Offset(ulong value) => value == 0 ? "off" : "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    private static string Line(string cycle, string cpu, string cause, string previous, string next, string old, string @new, string slot) =>
        $"{cycle,12}  {cpu,3}  {cause,-6}  {previous,-20}  {next,-20}  {old,6}  {@new,6}  {slot}".TrimEnd();
}
