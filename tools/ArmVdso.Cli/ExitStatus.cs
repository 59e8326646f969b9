namespace ArmVdso.Cli;

/// <summary>Exit statuses of the command, as qemu-user and timeout(1) use them. Otherwise it is the guest's.</summary>
internal static class ExitStatus
{
    internal const int Usage = 2;
    internal const int GuestReset = 3;
    internal const int GuestPanic = 4;
    internal const int LimitReached = 124;
    internal const int EmulatorError = 125;
    internal const int NotExecutable = 126;
    internal const int NotFound = 127;
    internal const int SignalBase = 128;

    /// <summary>The status that says what went wrong in the laboratory.</summary>
    internal static int Of(LabFault fault) => fault switch
    {
        LabFault.Input => Usage,
        LabFault.LimitReached => LimitReached,
        LabFault.NotExecutable => NotExecutable,
        LabFault.NotFound => NotFound,
        LabFault.GuestPanic => GuestPanic,
        _ => EmulatorError,
    };
}

/// <summary>An error that the user can mend: one line and a status.</summary>
internal sealed class UserError(string message, int status) : Exception(message)
{
    /// <summary>Exit status of the command.</summary>
    internal int Status { get; } = status;
}
