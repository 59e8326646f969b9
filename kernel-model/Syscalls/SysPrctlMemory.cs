using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>prctl(PR_SET_MM): where the parts of the caller's program are said to be, as a restored process has it (prctl_set_mm in
/// kernel/sys.c).</summary>
internal static class SysPrctlMemory
{
    // PR_SET_MM_* of include/uapi/linux/prctl.h.
    private const int StartCode = 1, EndCode = 2, StartData = 3, EndData = 4, StartStack = 5, StartBrk = 6, Brk = 7, ArgStart = 8,
        ArgEnd = 9, EnvStart = 10, EnvEnd = 11, Auxv = 12, ExeFile = 13, Map = 14, MapSize = 15;

    /// <summary>sizeof(struct prctl_mm_map), and of mm's saved_auxv, in bytes.</summary>
    private const int MapBytes = 104, AuxvBytes = 400;

    /// <summary>PR_SET_MM.</summary>
    public static long Set(SyscallContext c)
    {
        (int what, ulong address, ulong size) = (c.Int(1), c.Arg(2), c.Arg(3));
        if (c.Arg(4) != 0 || (size != 0 && what is not (Auxv or Map or MapSize)))
            return -Errno.EINVAL;
        if (what == MapSize)
            return c.Memory.Write(address, MapBytes) ? 0 : -Errno.EFAULT;
        if (what == Map)
            return SetAll(c, address, size);
        if (!c.Task.Credentials.Has(Capability.SysResource))
            return -Errno.EPERM;
        if (what == ExeFile)
            return SetExecutable(c, (int)address);
        if (what == Auxv)
            return SetAuxv(c, address, size);
        if (!IsUser(c, address))
            return -Errno.EINVAL;
        var values = Values(c.Memory);
        if (what is < StartCode or > EnvEnd)
            return -Errno.EINVAL;
        values[what - StartCode] = address;
        if (!AreOrdered(c, values))
            return -Errno.EINVAL;
        if (what is StartStack or ArgStart or ArgEnd or EnvStart or EnvEnd && !c.Memory.Vmas.Any(v => v.End > address))
            return -Errno.EFAULT;
        Take(c.Memory, values);
        return 0;
    }

    /// <summary>PR_SET_MM_MAP: all of them at once, of which no step need be in order.</summary>
    private static long SetAll(SyscallContext c, ulong address, ulong size)
    {
        if (size != MapBytes)
            return -Errno.EINVAL;
        var map = new byte[MapBytes];
        if (!c.Memory.Read(address, map))
            return -Errno.EFAULT;
        var values = new ulong[EnvEnd];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadUInt64LittleEndian(map.AsSpan(i * 8));
        ulong auxv = BinaryPrimitives.ReadUInt64LittleEndian(map.AsSpan(88));
        uint auxvSize = BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(96));
        int file = BinaryPrimitives.ReadInt32LittleEndian(map.AsSpan(100));
        if (!values.All(v => IsUser(c, v)) || !AreOrdered(c, values) || (auxvSize != 0 && (auxv == 0 || auxvSize > AuxvBytes)))
            return -Errno.EINVAL;
        var vector = new byte[AuxvBytes];
        if (auxvSize != 0 && !c.Memory.Read(auxv, vector.AsSpan(0, (int)auxvSize)))
            return -Errno.EFAULT;
        if (file != -1)
        {
            if (!c.Task.Credentials.HasInNamespace(Capability.SysAdmin) && !c.Task.Credentials.HasInNamespace(Capability.CheckpointRestore))
                return -Errno.EPERM;
            if (SetExecutable(c, file) is < 0 and long error)
                return error;
        }
        Take(c.Memory, values);
        if (auxvSize != 0)
            Keep(c, vector);
        return 0;
    }

    private static long SetAuxv(SyscallContext c, ulong address, ulong size)
    {
        if (size > AuxvBytes)
            return -Errno.EINVAL;
        var vector = new byte[AuxvBytes];
        if (!c.Memory.Read(address, vector.AsSpan(0, (int)size)))
            return -Errno.EFAULT;
        Keep(c, vector);
        return 0;
    }

    /// <summary>The vector as /proc/PID/auxv shows it, AT_NULL at the end.</summary>
    private static void Keep(SyscallContext c, byte[] vector)
    {
        vector.AsSpan(AuxvBytes - 16).Clear();
        c.Task.Group.Auxv = vector;
    }

    /// <summary>Another program as /proc/PID/exe; -EBUSY while the present one is mapped (replace_mm_exe_file).</summary>
    private static long SetExecutable(SyscallContext c, int fd)
    {
        if (c.Files[fd] is not { } file)
            return -Errno.EBADF;
        if (Vfs.MayExecute(FileArguments.CallerOf(c), file.Place ?? file.Inode) < 0)
            return -Errno.EACCES;
        if (c.Memory.Executable is { } now && c.Memory.Vmas.Any(v => v.File?.MappedObject == now.MappedObject))
            return -Errno.EBUSY;
        c.Memory.ReplaceExecutable(file);
        return 0;
    }

    private static bool IsUser(SyscallContext c, ulong address) => address < c.Memory.TaskSize && address >= 65536;

    /// <summary>In the order of the constants.</summary>
    private static ulong[] Values(MemoryMap m)
    {
        MemoryBounds b = m.Bounds;
        return [b.CodeStart, b.CodeEnd, b.DataStart, b.DataEnd, b.StackStart, m.BrkStart, m.Brk, b.ArgumentsStart, b.ArgumentsEnd,
            b.EnvironmentStart, b.EnvironmentEnd];
    }

    /// <summary>validate_prctl_map_addr: pairs in order, no limit exceeded.</summary>
    private static bool AreOrdered(SyscallContext c, ulong[] v) =>
        v[StartCode - 1] < v[EndCode - 1] && v[StartData - 1] <= v[EndData - 1] && v[StartBrk - 1] <= v[Brk - 1]
        && v[ArgStart - 1] <= v[ArgEnd - 1] && v[EnvStart - 1] <= v[EnvEnd - 1]
        && v[Brk - 1] - v[StartBrk - 1] + (v[EndData - 1] - v[StartData - 1]) <= c.Task.Group.Rlimits[Rlimits.Data].Soft;

    private static void Take(MemoryMap memory, ulong[] v)
    {
        memory.Bounds = new MemoryBounds(v[0], v[1], v[2], v[3], v[4], v[7], v[8], v[9], v[10]);
        (memory.BrkStart, memory.Brk) = (v[5], v[6]);
    }
}
