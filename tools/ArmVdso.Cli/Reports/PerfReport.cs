using System.Globalization;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>A profile as perf report --stdio --children -g caller prints one. Nothing is sampled: each cycle is counted where it
/// was.</summary>
internal static class PerfReport
{
    /// <summary>Functions and branches below this share are left out, as perf does.</summary>
    private const double Least = 0.005;

    private const int Deepest = 40;

    /// <summary>A function of a command, with all its places in the tree.</summary>
    private sealed class Symbol
    {
        internal ulong Self, Children;
        internal readonly List<CallNode> Nodes = [];
    }

    /// <summary>Writes it.</summary>
    internal static void Write(TextWriter output, RecordingHeader header, CallNode root)
    {
        var symbols = new Dictionary<(string Command, string Where, string Name), Symbol>();
        foreach (CallNode thread in root.Callees)
        {
            string command = thread.Name.Split('[')[0];
            foreach (CallNode node in thread.All())
                Add(symbols, (command, ReferenceEquals(node, thread) ? "[thread]" : node.Where, node.Name), node);
        }
        ulong total = root.WholeCycles;
        output.WriteLine("# Total Lost Samples: 0");
        output.WriteLine("#");
        output.WriteLine(
            $"# Samples: none, each cycle is counted; event 'cycles', modelled: core {header.Core}, {Text.Plain(header.Cpus)} CPUs");
        output.WriteLine($"# Event count (approx.): {Text.Plain(total)}");
        output.WriteLine("#");
        var shown = symbols.Where(s => s.Key.Where != "[thread]" && s.Value.Children >= Least * total)
            .OrderByDescending(s => s.Value.Children).ThenBy(s => s.Key.Name, StringComparer.Ordinal).ToList();
        int commands = Width("Command", shown.Select(s => s.Key.Command)), objects = Width("Shared Object", shown.Select(s => s.Key.Where));
        output.WriteLine($"# Children      Self  {"Command".PadRight(commands)}  {"Shared Object".PadRight(objects)}  Symbol");
        output.WriteLine($"# ........  ........  {new string('.', commands)}  {new string('.', objects)}  {new string('.', 40)}");
        output.WriteLine("#");
        foreach (((string command, string where, string name), Symbol symbol) in shown)
        {
            output.WriteLine(
                $"  {Share(symbol.Children, total),8}  {Share(symbol.Self, total),8}  {Text.Printable(command).PadRight(commands)}  "
                + $"{Text.Printable(where).PadRight(objects)}  [{(where == "[EL1]" ? 'k' : '.')}] {Text.Printable(name)}");
            Callees(output, symbol.Nodes, total, "            ", 0);
        }
    }

    private static void Add(Dictionary<(string, string, string), Symbol> symbols, (string, string, string) key, CallNode node)
    {
        if (!symbols.TryGetValue(key, out Symbol? symbol))
            symbols[key] = symbol = new Symbol();
        symbol.Self += node.Cycles;
        // One that calls itself has its cycles once.
        for (CallNode? at = node.Caller; at is not null; at = at.Caller)
        {
            if (at.Name == node.Name && at.Where == node.Where)
                return;
        }
        symbol.Children += node.WholeCycles;
        symbol.Nodes.Add(node);
    }

    private static void Callees(TextWriter output, IEnumerable<CallNode> nodes, ulong total, string indent, int depth)
    {
        var below = nodes.SelectMany(n => n.Callees).GroupBy(n => (n.Name, n.Where))
            .Select(g => (g.Key.Name, Cycles: g.Aggregate(0UL, (sum, n) => sum + n.WholeCycles), Nodes: g.ToArray()))
            .Where(g => g.Cycles >= Least * total).OrderByDescending(g => g.Cycles).ThenBy(g => g.Name, StringComparer.Ordinal).ToList();
        if (below.Count == 0 || depth == Deepest)
            return;
        output.WriteLine($"{indent}|");
        foreach ((string name, ulong cycles, CallNode[] callees) in below)
        {
            output.WriteLine($"{indent}|--{Share(cycles, total)}--{Text.Printable(name)}");
            Callees(output, callees, total, indent + "|          ", depth + 1);
        }
        if (depth == 0)
            output.WriteLine();
    }

    private static string Share(ulong part, ulong total) =>
        string.Create(CultureInfo.InvariantCulture, $"{(total == 0 ? 0 : 100.0 * part / total):F2}%");

    private static int Width(string title, IEnumerable<string> words) =>
        words.Select(w => Text.Printable(w).Length).Append(title.Length).Max();
}
