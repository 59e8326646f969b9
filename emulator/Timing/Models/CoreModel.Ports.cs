namespace ArmVdso.Emulator.Timing.Models;

/// <summary>What an out-of-order core issues to, and the banks that its loads read.</summary>
public sealed partial class CoreModel
{
    /// <summary>Most banks of a data cache: 16 bytes each of a line.</summary>
    internal const int MostLoadBanks = 4;

    /// <summary>Issue ports that an out-of-order core has.</summary>
    public IssuePorts Ports { get; private set; } =
        IssuePorts.B | IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M | IssuePorts.L0 | IssuePorts.L1 | IssuePorts.D0 | IssuePorts.D1
        | IssuePorts.V0 | IssuePorts.V1;

    /// <summary>Banks of 16 bytes of the data cache, each of which reads one line a cycle; 0: loads never wait for one.</summary>
    internal int LoadBanks { get; private set; }

    /// <summary>The issue ports that parameters of a file say, before the file is a model.</summary>
    internal static IssuePorts PortsOf(IReadOnlyList<CoreParameter> parameters)
    {
        var model = new CoreModel(parameters);
        foreach (Rule rule in Rules.Where(r => r.Key.EndsWith("_ports", StringComparison.Ordinal)))
            rule.Set(model, model._values[rule.Key]);
        return model.Ports;
    }

    private void Has(IssuePorts ports, bool has) => Ports |= has ? ports : IssuePorts.None;
}
