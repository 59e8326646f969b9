using ArmVdso.Assembler;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Operand shapes of SIMD and floating-point instructions. The letter in a row's name is the element size of the first source;
/// which of the shapes an instruction has is asked of the assembler.</summary>
internal static class VectorShapes
{
    private const string Letters = "bhsdq";

    /// <summary>The 128-bit arrangement of an element size.</summary>
    public static string Full(string letter) => letter switch { "b" => "16b", "h" => "8h", "s" => "4s", "d" => "2d", _ => "1q" };

    /// <summary>The 64-bit arrangement.</summary>
    public static string Half(string letter) => letter switch { "b" => "8b", "h" => "4h", "s" => "2s", _ => "1d" };

    /// <summary>The element size twice as wide; of d it is q.</summary>
    public static string Wide(string letter) => Letters[Math.Min(Letters.IndexOf(letter, StringComparison.Ordinal) + 1, 4)..][..1];

    /// <summary>The element size half as wide; of b it is b.</summary>
    public static string Narrow(string letter) => Letters[Math.Max(Letters.IndexOf(letter, StringComparison.Ordinal) - 1, 0)..][..1];

    /// <summary>The first of the shapes that is an instruction, or null.</summary>
    public static string? FirstThatAssembles(IEnumerable<string> shapes)
    {
        foreach (string shape in shapes)
        {
            string text = shape.Replace("{d}", "2", StringComparison.Ordinal).Replace("{s}", "3", StringComparison.Ordinal);
            if (text.Split(';').All(t => TableAssembler.Instance.TryAssemble(t) is not null))
                return shape;
        }
        return null;
    }

    /// <summary>Shapes of an instruction on whole vectors: destination, first source, second source, and what follows.</summary>
    /// <param name="m">Mnemonic; one that ends in 2 works on the upper half of narrow operands.</param>
    /// <param name="t">Element size of the first source.</param>
    /// <param name="tail">Last operand behind the registers, as ", #2"; empty for none.</param>
    public static IEnumerable<string> Vector(string m, string t, string tail)
    {
        bool upper = m.EndsWith('2');
        string full = Full(t);
        string wide = Full(Wide(t));
        string narrow = upper ? Full(Narrow(t)) : Half(Narrow(t));
        string part = upper ? full : Half(t);
        // Same size, three and two registers.
        yield return $"{m} v{{d}}.{full}, v{{d}}.{full}, v{{s}}.{full}{tail}";
        yield return $"{m} v{{d}}.{full}, v{{s}}.{full}{tail}";
        // Wider results.
        yield return $"{m} v{{d}}.{wide}, v{{d}}.{part}, v{{s}}.{part}{tail}";
        yield return $"{m} v{{d}}.{wide}, v{{s}}.{part}{tail}";
        yield return $"{m} v{{d}}.{full}, v{{d}}.{full}, v{{s}}.{narrow}{tail}";
        yield return $"{m} v{{d}}.{wide}, v{{s}}.{full}{tail}";
        // Narrower results.
        yield return $"{m} v{{d}}.{narrow}, v{{d}}.{full}, v{{s}}.{full}{tail}";
        yield return $"{m} v{{d}}.{narrow}, v{{s}}.{full}{tail}";
        // Four elements of a byte each make one of a word.
        yield return $"{m} v{{d}}.4s, v{{d}}.16b, v{{s}}.16b{tail}";
        // Across the vector.
        yield return $"{m} {t}{{d}}, v{{s}}.{full}{tail}";
        yield return $"{m} {Wide(t)}{{d}}, v{{s}}.{full}{tail}";
        yield return $"{m} v{{d}}.{Half(t)}, v{{d}}.{Half(t)}, v{{s}}.{Half(t)}{tail}";
        yield return $"{m} v{{d}}.{Half(t)}, v{{s}}.{Half(t)}{tail}";
    }

    /// <summary>Shapes of a multiplication by one element of a vector.</summary>
    public static IEnumerable<string> ByElement(string m, string t, int element, string tail)
    {
        string part = m.EndsWith('2') ? Full(t) : Half(t);
        yield return $"{m} v{{d}}.{Full(t)}, v{{d}}.{Full(t)}, v{{s}}.{t}[{element}]{tail}";
        yield return $"{m} v{{d}}.{Full(Wide(t))}, v{{d}}.{part}, v{{s}}.{t}[{element}]{tail}";
        yield return $"{m} {t}{{d}}, {t}{{d}}, v{{s}}.{t}[{element}]{tail}";
    }

    /// <summary>Shapes of an instruction on scalars in vector registers.</summary>
    public static IEnumerable<string> Scalar(string m, string t, string tail)
    {
        yield return $"{m} {t}{{d}}, {t}{{d}}, {t}{{s}}{tail}";
        yield return $"{m} {t}{{d}}, {t}{{s}}{tail}";
        yield return $"{m} {Wide(t)}{{d}}, {t}{{d}}, {t}{{s}}{tail}";
        yield return $"{m} {Narrow(t)}{{d}}, {t}{{s}}{tail}";
        string pair = t switch { "d" => "2d", "s" => "2s", _ => "2h" };
        yield return $"{m} {t}{{d}}, v{{s}}.{pair}{tail}";
    }
}
