using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>What /proc says of a process or thread in a text: status, stat, limits (fs/proc/array.c, base.c).</summary>
internal sealed class ProcessStatus(ProcParts parts, PidView view, Vfs vfs)
{
    /// <summary>CPU time of a process in clock ticks of 10 ms.</summary>
    public static (ulong User, ulong System) Times(Machine machine, ThreadGroup group)
    {
        ulong user = group.ExitedUserCycles, system = group.ExitedSystemCycles;
        foreach (KernelTask task in group.Threads)
        {
            user += task.UserCycles;
            system += task.SystemCycles;
        }
        ulong cyclesPerTick = Math.Max(1, machine.ClockFrequency / 100);
        return (user / cyclesPerTick, system / cyclesPerTick);
    }

    private static char StateLetter(KernelTask task) => task.Group.IsZombie ? 'Z' : task.State switch
    {
        TaskState.Runnable => 'R',
        TaskState.Sleeping => task.IsUninterruptible ? 'D' : 'S',
        TaskState.Stopped => task.Tracing?.Stop is null ? 'T' : 't',
        TaskState.Zombie => 'Z',
        _ => 'X',
    };

    /// <summary>/proc/PID/stat, and that of a thread.</summary>
    public string StatLine(KernelTask task, bool process)
    {
        ThreadGroup group = task.Group;
        ulong cyclesPerTick = Math.Max(1, parts.Machine.ClockFrequency / 100);
        (ulong user, ulong system) = process
            ? Times(parts.Machine, group)
            : (task.UserCycles / cyclesPerTick, task.SystemCycles / cyclesPerTick);
        Terminal? terminal = vfs.Devices.ControllingOf(group.Sid);
        uint tty = terminal?.Device ?? 0;
        int foreground = terminal == null ? -1 : view.Number(terminal.ForegroundGroup == 0 ? group.Pgid : terminal.ForegroundGroup);
        ulong pending = task.Signals.Pending.Set | group.SharedPending.Set;
        (ulong ignored, ulong caught) = SignalSets(task);
        MemoryBounds b = task.Mm?.Bounds ?? default;
        (long anonymous, long file, long shared) = task.Mm is { } mm ? ResidentPages.Kinds(mm) : default;
        long resident = anonymous + file + shared;
        // Where things lie is told to who may look anyway (PTRACE_MODE_READ).
        bool shown = vfs.Current is not KernelTask reader || Permissions.MayTrace(reader, task);
        ulong Shown(ulong address, ulong instead) => shown && task.Mm is not null ? address : task.Mm is null ? 0 : instead;
        return $"{view.Number(task.Tid)} ({ProcText.EscapeName(task.Comm)}) {StateLetter(task)} {view.Number(group.Parent)} "
            + $"{view.Number(group.Pgid)} {view.Number(group.Sid)} "
            + $"{tty} {foreground} 4194304 "
            + $"{task.Mm?.MinorFaults ?? 0} {(process ? group.ChildUsage.Faults : 0)} 0 0 {user} {system} "
            + $"{group.ChildUserCycles / cyclesPerTick} {group.ChildSystemCycles / cyclesPerTick} {20 + task.Nice} {task.Nice} "
            + $"{group.Threads.Count} 0 "
            + $"{StartTicks(group)} {task.Mm?.VirtualSize ?? 0} {resident} {group.Rlimits[Rlimits.Rss].Soft} "
            + $"{Shown(b.CodeStart, 1)} {Shown(b.CodeEnd, 1)} {Shown(b.StackStart, 0)} 0 0 "
            + $"{pending & 0x7FFFFFFF} {task.Signals.Blocked & 0x7FFFFFFF} {ignored & 0x7FFFFFFF} {caught & 0x7FFFFFFF} "
            + $"{(shown && task.State != TaskState.Runnable ? 1 : 0)} 0 0 {task.ExitSignal} {task.Cpu} "
            + $"{task.RealtimePriority} {task.Policy} 0 0 0 "
            + $"{Shown(b.DataStart, 0)} {Shown(b.DataEnd, 0)} {Shown(task.Mm?.BrkStart ?? 0, 0)} {Shown(b.ArgumentsStart, 0)} "
            + $"{Shown(b.ArgumentsEnd, 0)} {Shown(b.EnvironmentStart, 0)} {Shown(b.EnvironmentEnd, 0)} "
            + $"{(shown ? group.ExitStatus : 0)}\n";
    }

    /// <summary>A number in every PID namespace from that of the mount to the task's own.</summary>
    private string Numbers(KernelTask task, int first) =>
        string.Concat(view.Space.NumbersDown(task.PidNamespace, first).Select(n => $"\t{n}"));

    /// <summary>Start of a process in clock ticks of 10 ms of CLOCK_BOOTTIME, as the process's time namespace has it.</summary>
    private long StartTicks(ThreadGroup group) =>
        ((long)parts.Clock.NsOfCycles(group.StartCycle) + group.Leader.TimeNamespace.BoottimeNs) / 10_000_000;

    private static (ulong Ignored, ulong Caught) SignalSets(KernelTask task)
    {
        ulong ignored = 0, caught = 0;
        for (int signal = 1; signal <= 64 && task.Handlers != null; signal++)
        {
            ulong handler = task.Handlers[signal].Handler;
            if (handler == 1)
                ignored |= 1UL << (signal - 1);
            else if (handler != 0)
                caught |= 1UL << (signal - 1);
        }
        return (ignored, caught);
    }

    /// <summary>/proc/PID/status.</summary>
    public string Status(KernelTask task)
    {
        ThreadGroup group = task.Group;
        Credentials who = task.Credentials;
        (ulong ignored, ulong caught) = SignalSets(task);
        char letter = StateLetter(task);
        string state = letter switch
        {
            'R' => "running",
            'S' => "sleeping",
            'D' => "disk sleep",
            'T' => "stopped",
            't' => "tracing stop",
            'Z' => "zombie",
            _ => "dead",
        };
        int cpus = parts.Machine.Cpus.Count;
        ulong allowed = task.Affinity & (cpus == 64 ? ulong.MaxValue : (1UL << cpus) - 1);
        var s = new StringBuilder();
        s.Append($"Name:\t{ProcText.EscapeName(task.Comm)}\n");
        s.Append($"Umask:\t{Convert.ToString(task.Fs?.Umask ?? 0, 8).PadLeft(4, '0')}\nState:\t{letter} ({state})\n");
        s.Append($"Tgid:\t{view.Number(group)}\nNgid:\t0\nPid:\t{view.Number(task.Tid)}\nPPid:\t{view.Number(group.Parent)}\n");
        s.Append($"TracerPid:\t{view.Number(task.Tracing?.Tracer.Tid ?? 0)}\n");
        UserNamespace reader = vfs.Current?.Credentials.UserNamespace ?? UserNamespace.Initial;
        string Shown(Func<uint, uint> show, params ReadOnlySpan<uint> ids)
        {
            var line = new StringBuilder();
            foreach (uint id in ids)
                line.Append('\t').Append(show(id));
            return line.ToString();
        }
        s.Append($"Uid:{Shown(reader.ShowUser, who.Uid, who.Euid, who.Suid, who.Fsuid)}\n"
            + $"Gid:{Shown(reader.ShowGroup, who.Gid, who.Egid, who.Sgid, who.Fsgid)}\n");
        s.Append($"FDSize:\t{Math.Max(64, (task.Files?.Bound + 63) / 64 * 64 ?? 0)}\n"
            + $"Groups:\t{string.Join(' ', who.Groups.Select(reader.ShowGroup))} \n");
        s.Append($"NStgid:{Numbers(task, group.Pid)}\nNSpid:{Numbers(task, task.Tid)}\n"
            + $"NSpgid:{Numbers(task, group.Pgid)}\nNSsid:{Numbers(task, group.Sid)}\n");
        s.Append("Kthread:\t0\n");
        if (task.Mm is { } mm)
            s.Append(MemoryUse.Status(mm));
        int queued = group.SharedPending.Count + group.Threads.Sum(t => t.Signals.Pending.Count);
        s.Append($"Threads:\t{group.Threads.Count}\nSigQ:\t{queued}/{group.Rlimits[Rlimits.Sigpending].Soft}\n");
        s.Append($"SigPnd:\t{task.Signals.Pending.Set:x16}\nShdPnd:\t{group.SharedPending.Set:x16}\n"
            + $"SigBlk:\t{task.Signals.Blocked:x16}\nSigIgn:\t{ignored:x16}\nSigCgt:\t{caught:x16}\n");
        s.Append($"CapInh:\t{who.CapInheritable:x16}\nCapPrm:\t{who.CapPermitted:x16}\nCapEff:\t{who.CapEffective:x16}\n"
            + $"CapBnd:\t{who.CapBounding:x16}\nCapAmb:\t{who.CapAmbient:x16}\n");
        s.Append($"NoNewPrivs:\t{(task.ProcessControls.ContainsKey(PrctlOptions.PR_SET_NO_NEW_PRIVS) ? 1 : 0)}\n");
        s.Append($"Seccomp:\t{(int)task.SeccompMode}\nSeccomp_filters:\t{SeccompFilter.Chain(task.SeccompFilter).Count()}\n"
            + "Speculation_Store_Bypass:\tthread vulnerable\nSpeculationIndirectBranch:\tunknown\n");
        s.Append($"Cpus_allowed:\t{allowed:x}\nCpus_allowed_list:\t{List(allowed)}\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
        s.Append($"voluntary_ctxt_switches:\t{task.VoluntarySwitches}\nnonvoluntary_ctxt_switches:\t{task.InvoluntarySwitches}\n");
        return s.ToString();
    }

    private static string List(ulong set)
    {
        var ranges = new List<string>();
        for (int n = 0; n < 64; n++)
        {
            if ((set >> n & 1) == 0)
                continue;
            int first = n;
            while (n < 63 && (set >> (n + 1) & 1) != 0)
                n++;
            ranges.Add(first == n ? $"{first}" : $"{first}-{n}");
        }
        return string.Join(',', ranges);
    }

    /// <summary>/proc/PID/limits.</summary>
    public static string Limits(ThreadGroup group)
    {
        (string Name, string Unit)[] rows =
        [
            ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
            ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"), ("Max open files", "files"),
            ("Max locked memory", "bytes"), ("Max address space", "bytes"), ("Max file locks", "locks"), ("Max pending signals", "signals"),
            ("Max msgqueue size", "bytes"), ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
        ];
        var text = new StringBuilder("Limit                     Soft Limit           Hard Limit           Units     \n");
        for (int n = 0; n < rows.Length; n++)
        {
            static string Show(ulong value) => value == Rlimits.Infinity ? "unlimited" : value.ToString(CultureInfo.InvariantCulture);
            text.Append($"{rows[n].Name,-25} {Show(group.Rlimits[n].Soft),-20} {Show(group.Rlimits[n].Hard),-20} ")
                .Append(rows[n].Unit.Length == 0 ? "\n" : $"{rows[n].Unit,-10}\n");
        }
        return text.ToString();
    }
}
