using System.Buffers.Binary;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Namespaces;
using static ArmVdso.Kernel.Syscalls.IpcControl;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>System V semaphores (ipc/sem.c).</summary>
internal static class SysSem
{
    private const int MaxValue = 32767, MaxSemaphores = 32000, MaxOperations = 500;
    private const int GetPid = 11, GetVal = 12, GetAll = 13, GetNcnt = 14, GetZcnt = 15, SetVal = 16, SetAll = 17, SemStat = 18,
        SemInfo = 19, SemStatAny = 20;
    private const int NoWait = 0x800, SemUndo = 0x1000;

    private readonly record struct Operation(ushort Number, short Change, short Flags);

    /// <summary>A sleeping semop: what it waits for.</summary>
    private sealed class Sleeper(SemaphoreSet set)
    {
        internal readonly SemaphoreSet Set = set;
        internal int[]? Counter;
        internal int Index;

        internal void Leave()
        {
            if (Counter is not null)
                Counter[Index]--;
            Counter = null;
        }
    }

    /// <summary>semget(key, count, flags).</summary>
    public static long Get(SyscallContext c)
    {
        int count = c.Int(1);
        if (count is < 0 or > MaxSemaphores)
            return -Errno.EINVAL;
        return c.Ipc.Semaphores.Get(
            c.Task.Credentials, c.Timekeeper.RealtimeNs, c.Int(0), c.Int(2), s => count > s.Values.Length ? -Errno.EINVAL : 0,
            now => count == 0 || !c.Pages.TryCharge(count * SemaphoreSet.SemaphoreCost) ? null : new SemaphoreSet
            {
                Values = new ushort[count],
                LastPids = new int[count],
                WaitForMore = new int[count],
                WaitForZero = new int[count],
                ChangeTime = now,
                CreatorUid = c.Task.Credentials.Euid,
                CreatorGid = c.Task.Credentials.Egid,
            }, refusal: count == 0 ? Errno.EINVAL : Errno.ENOMEM);
    }

    /// <summary>semop(id, ops, count).</summary>
    public static long Op(SyscallContext c) => Operate(c, 0);

    /// <summary>semtimedop(id, ops, count, timeout).</summary>
    public static long TimedOp(SyscallContext c) => Operate(c, c.Arg(3));

    private static long Operate(SyscallContext c, ulong timeoutAddress)
    {
        uint count = c.UInt(2);
        if (count < 1 || c.Int(0) < 0)
            return -Errno.EINVAL;
        if (count > MaxOperations)
            return -Errno.E2BIG;
        var operations = new Operation[count];
        Span<byte> raw = stackalloc byte[6];
        for (int i = 0; i < operations.Length; i++)
        {
            if (!c.Memory.Read(c.Arg(1) + (ulong)i * 6, raw))
                return -Errno.EFAULT;
            operations[i] = new Operation(
                BinaryPrimitives.ReadUInt16LittleEndian(raw), BinaryPrimitives.ReadInt16LittleEndian(raw[2..]),
                BinaryPrimitives.ReadInt16LittleEndian(raw[4..]));
        }
        if (c.Attempt == 0 && timeoutAddress != 0)
        {
            long result = UserTime.ReadTimespec(c.Memory, timeoutAddress, out ulong timeout);
            if (result < 0)
                return result;
            c.Deadline = UserTime.Add(c.Timekeeper.NowNs, timeout);
        }
        var sleeper = c.State as Sleeper;
        sleeper?.Leave();
        SemaphoreSet? set = sleeper?.Set ?? c.Ipc.Semaphores.Find(c.Int(0));
        if (set is null)
            return -Errno.EINVAL;
        if (set.Removed)
            return -Errno.EIDRM;
        bool alters = false;
        foreach (Operation operation in operations)
        {
            if (operation.Number >= set.Values.Length)
                return -Errno.EFBIG;
            alters |= operation.Change != 0;
        }
        if (!set.Allows(c.Task.Credentials, alters ? 2u : 4u))
            return -Errno.EACCES;
        return Try(c, set, operations);
    }

    /// <summary>perform_atomic_semop: all or nothing.</summary>
    private static long Try(SyscallContext c, SemaphoreSet set, Operation[] operations)
    {
        var values = new Dictionary<int, int>();
        foreach (Operation operation in operations)
        {
            int value = values.GetValueOrDefault(operation.Number, set.Values[operation.Number]);
            bool blocked = operation.Change == 0 ? value != 0 : value + operation.Change < 0;
            if (blocked)
            {
                if ((operation.Flags & NoWait) != 0)
                    return -Errno.EAGAIN;
                if (c.TimedOut || c.Deadline <= c.Timekeeper.NowNs)
                    return -Errno.EAGAIN;
                var sleeper = c.State as Sleeper ?? new Sleeper(set);
                c.State = sleeper;
                sleeper.Counter = operation.Change == 0 ? set.WaitForZero : set.WaitForMore;
                sleeper.Index = operation.Number;
                sleeper.Counter[sleeper.Index]++;
                long result = c.Wait(set.Queue, c.Deadline, Errno.EINTR);
                if (result != SyscallContext.Blocked)
                    sleeper.Leave();
                return result;
            }
            if (value + operation.Change > MaxValue)
                return -Errno.ERANGE;
            values[operation.Number] = value + operation.Change;
        }
        bool changed = false;
        foreach (Operation operation in operations)
        {
            set.LastPids[operation.Number] = c.Task.Group.Pid;
            changed |= operation.Change != 0;
            if ((operation.Flags & SemUndo) == 0 || operation.Change == 0)
                continue;
            if (!set.Undo.TryGetValue(c.Task.Group.Pid, out int[]? undo))
                set.Undo.Add(c.Task.Group.Pid, undo = new int[set.Values.Length]);
            undo[operation.Number] -= operation.Change;
        }
        foreach ((int number, int value) in values)
            set.Values[number] = (ushort)value;
        set.OperationTime = Now(c);
        if (changed)
            set.Queue.WakeAll();
        return 0;
    }

    /// <summary>semctl(id, number, cmd, arg).</summary>
    public static long Control(SyscallContext c)
    {
        int number = c.Int(1), command = c.Int(2) & ~0x100;
        ulong argument = c.Arg(3);
        IpcTable<SemaphoreSet> table = c.Ipc.Semaphores;
        if (command is IpcInfo or SemInfo)
        {
            Span<int> info =
                [MaxSemaphores, 32000, 1024000000, 1024000000, MaxSemaphores, MaxOperations, MaxOperations, 0, MaxValue, MaxValue];
            if (command == SemInfo)
            {
                info[7] = table.Count;
                info[9] = table.All.Sum(s => s.Values.Length);
            }
            return c.Memory.Write(argument, System.Runtime.InteropServices.MemoryMarshal.AsBytes(info))
                ? table.HighestIndex : -Errno.EFAULT;
        }
        SemaphoreSet? set = command is SemStat or SemStatAny ? table.At(c.Int(0)) : table.Find(c.Int(0));
        if (set is null)
            return -Errno.EINVAL;
        Credentials who = c.Task.Credentials;
        switch (command)
        {
            case IpcRmid:
            case IpcSet:
                if (!set.Owns(who))
                    return -Errno.EPERM;
                if (command == IpcSet)
                    return set.SetFrom(c.Memory, argument, Now(c)) ? 0 : -Errno.EFAULT;
                table.Remove(set);
                c.Pages.Charge(-set.Cost);
                return 0;
            case IpcStat:
            case SemStat:
            case SemStatAny:
                Span<byte> b = stackalloc byte[88];
                b.Clear();
                BinaryPrimitives.WriteInt64LittleEndian(b[48..], set.OperationTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[56..], set.ChangeTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[64..], set.Values.Length);
                return Stat(c, set, argument, b, command, command == SemStatAny);
            case GetAll:
                if (!set.Allows(who, 4))
                    return -Errno.EACCES;
                return c.Memory.Write(argument, System.Runtime.InteropServices.MemoryMarshal.AsBytes(set.Values.AsSpan()))
                    ? 0 : -Errno.EFAULT;
            case SetAll:
                return SetAllValues(c, set, argument);
            case GetVal:
            case GetPid:
            case GetNcnt:
            case GetZcnt:
            case SetVal:
                break;
            default:
                return -Errno.EINVAL;
        }
        if ((uint)number >= (uint)set.Values.Length)
            return -Errno.EINVAL;
        if (!set.Allows(who, command == SetVal ? 2u : 4u))
            return -Errno.EACCES;
        switch (command)
        {
            case GetVal:
                return set.Values[number];
            case GetPid:
                return set.LastPids[number];
            case GetNcnt:
                return set.WaitForMore[number];
            case GetZcnt:
                return set.WaitForZero[number];
            default:
                int value = (int)argument;
                if (value is < 0 or > MaxValue)
                    return -Errno.ERANGE;
                Store(c, set, number, (ushort)value);
                set.Queue.WakeAll();
                return 0;
        }
    }

    private static void Store(SyscallContext c, SemaphoreSet set, int number, ushort value)
    {
        set.Values[number] = value;
        set.LastPids[number] = c.Task.Group.Pid;
        set.ChangeTime = Now(c);
        foreach (int[] undo in set.Undo.Values)
            undo[number] = 0;
    }

    private static long SetAllValues(SyscallContext c, SemaphoreSet set, ulong address)
    {
        if (!set.Allows(c.Task.Credentials, 2))
            return -Errno.EACCES;
        var values = new ushort[set.Values.Length];
        if (!c.Memory.Read(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())))
            return -Errno.EFAULT;
        if (Array.Exists(values, v => v > MaxValue))
            return -Errno.ERANGE;
        for (int i = 0; i < values.Length; i++)
            Store(c, set, i, values[i]);
        set.Queue.WakeAll();
        return 0;
    }
}
