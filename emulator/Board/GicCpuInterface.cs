using System.Numerics;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Board;

/// <summary>The CPU interface of one PE (IHI 0069, 12.2), with the PE's private interrupts. Five bits of priority.</summary>
internal sealed class GicCpuInterface(Gic gic, Cpu cpu) : IInterruptInterface
{
    private const ulong Spurious = 1023;
    private const int LowestBinaryPoint = 3;
    private uint _activePriorities;
    private byte _mask;
    private int _binaryPoint = LowestBinaryPoint;
    private bool _enabled, _dropOnly;
    private ulong _group0Enabled, _binaryPoint0, _commonBinaryPoint;

    /// <summary>SGIs and PPIs.</summary>
    internal InterruptBank Private { get; } = new() { Edge = 0xFFFF };

    private int RunningPriority => _activePriorities == 0 ? 0x100 : BitOperations.TrailingZeroCount(_activePriorities) << 3;

    private int GroupPriority(int priority) => priority & (0xFF << _binaryPoint) & 0xFF;

    /// <summary>Whether an interrupt is signalled to the PE.</summary>
    internal bool Signals()
    {
        if (!_enabled)
            return false;
        int priority = gic.Best(cpu.Index).Priority;
        return priority < _mask && GroupPriority(priority) < RunningPriority;
    }

    /// <inheritdoc/>
    public void SetLevel(int interrupt, bool asserted)
    {
        if (!Private.SetLevel(interrupt, asserted))
            return;
        gic.Now = cpu.Cycles;
        gic.Update(cpu.Index);
    }

    private ulong Acknowledge()
    {
        if (!cpu.IrqAsserted)
            return Spurious;
        (int interrupt, int priority) = gic.Best(cpu.Index);
        gic.Bank(cpu.Index, interrupt)!.Activate(interrupt & 31);
        _activePriorities |= 1u << (GroupPriority(priority) >> 3);
        gic.UpdateAll();
        return (ulong)interrupt;
    }

    private void Deactivate(ulong interrupt)
    {
        if (gic.Bank(cpu.Index, (int)(interrupt & 0xFFFFFF)) is { } bank)
            bank.Active &= ~(1u << ((int)interrupt & 31));
    }

    /// <inheritdoc/>
    public ulong Read(string name) => name switch
    {
        "ICC_IAR1_EL1" => Acknowledge(),
        "ICC_HPPIR1_EL1" => (ulong)gic.Best(cpu.Index).Interrupt,
        "ICC_IAR0_EL1" or "ICC_HPPIR0_EL1" => Spurious,
        "ICC_RPR_EL1" => (ulong)Math.Min(RunningPriority, 0xFF),
        "ICC_AP1R0_EL1" => _activePriorities,
        "ICC_BPR1_EL1" => (ulong)_binaryPoint,
        "ICC_BPR0_EL1" => _binaryPoint0,
        "ICC_IGRPEN1_EL1" => _enabled ? 1UL : 0,
        "ICC_IGRPEN0_EL1" => _group0Enabled,
        // SRE, DFB, DIB: there is no other interface.
        "ICC_SRE_EL1" => 7,
        // RSS, A3V, PRIbits of five, EOImode, CBPR.
        "ICC_CTLR_EL1" => 1UL << 18 | 1UL << 15 | 4UL << 8 | (_dropOnly ? 2UL : 0) | _commonBinaryPoint,
        _ => 0,
    };

    /// <inheritdoc/>
    public void Write(string name, ulong value)
    {
        gic.Now = cpu.Cycles;
        switch (name)
        {
            case "ICC_EOIR1_EL1":
                _activePriorities &= _activePriorities - 1;
                if (!_dropOnly)
                    Deactivate(value);
                break;
            case "ICC_DIR_EL1":
                if (_dropOnly)
                    Deactivate(value);
                break;
            case "ICC_PMR_EL1":
                _mask = (byte)(value & 0xF8);
                break;
            case "ICC_AP1R0_EL1":
                _activePriorities = (uint)value;
                break;
            case "ICC_BPR1_EL1":
                _binaryPoint = Math.Max((int)value & 7, LowestBinaryPoint);
                break;
            case "ICC_BPR0_EL1":
                _binaryPoint0 = Math.Max(value & 7, LowestBinaryPoint - 1);
                break;
            case "ICC_IGRPEN1_EL1":
                _enabled = (value & 1) != 0;
                break;
            case "ICC_IGRPEN0_EL1":
                _group0Enabled = value & 1;
                break;
            case "ICC_CTLR_EL1":
                _dropOnly = (value & 2) != 0;
                _commonBinaryPoint = value & 1;
                break;
            case "ICC_SGI1R_EL1":
                gic.Generate(cpu.Index, value);
                return;
            default:
                return;
        }
        gic.UpdateAll();
    }
}
