using System.Globalization;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>The way back: from text to the words that a template would print so.</summary>
public sealed partial class AsmTemplate
{
    /// <summary>The texts that a function of the emulator's AsmFormat can give, each with the bits that make it.</summary>
    /// <param name="name">The function.</param>
    /// <param name="word">The word as far as it is known.</param>
    /// <param name="known">Which of its bits are known.</param>
    public delegate IEnumerable<(string Text, uint Word, uint Known)> CallTexts(string name, uint word, uint known);

    // Conditions and expressions without an inverse are tried with all values of their bits, up to this many bits.
    private const int MostBits = 16;

    /// <summary>All words whose text is <paramref name="text"/>, bits that no part of the template looks at being as in
    /// <paramref name="word"/>. The text has one space, after the mnemonic; letters are small, numbers decimal.</summary>
    /// <param name="text">Canonical text.</param>
    /// <param name="word">The fixed bits of the row.</param>
    /// <param name="known">Mask of the fixed bits.</param>
    /// <param name="conditions">What has to hold: bits that only they look at get values under which they do.</param>
    /// <param name="calls">What functions print.</param>
    public IEnumerable<uint> Encode(string text, uint word, uint known, IReadOnlyList<Expression> conditions, CallTexts calls)
    {
        uint bits = conditions.Aggregate(0u, (all, c) => all | c.Bits);
        foreach ((uint w, uint k) in Match(new Rest(_nodes, 0, null), text, 0, word, known, calls))
        {
            uint free = bits & ~k;
            if (uint.PopCount(free) > MostBits)
            {
                yield return w;
                continue;
            }
            foreach ((uint v, _) in Values(free, w, k))
            {
                if (conditions.All(c => c.Evaluate(v) != 0))
                    yield return v;
            }
        }
    }

    private static IEnumerable<(uint Word, uint Known)> Match(Rest? rest, string text, int at, uint word, uint known, CallTexts calls)
    {
        while (rest is not null && rest.Index == rest.Nodes.Count)
            rest = rest.Next;
        if (rest is null)
        {
            if (at == text.Length)
                yield return (word, known);
            yield break;
        }
        Rest next = rest with { Index = rest.Index + 1 };
        switch (rest.Nodes[rest.Index])
        {
            case Literal literal:
                if (Skip(literal.Text, text, ref at))
                {
                    foreach ((uint, uint) m in Match(next, text, at, word, known, calls))
                        yield return m;
                }
                break;
            case Value value:
                if (!Read(value.Kind, text, ref at, out long number))
                    break;
                foreach ((uint w, uint k) in Solve(value.Number, number, word, known))
                {
                    foreach ((uint, uint) m in Match(next, text, at, w, k, calls))
                        yield return m;
                }
                break;
            case Call call:
                foreach ((string part, uint w, uint k) in calls(call.Name, word, known))
                {
                    int end = at;
                    if (!Skip(part, text, ref end))
                        continue;
                    foreach ((uint, uint) m in Match(next, text, end, w, k, calls))
                        yield return m;
                }
                break;
            case Conditional conditional:
                foreach ((uint w, uint k) in Values(conditional.When.Bits & ~known, word, known))
                {
                    List<Node> branch = conditional.When.Evaluate(w) != 0 ? conditional.Then : conditional.Else;
                    foreach ((uint, uint) m in Match(new Rest(branch, 0, next), text, at, w, k, calls))
                        yield return m;
                }
                break;
        }
    }

    // Spaces of a template stand for one after the mnemonic and for none in the operands.
    private static bool Skip(string literal, string text, ref int at)
    {
        foreach (char c in literal)
        {
            if (c == ' ')
            {
                if (at < text.Length && text[at] == ' ')
                    at++;
                continue;
            }
            if (at >= text.Length || text[at] != char.ToLowerInvariant(c))
                return false;
            at++;
        }
        return true;
    }

    private static bool Read(string kind, string text, ref int at, out long number)
    {
        number = 0;
        switch (kind)
        {
            case "" or "#" or "#x" or "label":
                if (kind != "" && !Skip("#", text, ref at))
                    return false;
                return ReadNumber(text, ref at, out number);
            case "cond":
                return ReadWord("eq ne hs lo mi pl vs vc hi ls ge lt gt le al nv", text, ref at, out number);
            case "arr":
                return ReadWord("8b 16b 4h 8h 2s 4s 1d 2d 1q", text, ref at, out number);
            case "esz":
                return ReadWord("b h s d q", text, ref at, out number);
            case "x" or "w" or "xsp" or "wsp":
                string zero = kind switch { "xsp" => "sp", "wsp" => "wsp", _ => kind + "zr" };
                int end = at;
                number = 31;
                if (Skip(zero, text, ref end) && (end == text.Length || !char.IsAsciiLetterOrDigit(text[end])))
                {
                    at = end;
                    return true;
                }
                return Skip(kind[..1], text, ref at) && ReadNumber(text, ref at, out number) && number is >= 0 and < 31;
            default:
                return Skip(kind, text, ref at) && ReadNumber(text, ref at, out number) && number is >= 0 and < 32;
        }
    }

    private static bool ReadNumber(string text, ref int at, out long number)
    {
        int end = at;
        if (end < text.Length && text[end] == '-')
            end++;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
            end++;
        if (!long.TryParse(text.AsSpan(at, end - at), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
            return false;
        at = end;
        return true;
    }

    private static bool ReadWord(string words, string text, ref int at, out long number)
    {
        int end = at;
        while (end < text.Length && char.IsAsciiLetterOrDigit(text[end]))
            end++;
        number = Array.IndexOf(words.Split(' '), text[at..end]);
        at = end;
        return number >= 0;
    }

    /// <summary>Settings of the unknown bits of an expression under which it has the wanted value.</summary>
    private static IEnumerable<(uint Word, uint Known)> Solve(Expression expression, long wanted, uint word, uint known)
    {
        uint free = expression.Bits & ~known;
        switch (expression)
        {
            case Expression.FieldValue field when free == field.Field.Mask:
                if (wanted >= 0 && wanted < 1L << field.Field.Width)
                    yield return (word | (uint)wanted << field.Field.Lsb, known | free);
                yield break;
            case Expression.Binary { Operator: "<<", Right: Expression.Number shift } binary:
                if ((wanted & ((1L << (int)shift.Value) - 1)) == 0)
                {
                    foreach ((uint, uint) s in Solve(binary.Left, wanted >> (int)shift.Value, word, known))
                        yield return s;
                }
                yield break;
            case Expression.Binary
            {
                Operator: "|",
                Right: Expression.FieldValue low,
                Left: Expression.Binary { Operator: "<<", Right: Expression.Number shift },
            } parts
                when shift.Value == low.Field.Width:
                foreach ((uint w, uint k) in Solve(low, wanted & ((1L << low.Field.Width) - 1), word, known))
                {
                    foreach ((uint, uint) s in Solve(parts.Left, wanted >> low.Field.Width << low.Field.Width, w, k))
                        yield return s;
                }
                yield break;
            case Expression.Call { Name: "sx", Arguments: [Expression value, Expression.Number bits] }:
                long limit = 1L << (int)(bits.Value - 1);
                if (wanted >= -limit && wanted < limit)
                {
                    foreach ((uint, uint) s in Solve(value, wanted & ((limit << 1) - 1), word, known))
                        yield return s;
                }
                yield break;
        }
        foreach ((uint w, uint k) in Values(free, word, known))
        {
            if (expression.Evaluate(w) == wanted)
                yield return (w, k);
        }
    }

    /// <summary>All settings of some bits, zero first.</summary>
    private static IEnumerable<(uint Word, uint Known)> Values(uint free, uint word, uint known)
    {
        if (uint.PopCount(free) > MostBits)
            yield break;
        uint value = 0;
        do
        {
            yield return (word | value, known | free);
            value = (value - free) & free;
        }
        while (value != 0);
    }

    private sealed record Rest(List<Node> Nodes, int Index, Rest? Next);
}
