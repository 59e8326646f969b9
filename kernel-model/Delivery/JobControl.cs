using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Process groups as terminals know them.</summary>
internal sealed class JobControl(LinuxKernel kernel) : IJobControl
{
    /// <inheritdoc/>
    public bool HasMember(int group, int? session = null) =>
        kernel.Tasks.Groups.Any(g => g.Pgid == group && (session is null || g.Sid == session));

    /// <inheritdoc/>
    public void Signal(int group, int signal) => kernel.SignalProcessGroup(group, signal);
}
