using System.Text.Json.Nodes;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Cli;

/// <summary>armvdso trace: every TPIDRRO_EL0 write of a run.</summary>
internal static class TraceCommand
{
    internal static Command Make()
    {
        Argument<string?> program = CliCommand.Program("program to trace; without one, the guest of compare");
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        Option<bool> json = CliCommand.Json();
        var guest = new GuestOptions();
        OptionGroup[] groups = OptionGroup.OfRun(guest: guest);
        return new CliCommand(
            "trace", "prints every TPIDRRO_EL0 write: who, when, why, on which CPU", groups, [json], [program, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[]? words = input.Program(program, arguments);
                if (words is null)
                    input.Refuse("without PROGRAM", guest.Options);
                bool asJson = input.Value(json);
                return () => Trace(settings, words, asJson);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static int Trace(SessionSettings settings, string[]? program, bool json)
    {
        using TextWriter output = new StreamWriter(Console.OpenStandardOutput());
        using Stream error = Console.OpenStandardError();
        using Stream input = Console.OpenStandardInput();
        bool begun = false;
        int status = new ArmVdsoLab(settings).Trace(
            write =>
            {
                // The header comes when the run is sure to have begun.
                if (!begun)
                    WriteHeader(output, settings, json);
                begun = true;
                output.WriteLine(json ? ToJson(write) : Line(write));
            },
            program, Terminal.Hooks(input, Stream.Null, error));
        if (!begun)
            WriteHeader(output, settings, json);
        return status;
    }

    private static void WriteHeader(TextWriter output, SessionSettings settings, bool json)
    {
        if (json)
        {
            output.WriteLine(Text.MachineJson(settings, ("design", settings.Vdso)).ToJsonString());
            return;
        }
        output.WriteLine(Text.Run(settings));
        IReadOnlyList<string> fields = OffsetTrace.FieldsOf(VdsoDesigns.Create(settings.Vdso).LoadImage());
        output.WriteLine(Line("cycle", "cpu", "cause", "previous", "next", "old", "new", "slot: " + string.Join(' ', fields)));
    }

    /// <summary>One JSON object.</summary>
    internal static string ToJson(OffsetWrite write) => new JsonObject
    {
        ["cycle"] = write.Cycle,
        ["cpu"] = write.Cpu,
        ["cause"] = write.Cause,
        ["prev"] = write.Previous,
        ["next"] = write.Next,
        ["old"] = write.Old,
        ["new"] = write.New,
        ["slot"] = write.Slot is null ? null : new JsonObject(write.Slot.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value))),
    }.ToJsonString();

    private static string Line(OffsetWrite e)
    {
        string slot = e.Slot is null ? "-" : string.Join(' ', e.Slot.Values.Select(v => Text.Plain(v)));
        return Line(
            Text.Plain(e.Cycle), Text.Plain(e.Cpu), e.Cause, Text.Printable(e.Previous), Text.Printable(e.Next), Offset(e.Old),
            Offset(e.New), slot);
    }

    private static string Offset(ulong value) => value == 0 ? "off" : $"0x{value:x}";

    private static string Line(
        string cycle, string cpu, string cause, string previous, string next, string old, string @new, string slot) =>
        $"{cycle,12}  {cpu,3}  {cause,-6}  {previous,-20}  {next,-20}  {old,6}  {@new,6}  {slot}".TrimEnd();
}
