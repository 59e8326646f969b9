using ArmVdso.Kernel.Costs;

namespace ArmVdso.Lab.KernelPath;

/// <summary>What system calls executed at EL1.</summary>
/// <param name="Settings">Settings of the run.</param>
/// <param name="Calls">The typical warm call of each name, in the order of their first appearance.</param>
public sealed record KernelPathResult(SessionSettings Settings, IReadOnlyDictionary<string, PathSample> Calls)
{
    private readonly IReadOnlyDictionary<string, StockTrace>? _stock = StockTrace.Table(Settings.KernelConfiguration);

    /// <summary>Whether a stock kernel was traced in this configuration.</summary>
    public bool HasStock => _stock is not null;

    /// <summary>The stock kernel's row for a call of this configuration; null without one, or when a part of the call was charged, not
    /// executed.</summary>
    public StockTrace? Stock(string call) => Calls[call].ChargedCycles > 0 ? null : _stock?.GetValueOrDefault("T_" + call);
}
