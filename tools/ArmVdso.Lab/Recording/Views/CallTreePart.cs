using System.Globalization;
using System.Text;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>A tree of calls as a part of a recording: a line a function with its depth, calls, cycles, instructions, name and file, with
/// tabs between them.</summary>
public static class CallTreePart
{
    /// <summary>Writes a tree.</summary>
    public static void Write(CallNode root, Stream output)
    {
        using var lines = new StreamWriter(output, leaveOpen: true);
        foreach (CallNode node in root.All().Skip(1))
        {
            string name = RecordingLines.Printable(node.Name), where = RecordingLines.Printable(node.Where);
            lines.Write(string.Create(
                CultureInfo.InvariantCulture, $"{node.Path().Count}\t{node.Calls}\t{node.Cycles}\t{node.Instructions}\t{name}\t{where}\n"));
        }
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="LabException">It is none.</exception>
    internal static CallNode Read(ReadOnlySpan<byte> part)
    {
        var root = new CallNode("all", "", null);
        var path = new List<CallNode> { root };
        foreach (string line in Encoding.UTF8.GetString(part).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split('\t');
            if (fields.Length != 6 || !Number(fields[0], out ulong depth) || depth == 0 || depth > (ulong)path.Count
                || !Number(fields[1], out ulong calls) || !Number(fields[2], out ulong cycles)
                || !Number(fields[3], out ulong instructions))
                throw new LabException("the recording's profile is damaged", LabFault.Input);
            path.RemoveRange((int)depth, path.Count - (int)depth);
            CallNode node = path[^1].Callee(fields[4], fields[5]);
            (node.Calls, node.Cycles, node.Instructions) = (calls, cycles, instructions);
            path.Add(node);
        }
        return root.Sum();
    }

    private static bool Number(string text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
