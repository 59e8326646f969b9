namespace ArmVdso.Emulator.Memory;

/// <summary>What answers at physical addresses that are not RAM. Accesses are aligned to their size.</summary>
public interface IDeviceBus
{
    /// <summary>A load.</summary>
    /// <param name="pe">Index of the PE.</param>
    /// <param name="pa">Physical address.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    /// <param name="value">What was read, zero-extended.</param>
    /// <returns>False: nothing is there (an External abort).</returns>
    bool Read(int pe, ulong pa, int size, out ulong value);

    /// <summary>A store.</summary>
    /// <param name="pe">Index of the PE.</param>
    /// <param name="pa">Physical address.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    /// <param name="value">What is written; bits beyond the size are 0.</param>
    /// <returns>False: nothing is there (an External abort).</returns>
    bool Write(int pe, ulong pa, int size, ulong value);
}
