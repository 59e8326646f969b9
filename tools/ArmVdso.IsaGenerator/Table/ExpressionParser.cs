using System.Globalization;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>A message about one place of the table.</summary>
public sealed class TableException(string message) : Exception(message);

/// <summary>Recursive descent parser of <see cref="Expression"/>, usable in the middle of a longer text (templates).</summary>
public sealed class ExpressionParser(string text, int position, IReadOnlyDictionary<string, Field> fields)
{
    private static readonly string[][] Levels =
    [
        ["||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!="], ["<=", ">=", "<", ">"], ["<<", ">>"], ["+", "-"], ["*", "/", "%"],
    ];

    /// <summary>Index of the first character not consumed.</summary>
    public int Position { get; private set; } = position;

    /// <summary>In a placeholder, <c>&lt;</c> and <c>&gt;</c> delimit and are not comparisons.</summary>
    public bool InPlaceholder { get; init; }

    /// <summary>Parses a whole text.</summary>
    public static Expression ParseAll(string text, IReadOnlyDictionary<string, Field> fields)
    {
        var parser = new ExpressionParser(text, 0, fields);
        Expression result = parser.Parse();
        parser.SkipSpace();
        if (parser.Position != text.Length)
            throw new TableException($"unexpected \"{text[parser.Position..]}\" in expression \"{text}\"");
        return result;
    }

    /// <summary>Parses one expression from the current position.</summary>
    public Expression Parse() => ParseLevel(0);

    private void SkipSpace()
    {
        while (Position < text.Length && text[Position] == ' ')
            Position++;
    }

    private Expression ParseLevel(int level)
    {
        if (level == Levels.Length)
            return ParseUnary();
        Expression left = ParseLevel(level + 1);
        while (true)
        {
            SkipSpace();
            string? op = Levels[level].FirstOrDefault(o => string.CompareOrdinal(text, Position, o, 0, o.Length) == 0);
            if (op is null || IsPartOfLonger(op) || (InPlaceholder && op is "<" or ">" or "<=" or ">="))
                return left;
            Position += op.Length;
            left = new Expression.Binary(op, left, ParseLevel(level + 1));
        }
    }

    private bool IsPartOfLonger(string op)
    {
        char next = Position + op.Length < text.Length ? text[Position + op.Length] : '\0';
        return op switch
        {
            "|" => next == '|',
            "&" => next == '&',
            "<" => next == '<',
            ">" => next == '>',
            _ => false,
        };
    }

    private Expression ParseUnary()
    {
        SkipSpace();
        if (Position >= text.Length)
            throw new TableException($"expression ends early in \"{text}\"");
        char c = text[Position];
        if (c is '!' or '-' or '~')
        {
            Position++;
            return new Expression.Unary(c, ParseUnary());
        }
        if (c == '(')
        {
            Position++;
            Expression inner = new ExpressionParser(text, Position, fields).Parenthesized(out int end);
            Position = end;
            return inner;
        }
        if (char.IsAsciiDigit(c))
            return ParseNumber();
        if (char.IsAsciiLetter(c) || c == '_')
            return ParseName();
        throw new TableException($"unexpected '{c}' in expression \"{text}\"");
    }

    private Expression Parenthesized(out int end)
    {
        Expression inner = Parse();
        SkipSpace();
        if (Peek() == '?')
        {
            Position++;
            Expression then = Parse();
            Expect(':');
            inner = new Expression.Choice(inner, then, Parse());
        }
        Expect(')');
        end = Position;
        return inner;
    }

    private char Peek() => Position < text.Length ? text[Position] : '\0';

    private void Expect(char c)
    {
        SkipSpace();
        if (Peek() != c)
            throw new TableException($"'{c}' expected at \"{text[Math.Min(Position, text.Length)..]}\"");
        Position++;
    }

    private Expression.Number ParseNumber()
    {
        int start = Position;
        while (char.IsAsciiLetterOrDigit(Peek()))
            Position++;
        string digits = text[start..Position];
        try
        {
            return new Expression.Number(digits switch
            {
                ['0', 'x' or 'X', ..] => long.Parse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                ['0', 'b' or 'B', ..] => Convert.ToInt64(digits[2..], 2),
                _ => long.Parse(digits, CultureInfo.InvariantCulture),
            });
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw new TableException($"\"{digits}\" is not a number");
        }
    }

    private Expression ParseName()
    {
        int start = Position;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() == '_')
            Position++;
        string name = text[start..Position];
        if (Peek() != '(')
        {
            return fields.TryGetValue(name, out Field? field)
                ? new Expression.FieldValue(field)
                : throw new TableException($"unknown field \"{name}\" (this row has {string.Join(" ", fields.Keys)})");
        }
        if (!TableFunctions.All.TryGetValue(name, out TableFunctions.Function? function))
            throw new TableException($"unknown function \"{name}\" (there are {string.Join(" ", TableFunctions.All.Keys)})");
        var arguments = new List<Expression>();
        Position++;
        do
        {
            var parser = new ExpressionParser(text, Position, fields);
            arguments.Add(parser.Parse());
            parser.SkipSpace();
            Position = parser.Position;
        }
        while (Peek() == ',' && Position++ >= 0);
        Expect(')');
        if (arguments.Count != function.Arity)
            throw new TableException($"{name} takes {function.Arity} arguments: {function.Meaning}");
        return new Expression.Call(name, [.. arguments]);
    }
}
