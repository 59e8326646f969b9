using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Proc;

/// <summary>What is mounted beside the devices when the tree of files is built.</summary>
internal static class BootMounts
{
    /// <summary>/proc and /sys of a kernel.</summary>
    internal static IReadOnlyList<MountedAtBoot> Of(ProcParts parts) =>
    [
        new("/proc", "proc", 0x9fa0, "rw,nosuid,nodev,noexec,relatime", (vfs, fs) => ProcFileSystem.MakeRoot(parts, vfs, fs)),
        new("/sys", "sysfs", 0x62656572, "rw,nosuid,nodev,noexec,relatime", (_, fs) => SysFileSystem.MakeRoot(parts, fs)),
    ];
}
