using System.Globalization;
using System.Text;

namespace ArmVdso.Benchmarks;

/// <summary>A program of a guest root that is measured, from real-programs.tsv.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Kind">integer, float or start; means are taken of each kind.</param>
/// <param name="Program">Path in the root.</param>
/// <param name="Input">Its standard input.</param>
/// <param name="Functional">Its size where no core is timed.</param>
/// <param name="Timed">Its size where one is.</param>
/// <param name="Line">Its arguments.</param>
internal sealed record RealProgram(string Name, string Kind, string Program, string Input, int Functional, int Timed, string Line)
{
    /// <summary>All of them.</summary>
    /// <exception cref="InvalidOperationException">A line of the file is wrong.</exception>
    internal static IReadOnlyList<RealProgram> Load()
    {
        using Stream stream = typeof(RealProgram).Assembly.GetManifestResourceStream("real-programs.tsv")!;
        using var reader = new StreamReader(stream);
        var all = new List<RealProgram>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            if (line.Split('\t') is not [var name, var kind, var program, var input, var functional, var timed, var rest])
                throw new InvalidOperationException($"real-programs.tsv: '{line}' has not the seven columns");
            all.Add(new RealProgram(name, kind, program, input, Number(functional), Number(timed), rest));
        }
        return all;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The arguments for a size; words in single quotes are one, and \n in them ends a line.</summary>
    internal IReadOnlyList<string> Arguments(int size)
    {
        var words = new List<string>();
        if (Line == "-")
            return words;
        string[] parts = Line.Replace("{n}", size.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Split('\'');
        for (int i = 0; i < parts.Length; i++)
        {
            if (i % 2 == 1)
                words.Add(parts[i].Replace("\\n", "\n", StringComparison.Ordinal));
            else
                words.AddRange(parts[i].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        return words;
    }

    /// <summary>Standard input for a size.</summary>
    internal byte[] InputOf(int size) => Input switch
    {
        "-" => [],
        "text" => Words(size),
        _ => Encoding.ASCII.GetBytes(Input.Replace("\\n", "\n", StringComparison.Ordinal)
            .Replace("{n}", size.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)),
    };

    /// <summary>So many bytes of lines of made-up words, of which some are frequent: about as compressible as text.</summary>
    private static byte[] Words(int bytes)
    {
        var random = new Random(1);
        string[] words = [.. Enumerable.Range(0, 2000).Select(_ => Word(random))];
        var text = new StringBuilder(bytes + 80);
        while (text.Length < bytes)
        {
            for (int i = random.Next(4, 12); i > 0; i--)
                text.Append(words[(int)(words.Length * Math.Pow(random.NextDouble(), 3))]).Append(i == 1 ? '\n' : ' ');
        }
        return Encoding.ASCII.GetBytes(text.ToString(0, bytes));
    }

    private static string Word(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => (char)('a' + (int)(26 * Math.Pow(random.NextDouble(), 1.5)))));
}
