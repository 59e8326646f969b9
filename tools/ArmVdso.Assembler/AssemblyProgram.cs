using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Assembler;

/// <summary>One assembled instruction of a text.</summary>
/// <param name="Word">The encoding.</param>
/// <param name="Text">As it was written.</param>
/// <param name="Line">Line of the text, from 1; statements that <c>;</c> separates count as lines of one.</param>
public readonly record struct AssembledInstruction(uint Word, string Text, int Line)
{
    /// <summary>The symbol that it refers to and that is not in the text; null: none. The word has 0 for its address.</summary>
    public string? Symbol { get; init; }
}

/// <summary>A region between markers of llvm-mca.</summary>
/// <param name="Name">Its name; may be empty.</param>
/// <param name="From">Its first instruction.</param>
/// <param name="To">The one behind its last.</param>
public readonly record struct AssembledRegion(string Name, int From, int To);

/// <summary>An assembled text: instructions one after another, and where its labels are.</summary>
public sealed partial class AssemblyProgram
{
    private readonly List<AssembledInstruction> _instructions = [];
    private readonly List<(string Name, int At)> _labels = [];

    private readonly List<AssembledRegion> _regions = [];

    /// <summary>Regions between the markers <c>LLVM-MCA-BEGIN name</c> and <c>LLVM-MCA-END</c> in comments, in order.</summary>
    public IReadOnlyList<AssembledRegion> Regions => _regions;

    /// <summary>The instructions, 4 bytes each.</summary>
    public IReadOnlyList<AssembledInstruction> Instructions => _instructions;

    /// <summary>Labels with the index of the instruction behind them.</summary>
    public IReadOnlyList<(string Name, int At)> Labels => _labels;

    /// <summary>The encodings.</summary>
    public uint[] Words => [.. _instructions.Select(i => i.Word)];

    /// <summary>Assembles a text: instructions, labels (<c>name:</c>, local <c>0:</c> with <c>0b</c> and <c>0f</c>), comments
    /// (<c>//</c>, <c>/* */</c>, <c>@</c>, <c>#</c> at the start of a line). Directives that place no instruction and change none are
    /// skipped, as are sections that have no code; all others are errors.</summary>
    /// <param name="text">The text.</param>
    /// <param name="open">Whether calls and addresses of symbols that are not in the text are taken, as compilers write them: see
    /// <see cref="AssembledInstruction.Symbol"/>.</param>
    /// <param name="expanded">Whether the text comes out of an assembler: the values of its <c>.set</c> are in place already, one
    /// that names a label is another name of it.</param>
    /// <exception cref="AssemblerException">The text has something else; the message names the line.</exception>
    public static AssemblyProgram Parse(string text, bool open = false, bool expanded = false)
    {
        var program = new AssemblyProgram();
        text = BlockMarker().Replace(text, m => $"// {m.Groups[1]}");
        text = Comment().Replace(text, m => new string('\n', m.Value.Count(c => c == '\n')));
        var pending = new List<(string Text, int Line)>();
        var sections = new Stack<bool>([true]);
        var aliases = new List<(string Name, string Value)>();
        string[] lines = text.Split('\n');
        for (int line = 0; line < lines.Length; line++)
        {
            string content = lines[line].TrimStart();
            int comment = content is ['#' or '@', ..] ? 0 : content.IndexOf("//", StringComparison.Ordinal);
            Match marker = Marker().Match(comment >= 0 ? content[comment..] : "");
            if (comment >= 0)
                content = content[..comment];
            foreach (string statement in content.Split(';'))
            {
                string rest = statement.Trim();
                if (expanded)
                    rest = Halfword().Replace(rest, HalfwordOf);
                while (Label().Match(rest) is { Success: true } label)
                {
                    if (sections.Peek())
                        program._labels.Add((label.Groups[1].Value, pending.Count));
                    rest = rest[label.Length..].Trim();
                }
                if (rest.Length == 0)
                    continue;
                if (expanded && Assignment().Match(rest) is { Success: true } assignment)
                    aliases.Add((assignment.Groups[1].Value, assignment.Groups[2].Value));
                else if (sections.Peek() && Encoded().Match(rest) is { Success: true } encoded)
                    pending.AddRange(encoded.Groups[1].Value.Split(',').Select(word => (word.Trim(), line + 1)));
                else if (rest[0] == '.')
                    Directive(rest, line + 1, sections);
                else if (sections.Peek())
                    pending.Add((rest, line + 1));
                else
                    throw new AssemblerException($"line {line + 1}: an instruction in a section of data: {rest}");
            }
            if (marker.Success)
                program.Mark(marker, pending.Count, line + 1);
        }
        foreach ((string name, string value) in aliases)
        {
            if (program._labels.FindIndex(l => l.Name == value) is >= 0 and var label)
                program._labels.Insert(label + 1, (name, program._labels[label].At));
        }
        if (program._begun is not null)
            throw new AssemblerException("LLVM-MCA-BEGIN without LLVM-MCA-END");
        for (int i = 0; i < pending.Count; i++)
        {
            (string statement, int line) = pending[i];
            string resolved = program.Resolve(statement, i);
            uint? word = Number(statement) ?? TableAssembler.Instance.TryAssemble(resolved);
            string? symbol = null;
            if (word is null && open && Symbolic().Match(statement) is { Success: true } reference)
            {
                symbol = reference.Groups["symbol"].Value;
                word = TableAssembler.Instance.TryAssemble($"{reference.Groups["before"]}#0{reference.Groups["after"]}");
            }
            program._instructions.Add(new AssembledInstruction(
                word ?? throw new AssemblerException($"line {line}: not an instruction: {statement}"), statement, line)
            {
                Symbol = symbol,
            });
        }
        return program;
    }

    /// <summary>The value of <c>.inst</c>; null: it is none.</summary>
    private static uint? Number(string text) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint word) ? word : null
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out word) ? word : null;

    /// <summary>What a relocation of MOVZ or MOVK makes of a number, which an assembler leaves to the linker.</summary>
    private static string HalfwordOf(Match match)
    {
        int shift = 16 * int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        ulong value = (ulong.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) >> shift) & 0xFFFF;
        return shift == 0 ? $"#{value}" : $"#{value}, lsl #{shift}";
    }

    private (string Name, int At)? _begun;

    private void Mark(Match marker, int at, int line)
    {
        bool begins = marker.Groups[1].Value == "BEGIN";
        if (begins == _begun is not null)
            throw new AssemblerException($"line {line}: LLVM-MCA-{marker.Groups[1].Value} where none can be");
        if (_begun is { } begun)
            _regions.Add(new AssembledRegion(begun.Name, begun.At, at));
        _begun = begins ? (marker.Groups[2].Value.Trim(), at) : null;
    }

    /// <summary>Takes a directive.</summary>
    /// <param name="text">The directive.</param>
    /// <param name="line">Its line.</param>
    /// <param name="sections">Whether the section that is open, and those below it, have code.</param>
    private static void Directive(string text, int line, Stack<bool> sections)
    {
        string[] words = text.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries);
        switch (words[0])
        {
            case ".text":
                Enter(true);
                break;
            case ".data" or ".bss":
                Enter(false);
                break;
            case ".section":
                Enter(IsCode(words));
                break;
            case ".pushsection":
                sections.Push(IsCode(words));
                break;
            case ".popsection" when sections.Count > 1:
                sections.Pop();
                break;
            default:
                if (Harmless().IsMatch(words[0]) || (!sections.Peek() && (words[0] == ".set" || Data().IsMatch(text))))
                    break;
                throw new AssemblerException(Data().IsMatch(text)
                    ? $"line {line}: data among instructions: {text}" : $"line {line}: the directive {words[0]} is not known here");
        }

        void Enter(bool code)
        {
            sections.Pop();
            sections.Push(code);
        }
    }

    private static bool IsCode(string[] words) =>
        words.Length > 1 && (words[1].Trim('"').StartsWith(".text", StringComparison.Ordinal)
            || words.Skip(2).Any(w => w is ['"', .., '"'] && w.Contains('x')));

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

    [GeneratedRegex(@"^(?:#|//|@)\s*LLVM-MCA-(BEGIN|END)\b(.*)$")]
    private static partial Regex Marker();

    /// <summary>A marker in a comment of C that is the last thing on its line.</summary>
    [GeneratedRegex(@"/\*\s*(LLVM-MCA-[^\n]*?)\s*\*/[ \t]*$", RegexOptions.Multiline)]
    private static partial Regex BlockMarker();

    /// <summary>Instructions by their encodings.</summary>
    [GeneratedRegex(@"^\.inst\s+((?:0[xX][0-9a-fA-F]+|\d+)(?:\s*,\s*(?:0[xX][0-9a-fA-F]+|\d+))*)$")]
    private static partial Regex Encoded();

    [GeneratedRegex(@"#?:abs_g([0-3])(?:_nc)?:(\d+)$")]
    private static partial Regex Halfword();

    [GeneratedRegex(@"^(?:\.(?:set|equ)\s+)([A-Za-z_.$][\w.$]*)\s*,\s*(.*)$")]
    private static partial Regex Assignment();

    /// <summary>What compilers write around code: names, alignment, debug and unwind information.</summary>
    [GeneratedRegex(
        @"^\.(globl|global|type|size|file|ident|p2align|p2alignl|align|balign|cfi_\w+|loc|arch|cpu|arch_extension|weak|hidden|local"
        + @"|protected|internal|addrsig|addrsig_sym|variant_pcs|comm|lcomm|end)$")]
    private static partial Regex Harmless();

    /// <summary>A call, or an address of a symbol in the forms of the small code model.</summary>
    [GeneratedRegex(
        @"^(?<before>(?:b|bl|adrp)\s+(?:\w+\s*,\s*)?)(?::got:)?(?<symbol>[A-Za-z_.$][\w.$]*(?:\s*[+-]\s*\d+)?)(?<after>)$"
        + @"|^(?<before>.*?)#?:(?:got_)?lo12:(?<symbol>[A-Za-z_.$][\w.$]*(?:\s*[+-]\s*\d+)?)(?<after>\]?)$",
        RegexOptions.IgnoreCase)]
    private static partial Regex Symbolic();

    [GeneratedRegex(
        @"^\.(byte|hword|2byte|short|word|4byte|long|xword|8byte|quad|inst|ascii|asciz|string|zero|space|skip|fill|float|double|single)\b")]
    private static partial Regex Data();

    [GeneratedRegex(
        @"^(\s*(?:b|bl|b\.?\w\w|cbn?z|tbn?z|adr|ldr|ldrsw|prfm)\s(?:[^\[]*,)?\s*)([A-Za-z_.$][\w.$]*|\d+[fb])\s*$",
        RegexOptions.IgnoreCase)]
    private static partial Regex Target();
}
