namespace ArmVdso.Yardsticks.Programs;

/// <summary>How often branches of the programs built in are mispredicted, warm and without a kernel, beside published rates of programs of
/// the kind. Nothing is judged: no rate of the same program on one of these cores is public.</summary>
public static class PredictionSet
{
    private const string File = "predictions_published.tsv";

    /// <summary>The programs, and rounds of a call: some 10^5 branches each.</summary>
    public static IReadOnlyList<(string Program, ulong Rounds)> Programs { get; } =
        [("coremark_like", 40), ("dhrystone_like", 2000), ("quicksort", 4), ("interpreter", 20)];

    /// <summary>The rows of a core: each program at -O2 and -O3, then what is published of other programs.</summary>
    /// <exception cref="YardstickException">The table is missing or not well formed.</exception>
    public static IReadOnlyList<PredictionRow> Rows(YardstickData data, string core)
    {
        TableRow[] published = [.. data.Table(File, "core", "program", "percent", "source").Where(row => row[0] == core)];
        var rows = new List<PredictionRow>();
        foreach ((string program, ulong rounds) in Programs)
        {
            TableRow? row = published.SingleOrDefault(r => r[1] == program);
            foreach (string level in (string[])["O2", "O3"])
            {
                PredictionFigures figures = ProgramSet.Execute(core, $"{program}-{level}", rounds).Prediction;
                rows.Add(new PredictionRow($"{program} -{level}", figures, row?.Value(2) / 100, row?[3] ?? ""));
            }
        }
        rows.AddRange(published.Where(row => Programs.All(p => p.Program != row[1]))
            .Select(row => new PredictionRow(row[1], null, row.Value(2) / 100, row[3])));
        return rows;
    }
}
