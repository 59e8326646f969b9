using System.Globalization;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/PID/timens_offsets (fs/proc/base.c, kernel/time/namespace.c).</summary>
internal static class TimensOffsets
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>The offsets of the namespace that a task's children enter.</summary>
    public static string Format(KernelTask task)
    {
        TimeNamespace space = task.TimeNamespaceForChildren;
        return Line("monotonic", space.MonotonicNs) + Line("boottime", space.BoottimeNs);
    }

    private static string Line(string clock, long ns)
    {
        (long seconds, long part) = Math.DivRem(ns, NsPerSecond);
        if (part < 0)
            (seconds, part) = (seconds - 1, part + NsPerSecond);
        return string.Create(CultureInfo.InvariantCulture, $"{clock,-10} {seconds,10} {part,9}\n");
    }

    /// <summary>Sets offsets, one line a clock: name or number, seconds, nanoseconds. 0 or -errno.</summary>
    public static long Set(Timekeeper timekeeper, KernelTask task, string text)
    {
        const int maxLines = 2;
        var wanted = new List<(int Clock, long Seconds, long Part)>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            int? clock = words.Length == 3
                ? words[0] switch { "monotonic" or "1" => Clocks.Monotonic, "boottime" or "7" => Clocks.Boottime, _ => null }
                : null;
            if (clock is not { } id || wanted.Count == maxLines
                || !long.TryParse(words[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds)
                || !long.TryParse(words[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long part))
            {
                return -Errno.EINVAL;
            }
            wanted.Add((id, seconds, part));
        }
        if (wanted.Count == 0)
            return -Errno.EINVAL;
        if (!task.Credentials.HasInNamespace(Capability.SysTime))
            return -Errno.EPERM;
        TimeNamespace space = task.TimeNamespaceForChildren;
        foreach ((int clock, long seconds, long part) in wanted)
        {
            if (part is < 0 or >= NsPerSecond)
                return -Errno.EINVAL;
            if (seconds is > TimeNamespace.MaxSeconds or < -TimeNamespace.MaxSeconds)
                return -Errno.ERANGE;
            // The clock must neither be negative in the namespace nor overflow in this machine's life.
            Int128 now = (Int128)(long)timekeeper.TimeOf(TimerBases.Of(clock)) + (Int128)seconds * NsPerSecond + part;
            if (now < 0 || now / NsPerSecond > TimeNamespace.MaxSeconds / 2)
                return -Errno.ERANGE;
        }
        if (space.Frozen)
            return -Errno.EACCES;
        foreach ((int clock, long seconds, long part) in wanted)
        {
            if (clock == Clocks.Monotonic)
                space.MonotonicNs = seconds * NsPerSecond + part;
            else
                space.BoottimeNs = seconds * NsPerSecond + part;
        }
        return 0;
    }
}
