namespace ArmVdso.Lab.Check;

/// <summary>What another CPU does for the victim in a hook of the design, stopped in the middle.</summary>
internal sealed partial class Trial
{
    /// <summary>The call came to its end in the middle of a hook.</summary>
    private bool _ended;

    private bool _fellBackInHook;

    /// <summary>Something happens on another CPU; after so many stores of hooks to data pages the call goes on to its end, or until it
    /// waits for the rest of the hook. Interrupts that the kernel has sent to its CPU by then arrive afterwards. While the hook runs the
    /// change is under way: an answer of before it is right too.</summary>
    internal void InHook(int part, Action happen)
    {
        if (_window is null)
            OpenWindow();
        int stores = 0;
        _rig.InHook = cpu =>
        {
            if (cpu.Index == Victim.Cpu || !_rig.StoredData(cpu) || ++stores != part)
                return;
            _rig.Observer?.Event($"the call goes on after store {part} of the hook");
            GoOn();
        };
        happen();
        _rig.InHook = null;
        _exhausted |= stores < part;
    }

    private void GoOn()
    {
        uint interrupts = VictimCpu.PendingSgi;
        VictimCpu.PendingSgi = 0;
        Sample();
        for (int steps = 0; steps < Usual * 3 + 30 && !_ended; steps++)
        {
            _fellBackInHook |= StepVictim();
            _ended = _rig.Parked(VictimCpu, Victim);
        }
        Sample();
        VictimCpu.PendingSgi |= interrupts;
    }
}
