using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Options of sockets (net/core/sock.c, net/ipv4/tcp.c): most are kept without effect.</summary>
internal static class SysSocketOptions
{
    // include/uapi/asm-generic/socket.h; the timeouts have numbers of their own where time_t has 64 bits.
    private const int SOL_SOCKET = 1, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_LINGER = 13, SO_PEERCRED = 17,
        SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_ACCEPTCONN = 30, SO_PEERSEC = 31, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_PEERGROUPS = 59,
        SO_RCVTIMEO_NEW = 66, SO_SNDTIMEO_NEW = 67, SO_PEERPIDFD = 77;

    // include/uapi/linux/in.h, tcp.h and the states of tcp_states.h.
    private const int IPPROTO_TCP = 6, TCP_INFO = 11, TCP_ESTABLISHED = 1, TCP_CLOSE = 7, TCP_LISTEN = 10, TcpInfoSize = 104;

    /// <summary>net.core.wmem_default and rmem_max, and the least that a socket takes (SOCK_MIN_SNDBUF / 2).</summary>
    private const int BufferSize = 212992, LeastBuffer = 1152;

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
        if (level == SOL_SOCKET && name is SO_RCVTIMEO or SO_SNDTIMEO or SO_RCVTIMEO_NEW or SO_SNDTIMEO_NEW)
        {
            if (length < 16)
                return -Errno.EINVAL;
            long seconds = BinaryPrimitives.ReadInt64LittleEndian(value), micro = BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(8));
            if (micro is < 0 or >= 1_000_000)
                return -Errno.EDOM;
            ulong ns = (ulong)Math.Max(0, seconds) * 1_000_000_000 + (ulong)micro * 1000;
            if (name is SO_RCVTIMEO or SO_RCVTIMEO_NEW)
                socket!.ReceiveTimeout = ns;
            else
                socket!.SendTimeout = ns;
        }
        else if (length < 4 && level == SOL_SOCKET)
        {
            return -Errno.EINVAL;
        }
        else if (level == SOL_SOCKET && name is SO_SNDBUF or SO_RCVBUF)
        {
            // The kernel doubles the value for its book-keeping.
            int size = Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(value), LeastBuffer, BufferSize);
            BinaryPrimitives.WriteInt32LittleEndian(value, size * 2);
        }
        else if (level == IPPROTO_TCP && socket!.Protocol != IPPROTO_TCP)
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
                case SO_TYPE:
                    value = BitConverter.GetBytes(socket.Kind);
                    break;
                case SO_ERROR:
                    value = BitConverter.GetBytes(socket.TakeError());
                    break;
                case SO_SNDBUF or SO_RCVBUF:
                    value ??= BitConverter.GetBytes(BufferSize);
                    break;
                case SO_LINGER:
                    value ??= new byte[8];
                    break;
                case SO_PEERCRED:
                    (int pid, uint uid, uint gid) = socket.IsConnected ? socket.PeerCredentials : (0, uint.MaxValue, uint.MaxValue);
                    value = [.. BitConverter.GetBytes(pid), .. BitConverter.GetBytes(uid), .. BitConverter.GetBytes(gid)];
                    break;
                case SO_RCVTIMEO or SO_SNDTIMEO or SO_RCVTIMEO_NEW or SO_SNDTIMEO_NEW:
                    value ??= new byte[16];
                    break;
                case SO_ACCEPTCONN:
                    value = BitConverter.GetBytes(socket.IsListening ? 1 : 0);
                    break;
                case SO_PROTOCOL:
                    value = BitConverter.GetBytes(socket.Protocol);
                    break;
                case SO_DOMAIN:
                    value = BitConverter.GetBytes(socket.Domain);
                    break;
                case SO_PEERSEC or SO_PEERGROUPS or SO_PEERPIDFD:
                    return -Errno.ENOPROTOOPT;
                default:
                    value ??= new byte[4];
                    break;
            }
        }
        else if (level == IPPROTO_TCP && socket.Protocol != IPPROTO_TCP)
        {
            return -Errno.EOPNOTSUPP;
        }
        else if (level == IPPROTO_TCP && name == TCP_INFO)
        {
            value = new byte[TcpInfoSize];
            value[0] = (byte)(socket.IsListening ? TCP_LISTEN : socket.IsConnected ? TCP_ESTABLISHED : TCP_CLOSE);
        }
        value ??= new byte[4];
        int n = Math.Min(room, value.Length);
        return (n == 0 || c.Memory.Write(c.Arg(3), value.AsSpan(0, n))) && c.Memory.Write(c.Arg(4), n) ? 0 : -Errno.EFAULT;
    }
}
