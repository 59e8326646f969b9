using System.Globalization;
using System.Text;

namespace ArmVdso.Assembler;

/// <summary>Brings assembly text as GNU as, LLVM or Apple's assembler take it into the form in which the instruction table prints it:
/// one space after the mnemonic and none elsewhere, small letters, decimal numbers behind <c>#</c>, register lists written out.</summary>
internal static class AsmDialect
{
    private static readonly string[] Arrangements = ["8b", "16b", "4h", "8h", "2s", "4s", "1d", "2d", "1q", "2h", "4b"];

    private static readonly string[] Conditions =
        ["eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al"];

    /// <summary>The canonical form of one instruction.</summary>
    public static string Canonical(string text)
    {
        text = text.Trim().ToLowerInvariant();
        int space = text.IndexOfAny([' ', '\t']);
        if (space < 0)
            return text;
        string mnemonic = text[..space];
        string operands = Compact(text[space..]);
        int dot = mnemonic.LastIndexOf('.');
        if (dot > 0 && Arrangements.Contains(mnemonic[(dot + 1)..]))
        {
            operands = Arranged(operands, mnemonic[(dot + 1)..]);
            mnemonic = mnemonic[..dot];
        }
        // GNU as takes the condition without a dot, and GCC writes it so.
        if (mnemonic is ['b', _, _] && Conditions.Contains(mnemonic[1..]))
            mnemonic = $"b.{mnemonic[1..]}";
        if (mnemonic.StartsWith("b.", StringComparison.Ordinal))
            mnemonic = "b." + Condition(mnemonic[2..]);
        mnemonic = mnemonic switch { "lslv" => "lsl", "lsrv" => "lsr", "asrv" => "asr", "rorv" => "ror", _ => mnemonic };
        if (mnemonic is "fmov" or "fcmp" or "fcmpe" or "fcmeq" or "fcmge" or "fcmgt" or "fcmle" or "fcmlt")
            operands = Floating(operands);
        operands = Lists(operands);
        int last = operands.LastIndexOf(',');
        if (last >= 0 && !operands.EndsWith(']'))
            operands = operands[..(last + 1)] + Condition(operands[(last + 1)..]);
        if (!operands.EndsWith('!'))
            operands = operands.Replace(",#0]", "]", StringComparison.Ordinal);
        return $"{mnemonic} {operands}";
    }

    private static string Condition(string name) => name switch { "cs" => "hs", "cc" => "lo", _ => name };

    /// <summary>Without spaces, numbers decimal; a bare number gets its <c>#</c>.</summary>
    private static string Compact(string operands)
    {
        var text = new StringBuilder();
        char before = ',';
        for (int i = 0; i < operands.Length;)
        {
            char c = operands[i];
            if (char.IsWhiteSpace(c))
            {
                // "lsl 2" is "lsl #2".
                if (i + 1 < operands.Length && char.IsAsciiDigit(operands[i + 1]) && char.IsAsciiLetter(before))
                    text.Append('#');
                i++;
                continue;
            }
            bool number = char.IsAsciiDigit(c) || (c == '-' && i + 1 < operands.Length && char.IsAsciiDigit(operands[i + 1]));
            if (number && before is ',' or '#' or '[' || (number && text.Length > 0 && text[^1] == '#'))
            {
                if (before == ',')
                    text.Append('#');
                int end = i + 1;
                while (end < operands.Length
                    && (char.IsAsciiLetterOrDigit(operands[end]) || operands[end] == '.' || IsExponent(operands, i, end)))
                    end++;
                text.Append(Number(operands[i..end]));
                before = '0';
                i = end;
                continue;
            }
            text.Append(c);
            before = c;
            i++;
        }
        return text.ToString();
    }

    /// <summary>Whether a sign stands between the exponent's letter and its digits, as in <c>1.0e+00</c>.</summary>
    private static bool IsExponent(string operands, int first, int sign) =>
        operands[sign] is '+' or '-' && operands[sign - 1] == 'e' && sign + 1 < operands.Length && char.IsAsciiDigit(operands[sign + 1])
        && operands.AsSpan((first + (operands[first] == '-' ? 1 : 0))..(sign - 1)) is { IsEmpty: false } digits
        && digits.IndexOfAnyExcept("0123456789.") < 0;

    /// <summary>A number in decimal; floating-point immediates have eight decimals, as the table prints them, but zero is 0.0.</summary>
    internal static string Number(string token)
    {
        bool negative = token[0] == '-';
        string digits = negative ? token[1..] : token;
        if (digits.StartsWith("0x", StringComparison.Ordinal)
            && ulong.TryParse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong hex))
            return ((long)(negative ? 0 - hex : hex)).ToString(CultureInfo.InvariantCulture);
        if (digits.StartsWith("0b", StringComparison.Ordinal)
            && ulong.TryParse(digits.AsSpan(2), NumberStyles.BinaryNumber, CultureInfo.InvariantCulture, out ulong binary))
            return ((long)(negative ? 0 - binary : binary)).ToString(CultureInfo.InvariantCulture);
        if (ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            return ((long)(negative ? 0 - value : value)).ToString(CultureInfo.InvariantCulture);
        if ((digits.Contains('.') || digits.Contains('e'))
            && double.TryParse(token, NumberStyles.Float, CultureInfo.InvariantCulture, out double real))
            return Real(real);
        return token;
    }

    private static string Real(double value) => value == 0 ? "0.0" : value.ToString("F8", CultureInfo.InvariantCulture);

    /// <summary>What moves or compares floating-point numbers takes whole ones too: <c>fmov d0, #1</c> is <c>fmov d0, #1.0</c>.</summary>
    private static string Floating(string operands)
    {
        int hash = operands.LastIndexOf('#');
        return hash >= 0 && long.TryParse(operands.AsSpan(hash + 1), CultureInfo.InvariantCulture, out long whole)
            ? operands[..(hash + 1)] + Real(whole)
            : operands;
    }

    /// <summary>Apple's form: the arrangement of all vector registers stands behind the mnemonic.</summary>
    private static string Arranged(string operands, string arrangement)
    {
        var text = new StringBuilder();
        for (int i = 0; i < operands.Length; i++)
        {
            text.Append(operands[i]);
            bool starts = operands[i] == 'v' && (i == 0 || !char.IsAsciiLetterOrDigit(operands[i - 1])) && i + 1 < operands.Length
                && char.IsAsciiDigit(operands[i + 1]);
            if (!starts)
                continue;
            while (i + 1 < operands.Length && char.IsAsciiDigit(operands[i + 1]))
                text.Append(operands[++i]);
            if (i + 1 < operands.Length && operands[i + 1] == '.')
                continue;
            text.Append('.').Append(i + 1 < operands.Length && operands[i + 1] == '[' ? arrangement[^1..] : arrangement);
        }
        return text.ToString();
    }

    /// <summary>Ranges in register lists: <c>{v0.4s-v3.4s}</c> is <c>{v0.4s,v1.4s,v2.4s,v3.4s}</c>.</summary>
    private static string Lists(string operands)
    {
        int open = operands.IndexOf('{');
        int close = operands.IndexOf('}');
        if (open < 0 || close < open)
            return operands;
        string[] ends = operands[(open + 1)..close].Split('-');
        if (ends.Length != 2)
            return operands;
        int dot = ends[0].IndexOf('.');
        string suffix = dot < 0 ? "" : ends[0][dot..];
        string firstText = (dot < 0 ? ends[0] : ends[0][..dot])[1..];
        string lastText = (ends[1].IndexOf('.') is >= 0 and int d ? ends[1][..d] : ends[1])[1..];
        if (!int.TryParse(firstText, CultureInfo.InvariantCulture, out int first)
            || !int.TryParse(lastText, CultureInfo.InvariantCulture, out int last))
            return operands;
        IEnumerable<string> names = Enumerable.Range(0, ((last - first) & 31) + 1).Select(i => $"v{(first + i) & 31}{suffix}");
        return operands[..(open + 1)] + string.Join(',', names) + operands[close..];
    }
}
