namespace ArmVdso.Lab.KernelPath;

/// <summary>Cycles from one pass of a label to the next, with the charged part.</summary>
internal sealed class RoundSampler(LinuxKernel kernel, ulong label) : OffsetTrace(kernel, _ => { })
{
    private ulong _last, _lastCharged, _lastInstructions;
    private readonly List<(ulong Cycles, ulong Charged, ulong Instructions)> _rounds = [];

    public override bool WantsInstructions => true;

    public override void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.PC != label || cpu.EL != 0)
            return;
        if (_last != 0)
            _rounds.Add((cpu.Cycles - _last, cpu.Timing.ChargedCycles - _lastCharged, cpu.Instructions - _lastInstructions));
        (_last, _lastCharged, _lastInstructions) = (cpu.Cycles, cpu.Timing.ChargedCycles, cpu.Instructions);
    }

    /// <summary>The median round of the second half, when caches are warm.</summary>
    internal (ulong Cycles, ulong Charged, ulong Instructions) Typical()
    {
        var warm = _rounds.Skip(_rounds.Count / 2).OrderBy(r => r.Cycles).ToArray();
        return warm.Length == 0
            ? throw new LabException("the embedded guest did not run its loop", LabFault.Failed)
            : warm[warm.Length / 2];
    }

    /// <summary>Runs a loop of Guests/anchors.S on one CPU.</summary>
    internal static (ulong Cycles, ulong Charged, ulong Instructions) Measure(SessionSettings settings, string loop)
    {
        using var guest = new EmbeddedGuest("anchors");
        RoundSampler? sampler = null;
        guest.Run(settings.OnCpus(1), [loop], session =>
        {
            sampler = new RoundSampler(session.Kernel, guest.Symbols()[loop + "_round"]);
            session.Machine.Observer = sampler;
        });
        return sampler!.Typical();
    }
}
