using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>A hook of the design goes wrong: what the kernel does on fork, exec, a change of credentials and the like.</summary>
/// <param name="Hook">The hook, by the name of its method in VdsoDesign.</param>
/// <param name="Kind">How.</param>
/// <param name="Text">The design's class.</param>
internal sealed record HookPlacedFault(string Hook, string Kind, string Text) : PlacedFault($"hook {Hook}", Kind, Text)
{
    private FaultyDesign? _design;

    internal override (long Executed, long Changed)? Effect => _design is { } d ? (d.CallsOf(Hook), d.CallsOf(Hook)) : null;

    internal override void Plant(CheckRig rig)
    {
        _design = rig.Faulty ?? throw new LabException($"design {rig.Design} has no hooks that can fail", LabFault.Input);
        _design.Forget();
        _design.Fault = (Hook, Enum.Parse<HookFault>(Kind, true));
        rig.Probe = new Returns(_design);
        // The tasks that are looked at are made anew, under the fault.
        rig.FamilyBroken = true;
        rig.Restore();
    }

    internal override void Remove(CheckRig rig)
    {
        rig.Faulty!.Fault = null;
        rig.Probe = null;
    }

    /// <summary>Sees a CPU return to EL0: then what was delayed is called.</summary>
    private sealed class Returns(FaultyDesign design) : RigProbe
    {
        private int _el;

        internal override void Before(Cpu cpu) => _el = cpu.EL;

        internal override void After(Cpu cpu)
        {
            if (_el != 0 && cpu.EL == 0)
                design.CallDelayed();
        }
    }
}
