using System.Buffers.Binary;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>A userfaultfd (fs/userfaultfd.c): faults on pages of a memory that wait for somebody who provides them. Registered can be
/// anonymous memory, private and shared, and files of memory that are mapped shared.</summary>
/// <param name="vfs">The tree of files.</param>
/// <param name="memory">The memory of who made it.</param>
/// <param name="flags">O_NONBLOCK, O_CLOEXEC, UFFD_USER_MODE_ONLY.</param>
internal sealed partial class UserfaultFile(Vfs vfs, MemoryMap memory, int flags)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDONLY | (flags & OpenFlags.O_NONBLOCK)), IUserfault
{
    /// <summary>UFFD_USER_MODE_ONLY.</summary>
    internal const int UserModeOnly = 1;

    private const ulong Version = 0xAA, WriteFaults = 1, SharedMissing = 1 << 5, SigBus = 1 << 7, ThreadId = 1 << 8, Exact = 1 << 11,
        EventFork = 1 << 1, EventRemap = 1 << 2, EventRemove = 1 << 3, EventUnmap = 1 << 6, SharedMinor = 1 << 10, CanPoison = 1 << 14,
        CanMove = 1 << 16, Supported = WriteFaults | EventFork | EventRemap | EventRemove | SharedMissing | EventUnmap | SigBus | ThreadId
        | SharedMinor | Exact | CanPoison | CanMove;

    private const uint Api = 0xC018AA3F, RegisterRange = 0xC020AA00, UnregisterRange = 0x8010AA01, Wake = 0x8010AA02, Copy = 0xC028AA03,
        ZeroPage = 0xC020AA04, MovePages = 0xC028AA05, WriteProtect = 0xC018AA06,
        Continue = 0xC020AA07, Poison = 0xC020AA08;

    private const ulong DontWake = 1;
    private const int MessageSize = 32, Page = 4096;

    /// <summary>A fault that waits: until it was read it can be, then it waits on.</summary>
    private sealed class Pending(ISleeper task, int thread, ulong address, uint flags)
    {
        internal ISleeper Task => task;

        internal int Thread => thread;

        internal ulong Address => address;

        internal uint Flags => flags;

        internal bool WasRead { get; set; }

        internal WaitQueue Queue { get; } = new();
    }

    private readonly List<Pending> _faults = [];
    private ulong? _features;

    /// <inheritdoc/>
    public bool OnlyUser => (flags & UserModeOnly) != 0;

    /// <inheritdoc/>
    public bool Refuses => (_features & SigBus) != 0;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[userfaultfd]";

    /// <inheritdoc/>
    public override string FdInfo =>
        $"pending:\t{_faults.Count(f => !f.WasRead)}\ntotal:\t{_faults.Count}\nAPI:\t{Version:x}:{_features ?? 0:x}:{Supported:x}\n";

    /// <summary>A task has touched a page that somebody is asked for: where it sleeps until that one wakes it.</summary>
    /// <param name="asked">The access.</param>
    /// <param name="task">Whose it is.</param>
    /// <param name="thread">Its number.</param>
    internal static WaitQueue Fault(in AskedPage asked, ISleeper task, int thread)
    {
        var file = (UserfaultFile)asked.Owner;
        // What it waited for before a signal woke it, it waits for no more.
        file._faults.RemoveAll(f => f.Task == task || f.Queue.IsEmpty);
        var fault = new Pending(task, thread, asked.Address, asked.Flags);
        file._faults.Add(fault);
        file.Source.Notify(PollBits.Readable);
        return fault.Queue;
    }

    private void WakeRange(ulong start, ulong length)
    {
        foreach (Pending fault in _faults.Where(f => f.Address >= start && f.Address - start < length).ToArray())
        {
            _faults.Remove(fault);
            fault.Queue.WakeAll();
        }
    }

    /// <summary>Messages of faults that nobody has read (struct uffd_msg).</summary>
    public override long Read(Span<byte> buffer, long position)
    {
        const byte pageFault = 0x12;
        if (_features is not { } features)
            return -Errno.EINVAL;
        if (buffer.Length < MessageSize)
            return -Errno.EINVAL;
        _faults.RemoveAll(f => f.Queue.IsEmpty);
        int done = 0;
        foreach (Pending fault in _faults.Where(f => !f.WasRead))
        {
            if (done + MessageSize > buffer.Length)
                break;
            Span<byte> message = buffer.Slice(done, MessageSize);
            message.Clear();
            message[0] = pageFault;
            BinaryPrimitives.WriteUInt64LittleEndian(message[8..], fault.Flags);
            ulong address = (features & Exact) != 0 ? fault.Address : fault.Address & ~(Page - 1UL);
            BinaryPrimitives.WriteUInt64LittleEndian(message[16..], address);
            if ((features & ThreadId) != 0)
                BinaryPrimitives.WriteInt32LittleEndian(message[24..], fault.Thread);
            fault.WasRead = true;
            done += MessageSize;
        }
        return ReadChanges(buffer, done);
    }

    /// <inheritdoc/>
    public override uint Poll() => _features is null || !NonBlocking ? PollBits.Err
        : _changes.Count > 0 || _faults.Exists(f => !f.WasRead && !f.Queue.IsEmpty) ? PollBits.Readable : 0;

    /// <inheritdoc/>
    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        if (command != Api && _features is null)
            return -Errno.EINVAL;
        Span<ulong> words = stackalloc ulong[5];
        words.Clear();
        int size = (int)(command >> 16 & 0x3FFF);
        if (command >> 8 != (command >> 16 << 8 | 0xAA) || size is not (16 or 24 or 32 or 40))
            return -Errno.EINVAL;
        // What is written back last is no argument (copy, zeropage, ioctls...).
        int given = command is Copy or MovePages or ZeroPage or Poison or Continue or RegisterRange ? size - 8 : size;
        for (int n = 0; n < given / 8; n++)
        {
            if (!user.Memory.Read(argument + (ulong)n * 8, out words[n]))
                return -Errno.EFAULT;
        }
        if (command is Copy or MovePages or ZeroPage or Poison or Continue or WriteProtect)
        {
            // While somebody waits for a change to be read (mmap_changing), and when nobody has the memory any more.
            if (_changes.Count > 0)
                return -Errno.EAGAIN;
            if (memory.IsGone)
                return -Errno.ESRCH;
        }
        return command switch
        {
            Api => SetApi(user, argument, words),
            RegisterRange => Register(user, argument, words),
            UnregisterRange => Unregister(words),
            Wake => CheckRange(words[0], words[1]) is < 0 and long bad ? bad : WakeAll(words),
            Copy => Fill(user, argument + 32, words[0], words[2], words[3], words[3] & ~(DontWake | 2),
                CheckRange(words[0], words[2]) is < 0 and long bad ? bad
                : words[1] + words[2] < words[1] || words[1] + words[2] > memory.TaskSize ? -Errno.EINVAL : 0,
                (w) => memory.Fill(w[0], w[2], w[1], (w[3] & 2) != 0), words),
            ZeroPage => Fill(user, argument + 24, words[0], words[1], words[2], words[2] & ~DontWake, CheckRange(words[0], words[1]),
                (w) => memory.Fill(w[0], w[1], null, false), words),
            MovePages => Fill(user, argument + 32, words[0], words[2], words[3], words[3] & ~(DontWake | 2),
                CheckRange(words[0], words[2]) is < 0 and long bad ? bad : CheckRange(words[1], words[2]),
                (w) => memory.Move(w[0], w[1], w[2], (w[3] & 2) != 0), words),
            Poison => Fill(user, argument + 24, words[0], words[1], words[2], words[2] & ~DontWake, CheckRange(words[0], words[1]),
                (w) => memory.Poison(w[0], w[1]), words),
            Continue => Fill(user, argument + 24, words[0], words[1], words[2], words[2] & ~(DontWake | 2), CheckRange(words[0], words[1]),
                (w) => memory.Continue(w[0], w[1], (w[2] & 2) != 0), words),
            WriteProtect => Protect(words),
            _ => -Errno.EINVAL,
        };
    }

    private long CheckRange(ulong start, ulong length) => ((start | length) & (Page - 1)) != 0 || length == 0 || start < 0x10000
        || start >= memory.TaskSize || length > memory.TaskSize - start ? -Errno.EINVAL : 0;

    /// <summary>struct uffdio_api: version, features, ioctls. The first call decides; what is wrong gets zeros.</summary>
    private long SetApi(IFileUser user, ulong argument, ReadOnlySpan<ulong> words)
    {
        const ulong ioctls = 1UL << 0x3F | 3;
        bool good = words[0] == Version && (words[1] & ~Supported) == 0 && _features is null;
        // Who hears of forks gets descriptors for memories of others.
        bool denied = good && (words[1] & EventFork) != 0 && !user.Credentials.Has(Capability.SysPtrace);
        good &= !denied;
        Span<ulong> answer = good ? [Version, Supported, ioctls] : [0, 0, 0];
        for (int n = 0; n < 3; n++)
        {
            if (!user.Memory.Write(argument + (ulong)n * 8, answer[n]))
                return -Errno.EFAULT;
        }
        if (good)
            _features = words[1];
        return good ? 0 : denied ? -Errno.EPERM : -Errno.EINVAL;
    }

    /// <summary>struct uffdio_register: range, mode, ioctls.</summary>
    private long Register(IFileUser user, ulong argument, ReadOnlySpan<ulong> words)
    {
        const ulong modes = UserfaultRegistration.Missing | UserfaultRegistration.WriteProtect | UserfaultRegistration.Minor;
        const ulong always = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8, protect = 1 << 6, continues = 1 << 7;
        if (words[2] == 0 || (words[2] & ~modes) != 0)
            return -Errno.EINVAL;
        long error = CheckRange(words[0], words[1]);
        if (error == 0)
            error = memory.Register(words[0], words[0] + words[1], this, (uint)words[2]);
        if (error < 0)
            return error;
        ulong ioctls = always | ((words[2] & UserfaultRegistration.WriteProtect) != 0 ? protect : 0)
            | ((words[2] & UserfaultRegistration.Minor) != 0 ? continues : 0);
        return user.Memory.Write(argument + 24, ioctls) ? 0 : -Errno.EFAULT;
    }

    private long Unregister(ReadOnlySpan<ulong> words)
    {
        if (CheckRange(words[0], words[1]) is < 0 and long bad)
            return bad;
        memory.Unregister(words[0], words[0] + words[1], this);
        return WakeAll(words);
    }

    private long WakeAll(ReadOnlySpan<ulong> range)
    {
        WakeRange(range[0], range[1]);
        return 0;
    }

    /// <summary>What provides pages: the bytes that went, or the error, is written behind the arguments; -EAGAIN when it was a part.
    /// </summary>
    private long Fill(IFileUser user, ulong result, ulong start, ulong length, ulong mode, ulong unknownModes, long bad,
        Func<ulong[], long> fill, ReadOnlySpan<ulong> words)
    {
        if (bad < 0)
            return bad;
        if (unknownModes != 0)
            return -Errno.EINVAL;
        long filled = fill(words.ToArray());
        if (!user.Memory.Write(result, filled))
            return -Errno.EFAULT;
        if (filled < 0)
            return filled;
        if ((mode & DontWake) == 0)
            WakeRange(start, (ulong)filled);
        return (ulong)filled == length ? 0 : -Errno.EAGAIN;
    }

    /// <summary>struct uffdio_writeprotect: range, mode (1 protects, 2 does not wake).</summary>
    private long Protect(ReadOnlySpan<ulong> words)
    {
        const ulong protects = 1, dontWake = 2;
        if (CheckRange(words[0], words[1]) is < 0 and long bad)
            return bad;
        if ((words[2] & ~(protects | dontWake)) != 0 || words[2] == (protects | dontWake))
            return -Errno.EINVAL;
        long error = memory.WriteProtect(words[0], words[1], words[2] == protects);
        return error < 0 || words[2] != 0 ? error : WakeAll(words);
    }

    /// <inheritdoc/>
    protected override void Released()
    {
        if (!memory.IsGone)
            memory.Unregister(0, memory.TaskSize, this);
        WakeRange(0, ulong.MaxValue);
        while (_changes.TryDequeue(out MappingChange? change))
        {
            change.Child?.Release();
            change.WasRead();
        }
    }
}
