using System.Globalization;

namespace ArmVdso.Lab.Litmus;

/// <summary>One litmus test, held against what is published of it.</summary>
/// <param name="Name">Its name; a test of that name was run, made of the name or written out in litmus.tsv.</param>
/// <param name="Allowed">Whether the outcome in question is allowed, as explored here.</param>
/// <param name="States">Final states of the registers and locations in question, as explored here.</param>
/// <param name="PublishedAllowed">What is published.</param>
/// <param name="PublishedStates">What is published; null: nothing is.</param>
/// <param name="Source">Where: herd, kinds or armv7 (litmus.tsv says what these are).</param>
/// <param name="Outcome">The outcome in question.</param>
/// <param name="Threads">The program.</param>
public sealed record LitmusResult(
    string Name, bool Allowed, int States, bool PublishedAllowed, int? PublishedStates, string Source, string Outcome,
    IReadOnlyList<string> Threads)
{
    /// <summary>Whether the two are the same.</summary>
    public bool Agrees => Allowed == PublishedAllowed && (PublishedStates is not { } states || states == States);
}

/// <summary>The published results that the memory model is held against (litmus.tsv).</summary>
internal static class LitmusCatalogue
{
    private sealed record Published(string Name, bool Allowed, int? States, string Source, string? Threads, string? Condition);

    private static readonly List<Published> All = Read();

    /// <summary>Names of all tests, in the order of the table.</summary>
    internal static IEnumerable<string> Names => All.Select(p => p.Name);

    /// <summary>Where results are published.</summary>
    internal static IEnumerable<string> Sources => All.Select(p => p.Source).Distinct();

    /// <summary>Runs the tests whose name, shape or source is among those given.</summary>
    /// <exception cref="LabException">There is none.</exception>
    internal static IEnumerable<LitmusResult> Run(IReadOnlyList<string> wanted)
    {
        List<Published> chosen = [.. All.Where(p => wanted.Count == 0 || wanted.Any(w => Is(p, w)))];
        string? unknown = wanted.FirstOrDefault(w => !All.Exists(p => Is(p, w)));
        return unknown is null
            ? chosen.Select(Run)
            : throw new LabException(
                $"litmus: there is no test, shape or source '{unknown}'; shapes: {LitmusShape.Names}; sources: {string.Join(' ', Sources)}",
                LabFault.Input);
    }

    private static bool Is(Published test, string wanted) =>
        test.Name == wanted || test.Source == wanted || test.Name.StartsWith(wanted + "+", StringComparison.Ordinal);

    private static LitmusResult Run(Published published)
    {
        LitmusTest test = published.Threads is null
            ? LitmusTest.Of(published.Name)
            : LitmusTest.Of(published.Name, published.Threads, published.Condition!);
        HashSet<string> outcomes = LitmusRunner.Outcomes(test);
        return new LitmusResult(
            test.Name, outcomes.Contains(LitmusRunner.Asked(test)), outcomes.Count, published.Allowed, published.States, published.Source,
            test.Condition, test.Text);
    }

    private static List<Published> Read()
    {
        using Stream source = typeof(LitmusCatalogue).Assembly.GetManifestResourceStream("litmus.tsv")
            ?? throw new FileNotFoundException("embedded resource litmus.tsv is missing");
        using var reader = new StreamReader(source);
        var all = new List<Published>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            string[] p = line.Split('\t');
            int? states = p[2] == "-" ? null : int.Parse(p[2], CultureInfo.InvariantCulture);
            all.Add(new Published(p[0], p[1] == "Allowed", states, p[3], p.ElementAtOrDefault(4), p.ElementAtOrDefault(5)));
        }
        return all;
    }
}
