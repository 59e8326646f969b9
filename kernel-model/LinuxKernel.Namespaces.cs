using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>PID and user namespaces: making, entering, and the end of one's process 1.</summary>
public sealed partial class LinuxKernel
{
    /// <summary>commit_creds with another user namespace.</summary>
    internal void EnterUserNamespace(KernelTask task, Credentials inside)
    {
        task.Credentials = inside;
        Vdso.Design.NamespaceEntered(task);
    }

    /// <summary>IDs of a namespace have other meanings now: the records that EL1 code answers from get them.</summary>
    internal void UserMapWritten(UserNamespace space)
    {
        foreach (KernelTask task in Tasks.All)
        {
            for (UserNamespace? at = task.Credentials.UserNamespace; at is not null; at = at.Parent)
            {
                if (!ReferenceEquals(at, space))
                    continue;
                Records.CommitCredentials(task);
                break;
            }
        }
    }

    /// <summary>alloc_pid: numbers in every namespace from the task's own to the first.</summary>
    private void AllocateNumbers(KernelTask task)
    {
        for (PidNamespace space = task.PidNamespace; space.Parent is not null; space = space.Parent)
            space.Add(task.Tid, first => Tasks.Find(first) is not null);
    }

    /// <summary>zap_pid_ns_processes: with process 1 everybody of the namespace ends.</summary>
    private void EndPidNamespace(PidNamespace space)
    {
        space.Dead = true;
        foreach (ThreadGroup group in Tasks.Groups.Where(g => !g.IsZombie && space.NumberOf(g.Pid) != 0).ToList())
            SignalDelivery.Send(group, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
    }

    /// <summary>find_new_reaper: who becomes the parent of a dead process' children.</summary>
    private ThreadGroup? NewReaper(ThreadGroup dead)
    {
        PidNamespace space = dead.Leader.PidNamespace;
        ThreadGroup? reaper = space.Reaper == 0 ? null : Tasks.FindGroup(space.Reaper);
        bool first = space.Parent is null || ReferenceEquals(reaper, dead) || reaper is null or { IsZombie: true };
        ThreadGroup? last = first ? Tasks.Init : reaper;
        ThreadGroup? heir = dead.Parent;
        while (heir is not null && !ReferenceEquals(heir, last)
            && !(heir.ChildSubreaper && ReferenceEquals(heir.Leader.PidNamespace, space)))
            heir = heir.Parent;
        return heir ?? last;
    }
}
