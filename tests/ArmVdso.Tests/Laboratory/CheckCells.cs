using System.Text.Json;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Tests.Laboratory;

/// <summary>What armvdso check --json prints, by function and event.</summary>
internal static class CheckCells
{
    internal static readonly string[] Ids = [.. VdsoCalls.All.Where(c => c.Answer == VdsoAnswer.Id).Select(c => c.Name)];

    internal static Dictionary<(string Function, string Event), JsonElement> Of(string output, string design)
    {
        var cells = new Dictionary<(string, string), JsonElement>();
        foreach (JsonElement entry in JsonDocument.Parse(output).RootElement.GetProperty("designs").EnumerateArray())
        {
            if (entry.GetProperty("design").GetString() != design)
                continue;
            foreach (JsonElement cell in entry.GetProperty("cells").EnumerateArray())
                cells[(cell.GetProperty("function").GetString()!, cell.GetProperty("event").GetString()!)] = cell;
        }
        return cells;
    }

    internal static string Verdict(JsonElement cell) => cell.GetProperty("verdict").GetString()!;
}
