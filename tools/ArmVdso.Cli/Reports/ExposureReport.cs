using System.Text.Json.Nodes;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>Who can read whose data, and who can write it.</summary>
internal static class ExposureReport
{
    internal static void Write(TextWriter output, SessionSettings settings, IReadOnlyList<Exposure> findings)
    {
        CheckReport.WriteHeader(output, settings);
        var table = new Table(
            "design", "words read", "of a process on another CPU", "of one that ran before", "of a sibling thread", "writes that fault",
            "MSR TPIDRRO_EL0",
            "unseen by tracers");
        foreach (Exposure f in findings)
        {
            const int sigill = 4;
            table.Add(
                f.Design, Text.Plain(f.Words), Fields(f.Other), Fields(f.Past), Fields(f.Sibling), $"{f.PagesThatFault} of {f.Pages} pages",
                f.RegisterWriteSignal == sigill
                    ? "SIGILL"
                    : $"signal {f.RegisterWriteSignal}", $"{f.UnseenFunctions} of {f.Functions} functions");
        }
        table.Write(output);
        output.WriteLine();
        foreach (Exposure f in findings)
        {
            output.WriteLine($"{f.Design}: if [vvar] were writable: {f.Forged}");
            output.WriteLine($"{f.Design}: if slots were replayed: {f.Replayed}");
            output.WriteLine(
                $"{f.Design}: a checkpoint can stop an undisturbed getpid at {f.InstructionsInside} instructions inside the image.");
        }
        output.WriteLine();
        output.WriteLine(
            "A field is listed when its value was found at EL0, by loads of a task of another user. Other processes: distinct PID, user "
            + "and group IDs.");
    }

    private static string Fields(IReadOnlyList<string> fields) => fields.Count == 0 ? "-" : string.Join(' ', fields);

    internal static JsonObject Json(SessionSettings settings, IReadOnlyList<Exposure> findings) => CheckReport.MachineJson(
        settings, ("tamper_proof", findings.All(f => f.TamperProof)), ("designs", new JsonArray([.. findings.Select(Json)])));

    private static JsonNode Json(Exposure f) => new JsonObject
    {
        ["design"] = f.Design,
        ["words"] = f.Words,
        ["other_process"] = List(f.Other),
        ["past_process"] = List(f.Past),
        ["sibling"] = List(f.Sibling),
        ["writes_faulted"] = f.PagesThatFault,
        ["pages"] = f.Pages,
        ["register_write_signal"] = f.RegisterWriteSignal,
        ["forged"] = f.Forged,
        ["replayed"] = f.Replayed,
        ["unseen_functions"] = f.UnseenFunctions,
        ["functions"] = f.Functions,
        ["instructions_inside"] = f.InstructionsInside,
    };

    private static JsonArray List(IReadOnlyList<string> names) => new([.. names.Select(n => JsonValue.Create(n))]);
}
