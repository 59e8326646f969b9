using ArmVdso.Lab;
using ArmVdso.Lab.Debug;

namespace ArmVdso.Tests.Debugging;

/// <summary>A failing schedule of the checker in Debian's GDB.</summary>
public sealed class ReplayDebugTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    /// <summary>The victim's call is stopped in, stepped through and looked at; what the schedule does comes where it has it.</summary>
    [Fact]
    public async Task AScheduleThatFails()
    {
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Cpu = "max" });
        string socket = Path.Join(_folder, "socket");
        using var line = new DebuggerLine("-g", socket);
        Task<string> text = Task.Run(() => DebuggedRun.GdbAt(
            socket, "x/i $pc", "stepi", "info registers x8 tpidrro cpu", "info threads", "monitor slots", "stepi", "break *__kernel_getpid",
            "continue"));
        bool held = lab.DebugReplay("per-cpu/getpid/migrate@1", target =>
        {
            Assert.True(line.Accept(() => text.IsCompleted));
            new GdbServer(line, target, "GNU/Linux", () => { }).Serve();
        });
        Assert.False(held);
        string said = await text;
        foreach (string part in (string[])["<__kernel_getpid>:", "x8  ", "tpidrro  ",
            "Thread 106.107", "Thread ", "design per-cpu", "* event migrate@1",
            "FAILED: the call returned", "exited with code 01"])
            Assert.Contains(part, said, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
