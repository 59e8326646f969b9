using ArmVdso.Emulator.Board;
using ArmVdso.Lab;
using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Debug;
using ArmVdso.Tests.Board;

namespace ArmVdso.Tests.Debugging;

/// <summary>A booted Image in Debian's GDB: a thread for each CPU.</summary>
public sealed class BootDebugTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    private sealed class Line : ISerialLine
    {
        public void Send(byte value)
        {
        }

        public int Receive(bool idle) => -1;

        public void Idle(TimeSpan time)
        {
        }

        public bool WaitForInput() => false;
    }

    [Fact]
    public async Task ABareImage()
    {
        var settings = new SessionSettings { Core = "none", Cpu = "cortex-a53", Cpus = 2, MemoryBytes = 64 << 20 };
        var files = new BootFiles { Kernel = BareImageOracleTests.Image };
        ulong[] expected;
        using (var plain = BootSession.Load(settings, files, new Line()))
        {
            Assert.Equal(BoardEnd.PowerOff, plain.Run());
            expected = [.. plain.Machine.Cpus.Select(c => c.Cycles)];
        }
        using var session = BootSession.Load(settings, files, new Line());
        var target = new BoardTarget(session);
        string socket = Path.Join(_folder, "socket");
        using var line = new DebuggerLine("-g", socket);
        Task<string> text = Task.Run(() => DebuggedRun.GdbAt(
            socket, "info threads", "x/2i $pc", "stepi", "stepi", "info registers pc cpsr cycle", "break *$pc+16", "continue",
            "monitor where", "delete", "continue"));
        Assert.True(line.Accept(() => text.IsCompleted));
        new GdbServer(line, target, "", () => { }).Serve();
        Assert.Equal(BoardEnd.PowerOff, target.Finish());
        string said = await text;
        foreach (string part in (string[])["cpu0 EL1", "cpu1 off", "=> 0x", "EL1", "Breakpoint 1, 0x", "exited normally"])
            Assert.Contains(part, said, StringComparison.Ordinal);
        Assert.Equal(expected, session.Machine.Cpus.Select(c => c.Cycles));
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
