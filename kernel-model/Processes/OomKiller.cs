using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Processes;

/// <summary>Ends the process that takes most where a page fault finds no page (mm/oom_kill.c).</summary>
/// <param name="pages">The pages of RAM.</param>
/// <param name="tasks">Who can be ended.</param>
/// <param name="signals">Ends them.</param>
/// <param name="log">Says who was ended.</param>
internal sealed class OomKiller(PageAllocator pages, TaskTable tasks, SignalDelivery signals, Action<string> log)
{
    /// <summary>oom_score_adj of a process that is never ended (OOM_SCORE_ADJ_MIN).</summary>
    internal const int Never = -1000;

    /// <summary>What ending a process is worth, in pages (oom_badness).</summary>
    /// <param name="pages">The pages of RAM.</param>
    /// <param name="group">The process.</param>
    internal static long Badness(PageAllocator pages, ThreadGroup group) =>
        (MemoryOf(group)?.ResidentPages ?? 0) + group.OomAdjust * (pages.Total / 1000);

    /// <summary>Ends the worst process and all that share its memory, and takes the pages at once, as the reaper does. False: nobody is
    /// left, or it is the one that wants the page.</summary>
    /// <param name="wanting">The memory that wants a page.</param>
    internal bool EndWorst(MemoryMap wanting)
    {
        ThreadGroup? worst = null;
        foreach (ThreadGroup group in tasks.Groups)
        {
            // oom_evaluate_task: of equals, the last that is looked at.
            if (group.OomAdjust != Never && !IsProcessOne(group) && MemoryOf(group) is { IsReaped: false }
                && (worst is null || Badness(pages, group) >= Badness(pages, worst)))
                worst = group;
        }
        if (pages.EndsWhoAsks != 0 && tasks.Groups.FirstOrDefault(g => MemoryOf(g) == wanting) is { OomAdjust: not Never } asking
            && !IsProcessOne(asking))
            worst = asking;
        if (worst is null)
            return false;
        MemoryMap memory = MemoryOf(worst)!;
        log($"Out of memory: Killed process {worst.Pid} ({worst.Leader.Comm}) total-vm:{memory.VirtualSize >> 10}kB, "
            + $"rss:{memory.ResidentPages << 2}kB, oom_score_adj:{worst.OomAdjust} (--mem gives the guest more)");
        foreach (ThreadGroup group in tasks.Groups.Where(g => MemoryOf(g) == memory && g.OomAdjust != Never).ToArray())
            signals.Send(group, Signal.SIGKILL);
        if (memory == wanting)
            return false;
        memory.Reap();
        return true;
    }

    private bool IsProcessOne(ThreadGroup group) => group == tasks.Init && tasks.Reaper is null;

    private static MemoryMap? MemoryOf(ThreadGroup group) => group.Threads.Find(t => t.Mm is not null)?.Mm;
}
