namespace ArmVdso.Lab.Explain;

/// <summary>Explains a block of assembly.</summary>
internal static class BlockExplainer
{
    private const int Warm = 4 * BlockRunner.Period;
    private const int MostSteps = 400;
    private const int Counted = 4 * BlockRunner.Period;

    /// <summary>Runs the blocks of a file and records some rounds of each.</summary>
    /// <exception cref="LabException">It is not code, or does not come to its end.</exception>
    internal static IReadOnlyList<ExplainedBlock> Explain(SessionSettings settings, string file, int rounds, bool cold) =>
        [.. BlockCode.Read(file).Select(code => Explain(settings, code, rounds, cold))];

    private static ExplainedBlock Explain(SessionSettings settings, BlockCode code, int rounds, bool cold)
    {
        using var block = new BlockRunner(settings, code);
        var records = new List<PipelineRecord>();
        double steady = cold ? 0 : Steady(block);
        // A function's rounds have the length that its branches give them.
        int wanted = block.IsFunction ? rounds * MostSteps : rounds * block.Length;
        PipelineRecorder.Attach(block.Cpu, record =>
        {
            if (records.Count >= wanted || !block.IsInside(record.Pc))
                return;
            record.Symbol = code.Labels[block.Number(record.Pc)];
            records.Add(record);
        });
        block.Run(rounds);
        if (cold)
            steady = Steady(block);
        // Branches inside of the block make rounds of other lengths.
        ulong start = records[0].Pc;
        bool regular = !block.IsFunction && Enumerable.Range(0, records.Count / block.Length)
            .All(i => (records[i * block.Length].Pc - start) / 4 % (ulong)block.Length == 0);
        return new ExplainedBlock
        {
            File = code.Name,
            IsFunction = block.IsFunction,
            Missing = code.Missing,
            Instructions = block.Length,
            Rounds = rounds,
            Cold = cold,
            CyclesPerRound = steady,
            RoundLength = regular ? block.Length : 0,
            Records = records,
        };
    }

    private static double Steady(BlockRunner block)
    {
        block.Run(Warm);
        (int counted, ulong cycles) = block.Run(Counted);
        return (double)cycles / counted;
    }
}
