namespace ArmVdso.Emulator.Timing.Models;

/// <summary>Functional units of an in-order core of which there is one; two instructions that share one cannot issue together.</summary>
[Flags]
public enum Units : ushort
{
    /// <summary>Only an integer ALU, of which there are as many as issue slots.</summary>
    None = 0,

    /// <summary>The load/store pipe.</summary>
    LoadStore = 1,

    /// <summary>The integer multiplier.</summary>
    Multiply = 2,

    /// <summary>The integer divider.</summary>
    Divide = 4,

    /// <summary>The branch unit.</summary>
    Branch = 8,

    /// <summary>The variable shifter.</summary>
    Shifter = 16,

    /// <summary>The floating-point divider and square root unit.</summary>
    FpDivide = 32,

    /// <summary>The SIMD unit that exists once (compares into flags, permutes over whole registers).</summary>
    SimdSingle = 64,

    /// <summary>Issues with nothing else in the same cycle.</summary>
    Alone = 128,

    /// <summary>The store pipe of a core that has one apart from the load pipe.</summary>
    Store = 256,

    /// <summary>What sets nothing but the flags: one a cycle.</summary>
    Compare = 512,
}
