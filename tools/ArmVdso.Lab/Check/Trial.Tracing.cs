namespace ArmVdso.Lab.Check;

/// <summary>The events that a tracer makes, by the kernel's ptrace.</summary>
internal sealed partial class Trial
{
    private const int Ptrace = 117;

    /// <summary>PTRACE_SINGLESTEP, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT.</summary>
    private const ulong TraceStep = 9, TraceDetach = 17, TraceSeize = 0x4206, TraceInterrupt = 0x4207;

    /// <summary>The victim is stopped by a tracer, which lets it go on where the tracer was.</summary>
    internal void StopAndGoOn()
    {
        int to = Attach();
        Trace(to, TraceDetach);
        _rig.Switch(to, Victim);
    }

    /// <summary>The victim is stopped by a tracer, which lets it execute one instruction at a time from here on.</summary>
    internal void SingleStep()
    {
        Attach();
        _singleStep = true;
        _atEnd = () =>
        {
            StopForTracer();
            Trace(HelperCpu, TraceDetach);
            _rig.Switch(Victim.Cpu, Victim);
        };
    }

    /// <summary>The tracer asks for the next instruction.</summary>
    private void StepOn()
    {
        StopForTracer();
        Trace(HelperCpu, TraceStep);
        _rig.Switch(Victim.Cpu, Victim);
    }

    /// <summary>A tracer, the first process, attaches and interrupts.</summary>
    /// <returns>The CPU that it runs on.</returns>
    private int Attach()
    {
        int cpu = HelperCpu;
        Trace(cpu, TraceSeize);
        Trace(cpu, TraceInterrupt);
        StopForTracer();
        return cpu;
    }

    /// <summary>The victim stops, if it has not; another process runs where it was.</summary>
    private void StopForTracer()
    {
        if (Victim.State == TaskState.Stopped)
            return;
        Cpu cpu = VictimCpu;
        KernelTask stranger = FreeStranger();
        _rig.Control.Prepare(cpu.Index, stranger);
        if (!_rig.RunUntil(cpu, () => cpu.EL == 0 && _rig.Runs(stranger) && stranger.Cpu == cpu.Index))
            throw new LabException($"{Victim} did not stop for its tracer ({cpu})", LabFault.Failed);
        _rig.Step(cpu);
    }

    private void Trace(int cpu, ulong request)
    {
        if (_rig.SystemCall(_rig.Init, cpu, Ptrace, request, (ulong)Victim.Tid) is not 0 and var failed)
            throw new LabException($"ptrace request {request} of {Victim} gave {failed}", LabFault.Failed);
    }
}
