using System.Runtime.InteropServices;
using System.Text;
using ArmVdso.Emulator.Board;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab;
using ArmVdso.Lab.Boot;

namespace ArmVdso.Tests.Board;

/// <summary>A machine that goes on from a snapshot does what it would have done: the same cycles, counts and console. The guest is
/// tests/guests/board/bare.S, which has interrupts, timers, faults, TLB maintenance and, with three CPUs, PSCI.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-snapshot-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string File(string name) => Path.Join(_folder, name);

    private sealed class Line : ISerialLine
    {
        internal StringBuilder Text { get; } = new();

        public void Send(byte value) => Text.Append((char)value);

        public int Receive(bool idle) => -1;

        public void Idle(TimeSpan time)
        {
        }

        public bool WaitForInput() => false;
    }

    private static SessionSettings Settings(string core, int cpus = 3) =>
        new() { Core = core, Cpu = "cortex-a53", Cpus = cpus, MemoryBytes = 64 << 20 };

    private static BootFiles Image => new() { Kernel = BareImageOracleTests.Image };

    private static (string Console, string Counts) Run(BootSession session, Line line)
    {
        using (session)
        {
            Assert.Equal(BoardEnd.PowerOff, session.Run());
            var counts = new StringBuilder();
            foreach (Cpu cpu in session.Machine.Cpus)
            {
                counts.Append(cpu.Cycles).Append(' ').Append(cpu.Instructions).Append(' ').Append(cpu.ExceptionEntries).Append('\n');
                for (int el = 0; el <= 1; el++)
                {
                    TimingCounters counters = cpu.Timing.Counters(el);
                    counts.Append(Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<TimingCounters>(ref counters)))).Append('\n');
                }
            }
            return (line.Text.ToString(), counts.ToString());
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("cortex-a53")]
    [InlineData("neoverse-n1")]
    public void GoesOnAsIfUninterrupted(string core)
    {
        var line = new Line();
        (string console, string counts) = Run(BootSession.Load(Settings(core), Image, line), line);
        string saved = File("saved"), again = File("again");
        foreach (ulong cycle in (ulong[])[1, 9_000, 30_000, 60_000, 95_000])
        {
            line = new Line();
            BootSession session = BootSession.Load(Settings(core), Image, line);
            session.SnapshotAt(saved, cycle);
            Assert.Equal((console, counts), Run(session, line));

            // Another engine goes on from it; all that is saved is restored, so the same is saved again.
            line = new Line();
            session = BootSession.Restore(new SessionSettings { Engine = EngineKind.Reference }, saved, [], line);
            session.SnapshotAt(again, 0);
            (string rest, string restCounts) = Run(session, line);
            Assert.Equal(counts, restCounts);
            Assert.EndsWith(rest, console);
            Assert.True(rest.Length < console.Length || cycle == 1);
            Assert.Equal(System.IO.File.ReadAllBytes(saved), System.IO.File.ReadAllBytes(again));
        }
    }

    [Fact]
    public void AfterATextOnTheConsole()
    {
        var line = new Line();
        BootSession session = BootSession.Load(Settings("cortex-a53", 1), Image, line);
        string first = System.IO.File.ReadLines(Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests", "board", "bare.out")).First();
        session.SnapshotAfter(File("saved"), first);
        (string console, _) = Run(session, line);
        line = new Line();
        (string rest, _) = Run(BootSession.Restore(new SessionSettings(), File("saved"), [], line), line);
        Assert.EndsWith(rest, console);
        Assert.DoesNotContain(first, rest);
        Assert.Contains("unknown ffffffffffffffff", rest);
    }

    /// <summary>Was wrong: no snapshot of a machine that had signed an address could be restored (profile max, so each booted kernel
    /// there), since the codes that were computed lately were taken for state.</summary>
    [Fact]
    public void AfterAnAddressWasSigned()
    {
        var line = new Line();
        SessionSettings settings = new() { Core = "none", Cpu = "max", MemoryBytes = 64 << 20 };
        BootSession session = BootSession.Load(settings, Image, line);
        session.Machine.Cpus[0].ComputePac(1, 2, 0);
        session.SnapshotAt(File("saved"), 20_000);
        (string console, string counts) = Run(session, line);
        line = new Line();
        (string rest, string restCounts) = Run(BootSession.Restore(new SessionSettings(), File("saved"), [], line), line);
        Assert.Equal(counts, restCounts);
        Assert.EndsWith(rest, console);
    }

    private static void Expect(string part, string file, params string[] disks)
    {
        LabException e = Assert.Throws<LabException>(() => BootSession.Restore(new SessionSettings(), file, disks, new Line()));
        Assert.Contains(part, e.Message);
        Assert.StartsWith(file, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    private string Saved(SessionSettings settings, params string[] disks)
    {
        var line = new Line();
        BootSession session = BootSession.Load(settings, Image with { Disks = disks }, line);
        session.SnapshotAt(File("saved"), 20_000);
        Run(session, line);
        return File("saved");
    }

    [Fact]
    public void WhatIsNoSnapshotOrNotWhole()
    {
        byte[] whole = System.IO.File.ReadAllBytes(Saved(Settings("cortex-a53", 1)));
        string file = File("damaged");
        Expect("Could not find file", file);
        foreach (int length in (int[])[0, 5, 19, 40, 300, whole.Length / 2, whole.Length - 1])
        {
            System.IO.File.WriteAllBytes(file, whole[..length]);
            Expect(length < 19 ? "no snapshot of armvdso" : "truncated or damaged", file);
        }
        foreach (int at in (int[])[30, 400, whole.Length / 2, whole.Length - 10])
        {
            byte[] changed = [.. whole];
            changed[at] ^= 0x10;
            System.IO.File.WriteAllBytes(file, changed);
            Expect("truncated or damaged", file);
        }
        System.IO.File.WriteAllText(file, "#!/bin/sh\n");
        Expect("no snapshot of armvdso", file);
        System.IO.File.WriteAllBytes(file, [.. "armvdso snapshot 999\n"u8, .. whole]);
        Expect("format 999", file);
    }

    [Fact]
    public void OtherModelsAndDisks()
    {
        string core = File("mine.json"), disk = File("disk");
        string text = System.IO.File.ReadAllText(
            Path.Join(GuestPrograms.RepositoryRoot, "emulator", "Timing", "cores", "cortex-a53.json"));
        System.IO.File.WriteAllText(core, text);
        System.IO.File.WriteAllBytes(disk, new byte[4096]);
        string saved = Saved(Settings(core, 1), disk);
        Expect("disks of 4096 bytes (--disk)", saved);
        System.IO.File.WriteAllBytes(disk, new byte[8192]);
        Expect("disks of 4096 bytes (--disk)", saved, disk);
        const string Size = "\"l1d_size\": { \"value\": ";
        System.IO.File.WriteAllText(core, text.Replace($"{Size}32768", $"{Size}16384", StringComparison.Ordinal));
        Expect("is not what it was", saved, disk);
    }

    /// <summary>A marker that never comes is no silent success.</summary>
    [Fact]
    public void WithoutItsMarker()
    {
        var line = new Line();
        using BootSession session = BootSession.Load(Settings("none", 1), Image, line);
        session.SnapshotAfter(File("saved"), "nobody writes this");
        LabException e = Assert.Throws<LabException>(() => session.Run());
        Assert.Contains("no snapshot was made: the guest did not write 'nobody writes this'", e.Message);
        Assert.False(System.IO.File.Exists(File("saved")));
    }
}
