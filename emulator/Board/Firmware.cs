using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Board;

/// <summary>What ended a board's run.</summary>
public enum BoardEnd
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>PSCI SYSTEM_OFF.</summary>
    PowerOff,

    /// <summary>PSCI SYSTEM_RESET or SYSTEM_RESET2: the board is not started again.</summary>
    Reset,

    /// <summary>Every PE waits, no timer is armed and there is no more input.</summary>
    Stuck,
}

/// <summary>Power State Coordination Interface 1.1 (Arm DEN 0022) and the SMC Calling Convention 1.1 (DEN 0028) by HVC.</summary>
internal sealed class Firmware(Machine machine)
{
    private const ulong Success = 0, NotSupported = ulong.MaxValue, InvalidParameters = unchecked((ulong)-2),
        AlreadyOn = unchecked((ulong)-4), InvalidAddress = unchecked((ulong)-9);

    private const uint Version = 0x84000000, CpuSuspend = 0x84000001, CpuOff = 0x84000002, CpuOn = 0x84000003, AffinityInfo = 0x84000004,
        MigrateInfoType = 0x84000006, SystemOff = 0x84000008, SystemReset = 0x84000009, Features = 0x8400000A, SystemReset2 = 0x84000012,
        CallingConvention = 0x80000000, Wide = 0x40000000;

    /// <summary>What the guest asked for.</summary>
    internal BoardEnd End { get; set; }

    /// <summary>HVC #0: a function by number in W0, its result in X0.</summary>
    internal void Call(Cpu cpu)
    {
        uint function = cpu.W(0);
        // Registers are 32 bits wide in calls of the 32-bit convention.
        bool wide = (function & Wide) != 0;
        ulong Argument(int n) => wide ? cpu.X(n) : cpu.W(n);
        cpu.SetX(0, Knows(function) ? Answer(cpu, function & ~Wide, Argument) : NotSupported);
    }

    private static bool Knows(uint function) => function switch
    {
        CallingConvention or Version or CpuOff or MigrateInfoType or SystemOff or SystemReset or Features or SystemReset2 => true,
        _ => (function & ~Wide) is CpuSuspend or CpuOn or AffinityInfo or SystemReset2,
    };

    private ulong Answer(Cpu cpu, uint function, Func<int, ulong> argument)
    {
        switch (function)
        {
            case CallingConvention & ~Wide:
            case Version:
                return 0x1_0001;
            case Features:
                return Knows((uint)argument(1)) ? Success : NotSupported;
            case MigrateInfoType:
                // There is no Trusted OS that would have to be migrated.
                return 2;
            case CpuSuspend:
                // Every state is a standby state: it ends with an interrupt, and nothing is lost.
                cpu.Waiting = !cpu.IrqLine;
                return Success;
            case CpuOff:
                cpu.Reset();
                return Success;
            case CpuOn:
                return Start(cpu, argument(1), argument(2), argument(3));
            case AffinityInfo:
                return Find(argument(1)) is { } asked ? asked.Off ? 1UL : 0 : InvalidParameters;
            case SystemOff:
                return Finish(BoardEnd.PowerOff);
            default:
                return Finish(BoardEnd.Reset);
        }
    }

    private Cpu? Find(ulong affinity) => machine.Cpus.FirstOrDefault(c => Gic.Affinity(c.Index) == affinity);

    private ulong Start(Cpu by, ulong affinity, ulong entry, ulong context)
    {
        if (Find(affinity) is not { } cpu)
            return InvalidParameters;
        if (!cpu.Off)
            return AlreadyOn;
        if ((entry & 3) != 0 || !machine.Memory.Contains(entry, 4))
            return InvalidAddress;
        machine.Wake(cpu, by.Cycles);
        cpu.PC = entry;
        cpu.SetX(0, context);
        cpu.Off = cpu.Waiting = false;
        return Success;
    }

    private ulong Finish(BoardEnd end)
    {
        End = end;
        machine.StopRequested = true;
        return Success;
    }
}
