using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The records that a task's record points to, as Linux's task_struct does: struct pid, signal_struct, struct cred, user
/// namespace, the parent. EL1 code follows the pointers. Linux shares these records between tasks; here each task has
/// copies of its own (TSK_REC_* in El1/layout.h), written whenever the model changes what they say.</summary>
public sealed partial class TaskRecords
{
    private const ulong TgidPointer = SignalRecord.Pids + 8 * (int)PidType.Tgid;
    private const ulong UserMap = LinkedRecords.UserNs + UserNamespaceRecord.UidMap;
    private const ulong GroupMap = LinkedRecords.UserNs + UserNamespaceRecord.GidMap;

    /// <summary>Extents that a map in a record has room for (UID_GID_MAP_MAX_BASE_EXTENTS).</summary>
    private const int MaxExtents = 5;

    /// <summary>The pointers between the parts of a record, which never change.</summary>
    private void Link(ulong record)
    {
        void Point(ulong from, ulong to) => _memory.Write(record + from, to);
        ulong At(ulong part) => El1Image.Linear(record + part);
        Point(TaskRecord.ThreadPid, At(LinkedRecords.Pid));
        Point(TaskRecord.Signal, At(LinkedRecords.Signal));
        Point(TaskRecord.RealParent, At(LinkedRecords.Parent));
        Point(TaskRecord.Cred, At(LinkedRecords.Cred));
        Point(TaskRecord.Nsproxy, (ulong)El1Symbol.init_nsproxy);
        Point(LinkedRecords.Parent + TaskRecord.Signal, At(LinkedRecords.ParentSignal));
        Point(LinkedRecords.Signal + TgidPointer, At(LinkedRecords.Tgpid));
        Point(LinkedRecords.ParentSignal + TgidPointer, At(LinkedRecords.ParentPid));
        Point(LinkedRecords.Cred + CredRecord.UserNs, At(LinkedRecords.UserNs));
    }

    /// <summary>The namespaces of a task, as EL1 code looks at them.</summary>
    internal void SetNsproxy(KernelTask task, ulong address)
    {
        if (task.RecordPa != 0)
            _memory.Write(task.RecordPa + TaskRecord.Nsproxy, address);
    }

    private void WriteNumber(KernelTask task, ulong pid, PidNamespace space, int number)
    {
        ulong upid = task.RecordPa + pid + (ulong)space.Level * 16;
        _memory.Write(upid + PidRecord.Nr, number);
        // A namespace's record tells its level; which namespace it is among those of a level, the pointer need not tell here,
        // because all numbers of a task's records are those in the task's own namespaces.
        _memory.Write(upid + PidRecord.Ns, (ulong)El1Symbol.pid_namespaces + (ulong)space.Level * 16);
    }

    private void SyncPids(KernelTask task)
    {
        foreach (ulong pid in (ReadOnlySpan<ulong>)[LinkedRecords.Pid, LinkedRecords.Tgpid, LinkedRecords.ParentPid])
            _memory.Write(task.RecordPa + pid + PidRecord.Level, task.PidNamespace.Level);
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
        {
            WriteNumber(task, LinkedRecords.Pid, space, space.NumberOf(task.Tid));
            WriteNumber(task, LinkedRecords.Tgpid, space, space.NumberOf(task.Group.Pid));
        }
    }

    private void SyncParentPid(KernelTask task)
    {
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
            WriteNumber(task, LinkedRecords.ParentPid, space, task.ParentPidIn(space));
    }

    private void SyncGroupPids(KernelTask task)
    {
        foreach ((PidType type, ulong pid, int number) in (ReadOnlySpan<(PidType, ulong, int)>)
            [(PidType.Pgid, LinkedRecords.Pgrp, task.Group.Pgid), (PidType.Sid, LinkedRecords.Session, task.Group.Sid)])
        {
            ulong pointer = task.RecordPa + LinkedRecords.Signal + SignalRecord.Pids + 8 * (ulong)type;
            _memory.Write(pointer, El1Image.Linear(task.RecordPa + pid));
            _memory.Write(task.RecordPa + pid + PidRecord.Level, task.PidNamespace.Level);
            for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
                WriteNumber(task, pid, space, space.NumberOf(number));
        }
    }

    private void SyncCred(KernelTask task)
    {
        Credentials credentials = task.Credentials;
        UserNamespace space = credentials.UserNamespace;
        _memory.Write(task.RecordPa + LinkedRecords.Cred + CredRecord.Uid, credentials.Uid);
        _memory.Write(task.RecordPa + LinkedRecords.Cred + CredRecord.Gid, credentials.Gid);
        _memory.Write(task.RecordPa + LinkedRecords.Cred + CredRecord.Euid, credentials.Euid);
        _memory.Write(task.RecordPa + LinkedRecords.Cred + CredRecord.Egid, credentials.Egid);
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
            ulong at = map + UserNamespaceRecord.MapExtent + (ulong)i * 12;
            _memory.Write(at, written[i].First);
            _memory.Write(at + 4, written[i].Kernel);
            _memory.Write(at + 8, written[i].Count);
        }
    }
}
