namespace ArmVdso.Emulator.State;

/// <summary>A field, or every field of a type and every reference to it, that a saved machine does not hold: what it says follows from
/// what is held, or is the same in every machine of the same settings. All other fields are saved.</summary>
/// <param name="why">From what it follows, or whose it is.</param>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Class | AttributeTargets.Interface)]
public sealed class NotStateAttribute(string why) : Attribute
{
    /// <summary>From what it follows, or whose it is.</summary>
    public string Why { get; } = why;
}
