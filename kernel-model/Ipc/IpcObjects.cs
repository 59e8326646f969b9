using System.Buffers.Binary;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Ipc;

/// <summary>What the three kinds of System V objects have in common (struct kern_ipc_perm).</summary>
internal abstract class IpcObject
{
    internal const int PermissionSize = 48;

    /// <summary>Bytes that are charged for it.</summary>
    internal abstract long Cost { get; }

    internal int Id { get; set; }

    internal int Key { get; set; }

    internal uint Uid { get; set; }

    internal uint Gid { get; set; }

    internal required uint CreatorUid { get; init; }

    internal required uint CreatorGid { get; init; }

    internal uint Mode { get; set; }

    /// <summary>Time of the last change in s since 1970.</summary>
    internal long ChangeTime { get; set; }

    /// <summary>The object was removed; sleepers get EIDRM.</summary>
    internal bool Removed { get; set; }

    internal WaitQueue Queue { get; } = new();

    /// <summary>ipcperms: want 4 to read, 2 to write.</summary>
    internal bool Allows(Credentials who, uint want)
    {
        if (who.Has(Capability.IpcOwner))
            return true;
        uint bits = who.Euid == CreatorUid || who.Euid == Uid ? Mode >> 6 : who.InGroup(CreatorGid) || who.InGroup(Gid) ? Mode >> 3 : Mode;
        return (want & ~bits & 7) == 0;
    }

    /// <summary>Whether IPC_SET and IPC_RMID are allowed.</summary>
    internal bool Owns(Credentials who) => who.Has(Capability.SysAdmin) || who.Euid == Uid || who.Euid == CreatorUid;

    /// <summary>struct ipc64_perm.</summary>
    internal void WritePermissions(Span<byte> b)
    {
        BinaryPrimitives.WriteInt32LittleEndian(b, Key);
        BinaryPrimitives.WriteUInt32LittleEndian(b[4..], Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(b[8..], Gid);
        BinaryPrimitives.WriteUInt32LittleEndian(b[12..], CreatorUid);
        BinaryPrimitives.WriteUInt32LittleEndian(b[16..], CreatorGid);
        BinaryPrimitives.WriteUInt32LittleEndian(b[20..], Mode);
        BinaryPrimitives.WriteUInt16LittleEndian(b[24..], (ushort)(Id >> 15));
    }

    /// <summary>IPC_SET: owner and mode from a user structure. False: EFAULT.</summary>
    internal bool SetFrom(MemoryMap mm, ulong address, long now)
    {
        if (!mm.Read(address + 4, out uint uid) || !mm.Read(address + 8, out uint gid) || !mm.Read(address + 20, out uint mode))
            return false;
        (Uid, Gid, Mode, ChangeTime) = (uid, gid, (Mode & ~0x1ffu) | (mode & 0x1ff), now);
        return true;
    }
}

/// <summary>Objects of one kind by ID and key (ipc/util.c).</summary>
/// <param name="most">How many there may be (shmmni, semmni, msgmni).</param>
internal sealed class IpcTable<T>(int most) where T : IpcObject
{
    private readonly Dictionary<int, T> _byKey = [];
    private readonly SortedSet<int> _freed = [];
    private int _nextIndex;

    /// <summary>How many there may be.</summary>
    internal int Most { get; set; } = most;

    private const int IpcCreat = 0x200, IpcExcl = 0x400;
    private readonly SortedDictionary<int, T> _objects = [];
    private int _sequence;

    /// <summary>The ID that the next object gets when it is free; -1: any (kernel.msg_next_id and its like).</summary>
    internal int NextId { get; set; } = -1;

    internal IEnumerable<T> All => _objects.Values;

    internal int Count => _objects.Count;

    internal T? Find(int id) => _objects.GetValueOrDefault(id);

    /// <summary>Object at a position, for the *_STAT commands of ipcs.</summary>
    internal T? At(int index) => _objects.Values.FirstOrDefault(o => (o.Id & 0x7fff) == index);

    internal int HighestIndex => _objects.Count == 0 ? 0 : _objects.Keys.Max(k => k & 0x7fff);

    /// <summary>ipcget: the ID, or -errno. <paramref name="check"/> tells whether an existing object fits the request.</summary>
    /// <param name="credentials">Who asks.</param>
    /// <param name="realtimeNs">The time.</param>
    /// <param name="key">IPC_PRIVATE or a key.</param>
    /// <param name="flags">IPC_CREAT, IPC_EXCL, permissions.</param>
    /// <param name="check">Whether one that there is fits.</param>
    /// <param name="make">Makes one; null: it is refused.</param>
    /// <param name="full">No other has room: ENOSPC.</param>
    /// <param name="refusal">The error then.</param>
    internal long Get(
        Credentials credentials, ulong realtimeNs, int key, int flags, Func<T, long> check, Func<long, T?> make, bool full = false,
        long refusal = Errno.EINVAL)
    {
        // A segment that is removed while it is attached loses its key.
        T? there = key != 0 && _byKey.TryGetValue(key, out T? known) && known.Key == key ? known : null;
        if (there is not null)
        {
            if ((flags & IpcCreat) != 0 && (flags & IpcExcl) != 0)
                return -Errno.EEXIST;
            uint want = (uint)(flags >> 6 | flags >> 3 | flags) & 7;
            if (!there.Allows(credentials, want))
                return -Errno.EACCES;
            long result = check(there);
            return result < 0 ? result : there.Id;
        }
        if (key != 0 && (flags & IpcCreat) == 0)
            return -Errno.ENOENT;
        if (_objects.Count >= Most || full)
            return -Errno.ENOSPC;
        T? made = make((long)(realtimeNs / 1_000_000_000));
        if (made is null)
            return -refusal;
        int wanted = NextId;
        NextId = -1;
        if (wanted >= 0 && At(wanted & 0x7fff) is null)
        {
            made.Id = wanted;
            for (int free = _nextIndex; free < (wanted & 0x7fff); free++)
                _freed.Add(free);
            _nextIndex = Math.Max(_nextIndex, (wanted & 0x7fff) + 1);
            _freed.Remove(wanted & 0x7fff);
        }
        else
        {
            // The lowest index that is free.
            int index = _freed.Count > 0 ? _freed.Min : _nextIndex++;
            _freed.Remove(index);
            made.Id = (_sequence++ & 0x7fff) << 15 | index;
        }
        made.Key = key;
        made.Uid = made.CreatorUid;
        made.Gid = made.CreatorGid;
        made.Mode = (uint)flags & 0x1ff;
        _objects.Add(made.Id, made);
        if (key != 0)
            _byKey[key] = made;
        return made.Id;
    }

    internal void Remove(T item)
    {
        if (_objects.Remove(item.Id))
            _freed.Add(item.Id & 0x7fff);
        if (_byKey.TryGetValue(item.Key, out T? known) && ReferenceEquals(known, item))
            _byKey.Remove(item.Key);
        item.Removed = true;
        item.Queue.WakeAll();
    }
}

/// <summary>A shared memory segment.</summary>
internal sealed class SharedSegment : IpcObject
{
    internal const uint Destroyed = 0x200, LockedInMemory = 0x400;

    internal override long Cost => 0;

    internal required ulong Size { get; init; }

    internal required SharedPages Pages { get; init; }

    internal required int CreatorPid { get; init; }

    internal int LastPid { get; set; }

    internal long AttachTime { get; set; }

    internal long DetachTime { get; set; }
}

/// <summary>A set of semaphores.</summary>
internal sealed class SemaphoreSet : IpcObject
{
    /// <summary>Bytes that are charged for a semaphore.</summary>
    internal const long SemaphoreCost = 16;

    internal override long Cost => Values.Length * SemaphoreCost;

    internal required ushort[] Values { get; init; }

    internal required int[] LastPids { get; init; }

    internal required int[] WaitForMore { get; init; }

    internal required int[] WaitForZero { get; init; }

    internal long OperationTime { get; set; }

    /// <summary>SEM_UNDO adjustments by process and semaphore.</summary>
    internal Dictionary<int, int[]> Undo { get; } = [];
}

/// <summary>A message.</summary>
internal sealed record Message(long Type, byte[] Data);

/// <summary>A message queue.</summary>
internal sealed class MessageQueue : IpcObject
{
    /// <summary>Bytes that are charged for a message besides its own, and for a queue.</summary>
    internal const int MessageCost = 64, QueueCost = 1024;

    internal override long Cost => QueueCost + Messages.Sum(m => m.Data.Length + (long)MessageCost);

    internal List<Message> Messages { get; } = [];

    internal ulong Bytes { get; set; }

    internal ulong Limit { get; set; } = 16384;

    internal int LastSender { get; set; }

    internal int LastReceiver { get; set; }

    internal long SendTime { get; set; }

    internal long ReceiveTime { get; set; }
}

/// <summary>An IPC namespace: its System V objects (ipc/namespace.c). POSIX queues are one for all.</summary>
/// <param name="number">Number in nsfs.</param>
/// <param name="owner">The user namespace that it belongs to.</param>
/// <param name="keys">Keys and keyrings, which belong to no IPC namespace.</param>
internal sealed class IpcTables(uint number, UserNamespace owner, KeyTable keys) : INamespace
{
    /// <summary>Number of the first one (PROC_IPC_INIT_INO).</summary>
    internal const uint InitialNumber = 4026531839;

    private int _users;

    /// <inheritdoc/>
    public string Kind => "ipc";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWIPC;

    /// <inheritdoc/>
    public uint Number => number;

    /// <inheritdoc/>
    public UserNamespace OwnerSpace => owner;

    /// <summary>A task is in it from now on.</summary>
    internal IpcTables Enter()
    {
        _users++;
        return this;
    }

    /// <summary>A task is in it no more; with the last one all objects go (free_ipc_ns). The first namespace stays.</summary>
    /// <param name="pages">What they are charged to.</param>
    internal void Leave(PageAllocator pages)
    {
        if (--_users > 0 || Number == InitialNumber)
            return;
        foreach (SharedSegment segment in Segments.All.ToList())
        {
            Segments.Remove(segment);
            segment.Pages.Release();
        }
        foreach (SemaphoreSet set in Semaphores.All.ToList())
        {
            pages.Charge(-set.Cost);
            Semaphores.Remove(set);
        }
        foreach (MessageQueue queue in Queues.All.ToList())
        {
            pages.Charge(-queue.Cost);
            Queues.Remove(queue);
        }
    }

    internal IpcTable<SharedSegment> Segments { get; } = new(4096);

    /// <summary>SHMMAX and SHMALL before anybody sets them (include/uapi/linux/shm.h).</summary>
    private const ulong Unlimited = ulong.MaxValue - (1UL << 24);

    /// <summary>Bytes of a segment (kernel.shmmax).</summary>
    internal ulong LargestSegment { get; set; } = Unlimited;

    /// <summary>Pages of all segments (kernel.shmall).</summary>
    internal ulong MostSharedPages { get; set; } = Unlimited;

    /// <summary>Pages that the segments have.</summary>
    internal ulong SharedPages => (ulong)Segments.All.Sum(s => (long)((s.Size + 4095) / 4096));

    internal IpcTable<SemaphoreSet> Semaphores { get; } = new(32000);

    internal IpcTable<MessageQueue> Queues { get; } = new(32000);

    /// <summary>Keys and keyrings.</summary>
    internal KeyTable Keys => keys;

    /// <summary>exit_sem: a process ended, its SEM_UNDO adjustments are applied.</summary>
    internal void ProcessExited(int pid)
    {
        foreach (SemaphoreSet set in Semaphores.All)
        {
            if (!set.Undo.Remove(pid, out int[]? adjust))
                continue;
            for (int i = 0; i < adjust.Length; i++)
            {
                if (adjust[i] == 0)
                    continue;
                set.Values[i] = (ushort)Math.Clamp(set.Values[i] + adjust[i], 0, 32767);
                set.LastPids[i] = pid;
            }
            set.Queue.WakeAll();
        }
    }
}
