namespace ArmVdso.Fuzz;

/// <summary>One kind of input from an enemy. A batch depends on its seed and size alone.</summary>
public abstract class Fuzzer
{
    /// <summary>What the command calls it.</summary>
    public abstract string Name { get; }

    /// <summary>What is counted.</summary>
    public abstract string Unit { get; }

    /// <summary>Most cases of one batch: what a finding has to be looked for in.</summary>
    public abstract ulong Batch { get; }

    /// <summary>Cases without another budget: some seconds.</summary>
    public abstract ulong UsualBudget { get; }

    /// <summary>What became of the cases so far, so that a run in which all were refused at the door is seen as one.</summary>
    public Tally Outcomes { get; } = new();

    /// <summary>Runs a batch.</summary>
    /// <param name="seed">Which one.</param>
    /// <param name="count">Cases of it.</param>
    /// <param name="watch">Told of each sign of life.</param>
    /// <returns>Cases that were run: at least one.</returns>
    /// <exception cref="FindingException">Something was found.</exception>
    public abstract ulong Run(ulong seed, ulong count, HangWatch watch);
}
