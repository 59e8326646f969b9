using System.Text.RegularExpressions;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Llvm;

/// <summary>Compares the table with libLLVM on words generated around its rows and prints the differences by row.</summary>
public sealed class AgainstLlvm(TableReader table, FormatLibrary formats, Regex? rows, Regex? mnemonics, int perGroup, bool missing)
{
    private readonly Random _random = new(12345);
    private readonly Dictionary<(int Kind, string Row, string Mnemonic), (int Count, List<string> Examples)> _groups = [];

    /// <summary>Tries about <paramref name="count"/> words; returns the number of groups of differences.</summary>
    public int Run(int count)
    {
        var llvm = new LlvmDisassembler(table.Rows.Select(r => r.Feature));
        var tree = new DecisionTree(table.Rows);
        TableRow[] chosen = [.. table.Rows.Where(r => rows is null || rows.IsMatch(r.Name))];
        if (chosen.Length == 0)
        {
            Console.Error.WriteLine("no row matches --rows");
            return 1;
        }
        foreach (string name in chosen.SelectMany(r => r.Aliases.Select(a => a.Asm).Append(r.Asm))
            .SelectMany(t => t.Functions).Distinct().Where(f => !formats.Has(f)).Order())
            Console.WriteLine($"AsmFormat.{name} is missing: rows that use it are compared without their text");
        int each = Math.Max(16, count / chosen.Length);
        long words = 0;
        foreach (TableRow row in chosen)
        {
            for (int n = 0; n < each; n++, words++)
                Compare(tree, llvm, WordOf(row, n % 3 == 2), (ulong)_random.NextInt64() & 0xffff_fffc);
        }
        Print(words);
        return _groups.Count;
    }

    private uint WordOf(TableRow row, bool mutate)
    {
        uint word = row.Value | ((uint)_random.NextInt64() & ~row.Mask);
        for (int attempt = 0; attempt < 40; attempt++)
        {
            word = row.Value | ((uint)_random.NextInt64() & ~row.Mask);
            foreach (Field field in row.Fields)
            {
                int pick = _random.Next(8);
                word = pick == 0 ? word | field.Mask : pick == 1 ? word & ~field.Mask : word;
            }
            // Mostly words that the row claims: conditions may leave few.
            if (mutate || attempt > 0 ? row.Matches(word) : row.Matches(word) || _random.Next(4) == 0)
                break;
        }
        return mutate ? word ^ (1u << _random.Next(32)) : word;
    }

    private void Compare(DecisionTree tree, LlvmDisassembler llvm, uint word, ulong pc)
    {
        TableRow? row = tree.Decode(word);
        string? theirs = llvm.Disassemble(word, pc);
        if (row is null && theirs is null)
            return;
        string? ours = row is null ? null : Disassemble(row, word, pc);
        string mnemonic = FirstToken(theirs ?? "");
        if (row is not null && rows?.IsMatch(row.Name) == false)
            return;
        int kind = row is null ? 1 : theirs is null ? 0 : !Same(FirstToken(ours!), mnemonic) ? 2 : !Same(ours!, theirs) ? 3 : -1;
        if (kind < 0 || (kind == 1 && !missing) || (mnemonics?.IsMatch(theirs is null ? FirstToken(ours!) : mnemonic) == false))
            return;
        var key = (kind, row?.Name ?? "", kind == 3 ? "" : mnemonic);
        if (!_groups.TryGetValue(key, out (int Count, List<string> Examples) group))
            group = (0, []);
        if (group.Examples.Count < perGroup)
            group.Examples.Add($"{word:x8}  ours: {ours ?? "-"}  llvm: {theirs ?? "-"}");
        _groups[key] = (group.Count + 1, group.Examples);
    }

    private string Disassemble(TableRow row, uint word, ulong pc)
    {
        AsmTemplate template = row.Aliases.FirstOrDefault(a => a.When is null || a.When.Evaluate(word) != 0)?.Asm ?? row.Asm;
        try
        {
            return template.Format(word, pc, formats.Call).Trim();
        }
        catch (Exception e)
        {
            return $"{row.Name}: {e.GetType().Name} in the template: {e.Message}";
        }
    }

    private static string FirstToken(string text) => text.Split(' ', 2)[0];

    // A missing function matches anything.
    private static bool Same(string ours, string theirs)
    {
        if (!ours.Contains("<!", StringComparison.Ordinal))
            return ours == theirs;
        return Regex.IsMatch(theirs, "^" + string.Join(".*", Regex.Split(ours, "<![A-Za-z0-9_]*>").Select(Regex.Escape)) + "$");
    }

    private void Print(long words)
    {
        string[] titles = ["we decode, LLVM does not", "LLVM decodes, we do not", "mnemonic differs", "text differs"];
        for (int kind = 0; kind < titles.Length; kind++)
        {
            var found = _groups.Where(g => g.Key.Kind == kind).OrderByDescending(g => g.Value.Count).ToList();
            if (found.Count == 0)
                continue;
            Console.WriteLine($"== {titles[kind]}: {found.Count} groups, {found.Sum(g => g.Value.Count)} words");
            foreach (var (key, value) in found)
            {
                string name = key.Row + (key.Mnemonic == "" ? "" : (key.Row == "" ? "" : " / ") + key.Mnemonic);
                Console.WriteLine($"{name,-28} {value.Count,6}  {value.Examples[0]}");
                foreach (string example in value.Examples.Skip(1))
                    Console.WriteLine($"{"",-36} {example}");
            }
        }
        Console.WriteLine($"{words} words, {_groups.Count} groups of differences");
    }
}
