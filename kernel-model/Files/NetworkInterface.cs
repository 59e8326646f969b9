using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>The one network interface, the loopback, as ioctls of sockets show it (net/core/dev_ioctl.c, net/ipv4/devinet.c). It cannot be
/// changed.</summary>
internal static class NetworkInterface
{
    private const uint SIOCGIFNAME = 0x8910, SIOCGIFCONF = 0x8912, SIOCGIFFLAGS = 0x8913, SIOCGIFADDR = 0x8915, SIOCGIFDSTADDR = 0x8917,
        SIOCGIFBRDADDR = 0x8919, SIOCGIFNETMASK = 0x891b, SIOCGIFMETRIC = 0x891d, SIOCGIFMTU = 0x8921, SIOCGIFHWADDR = 0x8927,
        SIOCGIFINDEX = 0x8933, SIOCGIFTXQLEN = 0x8942;

    // IFF_UP | IFF_LOOPBACK | IFF_RUNNING; ARPHRD_LOOPBACK.
    private const short Flags = 0x49, HardwareType = 772;
    private const int RequestSize = 40, NameSize = 16, Mtu = 65536, QueueLength = 1000;

    /// <summary>An ioctl on struct ifreq or ifconf: 0, -ENODEV, -EFAULT, -EPERM, -ENOTTY.</summary>
    internal static long Ioctl(IFileUser user, uint command, ulong argument)
    {
        if (command == SIOCGIFCONF)
            return Configuration(user, argument);
        Span<byte> request = stackalloc byte[RequestSize];
        if (!user.Memory.Read(argument, request))
            return -Errno.EFAULT;
        Span<byte> value = request[NameSize..];
        if (command == SIOCGIFNAME)
        {
            if (BinaryPrimitives.ReadInt32LittleEndian(value) != 1)
                return -Errno.ENODEV;
            request[..NameSize].Clear();
            "lo"u8.CopyTo(request);
            return user.Memory.Write(argument, request) ? 0 : -Errno.EFAULT;
        }
        string name = Encoding.Latin1.GetString(request[..NameSize]).Split('\0')[0];
        if (name.Split(':')[0] != "lo")
            return -Errno.ENODEV;
        switch (command)
        {
            case SIOCGIFFLAGS:
                BinaryPrimitives.WriteInt16LittleEndian(value, Flags);
                break;
            case SIOCGIFADDR or SIOCGIFDSTADDR:
                Address(value, 127, 0, 0, 1);
                break;
            case SIOCGIFBRDADDR:
                Address(value, 0, 0, 0, 0);
                break;
            case SIOCGIFNETMASK:
                Address(value, 255, 0, 0, 0);
                break;
            case SIOCGIFMETRIC:
                BinaryPrimitives.WriteInt32LittleEndian(value, 0);
                break;
            case SIOCGIFMTU:
                BinaryPrimitives.WriteInt32LittleEndian(value, Mtu);
                break;
            case SIOCGIFINDEX:
                BinaryPrimitives.WriteInt32LittleEndian(value, 1);
                break;
            case SIOCGIFTXQLEN:
                BinaryPrimitives.WriteInt32LittleEndian(value, QueueLength);
                break;
            case SIOCGIFHWADDR:
                value[..16].Clear();
                BinaryPrimitives.WriteInt16LittleEndian(value, HardwareType);
                break;
            case >= SIOCGIFFLAGS and < SIOCGIFHWADDR:
                return user.Credentials.Has(Capability.NetAdmin) ? -Errno.EOPNOTSUPP : -Errno.EPERM;
            default:
                return -Errno.ENOTTY;
        }
        return user.Memory.Write(argument, request) ? 0 : -Errno.EFAULT;
    }

    private static void Address(Span<byte> socket, byte a, byte b, byte c, byte d)
    {
        socket[..16].Clear();
        socket[0] = SocketTable.AF_INET;
        (socket[4], socket[5], socket[6], socket[7]) = (a, b, c, d);
    }

    /// <summary>struct ifconf: length 0, buffer 8.</summary>
    private static long Configuration(IFileUser user, ulong argument)
    {
        if (!user.Memory.Read(argument, out int room) || !user.Memory.Read(argument + 8, out ulong buffer))
            return -Errno.EFAULT;
        int length = buffer == 0 || room >= RequestSize ? RequestSize : 0;
        if (buffer != 0 && length != 0)
        {
            Span<byte> request = stackalloc byte[RequestSize];
            request.Clear();
            "lo"u8.CopyTo(request);
            Address(request[NameSize..], 127, 0, 0, 1);
            if (!user.Memory.Write(buffer, request))
                return -Errno.EFAULT;
        }
        return user.Memory.Write(argument, length) ? 0 : -Errno.EFAULT;
    }
}
