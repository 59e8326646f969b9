namespace ArmVdso.Emulator.Board;

/// <summary>Registers in memory. Offsets are below <see cref="Size"/> and aligned to the size of the access; what is not there reads as
/// zero and ignores writes.</summary>
/// <param name="size">Bytes of addresses.</param>
internal abstract class Device(ulong size)
{
    /// <summary>Bytes of addresses.</summary>
    internal ulong Size { get; } = size;

    /// <summary>A load.</summary>
    /// <param name="pe">PE that loads.</param>
    /// <param name="offset">Offset of the register.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    internal abstract ulong Read(int pe, ulong offset, int size);

    /// <summary>A store.</summary>
    /// <param name="pe">PE that stores.</param>
    /// <param name="offset">Offset of the register.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    /// <param name="value">The value; bits beyond the size are 0.</param>
    internal abstract void Write(int pe, ulong offset, int size, ulong value);
}
