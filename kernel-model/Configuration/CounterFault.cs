namespace ArmVdso.Kernel.Configuration;

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
