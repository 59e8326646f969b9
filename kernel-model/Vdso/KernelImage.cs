using System.Buffers.Binary;
using System.IO.Compression;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Finds the vDSO in an arm64 kernel: a raw Image (Documentation/arch/arm64/booting.rst), one that gzip compressed,
/// or an EFI zboot image with a gzip payload.</summary>
public static class KernelImage
{
    private const int MaxImage = 512 << 20;

    /// <summary>The vDSO's file, exactly its bytes.</summary>
    /// <param name="kernel">The whole kernel file.</param>
    /// <exception cref="VdsoImageException">There is none in it, or its compression is not known.</exception>
    public static byte[] FindVdso(byte[] kernel)
    {
        if (kernel.AsSpan().StartsWith("!<arch>\n"u8))
            throw new VdsoImageException("it is a package; take the image out of it first (armvdso vdso extract)");
        byte[] image = Decompress(kernel);
        string? closest = null;
        ReadOnlySpan<byte> bytes = image;

        for (int at = 0; at < bytes.Length;)
        {
            int next = bytes[at..].IndexOf(ElfReader.Identification);
            if (next < 0)
                break;
            at += next;
            try
            {
                VdsoObject found = VdsoObject.Parse(bytes[at..]);
                if (found.Symbols.ContainsKey("__kernel_clock_gettime") && found.Symbols.ContainsKey("__kernel_rt_sigreturn"))
                    return image[at..(at + found.Size)];
                closest = "an AArch64 shared object without __kernel_clock_gettime";
            }
            catch (VdsoImageException e)
            {
                closest ??= $"an ELF file, but {e.Message}";
            }
            catch (OverflowException)
            {
                closest ??= "an ELF file with overflowing sizes";
            }
            at++;
        }
        throw new VdsoImageException(closest is null ? "there is no vDSO in it" : $"there is no vDSO in it (found {closest})");
    }

    /// <summary>The Image in a kernel file; what is no known form is returned as it is.</summary>
    /// <exception cref="VdsoImageException">It is damaged, or its compression is not known.</exception>
    public static byte[] Decompress(byte[] kernel)
    {
        if (kernel.Length > 0x40 && kernel.AsSpan(0x38, 4).SequenceEqual("ARM\x64"u8))
            return kernel;
        if (kernel.Length > 2 && kernel[0] == 0x1f && kernel[1] == 0x8b)
            return Gunzip(kernel);
        // struct linux_efi_zboot_header: "zimg" at 4, offset and size of the payload at 8, name of the compression at 24.
        if (kernel.Length > 0x40 && kernel.AsSpan(4, 4).SequenceEqual("zimg"u8))
        {
            uint offset = BinaryPrimitives.ReadUInt32LittleEndian(kernel.AsSpan(8)),
                size = BinaryPrimitives.ReadUInt32LittleEndian(kernel.AsSpan(12));
            string how = System.Text.Encoding.Latin1.GetString(kernel.AsSpan(24, 32)).Split('\0')[0];
            if (offset > kernel.Length || size > kernel.Length - offset)
                throw new VdsoImageException("its EFI zboot header points outside of the file");
            if (how != "gzip")
                throw new VdsoImageException($"its payload is compressed with '{how}'; decompress it first (known here: gzip)");
            return Gunzip(kernel[(int)offset..(int)(offset + size)]);
        }
        return kernel;
    }

    private static byte[] Gunzip(byte[] data)
    {
        try
        {
            using var zip = new GZipStream(new MemoryStream(data), CompressionMode.Decompress);
            using var image = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int n; (n = zip.Read(buffer)) > 0;)
            {
                image.Write(buffer, 0, n);
                if (image.Length > MaxImage)
                    throw new VdsoImageException($"its gzip data are larger than {MaxImage >> 20} MiB");
            }
            // The stream ends without a word where its data do: the last four bytes are the size of what was compressed.
            if (data.Length < 18 || BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(data.Length - 4)) != image.Length)
                throw new VdsoImageException("its gzip data are damaged: they end too soon");
            return image.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new VdsoImageException($"its gzip data are damaged: {e.Message}");
        }
    }
}
