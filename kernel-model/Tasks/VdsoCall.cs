using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Tasks;

/// <summary>What a function of the vDSO answers.</summary>
public enum VdsoAnswer
{
    /// <summary>A word of the slot: an ID of the task.</summary>
    Id,

    /// <summary>CPU and node.</summary>
    Cpu,

    /// <summary>A clock.</summary>
    Clock,

    /// <summary>Resolution of a clock.</summary>
    Resolution,

    /// <summary>CLOCK_REALTIME in us.</summary>
    Timeofday,

    /// <summary>Random bytes.</summary>
    Random,

    /// <summary>The same for ever.</summary>
    Constant,
}

/// <summary>What a function is called with to be measured and checked.</summary>
/// <param name="Name">In reports.</param>
/// <param name="First">First argument where that is no pointer.</param>
public readonly record struct VdsoCase(string Name, int First);

/// <summary>A word of the slot that is the task's own.</summary>
/// <param name="Field">Which.</param>
/// <param name="Name">As the image's layout has it.</param>
/// <param name="Slot">Offset in the slot.</param>
/// <param name="Record">Offset in the record that EL1 code reads.</param>
/// <param name="Truth">What it has to be.</param>
public sealed record VdsoFieldRow(VdsoField Field, string Name, int Slot, int Record, Func<KernelTask, int> Truth);

/// <summary>A function of the vDSO: a row of vdso-image/calls.tsv.</summary>
/// <param name="Name">Of the system call that it stands for.</param>
/// <param name="Number">arm64's.</param>
/// <param name="Answer">What it answers.</param>
/// <param name="Fails">Whether it may answer -errno.</param>
/// <param name="Fields">Words of the slot that it reads, as the image's layout has them.</param>
/// <param name="El1">The call's body in EL1 code; null: the kernel model has it.</param>
/// <param name="Truth">What an ID or a constant is, for a task and a first argument; null: what the call's own body says.</param>
/// <param name="Cases">What it is called with.</param>
public sealed record VdsoCall(
    string Name, int Number, VdsoAnswer Answer, bool Fails, IReadOnlyList<string> Fields, El1Symbol? El1, Func<KernelTask, int, int>? Truth,
    IReadOnlyList<VdsoCase> Cases)
{
    /// <summary>Prefix of the image's symbols.</summary>
    public const string SymbolPrefix = "__kernel_";

    /// <summary>In the image.</summary>
    public string Symbol => SymbolPrefix + Name;

    /// <summary>Whether Linux's own vDSO has it.</summary>
    public bool IsStock => Fields.Count == 0 && Answer != VdsoAnswer.Constant;
}
