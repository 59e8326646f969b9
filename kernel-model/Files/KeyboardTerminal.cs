using System.Runtime.InteropServices;

namespace ArmVdso.Kernel.Files;

/// <summary>The terminal that a person sits at: the line discipline is the guest's, keys come from a keyboard, output goes to the host's
/// standard output.</summary>
internal sealed class KeyboardTerminal : PseudoTerminal
{
    public KeyboardTerminal(Vfs vfs) : base(vfs, 0)
    {
        Locked = false;
        (Rows, Columns) = vfs.Options.Keyboard!.Size;
    }

    public override uint Device => 0x501;

    public override OpenFile OpenSlave(Inode inode, int flags) => new KeyboardTerminalFile(inode, flags, this);

    /// <summary>Keys, another size or the end have come.</summary>
    public void Feed(IKeyboard keyboard)
    {
        (ushort rows, ushort columns) = keyboard.Size;
        if ((rows, columns) != (Rows, Columns))
        {
            (Rows, Columns) = (rows, columns);
            if (ForegroundGroup != 0)
                Vfs.Host?.Jobs.Signal(ForegroundGroup, Signal.SIGWINCH);
        }
        Type(keyboard.Take());
        if (!keyboard.Ended || MasterGone)
            return;
        MasterGone = true;
        if (ForegroundGroup != 0)
            Vfs.Host?.Jobs.Signal(ForegroundGroup, Signal.SIGHUP);
        SlaveSource.Notify(PollBits.Hup);
    }

    public override int Put(ReadOnlySpan<byte> data)
    {
        var shown = new List<byte>(data.Length + 8);
        foreach (byte b in data)
        {
            if (b == '\n' && TranslatesOutput)
                shown.Add((byte)'\r');
            shown.Add(b);
        }
        long written = HostStreamFile.WriteTo(Vfs, CollectionsMarshal.AsSpan(shown), 1);
        return written < 0 ? (int)written : data.Length;
    }
}

/// <summary>An open file on that terminal.</summary>
internal sealed class KeyboardTerminalFile(Inode inode, int flags, KeyboardTerminal terminal) : PseudoTerminalSlave(inode, flags, terminal)
{
    public override string Description => Inode.Fs.Vfs.PathOf(Inode, null);
}
