namespace ArmVdso.Kernel.Files;

/// <summary>The host's terminal. The host does the echo and the editing of lines.</summary>
internal sealed class HostTerminal : Terminal
{
    public HostTerminal(Vfs vfs) : base(vfs) => (Rows, Columns) = vfs.Options.TerminalSize;

    public override OpenFile OpenSlave(Inode inode, int flags) => new HostTerminalFile(inode, flags, this);

    protected override void FlushInput()
    {
    }
}

/// <summary>An open file on the host's terminal.</summary>
internal sealed class HostTerminalFile(Inode inode, int flags, HostTerminal terminal) : OpenFile(inode, flags)
{
    public override long Read(Span<byte> buffer, long position)
    {
        try
        {
            return buffer.Length == 0 ? 0 : Inode.Fs.Vfs.Host?.In.Read(buffer) ?? 0;
        }
        catch (IOException e)
        {
            return -HostStreamFile.ErrnoOf(e, Errno.EIO);
        }
    }

    public override long Write(ReadOnlySpan<byte> data, long position) => HostStreamFile.WriteTo(Inode.Fs.Vfs, data, 1);

    public override long Ioctl(IFileUser user, uint command, ulong argument) => terminal.Ioctl(user, command, argument);
}
