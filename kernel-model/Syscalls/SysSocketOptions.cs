using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Options of sockets (net/core/sock.c, net/ipv4/tcp.c): most are kept without effect.</summary>
internal static class SysSocketOptions
{
    private const int SOL_SOCKET = 1;

    public static long Setsockopt(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        int level = c.Int(1), name = c.Int(2), length = c.Int(4);
        if (length is < 0 or > 1024)
            return -Errno.EINVAL;
        byte[] value = new byte[length];
        if (length > 0 && !c.Memory.Read(c.Arg(3), value))
            return -Errno.EFAULT;
        if (level == SOL_SOCKET && name is 20 or 21 or 66 or 67)
        {
            if (length < 16)
                return -Errno.EINVAL;
            long seconds = BinaryPrimitives.ReadInt64LittleEndian(value), micro = BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(8));
            if (micro is < 0 or >= 1_000_000)
                return -Errno.EDOM;
            ulong ns = (ulong)Math.Max(0, seconds) * 1_000_000_000 + (ulong)micro * 1000;
            if (name is 20 or 66)
                socket!.ReceiveTimeout = ns;
            else
                socket!.SendTimeout = ns;
        }
        else if (length < 4 && level == SOL_SOCKET)
        {
            return -Errno.EINVAL;
        }
        else if (level == SOL_SOCKET && name is 7 or 8)
        {
            // The kernel doubles the value for its book-keeping.
            BinaryPrimitives.WriteInt32LittleEndian(value, Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(value), 1152, 212992) * 2);
        }
        else if (level == 6 && socket!.Protocol != 6)
        {
            return -Errno.ENOPROTOOPT;
        }
        socket!.SetOption(level, name, value);
        return 0;
    }

    public static long Getsockopt(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        if (!c.Memory.Read(c.Arg(4), out int room))
            return -Errno.EFAULT;
        if (room < 0)
            return -Errno.EINVAL;
        int level = c.Int(1), name = c.Int(2);
        byte[]? value = socket!.GetOption(level, name);
        if (level == SOL_SOCKET)
        {
            switch (name)
            {
                case 3:
                    value = BitConverter.GetBytes(socket.Kind);
                    break;
                case 4:
                    value = BitConverter.GetBytes(socket.TakeError());
                    break;
                case 7 or 8:
                    value ??= BitConverter.GetBytes(212992);
                    break;
                case 13:
                    value ??= new byte[8];
                    break;
                case 17:
                    (int pid, uint uid, uint gid) = socket.IsConnected ? socket.PeerCredentials : (0, uint.MaxValue, uint.MaxValue);
                    value = [.. BitConverter.GetBytes(pid), .. BitConverter.GetBytes(uid), .. BitConverter.GetBytes(gid)];
                    break;
                case 20 or 21 or 66 or 67:
                    value ??= new byte[16];
                    break;
                case 30:
                    value = BitConverter.GetBytes(socket.IsListening ? 1 : 0);
                    break;
                case 38:
                    value = BitConverter.GetBytes(socket.Protocol);
                    break;
                case 39:
                    value = BitConverter.GetBytes(socket.Domain);
                    break;
                case 31 or 59 or 77:
                    return -Errno.ENOPROTOOPT;
                default:
                    value ??= new byte[4];
                    break;
            }
        }
        else if (level == 6 && socket.Protocol != 6)
        {
            return -Errno.EOPNOTSUPP;
        }
        else if (level == 6 && name == 11)
        {
            value = new byte[104];
            value[0] = (byte)(socket.IsListening ? 10 : socket.IsConnected ? 1 : 7);
        }
        value ??= new byte[4];
        int n = Math.Min(room, value.Length);
        return (n == 0 || c.Memory.Write(c.Arg(3), value.AsSpan(0, n))) && c.Memory.Write(c.Arg(4), n) ? 0 : -Errno.EFAULT;
    }
}
