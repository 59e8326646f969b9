using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Assembler;

namespace ArmVdso.Lab.Litmus;

/// <summary>A small program of several threads, and the question whether the architecture allows an outcome.</summary>
/// <remarks>Threads are A64 text. Locations x, y and z are bytes of memory that is zero at first, each alone in its cache line; X20, X21
/// and X22 hold their addresses, and [x] stands for [x20]. All other registers are zero. A condition is a conjunction of registers
/// ("1:w3=0") and words of memory ("x=2").</remarks>
internal sealed partial class LitmusTest
{
    private const int FirstLocation = 20;
    private const string Locations = "xyz";

    private LitmusTest(string name, string[] programs, string condition)
    {
        Name = name;
        Text = programs;
        Condition = condition;
        Threads = [.. programs.Select(Assemble)];
        Terms = [.. condition.Split('&', StringSplitOptions.TrimEntries).Select(Term)];
    }

    /// <summary>The name.</summary>
    internal string Name { get; }

    /// <summary>The text of each thread.</summary>
    internal IReadOnlyList<string> Text { get; }

    /// <summary>The outcome in question, as text.</summary>
    internal string Condition { get; }

    /// <summary>The instructions of each thread.</summary>
    internal IReadOnlyList<uint[]> Threads { get; }

    /// <summary>The parts of the condition: a thread and a register of it, or (-1) a location and the bytes of its word; and the value
    /// that is asked for.</summary>
    internal IReadOnlyList<(int Thread, int Number, bool Doubleword, ulong Value)> Terms { get; }

    /// <summary>A test whose name says it all.</summary>
    /// <exception cref="LabException">It does not.</exception>
    internal static LitmusTest Of(string name) => LitmusShape.Make(name) is { } made
        ? new LitmusTest(name, made.Programs, made.Condition)
        : throw new LabException($"litmus: '{name}' has no known shape ({LitmusShape.Names}) or link", LabFault.Input);

    /// <summary>A test that is written out.</summary>
    /// <exception cref="LabException">A program or the condition is malformed.</exception>
    internal static LitmusTest Of(string name, string programs, string condition) => new(name, programs.Split('|'), condition);

    /// <summary>Number of the register that holds the address of a location.</summary>
    internal static string RegisterOf(string location) => $"x{FirstLocation + Locations.IndexOf(location, StringComparison.Ordinal)}";

    /// <summary>The registers that hold addresses of locations: number and location.</summary>
    internal static IEnumerable<(int Register, int Location)> AddressRegisters =>
        Enumerable.Range(0, Locations.Length).Select(n => (FirstLocation + n, n));

    private uint[] Assemble(string program)
    {
        try
        {
            string text = Location().Replace(program, m => $"[{RegisterOf(m.Groups[1].Value)}");
            return AssemblyProgram.Parse(text.Replace(";", "\n", StringComparison.Ordinal)).Words;
        }
        catch (AssemblerException e)
        {
            throw new LabException($"litmus {Name}: {e.Message}", LabFault.Input, e);
        }
    }

    private (int Thread, int Number, bool Doubleword, ulong Value) Term(string text)
    {
        Match m = Part().Match(text);
        if (!m.Success)
            throw new LabException($"litmus {Name}: '{text}' is no condition", LabFault.Input);
        string number = m.Groups["value"].Value;
        ulong value = number.StartsWith("0x", StringComparison.Ordinal)
            ? ulong.Parse(number.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : ulong.Parse(number, CultureInfo.InvariantCulture);
        return m.Groups["at"].Success
            ? (-1, Locations.IndexOf(m.Groups["at"].Value, StringComparison.Ordinal), false, value)
            : (Number(m.Groups["thread"]), Number(m.Groups["register"]), m.Groups["width"].Value == "x", value);
    }

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\[([xyz])(?=[\],])")]
    private static partial Regex Location();

    [GeneratedRegex(@"^(?:(?<thread>\d):(?<width>[wx])(?<register>\d+)|(?<at>[xyz]))=(?<value>\d+|0x[0-9a-f]+)$")]
    private static partial Regex Part();
}
