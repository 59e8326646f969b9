using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>What is refused in directories like /tmp, that anybody may write to and nobody may delete others' files in (fs.protected_*;
/// may_follow_link, may_linkat and may_create_in_sticky in fs/namei.c). At first as Debian's kernel has it.</summary>
internal sealed class FileProtections
{
    /// <summary>1: links there are followed by their owners and for the directory's.</summary>
    internal int Symlinks { get; set; } = 1;

    /// <summary>1: a further name only for files that are one's own, or that one may read and write.</summary>
    internal int HardLinks { get; set; } = 1;

    /// <summary>1: O_CREAT opens no FIFO of others there; 2: nor where a group may write.</summary>
    internal int Fifos { get; set; }

    /// <summary>The same for regular files.</summary>
    internal int Regular { get; set; }

    private const uint Sticky = 0x200, ForAll = 2, ForGroup = 0x10;

    /// <summary>Whether a link that a path ends in is followed: 0, -EACCES.</summary>
    internal long MayFollow(Credentials who, Inode directory, Inode link) =>
        Symlinks == 0 || who.Fsuid == link.Uid || (directory.Mode & (Sticky | ForAll)) != (Sticky | ForAll) || directory.Uid == link.Uid
            ? 0 : -Errno.EACCES;

    /// <summary>Whether a file may get a further name: 0, -EPERM.</summary>
    internal long MayLink(Credentials who, Inode file)
    {
        const uint setuid = 0x800, setgid = 0x400, groupExecutes = 8;
        if (HardLinks == 0 || who.Fsuid == file.Uid || who.HasOver(Capability.Fowner, file.Uid, file.Gid))
            return 0;
        bool safe = file.IsRegular && (file.Mode & setuid) == 0 && (file.Mode & (setgid | groupExecutes)) != (setgid | groupExecutes)
            && Vfs.Permission(file, who, Modes.MAY_READ | Modes.MAY_WRITE) == 0;
        return safe ? 0 : -Errno.EPERM;
    }

    /// <summary>Whether O_CREAT may open a file that is there: 0, -EACCES.</summary>
    internal long MayOpen(Credentials who, Inode directory, Inode file)
    {
        bool fifo = (file.Mode & Modes.S_IFMT) == Modes.S_IFIFO;
        int level = file.IsRegular ? Regular : fifo ? Fifos : 1;
        if ((directory.Mode & Sticky) == 0 || level == 0 || file.Uid == directory.Uid || file.Uid == who.Fsuid)
            return 0;
        if ((directory.Mode & ForAll) != 0)
            return -Errno.EACCES;
        return (directory.Mode & ForGroup) != 0 && level >= 2 ? -Errno.EACCES : 0;
    }
}
