using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel;

/// <summary>The records that a task's record points to, as Linux's task_struct does: struct pid, signal_struct, struct cred, user
/// namespace, the parent. EL1 code follows the pointers. Linux shares these records between tasks; here each task's page has
/// its own copies (TSK_REC_* in El1/layout.h), written whenever the model changes what they say.</summary>
public sealed partial class TaskRecords
{
    private static readonly ulong TgidPointer = El1Image.Value("SIGNAL_PIDS") + 8 * El1Image.Value("PIDTYPE_TGID");
    private static readonly ulong ThreadPid = El1Image.Value("TSK_REC_PID");
    private static readonly ulong ProcessPid = El1Image.Value("TSK_REC_TGPID");
    private static readonly ulong ParentPid = El1Image.Value("TSK_REC_PARENT_PID");
    private static readonly ulong PidLevel = El1Image.Value("PID_LEVEL");
    private static readonly ulong PidNumber = El1Image.Value("PID_NR");
    private static readonly ulong PidSpace = El1Image.Value("PID_NS");
    private static readonly ulong Cred = El1Image.Value("TSK_REC_CRED");
    private static readonly ulong CredUid = Cred + El1Image.Value("CRED_UID");
    private static readonly ulong CredGid = Cred + El1Image.Value("CRED_GID");
    private static readonly ulong CredEuid = Cred + El1Image.Value("CRED_EUID");
    private static readonly ulong CredEgid = Cred + El1Image.Value("CRED_EGID");
    private static readonly ulong UserSpace = El1Image.Value("TSK_REC_USER_NS");
    private static readonly ulong UserMap = UserSpace + El1Image.Value("USERNS_UID_MAP");
    private static readonly ulong GroupMap = UserSpace + El1Image.Value("USERNS_GID_MAP");
    private static readonly ulong MapExtent = El1Image.Value("MAP_EXTENT");

    /// <summary>Extents that a map in a record has room for (UID_GID_MAP_MAX_BASE_EXTENTS).</summary>
    private const int MaxExtents = 5;

    /// <summary>The pointers between the parts of a record, which never change.</summary>
    private void Link(ulong record)
    {
        void Point(ulong from, ulong to) => _memory.Write(record + from, to);
        ulong At(ulong part) => El1Image.Linear(record + part);
        ulong signal = El1Image.Value("TSK_SIGNAL"), parent = El1Image.Value("TSK_REC_PARENT");
        Point(El1Image.Value("TSK_THREAD_PID"), At(ThreadPid));
        Point(signal, At(El1Image.Value("TSK_REC_SIGNAL")));
        Point(El1Image.Value("TSK_REAL_PARENT"), At(parent));
        Point(El1Image.Value("TSK_CRED"), At(Cred));
        Point(El1Image.Value("TSK_NSPROXY"), El1Image.Value("init_nsproxy"));
        Point(parent + signal, At(El1Image.Value("TSK_REC_PARENT_SIGNAL")));
        Point(El1Image.Value("TSK_REC_SIGNAL") + TgidPointer, At(ProcessPid));
        Point(El1Image.Value("TSK_REC_PARENT_SIGNAL") + TgidPointer, At(ParentPid));
        Point(Cred + El1Image.Value("CRED_USER_NS"), At(UserSpace));
    }

    /// <summary>The namespaces of a task, as EL1 code looks at them.</summary>
    internal void SetNsproxy(KernelTask task, ulong address)
    {
        if (task.RecordPa != 0)
            _memory.Write(task.RecordPa + El1Image.Value("TSK_NSPROXY"), address);
    }

    private void WriteNumber(KernelTask task, ulong pid, PidNamespace space, int number)
    {
        ulong upid = task.RecordPa + pid + (ulong)space.Level * 16;
        _memory.Write(upid + PidNumber, number);
        // A namespace's record tells its level; which namespace it is among those of a level, the pointer need not tell here,
        // because all numbers of a task's page are those in the task's own namespaces.
        _memory.Write(upid + PidSpace, El1Image.Value("pid_namespaces") + (ulong)space.Level * 16);
    }

    private void SyncPids(KernelTask task)
    {
        foreach (ulong pid in (ReadOnlySpan<ulong>)[ThreadPid, ProcessPid, ParentPid])
            _memory.Write(task.RecordPa + pid + PidLevel, task.PidNamespace.Level);
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
        {
            WriteNumber(task, ThreadPid, space, space.NumberOf(task.Tid));
            WriteNumber(task, ProcessPid, space, space.NumberOf(task.Group.Pid));
        }
    }

    private void SyncParentPid(KernelTask task)
    {
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
            WriteNumber(task, ParentPid, space, task.ParentPidIn(space));
    }

    private void SyncCred(KernelTask task)
    {
        Credentials credentials = task.Credentials;
        UserNamespace space = credentials.UserNamespace;
        _memory.Write(task.RecordPa + CredUid, credentials.Uid);
        _memory.Write(task.RecordPa + CredGid, credentials.Gid);
        _memory.Write(task.RecordPa + CredEuid, credentials.Euid);
        _memory.Write(task.RecordPa + CredEgid, credentials.Egid);
        WriteMap(task.RecordPa + UserMap, space.UserExtents, credentials.Uid, credentials.Euid);
        WriteMap(task.RecordPa + GroupMap, space.GroupExtents, credentials.Gid, credentials.Egid);
    }

    /// <summary>A map of IDs. One with more than five extents is sorted in Linux and searched otherwise; here the extents of the two
    /// IDs that matter stand for it.</summary>
    private void WriteMap(ulong map, IReadOnlyList<UserNamespace.Extent> extents, uint id, uint effective)
    {
        IReadOnlyList<UserNamespace.Extent> written = extents.Count <= MaxExtents
            ? extents
            : [.. extents.Where(e => id - e.Kernel < e.Count || effective - e.Kernel < e.Count)];
        _memory.Write(map, written.Count);
        for (int i = 0; i < written.Count; i++)
        {
            ulong at = map + MapExtent + (ulong)i * 12;
            _memory.Write(at, written[i].First);
            _memory.Write(at + 4, written[i].Kernel);
            _memory.Write(at + 8, written[i].Count);
        }
    }
}
