using System.Buffers.Binary;
using ArmVdso.Emulator.Board;

namespace ArmVdso.Lab.Boot;

/// <summary>A kernel as Linux's arm64 boot protocol has it (Documentation/arch/arm64/booting.rst): an Image, one that gzip compressed, or
/// an EFI zboot image with a gzip payload.</summary>
public sealed class KernelFile
{
    private const int HeaderSize = 64;
    private static readonly string[] s_pageSizes = ["an unspecified size", "4 KiB", "16 KiB", "64 KiB"];

    /// <summary>The decompressed Image.</summary>
    public byte[] Image { get; }

    /// <summary>Bytes from a 2 MiB boundary to the first byte of the Image (text_offset).</summary>
    public ulong TextOffset { get; }

    /// <summary>Bytes that the running kernel takes from there, with what it needs beyond the file (image_size).</summary>
    public ulong ImageSize { get; }

    /// <summary>Base 2 logarithm of the page size that it was built for; 0: it does not say.</summary>
    public int PageBits { get; }

    /// <summary>Reads a kernel.</summary>
    /// <param name="name">Name for messages.</param>
    /// <param name="file">The whole file.</param>
    /// <exception cref="LabException">It is none.</exception>
    public KernelFile(string name, byte[] file)
    {
        try
        {
            Image = KernelImage.Decompress(file);
        }
        catch (VdsoImageException e)
        {
            throw new LabException($"{name}: {e.Message}", LabFault.NotExecutable, e);
        }
        if (Image.Length < HeaderSize || !Image.AsSpan(0x38, 4).SequenceEqual("ARM\x64"u8))
        {
            throw new LabException(
                $"{name}: it is no arm64 kernel: neither an Image, nor one in gzip or EFI zboot form", LabFault.NotExecutable);
        }
        TextOffset = BinaryPrimitives.ReadUInt64LittleEndian(Image.AsSpan(8));
        ImageSize = BinaryPrimitives.ReadUInt64LittleEndian(Image.AsSpan(16));
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(Image.AsSpan(24));
        if ((flags & 1) != 0)
            throw new LabException($"{name}: it is a big-endian kernel; these CPUs are little-endian", LabFault.NotExecutable);
        if (ImageSize < (ulong)Image.Length || TextOffset >= 2 << 20)
        {
            string sizes = $"image_size 0x{ImageSize:x} of 0x{Image.Length:x} bytes, text_offset 0x{TextOffset:x}";
            throw new LabException($"{name}: the header of the Image is damaged ({sizes})", LabFault.NotExecutable);
        }
        int pages = (int)(flags >> 1) & 3;
        PageBits = pages == 0 ? 0 : 10 + 2 * pages;
    }

    /// <summary>Whether CPUs of a profile have the kernel's page size (ID_AA64MMFR0_EL1.TGran4, TGran16, TGran64).</summary>
    /// <exception cref="LabException">They have not.</exception>
    internal void CheckPageSize(string name, CpuProfile profile)
    {
        int Field(string field) =>
            profile.Fields.FirstOrDefault(f => f.Register == "ID_AA64MMFR0_EL1" && f.Field == field)?.Value ?? 0;
        bool has = PageBits switch
        {
            12 => Field("TGran4") != 15,
            14 => Field("TGran16") != 0,
            16 => Field("TGran64") != 15,
            _ => true,
        };
        if (!has)
        {
            string size = s_pageSizes[(PageBits - 10) / 2];
            throw new LabException(
                $"{name}: the kernel has pages of {size}, which the CPU profile {profile.Name} does not have", LabFault.NotExecutable);
        }
    }
}
