using System.Diagnostics;
using System.Text;
using ArmVdso.Kernel;
using ArmVdso.Lab;
using ArmVdso.Lab.Debug;

namespace ArmVdso.Tests.Fixtures;

/// <summary>A run of a program with a debugger, in this process; the debugger, Debian's GDB or LLDB, has one of its own.</summary>
internal sealed class DebuggedRun : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;
    private readonly MemoryStream _output = new();

    internal DebuggedRun(SessionSettings settings, string program, params string[] arguments)
    {
        Target = new ProgramTarget();
        Session = new Session(settings, program, arguments, Target.Hooks(new SessionHooks { Output = _output }));
        Target.Attach(Session);
        Line = new DebuggerLine("-g", Socket);
    }

    internal Session Session { get; }

    internal ProgramTarget Target { get; }

    internal DebuggerLine Line { get; }

    /// <summary>Where the debugger connects to.</summary>
    internal string Socket => Path.Join(_folder, "socket");

    /// <summary>What the program wrote.</summary>
    internal string Output => Encoding.UTF8.GetString(_output.ToArray());

    /// <summary>Cycles of the CPUs.</summary>
    internal ulong[] Cycles => [.. Session.Machine.Cpus.Select(c => c.Cycles)];

    /// <summary>Settings that are the same for all: no core is timed unless the test is about it.</summary>
    internal static SessionSettings Plain { get; } = new() { Core = "none", SliceNs = 20_000 };

    /// <summary>Has GDB debug the program by commands, until it leaves, and runs the program to its end.</summary>
    /// <returns>What GDB wrote, and the program's status.</returns>
    internal (string Text, int Status) Gdb(params string[] commands) => Debug(StartGdb(Socket, commands));

    /// <summary>Has LLDB debug the program by commands, until it leaves, and runs the program to its end.</summary>
    /// <param name="program">The program, for its symbols.</param>
    /// <param name="commands">What LLDB is told.</param>
    /// <returns>What LLDB wrote, and the program's status.</returns>
    internal (string Text, int Status) Lldb(string program, params string[] commands)
    {
        IEnumerable<string> all = commands.Prepend($"process connect unix-connect://{Socket}");
        return Debug(Start("lldb-19", ["--batch", "--no-lldbinit", .. all.SelectMany(c => (string[])["-o", c]), program]));
    }

    private (string Text, int Status) Debug(Process debugger)
    {
        using (debugger)
        {
            Task<string> text = Read(debugger);
            int status = Serve(() => debugger.HasExited);
            return (text.GetAwaiter().GetResult(), status);
        }
    }

    /// <summary>Has GDB debug what is at a socket, by commands.</summary>
    /// <returns>What it wrote.</returns>
    internal static string GdbAt(string socket, params string[] commands)
    {
        using Process gdb = StartGdb(socket, commands);
        return Read(gdb).GetAwaiter().GetResult();
    }

    private static async Task<string> Read(Process debugger)
    {
        Task<string> output = debugger.StandardOutput.ReadToEndAsync(), errors = debugger.StandardError.ReadToEndAsync();
        await debugger.WaitForExitAsync();
        return await output + await errors;
    }

    private static Process StartGdb(string socket, string[] commands)
    {
        string[] first = ["set confirm off", "set width 0", "set architecture aarch64", $"target remote {socket}"];
        string[] words = ["-nx", "-q", "-batch", .. first.Concat(commands).SelectMany(c => (string[])["-ex", c])];
        return Start("gdb-multiarch", words);
    }

    private static Process Start(string name, string[] words)
    {
        var start = new ProcessStartInfo(name, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        Process debugger = Process.Start(start)!;
        debugger.StandardInput.Close();
        return debugger;
    }

    /// <summary>Serves whoever connects, and runs the program to its end.</summary>
    internal int Serve(Func<bool> ended)
    {
        if (Line.Accept(ended))
            new GdbServer(Line, Target, "GNU/Linux", () => { }).Serve();
        return Target.Finish();
    }

    public void Dispose()
    {
        Line.Dispose();
        Session.Dispose();
        Directory.Delete(_folder, true);
    }
}
