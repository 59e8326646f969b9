namespace ArmVdso.Kernel.Files;

/// <summary>/dev/pts: one file for each pseudo-terminal.</summary>
internal sealed class PtsDirectory(FileSystem fs) : DirectoryInode(fs, Modes.S_IFDIR | 0x1ED)
{
    private readonly Dictionary<int, DeviceInode> _nodes = [];

    public DeviceInode NodeOf(int number)
    {
        if (!_nodes.TryGetValue(number, out DeviceInode? node))
        {
            node = new DeviceInode(Fs, Modes.S_IFCHR | 0x190, PseudoTerminal.DeviceOf(number))
            {
                Gid = 5,
                Parent = this,
                Name = number.ToString()
            };
            _nodes.Add(number, node);
        }
        return node;
    }

    public override long Lookup(string name, out Inode? child)
    {
        child = null;
        if (name == "ptmx")
            return Fs.Vfs.Find(Fs.Vfs.RootCaller, Fs.Vfs.Root, "/dev/ptmx", true, out child);
        if (!int.TryParse(name, out int number) || name != number.ToString() || !Fs.Vfs.Devices.PseudoTerminals.ContainsKey(number))
            return -Errno.ENOENT;
        child = NodeOf(number);
        return 0;
    }

    public override IReadOnlyList<DirectoryEntry> List() =>
        [.. Fs.Vfs.Devices.PseudoTerminals.Keys.Select(n => new DirectoryEntry(n.ToString(), NodeOf(n).Ino, 2))];
}
