using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Differential;

/// <summary>Our side: one PE at EL0 with the oracle's code area and data window at the same addresses.</summary>
public sealed class EmulatedMachine : IDisposable
{
    private const ulong CodePa = 0x10000;
    private const ulong WindowPa = 0x30000;
    private const int MaxSteps = 8;
    private readonly Machine _machine;
    private readonly Cpu _cpu;

    /// <summary>Builds the machine.</summary>
    public EmulatedMachine()
    {
        _machine = new Machine(1, 0x40000, (_, _) => new TimingModel());
        _cpu = _machine.Cpus[0];
        AddressSpace space = _machine.CreateAddressSpace(48);
        const PagePermissions data = PagePermissions.UserRead | PagePermissions.UserWrite;
        for (ulong at = 0; at < OracleLayout.CodeBytes; at += 4096)
            space.Map(OracleLayout.CodeVa + at, CodePa + at, PagePermissions.UserRead | PagePermissions.UserExecute);
        for (ulong at = 0; at < OracleLayout.WindowBytes; at += 4096)
            space.Map(OracleLayout.WindowVa + at, WindowPa + at, data);
        WriteSystem(3, 0, 2, 0, 0, space.Handle);
        WriteSystem(3, 0, 2, 0, 2, 1UL << 37); // TCR_EL1.TBI0, as Linux sets it
        WriteSystem(3, 0, 12, 0, 0, 0xFFFF_0000_0000_0000); // VBAR_EL1
        WriteSystem(3, 0, 1, 0, 2, 3 << 20); // CPACR_EL1.FPEN
        // SCTLR_EL1: UCI, UCT, DZE, the pointer authentication keys and tag access (ATA0) on; SP alignment checks off, for qemu-user has
        // none.
        WriteSystem(
            3, 0, 1, 0, 0, (1UL << 26) | (1UL << 15) | (1UL << 14) | (1UL << 31) | (1UL << 30) | (1UL << 27) | (1UL << 13) | (1UL << 42));
    }

    private void WriteSystem(int op0, int op1, int crn, int crm, int op2, ulong value)
    {
        _cpu.EL = 1;
        _cpu.SetX(1, value);
        _cpu.WriteSystemRegister(op0, op1, crn, crm, op2, 1);
        if (_cpu.ExceptionPending)
            throw new InvalidOperationException(
                $"system register {SystemRegisters.NameOf(op0, op1, crn, crm, op2)} cannot be written at EL1");
    }

    /// <summary>The code area.</summary>
    public Span<byte> Code => _machine.Memory.Span(CodePa, OracleLayout.CodeBytes);

    /// <summary>The data window.</summary>
    public Span<byte> Window => _machine.Memory.Span(WindowPa, OracleLayout.WindowBytes);

    /// <summary>First address that the last case touched (or tried to), or null.</summary>
    public ulong? FirstAddress { get; private set; }

    /// <summary>Makes the fetch unit forget the code page, after <see cref="Code"/> was changed.</summary>
    public void CodeChanged() => WriteSystem(3, 0, 2, 0, 0, _cpu.TTBR0_EL1);

    /// <summary>Runs one case for the address that it touches first.</summary>
    public ulong? FirstAddressOf(ReadOnlySpan<ulong> before, int words, Span<ulong> scratch)
    {
        Run(before, words, scratch);
        CaseGenerator.RestoreZones(Window);
        return FirstAddress;
    }

    /// <summary>Runs one case.</summary>
    /// <param name="before">The initial state; its PC word is the slot.</param>
    /// <param name="words">Instructions in the slot.</param>
    /// <param name="after">Receives the final state.</param>
    public void Run(ReadOnlySpan<ulong> before, int words, Span<ulong> after)
    {
        Cpu cpu = _cpu;
        cpu.EL = 0;
        cpu.Daif = 0;
        cpu.PAN = cpu.TCO = cpu.IL = cpu.SS = cpu.DIT = cpu.UAO = false;
        cpu.BType = cpu.BTypeNext = 0;
        _machine.Monitors.ClearLocal(cpu.Index);
        for (int i = 0; i < 31; i++)
            cpu.SetX(i, before[i]);
        cpu.SP_EL0 = before[StateWord.SP];
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128(before[StateWord.V + 2 * i], before[StateWord.V + 2 * i + 1]));
        cpu.NZCV = (int)(before[StateWord.Nzcv] >> 28);
        cpu.FPCR = (uint)before[StateWord.Fpcr];
        cpu.FPSR = (uint)before[StateWord.Fpsr];
        cpu.TPIDR_EL0 = before[0];
        cpu.PC = before[StateWord.PC] + 4;
        ulong end = cpu.PC + 4 * (ulong)words;
        int steps = 0;
        FirstAddress = null;
        while (cpu.PC != end && cpu.EL == 0 && steps++ < MaxSteps)
        {
            cpu.Step();
            if (FirstAddress is null && cpu.AccessCount > 0)
                FirstAddress = cpu.Accesses[0].Va;
        }

        for (int i = 0; i < 31; i++)
            after[i] = cpu.X(i);
        after[StateWord.SP] = cpu.SP_EL0;
        for (int i = 0; i < 32; i++)
        {
            V128 v = cpu.V(i);
            after[StateWord.V + 2 * i] = v.Lo;
            after[StateWord.V + 2 * i + 1] = v.Hi;
        }
        after[StateWord.Nzcv] = (ulong)cpu.NZCV << 28;
        after[StateWord.Fpcr] = cpu.FPCR;
        after[StateWord.Fpsr] = cpu.FPSR;
        after[StateWord.PC] = 0;
        after[StateWord.Signal] = 0;
        after[StateWord.Code] = 0;
        after[StateWord.Fault] = 0;
        after[StateWord.Flags] = 0;
        if (cpu.EL != 0)
        {
            after[StateWord.PC] = cpu.ELR_EL1;
            after[StateWord.Signal] = SignalOf(cpu.ESR_EL1);
            after[StateWord.Fault] = cpu.FAR_EL1;
            if (FirstAddress is null && (ExceptionClass)(cpu.ESR_EL1 >> 26) == ExceptionClass.DataAbortLower)
                FirstAddress = cpu.FAR_EL1;
        }
        else if (cpu.PC != end)
        {
            after[StateWord.PC] = cpu.PC;
            after[StateWord.Signal] = StillRunning;
        }
    }

    /// <summary>Signal word of a case that did not end.</summary>
    public const ulong StillRunning = 999;

    /// <summary>The signal that Linux sends for an exception from EL0 (arch/arm64/mm/fault.c, kernel/traps.c).</summary>
    private static ulong SignalOf(ulong esr)
    {
        const uint alignment = 0x21, tagCheck = 0x11;
        uint status = (uint)esr & 0x3f;
        return (ExceptionClass)(esr >> 26) switch
        {
            ExceptionClass.Brk => 5,
            ExceptionClass.DataAbortLower when status == alignment => 7,
            ExceptionClass.DataAbortLower when status == tagCheck => 11,
            ExceptionClass.DataAbortLower or ExceptionClass.InstructionAbortLower => 11,
            ExceptionClass.PCAlignment or ExceptionClass.SPAlignment => 7,
            ExceptionClass.Unknown or ExceptionClass.TrappedSystem or ExceptionClass.PacFail or ExceptionClass.IllegalState
                or ExceptionClass.BranchTarget => 4,
            _ => 900 + (esr >> 26),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _machine.Dispose();
}
