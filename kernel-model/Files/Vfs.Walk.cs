using System.Text;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>On whose behalf a path is looked up.</summary>
public readonly record struct Caller(Credentials Credentials, FsContext Fs);

/// <summary>How the last component of a path reads.</summary>
public enum LastComponent
{
    /// <summary>A name.</summary>
    Name,

    /// <summary>The path is the root, or ends in a link of /proc.</summary>
    Root,

    /// <summary>The path ends in ".".</summary>
    Dot,

    /// <summary>The path ends in "..".</summary>
    DotDot,
}

/// <summary>Where a path led.</summary>
public struct WalkResult
{
    /// <summary>The file; null when only the last name is missing.</summary>
    public Inode? Inode;

    /// <summary>Directory of the last name; null when the path does not end in a name.</summary>
    public Inode? Directory;

    /// <summary>The last name.</summary>
    public string Name;

    /// <summary>Whether the path ends in a slash.</summary>
    public bool TrailingSlash;

    /// <summary>What the path ends in.</summary>
    public LastComponent Last;
}

/// <summary>Restrictions of openat2 (include/uapi/linux/openat2.h).</summary>
[Flags]
public enum ResolveFlags : ulong
{
#pragma warning disable CS1591
    None = 0,
    NoXdev = 1,
    NoMagicLinks = 2,
    NoSymlinks = 4,
    Beneath = 8,
    InRoot = 0x10,
    Cached = 0x20,
#pragma warning restore CS1591
}

public sealed partial class Vfs
{
    private const int MaxLinks = 40;
    private const int MaxName = 255;

    /// <summary>Resolves a path as Linux does (fs/namei.c): 0, or the error of the first component that fails. A missing last name
    /// is no error here: <see cref="WalkResult.Inode"/> is null then.</summary>
    /// <param name="caller">Identity, root directory.</param>
    /// <param name="start">Where a relative path starts.</param>
    /// <param name="path">The path, one char a byte.</param>
    /// <param name="follow">Whether a link in the last place is followed (one before a slash always is).</param>
    /// <param name="result">Where it led.</param>
    /// <param name="resolve">Restrictions of openat2.</param>
    public long Walk(in Caller caller, Inode start, string path, bool follow, out WalkResult result, ResolveFlags resolve = 0)
    {
        result = new WalkResult { Name = "" };
        if (path.Length == 0)
            return -Errno.ENOENT;
        bool scoped = (resolve & (ResolveFlags.InRoot | ResolveFlags.Beneath)) != 0;
        Inode root = scoped ? start : caller.Fs.Root;
        Inode at = start;
        if (path[0] == '/')
        {
            if ((resolve & ResolveFlags.Beneath) != 0)
                return -Errno.EXDEV;
            at = root;
        }
        string rest = path;
        int position = 0;
        int links = 0;
        LastComponent last = LastComponent.Root;
        while (true)
        {
            while (position < rest.Length && rest[position] == '/')
                position++;
            if (position == rest.Length)
            {
                result.Inode = at;
                result.Last = last;
                return 0;
            }
            int end = rest.IndexOf('/', position);
            if (end < 0)
                end = rest.Length;
            string name = rest[position..end];
            int next = end;
            while (next < rest.Length && rest[next] == '/')
                next++;
            bool final = next == rest.Length;
            bool slash = final && next > end;
            position = next;
            if (!at.IsDirectory)
                return -Errno.ENOTDIR;
            if (Permission(at, caller.Credentials, Modes.MAY_EXEC) is < 0 and long denied)
                return denied;
            if (name == ".")
            {
                last = LastComponent.Dot;
                continue;
            }
            if (name == "..")
            {
                last = LastComponent.DotDot;
                if (at == root)
                {
                    if ((resolve & ResolveFlags.Beneath) != 0)
                        return -Errno.EXDEV;
                }
                else
                {
                    at = TopOf(at.Parent ?? at);
                }
                continue;
            }
            if (name.Length > MaxName)
                return -Errno.ENAMETOOLONG;
            long error = at.Lookup(name, out Inode? child);
            if (error == -Errno.ENOENT && final)
            {
                result.Directory = at;
                result.Name = name;
                result.TrailingSlash = slash;
                return 0;
            }
            if (error < 0)
                return error;
            child = TopOf(child!);
            if ((resolve & ResolveFlags.NoXdev) != 0 && child.Fs != at.Fs)
                return -Errno.EXDEV;
            if (child.IsSymlink && (!final || follow || slash))
            {
                if (++links > MaxLinks || (resolve & ResolveFlags.NoSymlinks) != 0 || child.Fs.Has(MountFlags.MS_NOSYMFOLLOW))
                    return -Errno.ELOOP;
                if (final && Protections.MayFollow(caller.Credentials, at, child) is < 0 and long refused)
                    return refused;
                if (child.IsMagicLink)
                {
                    if ((resolve & ResolveFlags.NoMagicLinks) != 0)
                        return -Errno.ELOOP;
                    if (scoped)
                        return -Errno.EXDEV;
                    if (child.MagicTarget is not { } magic)
                        return -Errno.ENOENT;
                    at = magic;
                    last = LastComponent.Root;
                    if (slash && !at.IsDirectory)
                        return -Errno.ENOTDIR;
                    continue;
                }
                error = child.ReadLink(out string target);
                if (error < 0)
                    return error;
                if (target.Length == 0)
                    return -Errno.ENOENT;
                rest = final ? (slash ? target + "/" : target) : string.Concat(target, "/", rest.AsSpan(next));
                position = 0;
                last = LastComponent.Root;
                if (target[0] == '/')
                {
                    if ((resolve & ResolveFlags.Beneath) != 0)
                        return -Errno.EXDEV;
                    at = root;
                }
                continue;
            }
            if (final)
            {
                if (slash && !child.IsDirectory)
                    return -Errno.ENOTDIR;
                result.Inode = child;
                result.Directory = at;
                result.Name = name;
                result.TrailingSlash = slash;
                return 0;
            }
            at = child;
        }
    }

    /// <summary>What is on top of what is mounted at a place.</summary>
    internal static Inode TopOf(Inode inode)
    {
        while (inode.MountedHere is { } mounted)
            inode = mounted;
        return inode;
    }

    /// <summary>Resolves a path to a file that exists: 0, -ENOENT or what <see cref="Walk"/> says.</summary>
    public long Find(in Caller caller, Inode start, string path, bool follow, out Inode? inode)
    {
        long error = Walk(caller, start, path, follow, out WalkResult result);
        inode = result.Inode;
        if (inode is not null)
            KeepMount(inode.Fs);
        return error < 0 ? error : inode == null ? -Errno.ENOENT : 0;
    }

    /// <summary>Discretionary access check with the file system identity and its capabilities (generic_permission, fs/namei.c): 0, -EACCES
    /// or -EROFS.</summary>
    public static long Permission(Inode inode, Credentials who, uint want)
    {
        if ((want & Modes.MAY_WRITE) != 0 && inode.Fs.ReadOnly && inode.Type is Modes.S_IFREG or Modes.S_IFDIR or Modes.S_IFLNK)
            return -Errno.EROFS;
        if ((want & Modes.MAY_WRITE) != 0 && inode.IsImmutable)
            return -Errno.EPERM;
        uint bits = inode.AccessBits(who);
        if (inode.Uid == who.Fsuid)
            bits >>= 6;
        else if (who.InGroup(inode.Gid))
            bits >>= 3;
        want &= 7;
        if ((bits & want) == want)
            return 0;
        if (((want & Modes.MAY_WRITE) == 0 && (inode.IsDirectory || want == Modes.MAY_READ) && Has(who, Capability.DacReadSearch, inode))
            || (((want & Modes.MAY_EXEC) == 0 || inode.IsDirectory || (inode.Mode & 0x49) != 0) && Has(who, Capability.DacOverride, inode)))
            return 0;
        return -Errno.EACCES;
    }

    private static bool Has(Credentials who, int capability, Inode inode) => who.HasOver(capability, inode.Uid, inode.Gid);

    /// <summary>Whether an identity may change a file's mode or times as its owner.</summary>
    public static bool IsOwner(Inode inode, Credentials who) => who.Fsuid == inode.Uid || Has(who, Capability.Fowner, inode);

    /// <summary>Mode of a new file: without S_ISGID where it would give the directory's group to one who is not in it
    /// (mode_strip_sgid, before the umask is applied).</summary>
    private static uint StripSetgid(Inode directory, uint mode, Credentials who) =>
        (mode & Modes.S_IFMT) != Modes.S_IFDIR && (mode & (Modes.S_ISGID | Modes.S_IXGRP)) == (Modes.S_ISGID | Modes.S_IXGRP)
            && (directory.Mode & Modes.S_ISGID) != 0 && !who.InGroup(directory.Gid) && !Has(who, Capability.Fsetid, directory)
            ? mode & ~Modes.S_ISGID : mode;

    private static long MayCreate(Inode directory, Credentials who) => directory.Nlink == 0
        ? -Errno.ENOENT
        : Permission(directory, who, Modes.MAY_WRITE | Modes.MAY_EXEC);

    private static long MayDelete(Inode directory, Inode node, Credentials who)
    {
        if (Permission(directory, who, Modes.MAY_WRITE | Modes.MAY_EXEC) is < 0 and long error)
            return error;
        if (directory.IsAppendOnly || node.IsAppendOnly || node.IsImmutable)
            return -Errno.EPERM;
        if ((directory.Mode & Modes.S_ISVTX) != 0 && who.Fsuid != directory.Uid && who.Fsuid != node.Uid
            && !Has(who, Capability.Fowner, node))
            return -Errno.EPERM;
        return 0;
    }

    /// <summary>Absolute path of a file as seen from <paramref name="root"/> (null: the root of all).</summary>
    public string PathOf(Inode inode, Inode? root)
    {
        var names = new List<string>();
        for (Inode at = inode; at != (root ?? Root); at = at.Parent)
        {
            // The root of another mount namespace has no name either.
            if (at is { Parent: null, IsDirectory: true, Name: "" })
                return root is null ? Join(names) : "(unreachable)" + Join(names);
            if (at.Parent == null)
                return "/" + at.Name;
            names.Add(at.Name);
        }
        return Join(names);
    }

    private static string Join(List<string> names)
    {
        if (names.Count == 0)
            return "/";
        var path = new StringBuilder();
        for (int n = names.Count - 1; n >= 0; n--)
            path.Append('/').Append(names[n]);
        return path.ToString();
    }
}
