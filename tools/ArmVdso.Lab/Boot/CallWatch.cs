namespace ArmVdso.Lab.Boot;

/// <summary>Watches one call of Guests/interrupted.c: counts its instructions at EL0, and has something happen before one of
/// them.</summary>
/// <param name="symbols">Addresses of the guest's symbols.</param>
/// <param name="boundary">Before which instruction of the function; negative: nowhere.</param>
/// <param name="happen">What happens; it is called while the instruction before is about to be executed.</param>
internal sealed class CallWatch(IReadOnlyDictionary<string, ulong> symbols, int boundary, Action<Cpu> happen) : IMachineObserver
{
    // A signal handler's frame and what it calls lie far below the interrupted call's (Linux, arch/arm64/kernel/signal.c).
    private const ulong SignalFrame = 4096, SignalReturn = 139;
    private readonly ulong _call = symbols["check_call"], _return = symbols["check_return"];
    private int _started = -1;
    private ulong _stack, _space;
    private bool _over;

    /// <summary>Instructions of the function that were executed until something happened, or until it returned.</summary>
    internal int Instructions => Math.Max(0, _started);

    /// <summary>Boundaries before instructions that access memory or the system (C4.1 of the Arm ARM): between two that change registers
    /// alone, what happens has the same effect as before the next access.</summary>
    internal HashSet<int> Touching { get; } = [1];

    /// <summary>Whether what is to happen has been called.</summary>
    internal bool Happened { get; private set; }

    /// <summary>System calls that the call itself made, and those that the calls it led to made: a handler's, another process'.</summary>
    internal (int Call, int Further) SystemCalls { get; private set; }

    /// <inheritdoc/>
    public bool WantsInstructions => !_over;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0 || _over)
            return;
        if (cpu.PC == _call)
            (_stack, _space) = (cpu.SP, SpaceOf(cpu));
        // Other processes run meanwhile, on other CPUs, too.
        if (SpaceOf(cpu) != _space)
            return;
        _over = cpu.PC == _return;
        if (_stack == 0 || _over)
            return;
        _started++;
        if ((instruction >> 25 & 5) == 4 || instruction >> 24 is 0xD4 or 0xD5)
            Touching.Add(_started - 1);
        if (_started != boundary)
            return;
        Happened = _over = true;
        happen(cpu);
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL != 0 || offset != 0 || _stack == 0 || cpu.ESR_EL1 >> 26 != (ulong)ExceptionClass.Svc64 || !IsImage(cpu.ELR_EL1))
            return;
        // The end of a handler is none of its calls.
        if (cpu.X(8) == SignalReturn)
            return;
        bool further = SpaceOf(cpu) != _space || cpu.SP_EL0 + SignalFrame < _stack;
        SystemCalls = further ? (SystemCalls.Call, SystemCalls.Further + 1) : (SystemCalls.Call + 1, SystemCalls.Further);
    }

    // TTBR0_EL1.BADDR: at EL0, and at EL1 until the kernel has looked around, the table of the process.
    private static ulong SpaceOf(Cpu cpu) => cpu.TTBR0_EL1 & 0xFFFF_FFFF_FFFE;

    // The program makes its own system calls within a few pages of its own; all other code at EL0 that it calls is the vDSO's.
    private bool IsImage(ulong pc) => pc - (_call & ~ProgramMask) > ProgramMask;

    private const ulong ProgramMask = 0xF_FFFF;

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
