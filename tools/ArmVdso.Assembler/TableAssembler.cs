using System.Globalization;
using System.Numerics;
using System.Reflection;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.Assembler;

/// <summary>An assembler made of the instruction table: it finds the word that the table would print as the given text, and says so
/// when there is none. It takes what the disassembler prints, the aliases of the table, and the usual other spellings (numbers
/// without <c>#</c> or in hexadecimal, register ranges, <c>fadd.4s v0, v1, v2</c>, <c>b.cs</c>).</summary>
public sealed class TableAssembler
{
    // A function's texts are listed for all values of its bits: the operation and the register of SYS.
    private const int MostBits = 19;
    private static readonly string[] SystemMnemonics = [
        "sys", "sysl", "sysp", "ic", "dc", "at", "tlbi", "tlbip", "cfp", "dvp", "cpp", "cosp", "brb", "trcit", "gcspopm", "gcspushm",
        "gcsss1", "gcsss2", "gcspopcx", "gcspopx", "gcspushx"];
    private static readonly Lazy<TableAssembler> Single = new(() => new TableAssembler());

    private readonly List<(TableRow Row, AsmTemplate Asm, Expression[] When)> _templates = [];
    private readonly Dictionary<string, MethodInfo> _functions = [];
    private readonly Dictionary<(string Name, int Row), uint> _dependencies = [];
    private readonly Dictionary<(string Name, uint Word, uint Free), List<(string Text, uint Bits)>> _texts = [];
    private readonly Dictionary<string, uint> _words = [];

    private TableAssembler()
    {
        Assembly own = typeof(TableAssembler).Assembly;
        TableReader table = TableReader.Read(own.GetManifestResourceNames().Where(n => n.EndsWith(".isa", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(n => (n["table/".Length..], Lines(own.GetManifestResourceStream(n)!))));
        if (table.Errors.Count > 0)
            throw new InvalidOperationException(table.Errors[0]);
        foreach (TableRow row in table.Rows)
        {
            foreach (Alias alias in row.Aliases)
                _templates.Add((row, alias.Asm, [.. new[] { alias.When, row.When }.OfType<Expression>()]));
            _templates.Add((row, row.Asm, row.When is null ? [] : [row.When]));
        }
        foreach (MethodInfo method in typeof(AsmFormat).GetMethods(BindingFlags.Public | BindingFlags.Static))
            _functions.TryAdd(method.Name, method);
    }

    /// <summary>The assembler; the table is read on first use.</summary>
    public static TableAssembler Instance => Single.Value;

    private static IEnumerable<string> Lines(Stream stream)
    {
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    /// <summary>The word of one instruction; branch targets are offsets in bytes (<c>b #8</c>).</summary>
    /// <exception cref="AssemblerException">No row of the table prints this text.</exception>
    public uint Assemble(string text) =>
        TryAssemble(text) ?? throw new AssemblerException($"not an instruction: {text.Trim()}");

    /// <summary>As <see cref="Assemble"/>, null when there is no such instruction.</summary>
    public uint? TryAssemble(string text)
    {
        lock (_words)
        {
            string canonical = AsmDialect.Canonical(text);
            if (_words.TryGetValue(canonical, out uint known))
                return known;
            foreach (string form in Forms(canonical))
            {
                if (Find(form) is { } word)
                {
                    _words[canonical] = word;
                    return word;
                }
            }
            return null;
        }
    }

    /// <summary>The text itself, then what assemblers make of it when it is no instruction as it stands.</summary>
    private static IEnumerable<string> Forms(string text)
    {
        int space = text.IndexOf(' ');
        string mnemonic = space < 0 ? text : text[..space];
        string operands = space < 0 ? "" : text[(space + 1)..];
        if (mnemonic == "mov" && operands.Split(',') is [var register, ['#', ..] immediate] && register[0] is 'x' or 'w')
        {
            foreach (string move in Moves(register, immediate[1..]))
                yield return move;
        }
        yield return text;
        if (operands.Split(',') is [var d, var n, ['#', '-', ..] negative] && mnemonic is "add" or "sub" or "adds" or "subs")
            yield return $"{(mnemonic[0] == 'a' ? "sub" : "add")}{mnemonic[3..]} {d},{n},#{negative[2..]}";
        if (operands.Split(',') is [var d2, var n2, ['#', ..] large] && mnemonic is "add" or "sub" or "adds" or "subs"
            && long.TryParse(large.AsSpan(1), CultureInfo.InvariantCulture, out long value) && (value & 0xFFF) == 0)
            yield return $"{mnemonic} {d2},{n2},#{value >> 12},lsl#12";
        // The disassembler names the register of the low bits W.
        if (mnemonic is "tbz" or "tbnz" && operands[0] == 'x')
            yield return $"{mnemonic} w{operands[1..]}";
        // Offsets that only the unscaled form has.
        if (mnemonic is "ldr" or "str" or "ldrb" or "strb" or "ldrh" or "strh" or "ldrsb" or "ldrsh" or "ldrsw")
            yield return $"{mnemonic[..2]}ur{mnemonic[3..]} {operands}";
        // A register operand that the disassembler leaves out of the preferred form.
        if (mnemonic == "ret" && operands == "x30")
            yield return "ret";
        // Extension is a shift by nothing.
        if (mnemonic is "uxtl" or "uxtl2" or "sxtl" or "sxtl2")
            yield return $"{mnemonic[0]}shll{mnemonic[4..]} {operands},#0";
        if (operands.Split(',') is [var d3, var left, var right])
        {
            // Comparisons of registers that are encoded with their operands exchanged.
            if (Exchanged(mnemonic) is { } comparison && right[0] is 'v' or 'd' or 's' or 'h')
                yield return $"{comparison} {d3},{right},{left}";
            if (Inverted(mnemonic) is { } logic && right[0] == '#' && d3[0] is 'x' or 'w'
                && long.TryParse(right.AsSpan(1), CultureInfo.InvariantCulture, out long mask))
                yield return $"{logic} {d3},{left},#{(d3[0] == 'x' ? ~mask : ~mask & uint.MaxValue)}";
        }
    }

    private static string? Exchanged(string mnemonic) => mnemonic switch
    {
        "cmle" => "cmge",
        "cmlt" => "cmgt",
        "cmls" => "cmhs",
        "cmlo" => "cmhi",
        "fcmle" => "fcmge",
        "fcmlt" => "fcmgt",
        "facle" => "facge",
        "faclt" => "facgt",
        _ => null,
    };

    /// <summary>The operation that has the immediate of <c>bic</c> and its like as it is, inverted.</summary>
    private static string? Inverted(string mnemonic) => mnemonic switch
    {
        "bic" => "and",
        "bics" => "ands",
        "orn" => "orr",
        "eon" => "eor",
        _ => null,
    };

    private static IEnumerable<string> Moves(string register, string number)
    {
        if (!long.TryParse(number, CultureInfo.InvariantCulture, out long value))
            yield break;
        int width = register[0] == 'x' ? 64 : 32;
        ulong mask = width == 64 ? ulong.MaxValue : uint.MaxValue;
        for (int shift = 0; shift < width; shift += 16)
        {
            string lsl = shift == 0 ? "" : $",lsl#{shift}";
            ulong bits = (ulong)value & mask;
            if ((bits & ~(0xFFFFUL << shift)) == 0)
                yield return $"movz {register},#{bits >> shift}{lsl}";
            bits = ~(ulong)value & mask;
            if ((bits & ~(0xFFFFUL << shift)) == 0)
                yield return $"movn {register},#{bits >> shift}{lsl}";
        }
        yield return $"orr {register},{(width == 64 ? "xzr" : "wzr")},#{(long)((ulong)value & mask)}";
    }

    private uint? Find(string text)
    {
        bool system = SystemMnemonics.Contains(text.Split(' ')[0]);
        foreach ((TableRow row, AsmTemplate asm, Expression[] when) in _templates)
        {
            // Their texts begin with a function that has half a million of them.
            if (row.Name is "SYS" or "SYSL" or "SYSP" && !system)
                continue;
            foreach (uint word in asm.Encode(text, row.Value, row.Mask, when, (name, w, k) => Calls(name, w, k, row)))
            {
                if (row.Matches(word) && when.All(c => c.Evaluate(word) != 0) && RowInfo.Name(Decoder.Decode(word)) == row.Name)
                    return word;
            }
        }
        return null;
    }

    private IEnumerable<(string Text, uint Word, uint Known)> Calls(string name, uint word, uint known, TableRow row)
    {
        if (!_functions.TryGetValue(name, out MethodInfo? function))
            yield break;
        var format = function.CreateDelegate<Func<uint, ulong, string>>();
        if (!_dependencies.TryGetValue((name, row.Order), out uint bits))
            _dependencies.Add((name, row.Order), bits = Dependencies(format, row.Value, row.Mask));
        uint free = bits & ~known;
        if (BitOperations.PopCount(free) > MostBits)
            yield break;
        uint relevant = word & bits;
        if (!_texts.TryGetValue((name, relevant, free), out List<(string, uint)>? texts))
            _texts.Add((name, relevant, free), texts = [.. Texts(format, word, free)]);
        foreach ((string text, uint value) in texts)
            yield return (text, word | value, known | free);
    }

    private static IEnumerable<(string Text, uint Bits)> Texts(Func<uint, ulong, string> format, uint word, uint free)
    {
        uint value = 0;
        do
        {
            if (Try(format, word | value) is { } text)
                yield return (Decimal(text), value);
            value = (value - free) & free;
        }
        while (value != 0);
    }

    // Functions expect words of their rows; others may index out of their tables.
    private static string? Try(Func<uint, ulong, string> format, uint word)
    {
        try
        {
            return format(word, 0);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static string Decimal(string text)
    {
        text = text.ToLowerInvariant();
        int hash = text.IndexOf("#0", StringComparison.Ordinal);
        if (hash < 0 || hash + 2 >= text.Length || text[hash + 2] == '.')
            return text;
        int end = hash + 1;
        while (end < text.Length && char.IsAsciiLetterOrDigit(text[end]))
            end++;
        return text[..(hash + 1)] + AsmDialect.Number(text[(hash + 1)..end]) + text[end..];
    }

    /// <summary>Which bits a function looks at: those whose change changes the text, for a few settings of the others.</summary>
    private static uint Dependencies(Func<uint, ulong, string> format, uint word, uint known)
    {
        uint bits = 0;
        ulong random = 1;
        for (int trial = 0; trial < 96; trial++)
        {
            // All clear, all set, each bit alone, then pseudo-random ones.
            random = (random * 6364136223846793005) + 1442695040888963407;
            uint setting = trial switch { 0 => 0, 1 => uint.MaxValue, < 34 => 1u << (trial - 2), _ => (uint)(random >> 32) };
            uint other = (word & known) | (setting & ~known);
            string? text = Try(format, other);
            for (int bit = 0; bit < 32; bit++)
            {
                if ((bits & (1u << bit)) == 0 && text != Try(format, other ^ (1u << bit)))
                    bits |= 1u << bit;
            }
        }
        return bits;
    }
}
