using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Fitting;

/// <summary>Micro-ops that an operation of a kind of port may have.</summary>
internal static class MicroOpCandidates
{
    private const int MostOps = 8;
    private const int MostBusy = 24;

    /// <summary>Ports that stand for each other, by the first letter of one.</summary>
    private static string[] Family(string port) => port[0] switch
    {
        'V' => ["V", "V01", "V02", "V13", "V0", "V1"],
        'I' or 'S' or 'M' => ["I", "S", "M", "M0"],
        'L' => port.Length > 1 ? [port] : ["L", "L01", "L0"],
        _ => [port],
    };

    /// <summary>For micro-ops of one kind: others of the family, more of them, and ports that stay busy. What has several kinds stays as
    /// it is.</summary>
    /// <param name="uops">What they are now.</param>
    /// <param name="known">Sets of ports that the core has.</param>
    /// <param name="has">Ports that the core has.</param>
    internal static IEnumerable<string> Of(string uops, IReadOnlySet<IssuePorts> known, IssuePorts has)
    {
        string[] tokens = uops.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (tokens.Length != 1 || tokens[0].Contains('@'))
            yield break;
        string[] family = [.. Family(tokens[0].Split('*', ':')[0]).Where(p => known.Contains(Ports(p, has)))
            .DistinctBy(p => Ports(p, has))];
        // The simplest first: what comes first wins where two have one rate.
        foreach (string other in family)
            yield return other;
        foreach (string other in family.Where(p => Count(p, has) == 1))
        {
            for (int busy = 2; busy <= MostBusy; busy++)
                yield return $"{other}:{busy}";
        }
        foreach (string other in family.Where(p => Count(p, has) > 1))
        {
            for (int count = 2; count <= MostOps; count++)
                yield return $"{other}*{count}";
        }
    }

    /// <summary>Operations a cycle that their ports can take; no end of them when they need none.</summary>
    internal static double Rate(string uops, IssuePorts has)
    {
        var busy = new Dictionary<IssuePorts, double>();
        foreach (MicroOp op in MicroOp.Parse(uops, has) ?? [])
            busy[op.Ports] = busy.GetValueOrDefault(op.Ports) + op.Busy;
        // Each set of ports by itself, and with all sets inside it.
        double most = busy.Keys.Select(set => busy.Where(b => (b.Key & ~set) == 0).Sum(b => b.Value)
            / System.Numerics.BitOperations.PopCount((uint)set)).DefaultIfEmpty(0).Max();
        return most == 0 ? double.PositiveInfinity : 1 / most;
    }

    private static IssuePorts Ports(string port, IssuePorts has) => MicroOp.Parse(port, has) is [var op] ? op.Ports : IssuePorts.None;

    private static int Count(string port, IssuePorts has) => System.Numerics.BitOperations.PopCount((uint)Ports(port, has));
}
