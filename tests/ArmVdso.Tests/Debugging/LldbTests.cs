namespace ArmVdso.Tests.Debugging;

/// <summary>LLDB on the same program that GDB debugs: it asks in packets of its own (qProcessInfo, qMemoryRegionInfo, jThreadsInfo) or
/// does without.</summary>
public sealed class LldbTests
{
    private static string Program => GuestPrograms.Path("debugged");

    [Fact]
    public void ThreadsWatchpointsAndSignals()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, int status) = run.Lldb(Program,
            "breakpoint set --name worker", "continue", "thread list", "register read tpidrro", "breakpoint disable",
            "watchpoint set variable counter", "continue", "thread step-inst", "disassemble --pc", "watchpoint disable",
            "breakpoint set --name handler", "process handle SIGUSR1 -n true -p true -s false", "continue", "bt",
            "memory region $sp", "image list", "process plugin packet monitor cycles", "breakpoint disable", "continue");
        Texts.ContainsInOrder(
            text, "stop reason = breakpoint 1.1", "worker(", "thread #1", "thread #2", "tpidrro = 0x", "Watchpoint 1 hit:", "old value: ",
            "stop reason = watchpoint 1", "stop reason = instruction step into", "debugged`",
            "stop reason = breakpoint 2.1", "handler(number=10)", "[vdso]`__kernel_rt_sigreturn", "main(", "rw- [stack]", "[vdso] (0x",
            "instructions", "exited with status = 7");
        Assert.Equal((7, "handled 10 child 9\n"), (status, run.Output));
    }

    /// <summary>A port is one of 127.0.0.1: nobody else can come.</summary>
    [Fact]
    public void APortOfThisHost()
    {
        using var free = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        string port = ((System.Net.IPEndPoint)free.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        free.Stop();
        using System.Diagnostics.Process run = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(ArmVdsoCommand.Program, ["run", "--core", "none", "-g", port, Program])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
        Assert.Equal($"armvdso: waiting for a debugger: target remote localhost:{port}", run.StandardError.ReadLine());
        string listening = GuestPrograms.Run("ss", "-Htln", $"sport = :{port}").Output;
        Assert.Contains($"127.0.0.1:{port} ", listening);
        Assert.Single(listening.TrimEnd('\n').Split('\n'));
        (int status, string text, _) = GuestPrograms.Run(
            "lldb-19", "--batch", "--no-lldbinit", "-o", $"gdb-remote 127.0.0.1:{port}",
            "-o", "process handle SIGUSR1 -n false -p true -s false", "-o", "continue", Program);
        Assert.Equal(0, status);
        Assert.Contains("exited with status = 7", text);
        Assert.Equal("handled 10 child 9\n", run.StandardOutput.ReadToEnd());
        run.WaitForExit();
        Assert.Equal(7, run.ExitCode);
    }
}
