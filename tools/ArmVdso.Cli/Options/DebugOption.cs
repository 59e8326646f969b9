using ArmVdso.Lab.Debug;

namespace ArmVdso.Cli;

/// <summary>-g: where a debugger comes from.</summary>
internal sealed class DebugOption
{
    private readonly Option<string?> _option;

    /// <param name="waits">What waits for it.</param>
    internal DebugOption(string waits) => _option = new Option<string?>("-g")
    {
        Description = $"{waits} for GDB or LLDB: a port of this host, or the path of a Unix socket",
        HelpName = "PORT|SOCKET",
    };

    /// <summary>The option.</summary>
    internal Option Option => _option;

    /// <summary>Where a debugger comes from; null: none does.</summary>
    internal string? Read(CommandInput input) => input.Value(_option);

    /// <summary>Waits for a debugger at a place, serves it, and runs to the end.</summary>
    /// <param name="place">The place.</param>
    /// <param name="target">What is debugged.</param>
    /// <param name="osAbi">See <see cref="GdbServer"/>.</param>
    /// <param name="flush">See <see cref="GdbServer"/>.</param>
    /// <returns>False: nobody came before the run was ended.</returns>
    internal bool Serve(string place, DebugTarget target, string osAbi, Action flush)
    {
        using var line = new DebuggerLine(_option.Name, place);
        Terminal.Log($"waiting for a debugger: {line.Command}");
        bool ended = false;
        Action<int>? before = Interruption.Run;
        Interruption.Run = signal =>
        {
            ended = true;
            before?.Invoke(signal);
        };
        bool came = line.Accept(() => Volatile.Read(ref ended));
        Interruption.Run = before;
        if (came)
            new GdbServer(line, target, osAbi, flush).Serve();
        return came;
    }
}
