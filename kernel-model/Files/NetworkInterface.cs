using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>The one network interface, the loopback, as ioctls of sockets show it (net/core/dev_ioctl.c, net/ipv4/devinet.c). It can be set
/// up and down.</summary>
internal static class NetworkInterface
{
    private const uint SIOCGIFNAME = 0x8910, SIOCGIFCONF = 0x8912, SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914, SIOCGIFADDR = 0x8915,
        SIOCGIFDSTADDR = 0x8917,
        SIOCGIFBRDADDR = 0x8919, SIOCGIFNETMASK = 0x891b, SIOCGIFMETRIC = 0x891d, SIOCGIFMTU = 0x8921, SIOCSIFMTU = 0x8922,
        SIOCGIFHWADDR = 0x8927, SIOCGIFINDEX = 0x8933, SIOCGIFTXQLEN = 0x8942;

    // ARPHRD_LOOPBACK.
    private const short HardwareType = 772;
    private const int RequestSize = 40, NameSize = 16;

    /// <summary>IFF_LOOPBACK; where it is up IFF_UP, IFF_RUNNING and IFF_LOWER_UP, too.</summary>
    internal static uint FlagsOf(NetworkNamespace network) => network.IsUp ? 0x10049u : 8;

    /// <summary>An ioctl on struct ifreq or ifconf: 0, -ENODEV, -EFAULT, -EPERM, -ENOTTY.</summary>
    internal static long Ioctl(NetworkNamespace network, IFileUser user, uint command, ulong argument)
    {
        if (command == SIOCGIFCONF)
            return Configuration(network, user, argument);
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
                BinaryPrimitives.WriteInt16LittleEndian(value, (short)FlagsOf(network));
                break;
            case SIOCGIFADDR or SIOCGIFDSTADDR or SIOCGIFBRDADDR or SIOCGIFNETMASK:
                if (First(network) is not var (address, prefix))
                    return -Errno.EADDRNOTAVAIL;
                Address(value, command switch
                {
                    SIOCGIFBRDADDR => IPAddress.Any,
                    SIOCGIFNETMASK => NetworkNamespace.Network(IPAddress.Broadcast, prefix),
                    _ => address,
                });
                break;
            case SIOCGIFMETRIC:
                BinaryPrimitives.WriteInt32LittleEndian(value, 0);
                break;
            case SIOCGIFMTU:
                BinaryPrimitives.WriteUInt32LittleEndian(value, network.Mtu);
                break;
            case SIOCGIFINDEX:
                BinaryPrimitives.WriteInt32LittleEndian(value, 1);
                break;
            case SIOCGIFTXQLEN:
                BinaryPrimitives.WriteUInt32LittleEndian(value, network.QueueLength);
                break;
            case SIOCGIFHWADDR:
                value[..16].Clear();
                BinaryPrimitives.WriteInt16LittleEndian(value, HardwareType);
                break;
            case >= SIOCGIFFLAGS and < SIOCGIFHWADDR when !network.IsAdministeredBy(user.Credentials):
                return -Errno.EPERM;
            case SIOCSIFFLAGS:
                network.SetUp((value[0] & 1) != 0);
                return 0;
            case SIOCSIFMTU:
                if (BinaryPrimitives.ReadInt32LittleEndian(value) < 0)
                    return -Errno.EINVAL;
                network.SetMtu(BinaryPrimitives.ReadUInt32LittleEndian(value));
                return 0;
            case >= SIOCGIFFLAGS and < SIOCGIFHWADDR:
                return -Errno.EOPNOTSUPP;
            default:
                return -Errno.ENOTTY;
        }
        return user.Memory.Write(argument, request) ? 0 : -Errno.EFAULT;
    }

    private static void Address(Span<byte> socket, IPAddress address)
    {
        socket[..16].Clear();
        socket[0] = SocketTable.AF_INET;
        address.TryWriteBytes(socket[4..8], out _);
    }

    /// <summary>The first address of IPv4; null: none.</summary>
    private static (IPAddress Address, int Prefix)? First(NetworkNamespace network) => network.Addresses
        .Where(a => a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
        .Select(a => ((IPAddress, int)?)a).FirstOrDefault();

    /// <summary>struct ifconf: length 0, buffer 8.</summary>
    private static long Configuration(NetworkNamespace network, IFileUser user, ulong argument)
    {
        if (!user.Memory.Read(argument, out int room) || !user.Memory.Read(argument + 8, out ulong buffer))
            return -Errno.EFAULT;
        int length = First(network) is not null && (buffer == 0 || room >= RequestSize) ? RequestSize : 0;
        if (buffer != 0 && length != 0)
        {
            Span<byte> request = stackalloc byte[RequestSize];
            request.Clear();
            "lo"u8.CopyTo(request);
            Address(request[NameSize..], First(network)!.Value.Address);
            if (!user.Memory.Write(buffer, request))
                return -Errno.EFAULT;
        }
        return user.Memory.Write(argument, length) ? 0 : -Errno.EFAULT;
    }
}
