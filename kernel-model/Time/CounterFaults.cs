using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Kernel.Time;

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
