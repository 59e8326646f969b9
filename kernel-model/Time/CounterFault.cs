using ArmVdso.Emulator;

namespace ArmVdso.Kernel;

/// <summary>What is wrong with the counter as EL0 reads it (CNTVCT_EL0). The kernel's own reads and its timers are right: it is
/// taken to work around the erratum for itself.</summary>
public enum CounterFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Reads at EL0 are trapped and emulated, and the vDSO is told to make system calls (clock mode NONE): what Linux does
    /// about a timer erratum.</summary>
    Trapped,

    /// <summary>Now and then the counter is some way back.</summary>
    Backwards,

    /// <summary>The counter stops.</summary>
    Stopped,
}

/// <summary>How the faults show. Each is a function of the true counter value, so that a run is the same every time.</summary>
internal static class CounterFaults
{
    /// <summary>Of every so many counts ...</summary>
    private const ulong Period = 1 << 16;

    /// <summary>... the last ones read too low ...</summary>
    private const ulong Window = Period / 8;

    /// <summary>... by so many counts (0.32 ms at 62.5 MHz).</summary>
    private const ulong Back = 20_000;

    /// <summary>Count at which the counter stops (10 ms at 62.5 MHz).</summary>
    private const ulong Stop = 625_000;

    internal static void Apply(Machine machine, CounterFault fault) => machine.UserCounter = fault switch
    {
        CounterFault.Backwards => counter => counter % Period >= Period - Window ? counter - Math.Min(counter, Back) : counter,
        CounterFault.Stopped => counter => Math.Min(counter, Stop),
        _ => null,
    };
}
