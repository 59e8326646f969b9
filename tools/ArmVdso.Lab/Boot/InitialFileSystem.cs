using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace ArmVdso.Lab.Boot;

/// <summary>Checks an initial file system before a kernel finds it damaged: cpio archives one behind the other (Linux,
/// Documentation/driver-api/early-userspace/buffer-format.rst), each plain or compressed.</summary>
internal static class InitialFileSystem
{
    private const int CpioHeader = 110;
    private const int MostBytes = 1 << 30;

    private static readonly (byte[] Magic, string Name)[] s_compressions =
    [
        ([0x1F, 0x8B], "gzip"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x42, 0x5A, 0x68], "bzip2"),
        ([0x02, 0x21, 0x4C, 0x18], "lz4"), ([0x89, 0x4C, 0x5A, 0x4F], "lzo"), ([0x5D, 0x00, 0x00], "lzma"),
    ];

    /// <summary>Refuses what is no archive, or one that ends before its end. Of compressions other than gzip only the first bytes are
    /// looked at.</summary>
    /// <exception cref="LabException">It cannot be used.</exception>
    internal static void Check(string name, byte[] file)
    {
        int at = 0;
        while (at < file.Length)
        {
            if (file[at] == 0)
            {
                at++;
            }
            else if (IsCpio(file, at))
            {
                at = End(name, file, at);
            }
            else
            {
                string how = s_compressions.FirstOrDefault(c => file.AsSpan(at).StartsWith(c.Magic)).Name
                    ?? throw new LabException(
                        $"{name}: there is no cpio archive and no known compression at byte {at}", LabFault.NotExecutable);
                if (how == "gzip")
                    CheckGzip(name, file[at..]);
                return;
            }
        }
    }

    private static void CheckGzip(string name, byte[] file)
    {
        using var unpacked = new MemoryStream();
        try
        {
            using var zip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
            var buffer = new byte[1 << 16];
            for (int n; (n = zip.Read(buffer)) > 0;)
            {
                unpacked.Write(buffer, 0, n);
                if (unpacked.Length > MostBytes)
                    throw new LabException($"{name}: its gzip data are larger than {MostBytes >> 20} MiB", LabFault.NotExecutable);
            }
        }
        catch (InvalidDataException e)
        {
            throw new LabException($"{name}: its gzip data are damaged: {e.Message}", LabFault.NotExecutable, e);
        }
        byte[] archive = unpacked.ToArray();
        if (!IsCpio(archive, 0))
            throw new LabException($"{name}: its gzip data hold no cpio archive", LabFault.NotExecutable);
        End(name, archive, 0);
    }

    private static bool IsCpio(byte[] file, int at) =>
        file.AsSpan(at).StartsWith("070701"u8) || file.AsSpan(at).StartsWith("070702"u8);

    /// <summary>The first byte behind an archive.</summary>
    private static int End(string name, byte[] file, int start)
    {
        long at = start;
        while (at + CpioHeader <= file.Length && IsCpio(file, (int)at))
        {
            long size = Number(file, at, 54), nameSize = Number(file, at, 94);
            long data = Align(at + CpioHeader + nameSize - start) + start;
            if (size < 0 || nameSize is <= 0 or > 4096 || data > file.Length)
                break;
            string entry = Encoding.Latin1.GetString(file, (int)at + CpioHeader, (int)nameSize - 1);
            if (entry == "TRAILER!!!")
                return (int)data;
            at = Align(data - start + size) + start;
        }
        throw new LabException($"{name}: the cpio archive is truncated or damaged at byte {at}", LabFault.NotExecutable);
    }

    private static long Align(long at) => (at + 3) & ~3L;

    private static long Number(byte[] file, long at, int field) => long.TryParse(
        Encoding.Latin1.GetString(file, (int)at + field, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value)
        ? value
        : -1;
}
