using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>unshare and setns (kernel/nsproxy.c).</summary>
internal static class SysNamespaces
{
    private const ulong NewUts = CloneFlags.CLONE_NEWUTS, NewIpc = CloneFlags.CLONE_NEWIPC, NewTime = CloneFlags.CLONE_NEWTIME,
        NewMounts = CloneFlags.CLONE_NEWNS, NewNetwork = CloneFlags.CLONE_NEWNET, NewCgroups = CloneFlags.CLONE_NEWCGROUP;

    /// <summary>unshare(flags): files, fs, mount, network, PID, time, UTS, IPC, cgroup and user namespaces.</summary>
    public static long Unshare(SyscallContext c)
    {
        ulong flags = c.Arg(0);
        KernelTask task = c.Task;
        const ulong own = CloneFlags.CLONE_THREAD | CloneFlags.CLONE_FS | CloneFlags.CLONE_SIGHAND | CloneFlags.CLONE_VM
            | CloneFlags.CLONE_FILES | CloneFlags.CLONE_SYSVSEM;
        if ((flags & ~(NewCgroups | NewTime | NewUts | NewIpc | NewMounts | NewNetwork | CloneFlags.CLONE_NEWUSER
            | CloneFlags.CLONE_NEWPID | own)) != 0)
            return -Errno.EINVAL;
        if ((flags & CloneFlags.CLONE_NEWUSER) != 0)
            flags |= CloneFlags.CLONE_THREAD | CloneFlags.CLONE_FS;
        if ((flags & NewMounts) != 0)
            flags |= CloneFlags.CLONE_FS;
        if ((flags & (CloneFlags.CLONE_THREAD | CloneFlags.CLONE_SIGHAND | CloneFlags.CLONE_VM)) != 0 && task.Group.Threads.Count > 1)
            return -Errno.EINVAL;
        // A table's copy has no more than fs.nr_open (dup_fd).
        if ((flags & CloneFlags.CLONE_FILES) != 0 && task.Files.Users > 1 && task.Files.Bound > c.Vfs.MostDescriptors)
            return -Errno.EMFILE;
        Credentials? entered = null;
        const ulong made = NewTime | NewUts | NewIpc | NewMounts | NewNetwork | NewCgroups | CloneFlags.CLONE_NEWPID;
        NamespaceLimits limits = c.TaskNamespaces.Limits;
        if ((flags & CloneFlags.CLONE_NEWUSER) != 0)
        {
            Credentials who = task.Credentials;
            if (limits.MayMake(c.Vfs.UserCounts, who, who.UserNamespace, CloneFlags.CLONE_NEWUSER) is < 0 and long most)
                return most;
            long result = c.Namespaces.NewUser(task.Credentials, out entered);
            if (result < 0)
                return result;
        }
        UserNamespace maker = (entered ?? task.Credentials).UserNamespace;
        if ((flags & made) != 0 && !(entered ?? task.Credentials).HasInNamespace(Capability.SysAdmin))
            return -Errno.EPERM;
        if ((flags & made) != 0 && limits.MayMake(c.Vfs.UserCounts, entered ?? task.Credentials, maker, flags & made) is < 0 and long full)
            return full;
        if ((flags & CloneFlags.CLONE_NEWPID) != 0)
        {
            long result = c.Namespaces.NewPid(task.PidNamespaceForChildren, maker, out PidNamespace? space);
            if (result < 0)
                return result;
            task.PidNamespaceForChildren = space!;
        }
        // The caller stays in its time namespace: only its children enter, and itself at its next execve.
        if ((flags & NewTime) != 0)
            task.TimeNamespaceForChildren = c.Namespaces.NewTime(task.TimeNamespaceForChildren, maker);
        if ((flags & NewUts) != 0)
            task.Uts = c.Namespaces.NewUts(task.Uts, maker);
        if ((flags & NewCgroups) != 0)
            task.Cgroups = c.Namespaces.NewCgroups(maker);
        if ((flags & NewIpc) != 0)
            EnterIpc(c.Pages, task, c.Namespaces.NewIpc(maker));
        if ((flags & NewNetwork) != 0)
            task.Network = new NetworkNamespace(c.Vfs, c.Namespaces.NewNumber(), maker);
        if ((flags & CloneFlags.CLONE_FILES) != 0 && task.Files.Users > 1)
        {
            FileTable old = task.Files;
            task.Files = old.Clone();
            old.Leave();
        }
        if ((flags & CloneFlags.CLONE_FS) != 0 && task.Fs.Users > 1)
        {
            task.Fs.Users--;
            task.Fs = task.Fs.Clone();
        }
        if ((flags & NewMounts) != 0)
            TaskNamespaces.NewMounts(c.Vfs, c.Namespaces, task, maker);
        if (entered is not null)
            c.TaskNamespaces.EnterUser(task, entered);
        limits.Made(task, task.Credentials, flags & made);
        return 0;
    }

    /// <summary>setns(fd, nstype): a descriptor of /proc/PID/ns, or a pidfd.</summary>
    public static long SetNs(SyscallContext c)
    {
        ulong kinds = c.UInt(1);
        switch (c.Files[c.Int(0)])
        {
            case null:
                return -Errno.EBADF;
            case NamespaceFile file:
                return kinds != 0 && kinds != file.Space.CloneFlag ? -Errno.EINVAL : Enter(c, file.Space);
            case PidFile { Group: var group }:
                const ulong known = CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID | NewTime | NewUts | NewIpc
                    | NewMounts | NewNetwork | NewCgroups;
                if (kinds == 0 || (kinds & ~known) != 0)
                    return -Errno.EINVAL;
                if (group.IsZombie)
                    return -Errno.ESRCH;
                long result = 0;
                if ((kinds & CloneFlags.CLONE_NEWUSER) != 0)
                    result = Enter(c, group.Leader.Credentials.UserNamespace);
                if (result == 0 && (kinds & NewUts) != 0)
                    result = Enter(c, group.Leader.Uts);
                if (result == 0 && (kinds & NewIpc) != 0)
                    result = Enter(c, group.Leader.Ipc);
                if (result == 0 && (kinds & NewCgroups) != 0)
                    result = Enter(c, group.Leader.Cgroups);
                if (result == 0 && (kinds & NewNetwork) != 0)
                    result = Enter(c, group.Leader.Network);
                if (result == 0 && (kinds & NewMounts) != 0)
                    result = Enter(c, group.Leader.MountNamespace);
                if (result == 0 && (kinds & CloneFlags.CLONE_NEWPID) != 0)
                    result = Enter(c, group.Leader.PidNamespace);
                if (result == 0 && (kinds & NewTime) != 0)
                    result = Enter(c, group.Leader.TimeNamespace);
                return result;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>Into another IPC namespace: adjustments of SEM_UNDO are applied first (exit_sem).</summary>
    private static void EnterIpc(PageAllocator pages, KernelTask task, IpcTables space)
    {
        task.Ipc.ProcessExited(task.Group.Pid);
        space.Enter();
        task.Ipc.Leave(pages);
        task.Ipc = space;
    }

    private static long Enter(SyscallContext c, INamespace space)
    {
        KernelTask task = c.Task;
        switch (space)
        {
            case PidNamespace pid:
                if (!task.Credentials.HasInNamespace(Capability.SysAdmin))
                    return -Errno.EPERM;
                // Only down: to the task's own one or below it.
                if (!task.PidNamespace.IsAncestorOf(pid))
                    return -Errno.EINVAL;
                task.PidNamespaceForChildren = pid;
                return 0;
            case UserNamespace user:
                if (ReferenceEquals(user, task.Credentials.UserNamespace) || task.Group.Threads.Count > 1 || task.Fs.Users > 1)
                    return -Errno.EINVAL;
                if (!user.IsGovernedBy(task.Credentials))
                    return -Errno.EPERM;
                c.TaskNamespaces.EnterUser(task, task.Credentials.InUserNamespace(user));
                return 0;
            case TimeNamespace time:
                if (task.Group.Threads.Count > 1 || c.Memory.IsShared)
                    return -Errno.EUSERS;
                if (!task.Credentials.HasInNamespace(Capability.SysAdmin))
                    return -Errno.EPERM;
                task.TimeNamespaceForChildren = time;
                c.TaskNamespaces.JoinTime(task, time);
                return 0;
            case MountNamespace mounts:
                // mntns_install: to the root of the namespace.
                if (!mounts.OwnerSpace.IsGovernedBy(task.Credentials) || !task.Credentials.HasInNamespace(Capability.SysChroot)
                    || !task.Credentials.HasInNamespace(Capability.SysAdmin))
                    return -Errno.EPERM;
                if (task.Fs.Users > 1)
                    return -Errno.EINVAL;
                task.MountNamespace = mounts;
                (task.Fs.Root, task.Fs.Cwd) = (mounts.Root, mounts.Root);
                return 0;
            case UtsNamespace or IpcTables or NetworkNamespace or CgroupNamespace:
                // utsns_install, ipcns_install, netns_install, cgroupns_install: over the namespace's owner, and over the caller's own.
                if (space.OwnerSpace is not { } above || !above.IsGovernedBy(task.Credentials)
                    || !task.Credentials.HasInNamespace(Capability.SysAdmin))
                    return -Errno.EPERM;
                if (space is UtsNamespace uts)
                    task.Uts = uts;
                else if (space is NetworkNamespace network)
                    task.Network = network;
                else if (space is CgroupNamespace cgroups)
                    task.Cgroups = cgroups;
                else
                    EnterIpc(c.Pages, task, (IpcTables)space);
                return 0;
            default:
                return -Errno.EPERM;
        }
    }
}
