using System.Globalization;
using System.Text;

namespace ArmVdso.Lab.Boot;

/// <summary>Makes an initial file system: a cpio archive of the form newc (Linux,
/// Documentation/driver-api/early-userspace/buffer-format.rst).</summary>
internal sealed class InitialArchive
{
    private const int Folder = 0x41ED, File = 0x81ED, Device = 0x21B6;
    private readonly MemoryStream _bytes = new();
    private int _number;

    /// <summary>An archive with a program, and the device nodes that guests of the laboratory open.</summary>
    /// <param name="name">The program's path, without the first slash.</param>
    /// <param name="program">Its bytes.</param>
    /// <param name="settles">Whether the program changes settings of the kernel: with /sys, /proc and /dev/urandom.</param>
    internal static byte[] Of(string name, byte[] program, bool settles = false)
    {
        var archive = new InitialArchive();
        archive.Add("dev", Folder, []);
        archive.Add("dev/console", Device, [], 5, 1);
        archive.Add("dev/null", Device, [], 1, 3);
        archive.Add("dev/zero", Device, [], 1, 5);
        if (settles)
        {
            archive.Add("dev/urandom", Device, [], 1, 9);
            archive.Add("sys", Folder, []);
            archive.Add("proc", Folder, []);
        }
        archive.Add(name, File, program);
        archive.Add("TRAILER!!!", 0, []);
        return archive._bytes.ToArray();
    }

    private void Add(string name, int mode, byte[] data, int major = 0, int minor = 0)
    {
        int[] fields = [++_number, mode, 0, 0, 1, 0, data.Length, 0, 0, major, minor, name.Length + 1, 0];
        _bytes.Write("070701"u8);
        foreach (int field in fields)
            _bytes.Write(Encoding.ASCII.GetBytes(field.ToString("X8", CultureInfo.InvariantCulture)));
        _bytes.Write(Encoding.ASCII.GetBytes(name + "\0"));
        Fill();
        _bytes.Write(data);
        Fill();
    }

    private void Fill()
    {
        while ((_bytes.Length & 3) != 0)
            _bytes.WriteByte(0);
    }
}
