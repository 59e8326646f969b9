using System.Collections;

namespace ArmVdso.Kernel.Files;

/// <summary>The multicast groups that a netlink socket is in; group 1 is the lowest bit of the mask that bind takes.</summary>
internal sealed class NetlinkGroups(int count)
{
    private readonly BitArray _groups = new(count + 1);

    /// <summary>Whether it is in any.</summary>
    internal bool Any => _groups.HasAnySet();

    internal bool Has(int group) => group > 0 && group <= count && _groups[group];

    /// <summary>NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP: 0 or -EINVAL.</summary>
    internal long Set(int group, bool member)
    {
        if (group <= 0 || group > count)
            return -Errno.EINVAL;
        _groups[group] = member;
        return 0;
    }

    /// <summary>nl_groups of struct sockaddr_nl: the first 32.</summary>
    internal uint Mask
    {
        get
        {
            uint mask = 0;
            for (int group = 1; group <= Math.Min(count, 32); group++)
                mask |= _groups[group] ? 1u << (group - 1) : 0;
            return mask;
        }
        set
        {
            for (int group = 1; group <= Math.Min(count, 32); group++)
                _groups[group] = (value >> (group - 1) & 1) != 0;
        }
    }

    /// <summary>All of them, 32 a word (NETLINK_LIST_MEMBERSHIPS).</summary>
    internal byte[] ToArray()
    {
        byte[] words = new byte[(count + 31) / 32 * 4];
        for (int group = 1; group <= count; group++)
            words[(group - 1) / 8] |= (byte)(_groups[group] ? 1 << ((group - 1) % 8) : 0);
        return words;
    }
}
