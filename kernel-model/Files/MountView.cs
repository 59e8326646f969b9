using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A file as a bind mount shows it: the same file at a second place, which has its own parent, name, flags and mount points
/// (MS_BIND, open_tree with OPEN_TREE_CLONE). What is below a directory is shown in the same way.</summary>
internal sealed class MountView : Inode
{
    private readonly Dictionary<Inode, MountView> _below = [];

    /// <summary>Shows a file in a mount.</summary>
    /// <param name="fs">The mount: device and type of the file's, flags of its own.</param>
    /// <param name="real">The file.</param>
    public MountView(FileSystem fs, Inode real) : base(fs, real.Mode)
    {
        Real = real;
        Ino = real.Ino;
    }

    /// <summary>A mount of its own for what is shown of a file system.</summary>
    public static MountView Of(Inode source)
    {
        Inode real = source.Real;
        var fs = new FileSystem(real.Fs.Vfs, real.Fs.Type, real.Fs.Device, real.Fs.Magic) { Shows = real.Fs };
        fs.SetFlags(source.Fs.Flags);
        return new MountView(fs, real);
    }

    public override Inode Real { get; }

    public override uint Mode
    {
        get => Real?.Mode ?? base.Mode;
        set
        {
            if (Real != null)
                Real.Mode = value;
            else
                base.Mode = value;
        }
    }

    internal override uint AccessBits(Credentials who) => Real.AccessBits(who);

    public override uint Uid { get => Real.Uid; set => Real.Uid = value; }

    public override uint Gid { get => Real.Gid; set => Real.Gid = value; }

    public override uint Nlink
    {
        get => Real.Nlink;
        set
        {
            // The constructor of Inode sets it before there is a file.
            if (Real != null)
                Real.Nlink = value;
        }
    }

    public override uint Rdev { get => Real.Rdev; set => Real.Rdev = value; }

    public override long Atime { get => Real.Atime; set => SetTime(value, static (i, v) => i.Atime = v); }

    public override long Mtime { get => Real.Mtime; set => SetTime(value, static (i, v) => i.Mtime = v); }

    public override long Ctime { get => Real.Ctime; set => SetTime(value, static (i, v) => i.Ctime = v); }

    private void SetTime(long value, Action<Inode, long> set)
    {
        if (Real != null)
            set(Real, value);
    }

    internal override uint Flags { get => Real.Flags; set => Real.Flags = value; }

    internal override bool HasFlags => Real.HasFlags;

    internal override SortedDictionary<string, byte[]>? Xattrs => Real.Xattrs;

    internal override long SetXattrs(SortedDictionary<string, byte[]>? attributes) => Real.SetXattrs(attributes);

    internal override long CreateUnnamed(uint permissions, Credentials owner, out Inode? node) =>
        Real.CreateUnnamed(permissions, owner, out node);

    internal override List<FileWatch>? Watches { get => Real.Watches; set => Real.Watches = value; }

    public override long Size => Real.Size;

    public override long Blocks => Real.Blocks;

    public override Inode? MagicTarget => Real.MagicTarget;

    public override bool IsMagicLink => Real.IsMagicLink;

    public override bool CanMap => Real.CanMap;

    public override long Lookup(string name, out Inode? child)
    {
        long error = Real.Lookup(name, out child);
        if (error == 0)
            child = Show(child!, name);
        return error;
    }

    private Inode Show(Inode real, string name)
    {
        // A socket or queue is found by what it is; only directories and what a mount's flags matter for need a place here.
        if (!_below.TryGetValue(real, out MountView? view))
            _below[real] = view = new MountView(Fs, real);
        (view.Parent, view.Name) = (this, name);
        return view;
    }

    public override IReadOnlyList<DirectoryEntry> List() => Real.List();

    public override long ReadLink(out string target) => Real.ReadLink(out target);

    public override long Create(string name, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        long error = Real.Create(name, mode, owner, rdev, target, out node);
        if (error == 0)
            node = Show(node!, name);
        return error;
    }

    public override long Link(string name, Inode node) => Real.Link(name, node.Real);

    public override long Remove(string name, Inode node)
    {
        _below.Remove(node.Real);
        return Real.Remove(name, node.Real);
    }

    public override long Rename(string name, Inode node, Inode newDirectory, string newName, Inode? replaced, bool exchange) =>
        Real.Rename(name, node.Real, newDirectory.Real, newName, replaced?.Real, exchange);

    public override long Truncate(long size) => Real.Truncate(size);

    public override long AttributesChanged(AttributeChange what) => Real.AttributesChanged(what);

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        if (Real is DeviceInode device)
            return device.OpenAt(this, flags, task, out file);
        if (!IsDirectory)
            return Real.Open(flags, task, out file);
        file = new DirectoryFile(this, flags);
        return 0;
    }

    public override bool ReadPage(ulong offset, Span<byte> page) => Real.ReadPage(offset, page);

    public override ulong CachedPagePa(ulong offset) => Real.CachedPagePa(offset);

    public override bool HasAsPage(ulong offset, ulong pa) => Real.HasAsPage(offset, pa);

    public override ulong SharedPagePa(ulong offset) => Real.SharedPagePa(offset);
}
