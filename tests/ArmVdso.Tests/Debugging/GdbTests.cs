using ArmVdso.Emulator;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Lab;

namespace ArmVdso.Tests.Debugging;

/// <summary>Debian's GDB, driven by commands, on a program with threads, a signal and children.</summary>
public sealed class GdbTests
{
    private static string Program => GuestPrograms.Path("debugged");

    /// <summary>The run that is stopped, stepped and watched is the run that nobody looked at: each CPU ends at the same cycle.</summary>
    [Theory]
    [InlineData("none", EngineKind.Reference)]
    [InlineData("none", EngineKind.Portable)]
    [InlineData("none", EngineKind.Native)]
    [InlineData("none", EngineKind.NativeChecked)]
    [InlineData("cortex-a53", EngineKind.Portable)]
    public void BeingWatchedMovesNoCycle(string core, EngineKind engine)
    {
        if (engine is EngineKind.Native or EngineKind.NativeChecked && !Machine.HasNativeEngine)
            return;
        // At one place of the guest's tree, wherever the file is: the length of a program's path moves its stack, and so what meets.
        const string program = "/debugged";
        SessionSettings settings = DebuggedRun.Plain with { Core = core, Engine = engine, Binds = [new Bind(Program, program, true)] };
        ulong[] expected;
        using (var plain = new Session(settings, program, [], new SessionHooks()))
        {
            Assert.Equal(7, plain.Run());
            expected = [.. plain.Machine.Cpus.Select(c => c.Cycles)];
        }
        using var run = new DebuggedRun(settings, program);
        (string text, int status) = run.Gdb(
            "break add if counter == 60", "continue", "stepi 40", "delete 1", "watch counter", "continue", "continue", "delete 2",
            "catch syscall getpid", "continue", "continue", "continue", "delete 3", "continue", "continue");
        Texts.ContainsInOrder(
            text, "Breakpoint 1, add (", "hit Hardware watchpoint 2: counter", "Old value = ", "New value = ", "hit Hardware watchpoint 2",
            "call to syscall getpid", "returned from syscall getpid", "received signal SIGUSR1", "exited with code 07");
        Assert.Equal(7, status);
        Assert.Equal("handled 10 child 9\n", run.Output);
        Assert.Equal(expected, run.Cycles);
    }

    [Fact]
    public void StateOfAThread()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, _) = run.Gdb(
            "info registers pc tpidr tpidrro cycle cpu", "break add", "continue", "backtrace", "info threads", "finish", "print counter",
            "print $v0.b.u", "set var counter = 41", "set $x0 = 5", "print $x0", "x/2i add", "info auxv", "info proc mappings",
            "info symbol __kernel_getpid", "delete", "break handler", "continue", "print $_siginfo.si_signo", "continue",
            "backtrace", "kill");
        Texts.ContainsInOrder(
            text, "pc  ", "<_start>", "tpidrro  ", "cycle  ", "cpu  ", "Breakpoint 1, add (value=", "#0  add (value=", "#1  ", "main (",
            "\"debugged on cpu", "Value returned is $1 = 0", "$2 = 0", "{0 <repeats 16", "= 5", "add>:", "AT_SYSINFO_EHDR", "[vdso]",
            "__kernel_getpid in section .text of ", "received signal SIGUSR1", "= 10", "handler (", "<signal handler called>", "killed]");
    }

    [Fact]
    public void ChildrenAndPrograms()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, int status) = run.Gdb(
            "handle SIGUSR1 nostop noprint pass", "set detach-on-fork off", "set schedule-multiple on", "catch fork", "catch exec",
            "continue", "info inferiors", "continue", "inferior 1", "continue", "continue", "info inferiors", "continue", "inferior 1",
            "continue");
        Texts.ContainsInOrder(
            text, "Catchpoint 1 (forked process 103)", "process 100", "process 103", "exited with code 05", "forked process 104)",
            "Catchpoint 2 (exec'd ", "exited with code 011", "exited with code 07");
        Assert.Equal(7, status);
    }

    [Fact]
    public void ASignalIsKeptBack()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, _) = run.Gdb("handle SIGUSR1 stop nopass", "continue", "continue");
        Texts.ContainsInOrder(text, "received signal SIGUSR1", "exited with code 07");
        Assert.Equal("handled 0 child 9\n", run.Output);
    }

    /// <summary>A debugger that leaves lets the program go on; breakpoints that it forgot stop nothing.</summary>
    [Fact]
    public void Detach()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, int status) = run.Gdb("break worker", "continue", "detach");
        Texts.ContainsInOrder(text, "Breakpoint 1, worker", "detached]");
        Assert.Equal((7, "handled 10 child 9\n"), (status, run.Output));
    }
}
