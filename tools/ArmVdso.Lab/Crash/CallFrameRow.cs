namespace ArmVdso.Lab.Crash;

/// <summary>How a register of the caller is found.</summary>
internal enum RegisterRule
{
    /// <summary>It has its value still (DW_CFA_same_value).</summary>
    Same,

    /// <summary>Nobody knows it.</summary>
    Undefined,

    /// <summary>It was saved at the frame's address plus an offset.</summary>
    Saved,

    /// <summary>It is the frame's address plus an offset.</summary>
    Value,
}

/// <summary>The rules at one instruction (DWARF 5, 6.4.1): the canonical frame address (CFA) and the caller's registers.</summary>
internal sealed class CallFrameRow
{
    /// <summary>X0 to X30 and SP (31), by the numbers of the DWARF for the Arm 64-bit architecture.</summary>
    internal const int Registers = 32;

    /// <summary>The register that the CFA is counted from.</summary>
    internal int CfaRegister { get; set; } = 31;

    /// <summary>What is added to it.</summary>
    internal long CfaOffset { get; set; }

    /// <summary>A rule is an expression, which is not computed.</summary>
    internal bool HasExpression { get; set; }

    /// <summary>The rules.</summary>
    internal (RegisterRule Rule, long Offset)[] Rules { get; private init; } = new (RegisterRule, long)[Registers];

    /// <summary>A copy.</summary>
    internal CallFrameRow Clone() =>
        new() { CfaRegister = CfaRegister, CfaOffset = CfaOffset, HasExpression = HasExpression, Rules = [.. Rules] };
}
