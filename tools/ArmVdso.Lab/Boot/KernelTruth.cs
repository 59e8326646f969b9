using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Board;

namespace ArmVdso.Lab.Boot;

/// <summary>One kind of call, fault or switch on the booted kernel and on the model.</summary>
/// <param name="Name">As Guests/truth.c names it.</param>
/// <param name="Booted">On the booted kernel: all executed.</param>
/// <param name="Model">On the kernel model.</param>
public sealed record TruthRow(string Name, TruthFigures Booted, TruthFigures Model);

/// <summary>The model against a booted kernel.</summary>
/// <param name="Settings">Core, profile, and the model's configuration.</param>
/// <param name="Release">What the booted kernel calls itself.</param>
/// <param name="Rows">The rows, in the order of the guest.</param>
/// <param name="Booted">What the booted kernel does for each reason, by loop of the guest and by reason.</param>
/// <param name="Model">What the model does, likewise.</param>
public sealed record KernelTruthResult(
    SessionSettings Settings, string Release, IReadOnlyList<TruthRow> Rows,
    IReadOnlyDictionary<(string Round, string Key), Activity> Booted, IReadOnlyDictionary<(string Round, string Key), Activity> Model);

/// <summary>Runs one program (Guests/truth.c) on a booted kernel, as its first process, and on the kernel model, on the same core with one
/// CPU.</summary>
public static class KernelTruth
{
    private const string Begin = "kernel-truth: begin", Release = "Linux version ";

    /// <summary>Measures.</summary>
    /// <param name="settings">Core, profile and limits; the model's configuration.</param>
    /// <param name="image">File of the kernel that is booted.</param>
    /// <param name="arguments">Its command line, before what the guest needs.</param>
    /// <exception cref="LabException">The kernel cannot be booted, or the guest did not do its work on one of them.</exception>
    public static KernelTruthResult Measure(SessionSettings settings, string image, string arguments)
    {
        settings = settings with { Cpus = 1 };
        using var guest = new EmbeddedGuest("truth");
        Dictionary<string, ulong> symbols = guest.Symbols();
        ActivitySampler? model = null;
        guest.Run(settings, [], session => session.Machine.Observer = model = new ActivitySampler(symbols));
        Dictionary<string, TruthFigures> modelled = model!.Figures();

        var sampler = new ActivitySampler(symbols);
        string release = Boot(settings, image, arguments, guest.Bind.HostPath, sampler);
        Dictionary<string, TruthFigures> booted = sampler.Figures();
        return new KernelTruthResult(
            settings, release, [.. booted.Select(b => new TruthRow(b.Key, b.Value, modelled[b.Key]))],
            sampler.Activities(), model.Activities());
    }

    private static string Boot(SessionSettings settings, string image, string arguments, string program, TruthSampler sampler)
    {
        string archive = program + ".cpio";
        File.WriteAllBytes(archive, InitialFiles(File.ReadAllBytes(program)));
        var line = new KeptLine();
        var files = new BootFiles { Kernel = image, InitialFiles = archive, Arguments = $"{arguments} console=ttyAMA0".Trim() };
        using var session = BootSession.Load(settings, files, line);
        // Watching each instruction is slow: only the guest's part of the run is watched.
        session.PauseAfter(Begin, () => session.Machine.Observer = sampler);
        BoardEnd end = session.Run();
        string log = line.Text.ToString();
        if (end != BoardEnd.PowerOff || !log.Contains(Begin, StringComparison.Ordinal))
        {
            string last = log.ReplaceLineEndings("\n").TrimEnd().Split('\n')[^1];
            throw new LabException(
                $"{image}: the guest of kernel-truth did not come to its end; the console's last line: {last}", LabFault.Failed);
        }
        int at = log.IndexOf(Release, StringComparison.Ordinal);
        return at < 0 ? image : log[(at + Release.Length)..].Split(' ')[0];
    }

    /// <summary>A console that is kept.</summary>
    private sealed class KeptLine : ISerialLine
    {
        internal StringBuilder Text { get; } = new();

        public void Send(byte value) => Text.Append((char)value);

        public int Receive(bool idle) => -1;

        public void Idle(TimeSpan time)
        {
        }

        public bool WaitForInput() => false;
    }

    /// <summary>A cpio archive (newc) of the program as /init, and the device nodes that it opens.</summary>
    private static byte[] InitialFiles(byte[] program)
    {
        using var archive = new MemoryStream();
        int number = 0;
        void Add(string name, int mode, byte[] data, int major = 0, int minor = 0)
        {
            int[] fields = [++number, mode, 0, 0, 1, 0, data.Length, 0, 0, major, minor, name.Length + 1, 0];
            archive.Write("070701"u8);
            foreach (int field in fields)
                archive.Write(Encoding.ASCII.GetBytes(field.ToString("X8", CultureInfo.InvariantCulture)));
            archive.Write(Encoding.ASCII.GetBytes(name + "\0"));
            archive.SetLength((archive.Length + 3) & ~3L);
            archive.Position = archive.Length;
            archive.Write(data);
            archive.SetLength((archive.Length + 3) & ~3L);
            archive.Position = archive.Length;
        }
        const int folder = 0x41ED, file = 0x81ED, device = 0x21B6;
        Add("dev", folder, []);
        Add("dev/console", device, [], 5, 1);
        Add("dev/null", device, [], 1, 3);
        Add("dev/zero", device, [], 1, 5);
        Add("init", file, program);
        Add("TRAILER!!!", 0, []);
        return archive.ToArray();
    }
}
