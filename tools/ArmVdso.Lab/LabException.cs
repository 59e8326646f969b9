namespace ArmVdso.Lab;

/// <summary>What kind of error a <see cref="LabException"/> is.</summary>
public enum LabFault
{
    /// <summary>A setting, name or argument that cannot be used; the message says what there is.</summary>
    Input,

    /// <summary>A program or a file is not there.</summary>
    NotFound,

    /// <summary>A file is there and is no program (or image) that can be used.</summary>
    NotExecutable,

    /// <summary>A limit was reached (<see cref="SessionSettings.MaxCycles"/>, <see cref="SessionSettings.TimeoutSeconds"/>), or every task
    /// of the guest waits for ever.</summary>
    LimitReached,

    /// <summary>The kernel that was booted panicked.</summary>
    GuestPanic,

    /// <summary>The emulator, the kernel model or a guest of the laboratory failed.</summary>
    Failed,
}

/// <summary>The one exception of the laboratory: what went wrong, in one line.</summary>
/// <param name="message">One line for people.</param>
/// <param name="fault">What kind of error it is.</param>
/// <param name="cause">What it follows from, if anything.</param>
public sealed class LabException(string message, LabFault fault, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What kind of error it is.</summary>
    public LabFault Fault { get; } = fault;

    /// <summary>What an error of the host's files says, without the name that .NET puts behind it: whoever asked names it better.</summary>
    public static string ReasonOf(Exception error) => error.Message.Split(" : '")[0];
}
