using System.Text;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>prctl (kernel/sys.c, arm64's additions).</summary>
internal static class SysPrctl
{
    private const int SetPdeathsig = 1, GetPdeathsig = 2, GetDumpable = 3, SetDumpable = 4, GetKeepcaps = 7,
        SetKeepcaps = PrctlOptions.PR_SET_KEEPCAPS, GetTiming = 13, SetTiming = 14, SetName = 15, GetName = 16, GetSeccomp = 21,
        SetSeccomp = 22, CapbsetRead = 23, CapbsetDrop = 24, GetTsc = 25, SetTsc = 26, GetSecurebits = 27, SetSecurebits = 28,
        SetTimerslack = 29, GetTimerslack = 30, PerfDisable = 31, PerfEnable = 32, MceKill = 33, MceKillGet = 34, SetMm = 35,
        SetChildSubreaper = 36, GetChildSubreaper = 37, SetNoNewPrivs = PrctlOptions.PR_SET_NO_NEW_PRIVS, GetNoNewPrivs = 39,
        GetTidAddress = 40, SetThpDisable = 41, GetThpDisable = 42, CapAmbient = 47, SveSetVl = 50, SveGetVl = 51, GetSpeculation = 52,
        SetSpeculation = 53, PacResetKeys = 54, SetTaggedAddr = 55, GetTaggedAddr = 56, SetIoFlusher = 57, GetIoFlusher = 58,
        PacSetEnabled = 60, PacGetEnabled = 61, SchedCore = 62, SetMdwe = 65, GetMdwe = 66, RseqSlice = 79, SetVma = 0x53564d41;

    private const int TscEnable = 1, TscSigsegv = 2;
    private const int AllKeys = 31, EnableKeysMask = 15;

    /// <summary>prctl(option, a2, a3, a4, a5).</summary>
    public static long Prctl(SyscallContext c)
    {
        KernelTask task = c.Task;
        ulong a2 = c.Arg(1);
        bool noMore = c.Arg(2) == 0 && c.Arg(3) == 0 && c.Arg(4) == 0;
        switch (c.Int(0))
        {
            case SetPdeathsig:
                if (a2 > Signal.Count)
                    return -Errno.EINVAL;
                task.ParentDeathSignal = (int)a2;
                return 0;
            case GetPdeathsig:
                return Put(c, task.ParentDeathSignal);
            case GetDumpable:
                return task.Group.Dumpable;
            case SetDumpable:
                if (a2 > 1)
                    return -Errno.EINVAL;
                task.Group.Dumpable = (int)a2;
                return 0;
            case GetKeepcaps:
                return task.ProcessControls.ContainsKey(SetKeepcaps) ? 1 : 0;
            case SetKeepcaps:
                return a2 > 1 ? -Errno.EINVAL : Flag(task, SetKeepcaps, a2 != 0);
            case GetTiming:
                return 0;
            case SetTiming:
                return a2 == 0 ? 0 : -Errno.EINVAL;
            case SetName:
                return Name(c);
            case GetName:
                var name = new byte[16];
                Encoding.Latin1.GetBytes(task.Comm).AsSpan(0, Math.Min(15, task.Comm.Length)).CopyTo(name);
                return c.Memory.Write(a2, name) ? 0 : -Errno.EFAULT;
            case GetSeccomp:
                return (long)task.SeccompMode;
            case SetSeccomp:
                return SysSeccomp.FromPrctl(c, a2, c.Arg(2));
            case CapbsetRead:
                return a2 > 40 ? -Errno.EINVAL : (long)(task.Credentials.CapBounding >> (int)a2 & 1);
            case CapbsetDrop:
                if (!task.Credentials.Has(Capability.Setpcap))
                    return -Errno.EPERM;
                if (a2 > 40)
                    return -Errno.EINVAL;
                task.Credentials = task.Credentials with { CapBounding = task.Credentials.CapBounding & ~(1UL << (int)a2) };
                return 0;
            case GetSecurebits:
                return task.Credentials.SecureBits;
            case SetSecurebits:
                if (!task.Credentials.Has(Capability.Setpcap) || (a2 & ~0xffUL) != 0)
                    return -Errno.EPERM;
                task.Credentials = task.Credentials with { SecureBits = (uint)a2 };
                return 0;
            case SetTimerslack:
                task.ProcessControls[GetTimerslack] = (long)a2 <= 0 ? task.DefaultSlackNs : (long)a2;
                return 0;
            case GetTimerslack:
                return task.ProcessControls.GetValueOrDefault(GetTimerslack, task.DefaultSlackNs);
            case PerfDisable:
            case PerfEnable:
                foreach (ITaskCounter counter in task.Counters)
                    counter.Enable(c.Int(0) == PerfEnable);
                return 0;
            case MceKill:
                return Mce(c);
            case MceKillGet:
                return a2 != 0 || !noMore ? -Errno.EINVAL : task.ProcessControls.GetValueOrDefault(MceKill, 2);
            case SetMm:
                return SysPrctlMemory.Set(c);
            case SetChildSubreaper:
                task.Group.ChildSubreaper = a2 != 0;
                return 0;
            case GetChildSubreaper:
                return Put(c, task.Group.ChildSubreaper ? 1 : 0);
            case SetNoNewPrivs:
                return a2 != 1 || !noMore ? -Errno.EINVAL : Flag(task, SetNoNewPrivs, true);
            case GetNoNewPrivs:
                return a2 != 0 || !noMore ? -Errno.EINVAL : task.ProcessControls.ContainsKey(SetNoNewPrivs) ? 1 : 0;
            case GetTidAddress:
                return c.Memory.Write(a2, task.ClearChildTid) ? 0 : -Errno.EFAULT;
            case SetThpDisable:
                return !noMore ? -Errno.EINVAL : Flag(task, SetThpDisable, a2 != 0);
            case GetThpDisable:
                return a2 != 0 || !noMore ? -Errno.EINVAL : task.ProcessControls.ContainsKey(SetThpDisable) ? 1 : 0;
            case CapAmbient:
                return Ambient(c);
            case GetSpeculation:
                // Not affected, as a core without the weakness reports.
                return a2 > 2 || !noMore ? -Errno.EINVAL : 0;
            case SetSpeculation:
                return a2 > 2 || c.Arg(3) != 0 || c.Arg(4) != 0 ? -Errno.EINVAL : -Errno.ENXIO;
            case PacResetKeys:
                return !noMore ? -Errno.EINVAL : ResetKeys(c, a2);
            case PacSetEnabled:
                return PacEnable(c);
            case PacGetEnabled:
                return a2 != 0 || !noMore || !HasPauth(c) ? -Errno.EINVAL
                    : task.ProcessControls.GetValueOrDefault(PacSetEnabled, EnableKeysMask);
            case SetTaggedAddr:
                // Only the ABI's enable bit: no memory tagging.
                return (a2 & ~1UL) != 0 || !noMore ? -Errno.EINVAL : IgnoreTags(c, a2 != 0);
            case GetTaggedAddr:
                return a2 != 0 || !noMore ? -Errno.EINVAL : task.TagsIgnored ? 1 : 0;
            case SetIoFlusher:
                return !task.Credentials.Has(Capability.SysResource) ? -Errno.EPERM : a2 > 1 || !noMore ? -Errno.EINVAL
                    : Flag(task, SetIoFlusher, a2 != 0);
            case GetIoFlusher:
                return !task.Credentials.Has(Capability.SysResource) ? -Errno.EPERM : a2 != 0 || !noMore ? -Errno.EINVAL
                    : task.ProcessControls.ContainsKey(SetIoFlusher) ? 1 : 0;
            case SetVma:
                return SetVmaName(c);
            case GetTsc:
                return Put(c, task.CounterForbidden ? TscSigsegv : TscEnable);
            case SetTsc:
                if (a2 is not (TscEnable or TscSigsegv))
                    return -Errno.EINVAL;
                task.CounterForbidden = a2 == TscSigsegv;
                c.Counter.Update(c.Cpu, task);
                return 0;
            case RseqSlice when c.Slices is { } slices:
                return ExtendSlices(c, slices);
            case SetMdwe:
            case GetMdwe:
            case SchedCore:
            case SveSetVl:
            case SveGetVl:
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>Whether a thread may ask for longer time slices (rseq_slice_extension_prctl of Linux 7.0).</summary>
    private static long ExtendSlices(SyscallContext c, SliceExtension slices)
    {
        const ulong get = 1, set = 2, enable = 1;
        ulong value = c.Arg(2);
        if (c.Arg(3) != 0 || c.Arg(4) != 0)
            return -Errno.EINVAL;
        return c.Arg(1) switch
        {
            get => value != 0 ? -Errno.EINVAL : c.Task.MayExtendSlice ? (long)enable : 0,
            set => (value & ~enable) != 0 ? -Errno.EINVAL : c.Task.Rseq == 0 ? -Errno.ENXIO : slices.Set(c.Task, value == enable),
            _ => -Errno.EINVAL,
        };
    }

    private static long Put(SyscallContext c, int value) => c.Memory.Write(c.Arg(1), value) ? 0 : -Errno.EFAULT;

    private static long IgnoreTags(SyscallContext c, bool on)
    {
        c.Task.TagsIgnored = on;
        c.Records.SyncTags(c.Task);
        return 0;
    }

    private static long Flag(KernelTask task, int option, bool on)
    {
        if (on)
            task.ProcessControls[option] = 1;
        else
            task.ProcessControls.Remove(option);
        return 0;
    }

    private static long Name(SyscallContext c)
    {
        Span<byte> bytes = stackalloc byte[16];
        int n = 0;
        // strncpy_from_user: up to the NUL, at most 15 bytes.
        while (n < 15)
        {
            if (!c.Memory.Read(c.Arg(1) + (ulong)n, bytes.Slice(n, 1)))
                return -Errno.EFAULT;
            if (bytes[n] == 0)
                break;
            n++;
        }
        c.Task.Comm = Encoding.Latin1.GetString(bytes[..n]);
        return 0;
    }

    private static long Mce(SyscallContext c)
    {
        const ulong clear = 0, set = 1;
        if (c.Arg(3) != 0 || c.Arg(4) != 0)
            return -Errno.EINVAL;
        switch (c.Arg(1))
        {
            case clear:
                if (c.Arg(2) != 0)
                    return -Errno.EINVAL;
                c.Task.ProcessControls.Remove(MceKill);
                return 0;
            case set:
                if (c.Arg(2) > 2)
                    return -Errno.EINVAL;
                c.Task.ProcessControls[MceKill] = (long)c.Arg(2);
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    private static long Ambient(SyscallContext c)
    {
        const ulong isSet = 1, raise = 2, lower = 3, clearAll = 4;
        Credentials who = c.Task.Credentials;
        ulong operation = c.Arg(1), capability = c.Arg(2);
        if (c.Arg(3) != 0 || c.Arg(4) != 0)
            return -Errno.EINVAL;
        if (operation == clearAll)
        {
            if (capability != 0)
                return -Errno.EINVAL;
            c.Task.Credentials = who with { CapAmbient = 0 };
            return 0;
        }
        if (capability > 40)
            return -Errno.EINVAL;
        ulong bit = 1UL << (int)capability;
        switch (operation)
        {
            case isSet:
                return (who.CapAmbient & bit) != 0 ? 1 : 0;
            case raise:
                if ((who.CapPermitted & who.CapInheritable & bit) == 0)
                    return -Errno.EPERM;
                c.Task.Credentials = who with { CapAmbient = who.CapAmbient | bit };
                return 0;
            case lower:
                c.Task.Credentials = who with { CapAmbient = who.CapAmbient & ~bit };
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    private static bool HasPauth(SyscallContext c) => (c.Machine.Identification["ID_AA64ISAR1_EL1"] & 0xff0) != 0;

    /// <summary>PR_PAC_RESET_KEYS: new random keys; bits APIA, APIB, APDA, APDB, APGA.</summary>
    private static long ResetKeys(SyscallContext c, ulong keys)
    {
        if (!HasPauth(c) || (keys & ~(ulong)AllKeys) != 0)
            return -Errno.EINVAL;
        if (keys == 0)
            keys = AllKeys;
        for (int i = 0; i < 5; i++)
        {
            if ((keys & (1UL << i)) == 0)
                continue;
            c.Task.PauthKeys[i * 2] = c.Random.Next();
            c.Task.PauthKeys[i * 2 + 1] = c.Random.Next();
        }
        c.Task.PauthKeys.CopyTo(c.Cpu.PauthKey.AsSpan());
        return 0;
    }

    /// <summary>PR_PAC_SET_ENABLED_KEYS: recorded; the model keeps all keys enabled, so disabling one is refused.</summary>
    private static long PacEnable(SyscallContext c)
    {
        ulong mask = c.Arg(1), on = c.Arg(2);
        if (!HasPauth(c) || (mask & ~(ulong)EnableKeysMask) != 0 || (on & ~mask) != 0 || c.Arg(3) != 0 || c.Arg(4) != 0)
            return -Errno.EINVAL;
        return on == mask ? 0 : -Errno.EINVAL;
    }

    /// <summary>PR_SET_VMA_ANON_NAME: [anon:NAME] in /proc/PID/maps.</summary>
    private static long SetVmaName(SyscallContext c)
    {
        ulong start = c.Arg(2), length = c.Arg(3);
        if (c.Arg(1) != 0)
            return -Errno.EINVAL;
        string? name = null;
        if (c.Arg(4) != 0)
        {
            long result = c.Memory.ReadString(c.Arg(4), 80, out string text);
            if (result < 0)
                return result == -Errno.ENAMETOOLONG ? -Errno.EINVAL : result;
            foreach (char ch in text)
            {
                if (ch is < ' ' or > '~' or '\\' or '`' or '$' or '[' or ']')
                    return -Errno.EINVAL;
            }
            name = $"[anon:{text}]";
        }
        if ((start & 4095) != 0 || start + length < start)
            return -Errno.EINVAL;
        if (length == 0)
            return 0;
        bool file = false;
        long done = c.Memory.Advise(start, length, vma =>
        {
            if (vma.File is not null || vma.SpecialPages is not null)
                file = true;
            else if (vma.Name is null || vma.Name.StartsWith("[anon:", StringComparison.Ordinal))
                vma.Name = name;
        });
        return file ? -Errno.EBADF : done;
    }
}
