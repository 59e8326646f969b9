using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Assembler;

/// <summary>One assembled instruction of a text.</summary>
/// <param name="Word">The encoding.</param>
/// <param name="Text">As it was written.</param>
/// <param name="Line">Line of the text, from 1; statements that <c>;</c> separates count as lines of one.</param>
public readonly record struct AssembledInstruction(uint Word, string Text, int Line);

/// <summary>An assembled text: instructions one after another, and where its labels are.</summary>
public sealed partial class AssemblyProgram
{
    private readonly List<AssembledInstruction> _instructions = [];
    private readonly List<(string Name, int At)> _labels = [];

    /// <summary>The instructions, 4 bytes each.</summary>
    public IReadOnlyList<AssembledInstruction> Instructions => _instructions;

    /// <summary>Labels with the index of the instruction behind them.</summary>
    public IReadOnlyList<(string Name, int At)> Labels => _labels;

    /// <summary>The encodings.</summary>
    public uint[] Words => [.. _instructions.Select(i => i.Word)];

    /// <summary>Assembles a text: instructions, labels (<c>name:</c>, local <c>0:</c> with <c>0b</c> and <c>0f</c>), comments
    /// (<c>//</c>, <c>/* */</c>, <c>@</c>, <c>#</c> at the start of a line). Directives are skipped; those that would place data are
    /// errors.</summary>
    /// <exception cref="AssemblerException">The text has something else; the message names the line.</exception>
    public static AssemblyProgram Parse(string text)
    {
        var program = new AssemblyProgram();
        text = Comment().Replace(text, m => new string('\n', m.Value.Count(c => c == '\n')));
        var pending = new List<(string Text, int Line)>();
        string[] lines = text.Split('\n');
        for (int line = 0; line < lines.Length; line++)
        {
            string content = lines[line].TrimStart();
            if (content.StartsWith('#') || content.StartsWith('@'))
                continue;
            int comment = content.IndexOf("//", StringComparison.Ordinal);
            if (comment >= 0)
                content = content[..comment];
            foreach (string statement in content.Split(';'))
            {
                string rest = statement.Trim();
                while (Label().Match(rest) is { Success: true } label)
                {
                    program._labels.Add((label.Groups[1].Value, pending.Count));
                    rest = rest[label.Length..].Trim();
                }
                if (rest.Length == 0)
                    continue;
                if (rest[0] != '.')
                    pending.Add((rest, line + 1));
                else if (Data().IsMatch(rest))
                    throw new AssemblerException($"line {line + 1}: data among instructions: {rest}");
            }
        }
        for (int i = 0; i < pending.Count; i++)
        {
            (string statement, int line) = pending[i];
            string resolved = program.Resolve(statement, i);
            uint word = TableAssembler.Instance.TryAssemble(resolved)
                ?? throw new AssemblerException($"line {line}: not an instruction: {statement}");
            program._instructions.Add(new AssembledInstruction(word, statement, line));
        }
        return program;
    }

    private string Resolve(string statement, int at)
    {
        Match match = Target().Match(statement);
        if (!match.Success)
            return statement;
        string name = match.Groups[2].Value;
        int target = -1;
        if (name.Length > 1 && char.IsAsciiDigit(name[0]) && name[^1] is 'f' or 'b' && name[..^1].All(char.IsAsciiDigit))
        {
            string local = name[..^1];
            target = name[^1] == 'f'
                ? _labels.Where(l => l.Name == local && l.At > at).Select(l => l.At).DefaultIfEmpty(-1).First()
                : _labels.Where(l => l.Name == local && l.At <= at).Select(l => l.At).DefaultIfEmpty(-1).Last();
        }
        else
        {
            foreach ((string label, int place) in _labels)
            {
                if (label == name)
                    target = place;
            }
        }
        if (name == ".")
            target = at;
        if (target < 0)
            return statement;
        return match.Groups[1].Value + "#" + ((target - at) * 4).ToString(CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^([A-Za-z_.$][\w.$]*|\d+)\s*:")]
    private static partial Regex Label();

    [GeneratedRegex(@"^\.(byte|hword|2byte|short|word|4byte|long|xword|8byte|quad|inst|ascii|asciz|string|zero|space|skip|fill)\b")]
    private static partial Regex Data();

    [GeneratedRegex(
        @"^(\s*(?:b|bl|b\.\w+|cbn?z|tbn?z|adr|ldr|ldrsw|prfm)\s(?:[^\[]*,)?\s*)([A-Za-z_.$][\w.$]*|\d+[fb])\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Target();
}
