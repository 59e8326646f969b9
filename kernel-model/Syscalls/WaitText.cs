using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Says who waits for what: what a person needs to see why nothing goes on.</summary>
internal sealed class WaitText(TaskTable tasks, Futexes futexes)
{
    private const int SetLockWait = 7, OpenLockWait = 38, MostNamed = 4;

    /// <summary>struct __pthread_mutex_s of glibc: __owner lies 8 bytes behind __lock.</summary>
    private const ulong MutexOwner = 8;

    /// <summary>A line for each thread that sleeps or is stopped, in the order of their numbers.</summary>
    internal IEnumerable<string> Lines()
    {
        foreach (KernelTask task in tasks.All.Where(t => t.State is TaskState.Sleeping or TaskState.Stopped && t.Group != tasks.Reaper)
            .OrderBy(t => t.Tid))
        {
            string call = task.Syscall is { } c
                ? $"{SyscallTable.NameOf(c.Number)}({string.Join(", ", Enumerable.Range(0, CountOf(c)).Select(n => Number(c.Arg(n))))})"
                : "nothing";
            yield return task.State == TaskState.Stopped
                ? $"{task} is stopped, in {call}"
                : $"{task} waits in {call}{(task.Syscall is { } s ? Object(task, s) : "")}";
        }
    }

    private static int CountOf(SystemCall c) =>
        SyscallTable.Find(c.Number)?.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length ?? 0;

    private static string Number(ulong value) => (long)value is > -4096 and < 4096 ? $"{(long)value}" : $"0x{value:x}";

    private string Object(KernelTask task, SystemCall c)
    {
        switch (SyscallTable.NameOf(c.Number))
        {
            case "futex" or "futex_wait":
                return Futex(task, c.Arg(0));
            case "wait4" or "waitid":
                List<KernelTask> children = [.. task.Group.Children.Select(child => child.Leader)];
                return children.Count == 0 ? " without a child" : $" for {Names(children)}";
            case "fcntl" when c.Int(1) is SetLockWait or OpenLockWait && task.Files[c.Int(0)] is { } locked:
                return $" for a lock on {locked.Description}{RecordHolders(task, locked)}";
            case "flock" when task.Files[c.Int(0)] is { } locked:
                return $" for a lock on {locked.Description}{Held(HoldersOf(f => IsFlockHolder(locked, f), task))}";
            case "ppoll" or "pselect6" or "epoll_pwait" or "epoll_pwait2" or "pause" or "rt_sigsuspend" or "rt_sigtimedwait"
                or "clock_nanosleep" or "nanosleep":
                return "";
        }
        string[] names = SyscallTable.Find(c.Number)?.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        int at = Array.IndexOf(names, "fd");
        return at >= 0 && task.Files[c.Int(at)] is { } file ? $" on {file.Description}{OtherEnd(task, c, file)}" : "";
    }

    private string Futex(KernelTask task, ulong address)
    {
        if (task.Mm is not { } memory || !memory.Read(address, out uint value))
            return "";
        string text = $" on 0x{address:x}, which holds 0x{value:x}";
        // A lock with an owner names it in the word; a mutex of glibc does beside it.
        FutexWaiter? waiter = (task.Syscall as SyscallContext)?.State as FutexWaiter;
        KernelTask? owner = waiter?.Owner;
        string how = "the owner is";
        if (owner is null && value is 1 or 2 && memory.Read(address + MutexOwner, out int tid) && tid != 0)
        {
            owner = tasks.Find(task.PidNamespace.FirstOf(tid));
            how = "as a mutex of glibc its owner is";
        }
        if (waiter is { Inherits: false })
            text += $"; {futexes.WaitersOf(waiter.Key).Count} wait there";
        return owner is null ? text : $"{text}; {how} {owner}{(ReferenceEquals(owner, task) ? ", itself" : "")}";
    }

    private string RecordHolders(KernelTask task, OpenFile file) => file.Inode.Locks is { } locks
        ? Held(tasks.All.Where(t => locks.Records.Any(l => l.Pid == t.Group.Pid) && !ReferenceEquals(t.Group, task.Group)))
        : "";

    private static bool IsFlockHolder(OpenFile wanted, OpenFile other) =>
        !ReferenceEquals(wanted, other) && wanted.Inode.Locks?.FlockHolders.Contains(other) == true;

    /// <summary>Who could write to what is read, or read what is written.</summary>
    private string OtherEnd(KernelTask task, SystemCall c, OpenFile file)
    {
        if (file is not PipeFile)
            return "";
        bool writes = SyscallTable.NameOf(c.Number) is "write" or "writev" or "splice" or "vmsplice";
        List<KernelTask> there = [.. HoldersOf(f => ReferenceEquals(f.Inode, file.Inode) && (writes ? f.CanRead : f.CanWrite), null)];
        string end = writes ? "reader" : "writer";
        return there.Count == 0 ? $" without a {end}" : $", whose {end} is {Names(there)}"
            + (there.TrueForAll(t => ReferenceEquals(t.Group, task.Group)) ? ", nobody else" : "");
    }

    private IEnumerable<KernelTask> HoldersOf(Func<OpenFile, bool> wanted, KernelTask? but) => tasks.All.Where(t =>
        !ReferenceEquals(t, but) && t.State != TaskState.Zombie && ReferenceEquals(t.Group.Leader, t)
        && t.Files.Numbers.Any(fd => t.Files[fd] is { } file && wanted(file)));

    private static string Held(IEnumerable<KernelTask> holders) =>
        holders.ToList() is { Count: > 0 } list ? $", which is held by {Names(list)}" : "";

    private static string Names(IReadOnlyList<KernelTask> list) =>
        string.Join(", ", list.Take(MostNamed)) + (list.Count > MostNamed ? $" and {list.Count - MostNamed} more" : "");
}
