namespace ArmVdso.Emulator.Timing.Models;

/// <summary>Which line of a full set goes when another one comes.</summary>
public enum Replacement : byte
{
    /// <summary>The least recently used one.</summary>
    LeastRecent,

    /// <summary>One that a shift register picks, always in the same way.</summary>
    Random,

    /// <summary>The one that a tree of bits leads to, each of which points away from the half that was used last (pseudo-LRU).</summary>
    Tree,
}
