using System.Buffers.Binary;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until b828617: a segment that takes no byte of the file was refused when its offset lay behind the file's end,
/// which Linux does not look at.</summary>
public sealed class SegmentWithoutBytesTests
{
    [Fact]
    public void ItMayLieAnywhereInTheFile()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Program());
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", file);
            Assert.True(result.Status == 7, result.Errors);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>exit(7), and a second segment of 4096 bytes at offset 0x7fff0000.</summary>
    private static byte[] Program()
    {
        var image = new byte[64 + 2 * 56 + 12];
        void Put16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);
        void Put32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        void Put64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), value);
        void Segment(int at, uint flags, ulong offset, ulong address, ulong fileSize, ulong memorySize)
        {
            Put32(at, 1);
            Put32(at + 4, flags);
            Put64(at + 8, offset);
            Put64(at + 16, address);
            Put64(at + 24, address);
            Put64(at + 32, fileSize);
            Put64(at + 40, memorySize);
            Put64(at + 48, 4096);
        }

        const ulong Load = 0x400000;
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(image);
        Put16(16, 2);
        Put16(18, 183);
        Put32(20, 1);
        Put64(24, Load + 64 + 2 * 56);
        Put64(32, 64);
        Put16(52, 64);
        Put16(54, 56);
        Put16(56, 2);
        Segment(64, 5, 0, Load, (ulong)image.Length, (ulong)image.Length);
        Segment(64 + 56, 6, 0x7fff0000, 0x500000, 0, 4096);
        Put32(176, 0xD28000E0); // MOV X0, #7
        Put32(180, 0xD2800BA8); // MOV X8, #93 (exit)
        Put32(184, 0xD4000001); // SVC #0
        return image;
    }
}
