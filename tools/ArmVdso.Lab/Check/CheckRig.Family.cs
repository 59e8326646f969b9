using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>The tasks of the laboratory: how they are made, and put back to where they were.</summary>
internal sealed partial class CheckRig
{
    private KernelTask Fork(KernelTask parent, ulong flags = 0, int cpu = 0) =>
        Kernel.Tasks.Find((int)Done(SystemCall(parent, cpu, Clone, SigChld | flags), "fork"))!;

    private KernelTask Thread(KernelTask parent, string stack) =>
        Kernel.Tasks.Find((int)Done(SystemCall(parent, 0, Clone, ThreadFlags, Symbol(stack)), "clone"))!;

    private void IgnoreChildren(KernelTask task)
    {
        Write(task, Symbol("scratch"), [1, 0, 0, 0]);
        Done(SystemCall(task, 0, SigAction, SigChld, Symbol("scratch"), 0, 8), "rt_sigaction");
    }

    /// <summary>A new process of the first user, for a probe that may kill it.</summary>
    internal KernelTask Prober() => Fork(Init);

    private KernelTask Stranger(uint first)
    {
        KernelTask task = Fork(Init);
        // A session, a group and a policy (SCHED_BATCH) of its own: whose answer a call gives, must be seen of every field.
        Done(SystemCall(task, 0, SetSid), "setsid");
        Write(task, Symbol("scratch"), [0]);
        Done(SystemCall(task, 0, SchedSetscheduler, 0, 3, Symbol("scratch")), "sched_setscheduler");
        Done(SystemCall(task, 0, SetResgid, first + 10, first + 11, first + 12), "setresgid");
        Done(SystemCall(task, 0, SetResuid, first, first + 1, first + 2), "setresuid");
        return task;
    }

    /// <summary>A process and a child of it, both under the first process; the child is of another user.</summary>
    internal (KernelTask Parent, KernelTask Child) MakePair(int cpu)
    {
        KernelTask parent = Fork(Init, 0, cpu);
        KernelTask child = Fork(parent, 0, cpu);
        Done(SystemCall(child, cpu, SetResuid, 9001, 9002, 9003), "setresuid");
        Switch(cpu, null);
        return (parent, child);
    }

    /// <summary>A new process of the first user, with the handler; maybe alone in new namespaces.</summary>
    internal KernelTask Newcomer(ulong namespaces)
    {
        KernelTask task = Fork(Init);
        SetHandler(task);
        if (namespaces != 0)
            Done(SystemCall(task, 0, Unshare, namespaces), "unshare");
        return task;
    }

    /// <summary>A process in a user namespace of its own, whose IDs have numbers.</summary>
    internal KernelTask Householder
    {
        get
        {
            if (_householder is not null)
                return _householder;
            _householder = Newcomer(NewUser);
            WriteFile(Init, 0, $"/proc/{_householder.Group.Pid}/uid_map", "81 0 1\n");
            WriteFile(Init, 0, $"/proc/{_householder.Group.Pid}/gid_map", "82 0 1\n");
            return _householder;
        }
    }

    private KernelTask? _householder;

    /// <summary>A task writes a file.</summary>
    internal void WriteFile(KernelTask task, int cpu, string path, string text)
    {
        const ulong here = unchecked((ulong)-100), writeOnly = 1;
        ulong name = Symbol("scratch") + 128, bytes = name + 64;
        WriteText(task, name, path);
        int length = WriteText(task, bytes, text);
        long file = Done(SystemCall(task, cpu, OpenAt, here, name, writeOnly), $"open of {path}");
        Done(SystemCall(task, cpu, WriteCall, (ulong)file, bytes, (ulong)length), $"write to {path}");
        Done(SystemCall(task, cpu, Close, (ulong)file), "close");
    }

    /// <summary>Memory of the victim's process that looks like no data of a vDSO; 0: for an image that has none.</summary>
    internal ulong Decoy(ulong size)
    {
        if (size == 0)
            return 0;
        if (ReferenceEquals(_decoyOf, Victim.Mm))
            return _decoy;
        const ulong readWrite = 3, privateAnonymous = 0x22, none = ulong.MaxValue;
        _decoy = (ulong)Done(SystemCall(Victim, Victim.Cpu, Mmap, 0, size, readWrite, privateAnonymous, none, 0), "mmap");
        ulong[] words = new ulong[512];
        Array.Fill(words, 0x4141_4141_4141_4141UL);
        for (ulong at = 0; at < size; at += 4096)
            Write(Victim, _decoy + at, words);
        _decoyOf = Victim.Mm;
        return _decoy;
    }

    private MemoryMap? _decoyOf;
    private ulong _decoy;

    /// <summary>A page of a task's process for a function that changes memory; the task maps it when it is first asked for.</summary>
    internal ulong PageOf(KernelTask task)
    {
        if (ReferenceEquals(_pageOf, task.Mm))
            return _page;
        _page = MapPage(task, task.Cpu, 0);
        _pageOf = task.Mm;
        return _page;
    }

    private MemoryMap? _pageOf;
    private ulong _page;

    /// <summary>Maps a page of zeros, at a place of the kernel's choice (0) or over what is at an address.</summary>
    internal ulong MapPage(KernelTask task, int cpu, ulong address)
    {
        ulong flags = (ulong)(Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | (address == 0 ? 0 : Mman.MAP_FIXED)), none = ulong.MaxValue;
        const ulong readWrite = 3;
        ulong page = (ulong)Done(SystemCall(task, cpu, Mmap, address, PageBytes, readWrite, flags, none, 0), "mmap");
        Write(task, page, new ulong[PageBytes / 8]);
        return page;
    }

    internal const int PageBytes = 4096;

    /// <summary>What a function or a system call is given.</summary>
    internal IEnumerable<ulong> Given(IEnumerable<OwnArgument> arguments, KernelTask task, ulong buffer) =>
        arguments.Select(a => a.In(buffer, a.Kind == OwnArgumentKind.Page ? PageOf(task) : 0, task.OwnTid));

    private void SetHandler(KernelTask task)
    {
        const ulong sigInfoNoDefer = 0x40000004;
        Write(task, Symbol("scratch"), [Symbol("handler"), sigInfoNoDefer, 0, 0]);
        Done(SystemCall(task, 0, SigAction, Sigusr1, Symbol("scratch"), 0, 8), "rt_sigaction");
    }

    /// <summary>Where the victim keeps getrandom's state: a page that the kernel may drop and that a forked child gets empty.</summary>
    internal ulong RandomState { get; private set; }

    /// <summary>User and group IDs of the victim before any event: real, effective, saved.</summary>
    internal static ReadOnlySpan<uint> BaseIds => [1001, 1002, 1003];

    private void MakeFamily()
    {
        Reaper = Fork(Init);
        const ulong setChildSubreaper = 36;
        Done(SystemCall(Reaper, 0, Prctl, setChildSubreaper, 1), "prctl");
        IgnoreChildren(Reaper);
        Parent = Fork(Reaper);
        // Group and session are the family's own: whose answer a call gives, must be seen of them.
        Done(SystemCall(Parent, 0, SetSid), "setsid");
        IgnoreChildren(Parent);
        Leader = Fork(Parent);
        IgnoreChildren(Leader);
        SetHandler(Leader);
        ReadOnlySpan<uint> ids = BaseIds;
        Done(SystemCall(Leader, 0, SetResgid, ids[0] + 2000, ids[1] + 2000, ids[2] + 2000), "setresgid");
        Done(SystemCall(Leader, 0, SetResuid, ids[0], ids[1], ids[2]), "setresuid");
        Victim = Thread(Leader, "victim_stack");
        const ulong signature = 0xd428bc00, size = 32;
        Write(Victim, Symbol("rseq_area"), [0xffffffff_00000000, 0, 0, 0]);
        Done(SystemCall(Victim, 0, Rseq, Symbol("rseq_area"), size, 0, signature), "rseq");
        Sibling = Thread(Leader, "sibling_stack");
        const ulong readWrite = 3, droppableAnonymous = 0x28, none = ulong.MaxValue;
        RandomState = (ulong)SystemCall(Victim, 0, Mmap, 0, 4096, readWrite, droppableAnonymous, none, 0);
        if (RandomState > ulong.MaxValue - 4096)
            throw new LabException($"the checker's guest: mmap gave {(long)RandomState}", LabFault.Failed);
        Write(Victim, RandomState, new ulong[32]);
        // Touch everything once: page faults are no part of an interleaving.
        Switch(0, null);
        Switch(0, Victim);
        Write(Victim, Symbol("script"), new ulong[64]);
        Write(Victim, Symbol("buffers"), new ulong[8]);
        for (ulong stack = Symbol("scratch"); stack < Symbol("victim_stack"); stack += 512)
            Write(Victim, stack, [0]);
        FindDataPages();
        FamilyBroken = false;
    }

    /// <summary>Back to the start: victim on CPU 0 at park with its first identity, all other CPUs idle.</summary>
    internal void Restore()
    {
        if (FamilyBroken)
        {
            for (int i = 1; i < Machine.Cpus.Count; i++)
                Switch(i, null);
            foreach (KernelTask some in (KernelTask[])[Victim, Leader, Sibling, Parent, Reaper])
            {
                if (some.State == TaskState.Runnable)
                    EndProcess(some, Runs(some) ? some.Cpu : 0);
            }
            for (int i = 0; i < Machine.Cpus.Count; i++)
                Switch(i, null);
            MakeFamily();
            return;
        }
        KernelControl.Restrict(Victim, ulong.MaxValue);
        if (Runs(Victim) && Victim.Cpu != 0)
            Switch(Victim.Cpu, null);
        Switch(0, Victim);
        for (int i = 1; i < Machine.Cpus.Count; i++)
            Switch(i, null);
        RestoreIds(Victim);
        RestoreIds(Sibling);
        if (Victim.Group.Pgid != Parent.Group.Pgid)
            Done(SystemCall(Victim, 0, SetPgid, 0, (ulong)Parent.Group.Pgid), "setpgid");
        // From the idle task to the victim: whatever a design left stale in the slot is gone, and every trial starts alike.
        Switch(0, null);
        Switch(0, Victim);
    }

    private void RestoreIds(KernelTask task)
    {
        ReadOnlySpan<uint> ids = BaseIds;
        if (task.Credentials.Uid != ids[0])
            Done(SystemCall(task, 0, SetResuid, ids[0], ids[1], ids[2]), "setresuid");
        if (task.Credentials.Gid != ids[0] + 2000)
            Done(SystemCall(task, 0, SetResgid, ids[0] + 2000, ids[1] + 2000, ids[2] + 2000), "setresgid");
    }
}
