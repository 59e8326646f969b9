namespace ArmVdso.Kernel.Files;

/// <summary>Why the owner of a file gets a signal: si_code of SIGIO (POLL_* of include/uapi/asm-generic/siginfo.h).</summary>
internal enum IoEvent
{
    /// <summary>Something to read.</summary>
    In = 1,

    /// <summary>Room to write.</summary>
    Out = 2,

    /// <summary>A lease is broken, a directory changed.</summary>
    Message = 3,

    /// <summary>Urgent data.</summary>
    Urgent = 5,

    /// <summary>The other side is gone.</summary>
    HangUp = 6,
}

/// <summary>Sends the owners of files their signals.</summary>
internal interface IFileOwners
{
    /// <summary>Tells the owner of a file (send_sigio).</summary>
    /// <param name="file">The file; it may have no owner.</param>
    /// <param name="descriptor">The number that the owner is told (si_fd).</param>
    /// <param name="what">What happened.</param>
    void Tell(OpenFile file, int descriptor, IoEvent what);

    /// <summary>SIGURG for the owner of a file, with or without O_ASYNC (send_sigurg).</summary>
    void TellUrgent(OpenFile file);
}

/// <summary>Files with O_ASYNC at one side of an object, whose owners hear by signal of what happens there (struct fasync_struct,
/// fs/fcntl.c).</summary>
internal sealed class AsyncFiles
{
    private readonly List<(OpenFile File, int Descriptor)> _files = [];

    /// <summary>O_ASYNC of a file was set by a descriptor, or cleared.</summary>
    internal void Set(OpenFile file, int descriptor, bool on)
    {
        _files.RemoveAll(f => f.File == file);
        if (on)
            _files.Add((file, descriptor));
    }

    /// <summary>Tells them all (kill_fasync).</summary>
    internal void Tell(IoEvent what)
    {
        if (_files.Count == 0)
            return;
        foreach ((OpenFile file, int descriptor) in _files.ToArray())
            file.Inode.Fs.Vfs.Host?.Owners.Tell(file, descriptor, what);
    }
}
