namespace ArmVdso.Kernel.Files;

/// <summary>Open files of a process by number (struct files_struct), shared by tasks with CLONE_FILES.</summary>
public sealed class FileTable
{
    private OpenFile?[] _files = new OpenFile?[64];
    private bool[] _closeOnExec = new bool[64];
    private readonly DescriptorBudget? _budget;
    private int _lowestFree;
    private int _users = 1;

    /// <summary>An empty table.</summary>
    /// <param name="budget">What descriptors are counted against; null: nothing.</param>
    public FileTable(DescriptorBudget? budget = null) => _budget = budget;

    /// <summary>Highest number in use plus one.</summary>
    public int Bound { get; private set; }

    /// <summary>The file of a number, or null.</summary>
    public OpenFile? this[int fd] => (uint)fd < (uint)Bound ? _files[fd] : null;

    /// <summary>The number's close-on-exec flag.</summary>
    public bool GetCloseOnExec(int fd) => (uint)fd < (uint)Bound && _closeOnExec[fd];

    /// <summary>Sets the number's close-on-exec flag.</summary>
    public void SetCloseOnExec(int fd, bool value)
    {
        if ((uint)fd < (uint)Bound)
            _closeOnExec[fd] = value;
    }

    /// <summary>Numbers in use, ascending.</summary>
    public IEnumerable<int> Numbers
    {
        get
        {
            for (int fd = 0; fd < Bound; fd++)
            {
                if (_files[fd] != null)
                    yield return fd;
            }
        }
    }

    /// <summary>Gives the file the lowest free number from <paramref name="minimum"/>; the table takes over the caller's
    /// reference. -EMFILE when no number under the limit is free (the reference stays the caller's).</summary>
    /// <param name="file">The file.</param>
    /// <param name="closeOnExec">Close-on-exec flag of the number.</param>
    /// <param name="limit">RLIMIT_NOFILE.</param>
    /// <param name="minimum">Lowest number wanted.</param>
    public long Add(OpenFile file, bool closeOnExec, ulong limit, int minimum = 0)
    {
        int fd = FreeFrom(minimum);
        if ((ulong)fd >= limit)
            return -Errno.EMFILE;
        // A file that is there already takes nothing more; for one that is new there must have been room.
        if (file.References == 1 && !file.Inode.Fs.Vfs.TryCharge(0))
            return -Errno.ENOMEM;
        if (_budget?.TryAdd(1) == false)
            return -Errno.ENFILE;
        Set(fd, file, closeOnExec);
        if (minimum <= _lowestFree)
            _lowestFree = fd + 1;
        return fd;
    }

    /// <summary>Whether a number is free, before anything is made that would need one (get_unused_fd_flags): 0, -EMFILE.</summary>
    /// <param name="limit">RLIMIT_NOFILE.</param>
    internal long MayAdd(ulong limit) => (ulong)FreeFrom(0) >= limit ? -Errno.EMFILE : 0;

    private int FreeFrom(int minimum)
    {
        int fd = Math.Max(minimum, _lowestFree);
        while (fd < _files.Length && _files[fd] != null)
            fd++;
        return fd;
    }

    /// <summary>Puts the file at a number and drops what was there; the table takes over the reference.</summary>
    public void Replace(int fd, OpenFile file, bool closeOnExec)
    {
        OpenFile? old = this[fd];
        if (old == null)
            _budget?.TryAdd(1);
        Set(fd, file, closeOnExec);
        if (old != null)
            Closed(old);
    }

    private void Set(int fd, OpenFile file, bool closeOnExec)
    {
        if (fd >= _files.Length)
        {
            int length = Math.Max(_files.Length * 2, fd + 1);
            Array.Resize(ref _files, length);
            Array.Resize(ref _closeOnExec, length);
        }
        _files[fd] = file;
        _closeOnExec[fd] = closeOnExec;
        Bound = Math.Max(Bound, fd + 1);
    }

    /// <summary>Closes a number: 0 or -EBADF.</summary>
    public long Close(int fd)
    {
        if (this[fd] is not { } file)
            return -Errno.EBADF;
        _files[fd] = null;
        _budget?.Remove(1);
        _closeOnExec[fd] = false;
        _lowestFree = Math.Min(_lowestFree, fd);
        while (Bound > 0 && _files[Bound - 1] == null)
            Bound--;
        Closed(file);
        return 0;
    }

    private void Closed(OpenFile file)
    {
        // POSIX: closing any descriptor of a file drops all record locks of the process on it.
        file.Inode.Locks?.ReleaseOwner(this);
        if (file.Inode.Watches is not null)
            DirectoryWatch.Drop(file, this);
        file.Flush(this);
        file.Release();
    }

    /// <summary>Adds a user of the table (CLONE_FILES).</summary>
    public FileTable Share()
    {
        _users++;
        return this;
    }

    /// <summary>Number of tasks that use the table.</summary>
    public int Users => _users;

    /// <summary>Drops a user of the table; the last one closes everything.</summary>
    public void Leave()
    {
        if (--_users == 0)
            CloseAll();
    }

    /// <summary>Whether there may be as many descriptors more as the table has.</summary>
    public bool MayClone()
    {
        if (_budget == null)
            return true;
        if (!_budget.TryAdd(Bound))
            return false;
        _budget.Remove(Bound);
        return true;
    }

    /// <summary>A copy for fork: same open file descriptions, own numbers.</summary>
    public FileTable Clone()
    {
        _budget?.TryAdd(Numbers.Count());
        var copy = new FileTable(_budget)
        {
            _files = (OpenFile?[])_files.Clone(),
            _closeOnExec = (bool[])_closeOnExec.Clone(),
            _lowestFree = _lowestFree,
            Bound = Bound,
        };
        for (int fd = 0; fd < Bound; fd++)
            _files[fd]?.AddReference();
        return copy;
    }

    /// <summary>Closes every number with the close-on-exec flag (execve).</summary>
    public void CloseOnExec()
    {
        for (int fd = 0; fd < Bound; fd++)
        {
            if (_files[fd] != null && _closeOnExec[fd])
                Close(fd);
        }
    }

    /// <summary>Closes everything (exit).</summary>
    public void CloseAll()
    {
        for (int fd = 0; fd < _files.Length; fd++)
        {
            if (this[fd] != null)
                Close(fd);
        }
    }
}
