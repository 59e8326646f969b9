using System.Globalization;
using System.Text;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>A parsed disassembly template: literal text, placeholders and conditional parts.</summary>
public sealed partial class AsmTemplate
{
    private readonly List<Node> _nodes;

    private AsmTemplate(List<Node> nodes) => _nodes = nodes;

    /// <summary>No text.</summary>
    public static readonly AsmTemplate Empty = new([]);

    /// <summary>Placeholder kinds that name a register or a fixed vocabulary, with their meaning.</summary>
    public static readonly IReadOnlyDictionary<string, string> Kinds = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["x"] = "x0..x30, xzr",
        ["w"] = "w0..w30, wzr",
        ["r"] = "x or w by field sf, 31 is zero",
        ["xsp"] = "x0..x30, sp",
        ["wsp"] = "w0..w30, wsp",
        ["rsp"] = "x or w by field sf, 31 is the stack pointer",
        ["b"] = "b0..b31",
        ["h"] = "h0..h31",
        ["s"] = "s0..s31",
        ["d"] = "d0..d31",
        ["q"] = "q0..q31",
        ["v"] = "v0..v31",
        ["cond"] = "condition name eq ne hs lo mi pl vs vc hi ls ge lt gt le al nv",
        ["arr"] = "arrangement of an expression size*2+Q: 8b 16b 4h 8h 2s 4s 1d 2d (8 is 1q)",
        ["esz"] = "element letter of an expression size: b h s d q",
        ["label"] = "#signed byte offset",
        ["#x"] = "#0x.. hexadecimal; #0 for zero",
    };

    /// <summary>Names of the AsmFormat functions used.</summary>
    public IEnumerable<string> Functions => Walk(_nodes).OfType<Call>().Select(c => c.Name);

    /// <summary>Parses a template.</summary>
    public static AsmTemplate Parse(string text, IReadOnlyDictionary<string, Field> fields)
    {
        int position = 0;
        List<Node> nodes = ParseNodes(text, ref position, fields, false);
        if (position != text.Length)
            throw new TableException($"unexpected \"{text[position..]}\" in template \"{text}\"");
        return new AsmTemplate(nodes);
    }

    /// <summary>The text for a word; functions come from <paramref name="call"/>.</summary>
    public string Format(uint instruction, ulong pc, Func<string, uint, ulong, string> call)
    {
        var text = new StringBuilder();
        Format(_nodes, text, instruction, pc, call);
        return text.ToString();
    }

    /// <summary>A C# expression of type string over <c>uint i</c> and <c>ulong pc</c>. A function that is not known gives its
    /// own placeholder as text, so that a table can be tried before its functions are written.</summary>
    public string Emit(IReadOnlySet<string> functions) => Emit(_nodes, functions);

    private static List<Node> ParseNodes(string text, ref int p, IReadOnlyDictionary<string, Field> fields, bool inside)
    {
        var nodes = new List<Node>();
        var literal = new StringBuilder();
        int literalBraces = 0;
        void Flush()
        {
            if (literal.Length != 0)
                nodes.Add(new Literal(literal.ToString()));
            literal.Clear();
        }
        while (p < text.Length)
        {
            char c = text[p];
            if (c == '\\' && p + 1 < text.Length)
            {
                literal.Append(text[p + 1]);
                p += 2;
            }
            else if (c == '<')
            {
                Flush();
                nodes.Add(ParsePlaceholder(text, ref p, fields));
            }
            else if (c == '{' && p + 1 < text.Length && text[p + 1] == ' ')
            {
                literalBraces++;
                literal.Append(c);
                p++;
            }
            else if (c == '}' && literalBraces > 0)
            {
                literalBraces--;
                literal.Append(c);
                p++;
            }
            else if (c == '{')
            {
                Flush();
                nodes.Add(ParseConditional(text, ref p, fields));
            }
            else if (inside && (c == '}' || (c == '|' && literalBraces == 0)))
            {
                break;
            }
            else
            {
                literal.Append(c);
                p++;
            }
        }
        Flush();
        return nodes;
    }

    private static Conditional ParseConditional(string text, ref int p, IReadOnlyDictionary<string, Field> fields)
    {
        int start = p++;
        var parser = new ExpressionParser(text, p, fields);
        Expression when = parser.Parse();
        p = parser.Position;
        if (p >= text.Length || text[p] != ':')
            throw new TableException($"':' expected after the condition of \"{text[start..]}\" (a literal brace is \"{{ \" or \"\\{{\")");
        p++;
        List<Node> then = ParseNodes(text, ref p, fields, true);
        List<Node> otherwise = [];
        if (p < text.Length && text[p] == '|')
        {
            p++;
            otherwise = ParseNodes(text, ref p, fields, true);
        }
        if (p >= text.Length || text[p] != '}')
            throw new TableException($"'}}' expected to close \"{text[start..]}\"");
        p++;
        return new Conditional(when, then, otherwise);
    }

    private static Node ParsePlaceholder(string text, ref int p, IReadOnlyDictionary<string, Field> fields)
    {
        int start = p++;
        Node node;
        if (text[p] == '!')
        {
            int end = text.IndexOf('>', p);
            if (end < 0)
                throw new TableException($"'>' expected to close \"{text[start..]}\"");
            string name = text[(p + 1)..end];
            if (name.Length == 0 || !name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch == '_'))
                throw new TableException($"\"{name}\" is not a function name");
            p = end;
            node = new Call(name);
        }
        else
        {
            string kind = Kinds.Keys.Where(k => string.CompareOrdinal(text, start + 1, k + ":", 0, k.Length + 1) == 0)
                .MaxBy(k => k.Length) ?? "";
            if (kind != "")
                p += kind.Length + 1;
            else if (text[p] == '#')
                p++;
            bool hash = kind == "" && text[p - 1] == '#';
            var parser = new ExpressionParser(text, p, fields) { InPlaceholder = true };
            Expression value = parser.Parse();
            p = parser.Position;
            if (kind is "r" or "rsp")
            {
                if (!fields.TryGetValue("sf", out Field? sf))
                    throw new TableException($"<{kind}:...> needs a field sf");
                node = new Conditional(new Expression.FieldValue(sf), [new Value("x" + kind[1..], value)],
                    [new Value("w" + kind[1..], value)]);
            }
            else
            {
                node = new Value(hash ? "#" : kind, value);
            }
        }
        if (p >= text.Length || text[p] != '>')
            throw new TableException($"'>' expected to close \"{text[start..]}\"");
        p++;
        return node;
    }

    private static void Format(List<Node> nodes, StringBuilder text, uint i, ulong pc, Func<string, uint, ulong, string> call)
    {
        foreach (Node node in nodes)
        {
            switch (node)
            {
                case Literal literal:
                    text.Append(literal.Text);
                    break;
                case Call function:
                    text.Append(call(function.Name, i, pc));
                    break;
                case Value value:
                    text.Append(FormatValue(value.Kind, value.Number.Evaluate(i)));
                    break;
                case Conditional conditional:
                    Format(conditional.When.Evaluate(i) != 0 ? conditional.Then : conditional.Else, text, i, pc, call);
                    break;
            }
        }
    }

    private static string FormatValue(string kind, long n) => kind switch
    {
        "x" or "w" => n == 31 ? kind + "zr" : kind + n,
        "xsp" => n == 31 ? "sp" : "x" + n,
        "wsp" => n == 31 ? "wsp" : "w" + n,
        "" => n.ToString(CultureInfo.InvariantCulture),
        "#" or "label" => "#" + n.ToString(CultureInfo.InvariantCulture),
        "#x" => n == 0 ? "#0" : "#0x" + n.ToString("x", CultureInfo.InvariantCulture),
        "cond" => Pick("eq ne hs lo mi pl vs vc hi ls ge lt gt le al nv", n),
        "arr" => Pick("8b 16b 4h 8h 2s 4s 1d 2d 1q", n),
        "esz" => Pick("b h s d q", n),
        _ => kind + n,
    };

    private static string Pick(string words, long n)
    {
        string[] list = words.Split(' ');
        return n >= 0 && n < list.Length ? list[n] : "?";
    }

    private static string Emit(List<Node> nodes, IReadOnlySet<string> functions)
    {
        if (nodes.All(n => n is Literal))
            return "\"" + string.Concat(nodes.Cast<Literal>().Select(l => Escape(l.Text))) + "\"";
        if (nodes is [not Literal])
            return EmitNode(nodes[0], functions);
        return "string.Concat(" + string.Join(", ", nodes.Select(n => EmitNode(n, functions))) + ")";
    }

    private static string EmitNode(Node node, IReadOnlySet<string> functions) => node switch
    {
        Literal literal => "\"" + Escape(literal.Text) + "\"",
        Call call => functions.Contains(call.Name) ? $"AsmFormat.{call.Name}(i, pc)" : $"\"<!{call.Name}>\"",
        Conditional c => $"({c.When.EmitBoolean()} ? {Emit(c.Then, functions)} : {Emit(c.Else, functions)})",
        Value v => EmitValue(v),
        _ => throw new InvalidOperationException(),
    };

    private static string EmitValue(Value v)
    {
        string function = v.Kind switch
        {
            "x" => "X",
            "w" => "W",
            "xsp" => "Xsp",
            "wsp" => "Wsp",
            "" => "Decimal",
            "#" or "label" => "Immediate",
            "#x" => "HexImmediate",
            "cond" => "Condition",
            "arr" => "Arrangement",
            "esz" => "ElementSize",
            _ => v.Kind.ToUpperInvariant(),
        };
        return $"AsmText.{function}({v.Number.EmitInteger(v.Kind is "" or "#" or "label" or "#x" ? "long" : "int")})";
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static IEnumerable<Node> Walk(List<Node> nodes)
    {
        foreach (Node node in nodes)
        {
            yield return node;
            if (node is not Conditional c)
                continue;
            foreach (Node inner in Walk(c.Then).Concat(Walk(c.Else)))
                yield return inner;
        }
    }

    private abstract record Node;

    private sealed record Literal(string Text) : Node;

    private sealed record Value(string Kind, Expression Number) : Node;

    private sealed record Call(string Name) : Node;

    private sealed record Conditional(Expression When, List<Node> Then, List<Node> Else) : Node;
}
