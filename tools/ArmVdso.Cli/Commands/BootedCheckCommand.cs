using System.Text.Json.Nodes;
using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>The options of check that mean something for a booted kernel.</summary>
internal sealed record BootedCheckOptions(
    Option<string[]> Function, Option<string[]> Event, Option<string?> Replay, Option<bool> Brief, Option<string?> Mutant,
    Option<bool> Json);

/// <summary>armvdso check --kernel-image: the vDSO of a booted kernel.</summary>
internal static class BootedCheckCommand
{
    /// <summary>Reads the options.</summary>
    internal static Func<int> Bind(CommandInput input, SessionSettings settings, BootFiles files, BootedCheckOptions options)
    {
        string[] functions = CheckCommand.Functions(BootedCheck.Functions, input.Words(options.Function));
        string[]? events = CheckCommand.Events(BootedCheck.Events, input.Words(options.Event));
        string? fault = input.Value(options.Mutant), id = input.Value(options.Replay);
        bool brief = input.Value(options.Brief), asJson = input.Value(options.Json);
        CheckCommand.CheckMutant(fault, BootedCheck.IsMutant, BootedCheck.Mutants);
        if (id is not null)
        {
            input.Refuse($"with {options.Replay.Name}", options.Function, options.Event, options.Json);
            return () => BootedCheck.Replay(settings, files, id, Console.Out, fault, brief) ? 0 : 1;
        }
        input.Refuse($"without {options.Replay.Name}", options.Brief);
        return () => Check(
            BootedCheck.Run(settings, files, functions, events, fault, text => Terminal.Progress($"check {text}")), events, fault, asJson);
    }

    private static int Check(CheckResult result, string[]? events, string? mutant, bool json)
    {
        if (json)
        {
            var kernels = new JsonArray(CheckReport.Json(result));
            Console.Out.WriteLine(
                new JsonObject { ["held"] = result.Held, ["mutant"] = mutant, ["kernels"] = kernels }.ToJsonString());
        }
        else
        {
            CheckReport.Write(Console.Out, result);
            CheckReport.WriteLegend(Console.Out, BootedCheck.Events.Where(e => events?.Contains(e.Name) ?? true));
        }
        return result.Held ? 0 : 1;
    }
}
