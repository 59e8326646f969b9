using System.Globalization;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>How near a process is to be ended when memory runs out, and how processes weigh it (fs/proc/base.c).</summary>
internal static class OomScore
{
    private const int Most = 1000, LegacyMost = 15, LegacyDisable = -17;

    /// <summary>oom_score: 0 to 2000 or so.</summary>
    internal static string Of(PageAllocator pages, ThreadGroup group)
    {
        if (group.OomAdjust == OomKiller.Never)
            return "0\n";
        return $"{Math.Max(0, (1000 + OomKiller.Badness(pages, group) * 1000 / pages.Total) * 2 / 3)}\n";
    }

    /// <summary>oom_adj: the older scale of -17 to 15.</summary>
    internal static string Legacy(ThreadGroup group) =>
        $"{(group.OomAdjust == Most ? LegacyMost : group.OomAdjust * -LegacyDisable / Most)}\n";

    /// <summary>Writes oom_score_adj or oom_adj: 0, -EINVAL, or -EACCES below what was set with privileges.</summary>
    internal static long Write(Vfs vfs, ThreadGroup group, string text, bool legacy)
    {
        if (!int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value))
            return -Errno.EINVAL;
        if (legacy && value is (< -16 or > LegacyMost) and not LegacyDisable)
            return -Errno.EINVAL;
        if (legacy)
            value = value == LegacyMost ? Most : value * Most / -LegacyDisable;
        if (value is < -Most or > Most)
            return -Errno.EINVAL;
        bool privileged = vfs.Current!.Credentials.Has(Capability.SysResource);
        if (value < group.OomAdjustLeast && !privileged)
            return -Errno.EACCES;
        group.OomAdjust = value;
        if (privileged)
            group.OomAdjustLeast = value;
        return 0;
    }
}
