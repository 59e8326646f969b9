using System.Buffers.Binary;
using System.IO.Compression;

namespace ArmVdso.Tests.Board;

/// <summary>Files that cannot be booted give one line that says what is wrong with which of them, and status 126 or 127.</summary>
public sealed class BootFileCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-boot-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Join(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>A kernel that loops.</summary>
    private static byte[] Image(ulong flags = 2, ulong size = 4096, ulong textOffset = 0)
    {
        var image = new byte[4096];
        BinaryPrimitives.WriteUInt32LittleEndian(image, 0x14000000);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8), textOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(16), size);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(24), flags);
        "ARM\x64"u8.CopyTo(image.AsSpan(0x38));
        return image;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest))
            zip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>The form in which Debian ships kernels since 6.6 (Linux, drivers/firmware/efi/libstub/zboot-header.S).</summary>
    private static byte[] Zboot(byte[] payload, string compression = "gzip", int cut = 0)
    {
        var image = new byte[64 + payload.Length];
        "MZ\0\0zimg"u8.CopyTo(image);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(8), 64);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(12), payload.Length);
        System.Text.Encoding.ASCII.GetBytes(compression).CopyTo(image, 24);
        payload.CopyTo(image, 64);
        return image[..^cut];
    }

    /// <summary>A cpio archive of one file.</summary>
    private static byte[] Archive()
    {
        var text = new System.Text.StringBuilder();
        foreach ((string name, string data) in ((string, string)[])[("init", new string('x', 5000)), ("TRAILER!!!", "")])
        {
            string[] fields = ["1", "81ED", "0", "0", "1", "0", $"{data.Length:X}", "0", "0", "0", "0", $"{name.Length + 1:X}", "0"];
            text.Append("070701").AppendJoin("", fields.Select(f => f.PadLeft(8, '0'))).Append(name).Append('\0');
            text.Append('\0', -text.Length & 3).Append(data);
            text.Append('\0', -text.Length & 3);
        }
        return System.Text.Encoding.Latin1.GetBytes(text.ToString());
    }

    private static void Expect(int status, string part, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["boot", "--core", "none", "--mem", "32M", "--max-cycles", "1000", .. words]);
        Assert.Equal(status, result.Status);
        Assert.Contains(part, result.Errors);
        Assert.StartsWith("armvdso: ", result.Errors);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public void NoKernel() => Expect(2, "--kernel", "--initrd", "x");

    [Theory]
    [InlineData("--snapshot-at", "--kernel", "x", "--snapshot", "y")]
    [InlineData("--snapshot", "--kernel", "x", "--snapshot-at", "y")]
    [InlineData("--core", "--restore", "x", "--core", "none")]
    [InlineData("--kernel", "--restore", "x", "--kernel", "y")]
    [InlineData("--check-engine", "--restore", "x", "--check-engine")]
    public void OptionsThatDoNotGoTogether(string named, params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["boot", .. options]);
        Assert.Equal(2, result.Status);
        Assert.Contains(named, result.Errors);
    }

    [Fact]
    public void NoSuchFile() => Expect(127, "nothing", "--kernel", Path.Join(_folder, "nothing"));

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(63)]
    public void TruncatedImage(int length) => Expect(126, "no arm64 kernel", "--kernel", Write("cut", Image()[..length]));

    [Fact]
    public void NoImage() => Expect(126, "no arm64 kernel", "--kernel", Write("text", new byte[10000]));

    [Fact]
    public void DamagedHeader() => Expect(126, "damaged", "--kernel", Write("short", Image(size: 100)));

    [Fact]
    public void BigEndianKernel() => Expect(126, "big-endian", "--kernel", Write("big", Image(flags: 3)));

    [Fact]
    public void PagesOf64KiB() => Expect(126, "pages of 64 KiB", "--kernel", Write("pages", Image(flags: 6)));

    [Theory]
    [InlineData(64 << 20)]
    [InlineData(ulong.MaxValue - 4095)]
    public void TooLarge(ulong size) => Expect(126, "--mem", "--kernel", Write("large", Image(size: size)));

    [Fact]
    public void DamagedGzip() => Expect(126, "gzip", "--kernel", Write("gz", Gzip(Image())[..60]));

    [Fact]
    public void DamagedZboot()
    {
        Expect(126, "points outside of the file", "--kernel", Write("cut", Zboot(Gzip(Image()), cut: 10)));
        Expect(126, "'zstd'", "--kernel", Write("zstd", Zboot(Gzip(Image()), "zstd")));
        Expect(126, "gzip", "--kernel", Write("payload", Zboot(Image())));
        Expect(126, "no arm64 kernel", "--kernel", Write("inside", Zboot(Gzip(new byte[100]))));
    }

    /// <summary>The forms that are right get as far as their loop.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("gzip")]
    [InlineData("zboot")]
    public void KernelsThatLoop(string form)
    {
        string kernel = Write("kernel", form switch { "gzip" => Gzip(Image()), "zboot" => Zboot(Gzip(Image())), _ => Image() });
        Expect(124, "1000 cycles", "--kernel", kernel, "--initrd", Write("cpio", Archive()));
        Expect(124, "1000 cycles", "--kernel", kernel, "--initrd", Write("cpio.gz", Gzip(Archive())));
    }

    /// <summary>A guest that writes to its console and goes on for ever.</summary>
    private static byte[] Speaker(string text)
    {
        byte[] image = Image();
        // ldrb w2, [x1], #1; cbz w2, .; strb w2, [x0]; b back: with x0 = the serial line, x1 = the text behind the code.
        uint[] code =
        [
            0xD2A12000, 0xF2C00400, 0x10000001 | (96 - 8) >> 2 << 5, 0x38401422, 0x34000002, 0x39000002, 0x17FFFFFD,
        ];
        BinaryPrimitives.WriteUInt32LittleEndian(image, 0x14000000 | 64 / 4);
        for (int i = 0; i < code.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(64 + 4 * i), code[i]);
        System.Text.Encoding.ASCII.GetBytes(text).CopyTo(image, 64 + 96);
        return image;
    }

    /// <summary>What the guest had written comes out whole, without a line's end too.</summary>
    [Theory]
    [InlineData(124, "100000 cycles have passed", "one\ntwo\nhalf a line")]
    [InlineData(4, "the guest's kernel panicked: VFS: No root", "x\n[    1.0] ---[ end Kernel panic - not syncing: VFS: No root ]---")]
    public void LastLinesAreKept(int status, string says, string text)
    {
        string kernel = Write("speaker", Speaker(text));
        ArmVdsoCommand.Result result =
            ArmVdsoCommand.Run(["boot", "--core", "none", "--mem", "32M", "--max-cycles", "100000", "--kernel", kernel, "--stats"]);
        Assert.Equal(status, result.Status);
        Assert.Equal(text, result.Output);
        Assert.Contains("instructions ", result.Errors);
        string last = result.Errors.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("armvdso: ", last);
        Assert.Contains(says, last);
    }

    [Fact]
    public void InitialFilesThatEndTooSoon()
    {
        string kernel = Write("kernel", Image());
        Expect(126, "truncated", "--kernel", kernel, "--initrd", Write("cut", Archive()[..3000]));
        Expect(126, "truncated", "--kernel", kernel, "--initrd", Write("cut.gz", Gzip(Archive()[..3000])));
        Expect(126, "no cpio archive", "--kernel", kernel, "--initrd", Write("text", "hello"u8.ToArray()));
    }
}
