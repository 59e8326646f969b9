using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>What a futex is known by: memory and virtual address, or the physical address for words that processes share.</summary>
internal readonly record struct FutexKey(MemoryMap? Memory, ulong Address);

/// <summary>A task that waits for a futex word.</summary>
internal sealed class FutexWaiter(KernelTask task, FutexKey key, uint bitset)
{
    internal readonly WaitQueue Queue = new();

    internal KernelTask Task { get; } = task;

    internal FutexKey Key { get; set; } = key;

    internal uint Bitset { get; } = bitset;

    /// <summary>A wake-up chose this waiter: its call returns 0 whatever the word holds now.</summary>
    internal bool Woken { get; set; }

    /// <summary>Waits for a lock with priority inheritance: ordinary wake-ups and moves must not touch it.</summary>
    internal bool Inherits { get; set; }

    /// <summary>Who holds the lock that the task waits for (pi_state's owner).</summary>
    internal KernelTask? Owner { get; set; }

    /// <summary>The lock that FUTEX_WAIT_REQUEUE_PI wants to be moved to; null for all others.</summary>
    internal FutexKey? Destination { get; init; }

    /// <summary>Position in futex_waitv.</summary>
    internal int Index { get; init; }

    /// <summary>The waits of the same futex_waitv; null for the others.</summary>
    internal List<FutexWaiter>? Siblings { get; init; }
}

/// <summary>The waiters of all futexes (kernel/futex/).</summary>
public sealed class Futexes
{
    internal const uint TidMask = 0x3fffffff, OwnerDied = 0x40000000, Waiters = 0x80000000;
    private const int RobustListLimit = 2048;
    private readonly Dictionary<FutexKey, List<FutexWaiter>> _buckets = [];

    /// <summary>Key of a word (get_futex_key): 0, -EINVAL or -EFAULT.</summary>
    internal static long GetKey(MemoryMap mm, ulong address, bool isPrivate, out FutexKey key)
    {
        key = default;
        if ((address & 3) != 0)
            return -Errno.EINVAL;
        address = mm.Untag(address);
        if (address >= mm.TaskSize)
            return -Errno.EFAULT;
        if (isPrivate)
        {
            key = new FutexKey(mm, address);
            return 0;
        }
        if (!mm.PhysicalAddress(address, false, out ulong pa))
            return -Errno.EFAULT;
        key = mm.Find(address) is { Shared: true } ? new FutexKey(null, pa) : new FutexKey(mm, address);
        return 0;
    }

    internal void Add(FutexWaiter waiter)
    {
        if (!_buckets.TryGetValue(waiter.Key, out List<FutexWaiter>? bucket))
            _buckets.Add(waiter.Key, bucket = []);
        // Real-time tasks first, by priority; all others, and equals, in the order of arrival (plist_add in futex_queue).
        int priority = waiter.Task.Urgency;
        int at = bucket.Count;
        while (at > 0 && bucket[at - 1].Task.Urgency < priority)
            at--;
        bucket.Insert(at, waiter);
    }

    /// <summary>Takes a waiter out that gave up (timeout, signal).</summary>
    internal void Remove(FutexWaiter waiter)
    {
        if (!_buckets.TryGetValue(waiter.Key, out List<FutexWaiter>? bucket))
            return;
        bucket.Remove(waiter);
        if (bucket.Count == 0)
            _buckets.Remove(waiter.Key);
    }

    /// <summary>Waiters of a key in the order of arrival; empty when there are none.</summary>
    internal IReadOnlyList<FutexWaiter> WaitersOf(FutexKey key) => _buckets.GetValueOrDefault(key) ?? [];

    internal void WakeOne(FutexWaiter waiter)
    {
        Remove(waiter);
        waiter.Woken = true;
        foreach (FutexWaiter sibling in waiter.Siblings ?? [])
            Remove(sibling);
        (waiter.Siblings?[0] ?? waiter).Queue.WakeAll();
    }

    /// <summary>Wakes up to <paramref name="count"/> waiters whose bits match, in the order of arrival; returns how many, or -EINVAL at
    /// one that waits for a lock with priority inheritance.</summary>
    internal int Wake(FutexKey key, int count, uint bitset = uint.MaxValue)
    {
        int woken = 0;
        foreach (FutexWaiter waiter in WaitersOf(key).ToArray())
        {
            if (woken >= count)
                break;
            if (waiter.Inherits || waiter.Destination is not null)
                return (int)-Errno.EINVAL;
            if ((waiter.Bitset & bitset) == 0 || waiter.Woken)
                continue;
            WakeOne(waiter);
            woken++;
        }
        return woken;
    }

    /// <summary>Wakes waiters of a word whether they called it private or not (the kernel's own wake-ups, as of clear_child_tid).</summary>
    public int Wake(MemoryMap mm, ulong address, int count)
    {
        int woken = 0;
        if (GetKey(mm, address, true, out FutexKey key) == 0)
            woken = Math.Max(0, Wake(key, count));
        if (woken < count && GetKey(mm, address, false, out FutexKey shared) == 0 && shared != key)
            woken += Math.Max(0, Wake(shared, count - woken));
        return woken;
    }

    /// <summary>Wakes some waiters and moves others to another word: how many in all, or -EINVAL at one that waits for a lock with
    /// priority inheritance, or for a move to one.</summary>
    internal int Requeue(FutexKey from, FutexKey to, int wake, int move)
    {
        int done = 0;
        foreach (FutexWaiter waiter in WaitersOf(from).ToArray())
        {
            if (done - wake >= move)
                break;
            if (waiter.Inherits || waiter.Destination is not null)
                return (int)-Errno.EINVAL;
            if (++done <= wake)
                WakeOne(waiter);
            else
                MoveTo(waiter, to);
        }
        return done;
    }

    /// <summary>A waiter waits for another word from now on.</summary>
    internal void MoveTo(FutexWaiter waiter, FutexKey to)
    {
        Remove(waiter);
        waiter.Key = to;
        Add(waiter);
    }

    /// <summary>The waiter that gets a lock next has it: it wakes, and the others wait for it.</summary>
    /// <returns>The word with the new owner's number, which the caller writes.</returns>
    internal uint HandOver(FutexWaiter heir)
    {
        WakeOne(heir);
        foreach (FutexWaiter waiter in WaitersOf(heir.Key))
            waiter.Owner = heir.Task;
        return (uint)heir.Task.OwnTid | Waiters;
    }

    /// <summary>A task ends while it waits: nobody must wake it any more.</summary>
    internal void Forget(KernelTask task)
    {
        if (task.Syscall?.State is FutexWaiter waiter)
        {
            Remove(waiter);
            foreach (FutexWaiter sibling in waiter.Siblings ?? [])
                Remove(sibling);
        }
    }

    /// <summary>exit_robust_list: words that the ending task holds get FUTEX_OWNER_DIED, and one waiter each wakes.</summary>
    public void ReleaseRobustList(KernelTask task)
    {
        ulong head = task.RobustList;
        task.RobustList = 0;
        MemoryMap mm = task.Mm!;
        if (head == 0 || !mm.Read(head, out ulong entry) || !mm.Read(head + 8, out long offset) || !mm.Read(head + 16, out ulong pending))
            return;
        bool pi = (entry & 1) != 0;
        entry &= ~1UL;
        ulong pendingEntry = pending & ~1UL;
        for (int i = 0; entry != head && i < RobustListLimit; i++)
        {
            bool more = mm.Read(entry, out ulong next);
            if (entry != pendingEntry && !Died(task, mm, entry + (ulong)offset, pi, false))
                return;
            if (!more)
                return;
            pi = (next & 1) != 0;
            entry = next & ~1UL;
        }
        if (pendingEntry != 0)
            Died(task, mm, pendingEntry + (ulong)offset, (pending & 1) != 0, true);
    }

    /// <summary>handle_futex_death. False: the word cannot be read.</summary>
    private bool Died(KernelTask task, MemoryMap mm, ulong address, bool pi, bool pending)
    {
        if ((address & 3) != 0 || !mm.Read(address, out uint value))
            return false;
        uint owner = value & TidMask;
        if (pending && !pi && owner == 0)
        {
            // The owner died between unlocking and waking.
            Wake(mm, address, 1);
            return true;
        }
        if (owner != (uint)task.OwnTid)
            return true;
        if (pi && GetKey(mm, address, false, out FutexKey key) == 0)
        {
            IReadOnlyList<FutexWaiter> waiters = WaitersOf(key);
            if (waiters.Count == 0 && GetKey(mm, address, true, out key) == 0)
                waiters = WaitersOf(key);
            if (waiters.Count > 0 && waiters[0].Inherits)
            {
                mm.Write(address, HandOver(waiters[0]) | OwnerDied);
                return true;
            }
        }
        if (!mm.Write(address, (value & Waiters) | OwnerDied))
            return false;
        if (!pi && (value & Waiters) != 0)
            Wake(mm, address, 1);
        return true;
    }
}
