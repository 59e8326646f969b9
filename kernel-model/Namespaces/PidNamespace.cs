namespace ArmVdso.Kernel.Namespaces;

/// <summary>A PID namespace (kernel/pid_namespace.c). The model's own numbers (TIDs, process groups,
/// sessions) are those of the first namespace; the others map them to theirs. A task has a number in its own namespace and in
/// all above it.</summary>
public sealed class PidNamespace : INamespace
{
    /// <summary>MAX_PID_NS_LEVEL.</summary>
    public const int MaxLevel = 32;

    /// <summary>Inode number of the first one (PROC_PID_INIT_INO).</summary>
    public const uint InitialNumber = 0xEFFFFFFC;

    private const int Largest = 32767;
    private readonly Dictionary<int, int> _here = [];
    private readonly Dictionary<int, int> _first = [];
    private int _last;

    internal PidNamespace(uint number, PidNamespace? parent, UserNamespace? owner = null)
    {
        OwnerSpace = owner ?? UserNamespace.Initial;
        Number = number;
        Parent = parent;
        Level = parent is null ? 0 : parent.Level + 1;
    }

    /// <inheritdoc/>
    public string Kind => "pid";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWPID;

    /// <inheritdoc/>
    public uint Number { get; }

    /// <inheritdoc/>
    public UserNamespace? OwnerSpace { get; }

    /// <summary>The namespace that it was made in; null for the first one.</summary>
    public PidNamespace? Parent { get; }

    /// <summary>Depth; 0 for the first one.</summary>
    public int Level { get; }

    /// <summary>PID in the first namespace of its process 1 (child_reaper), once there is one; 0 for the first namespace, where it is the
    /// kernel's affair.</summary>
    public int Reaper { get; internal set; }

    /// <summary>Whether its process 1 has ended: nobody can be born here any more.</summary>
    public bool Dead { get; internal set; }

    /// <summary>The number that was given last; 0: none was.</summary>
    internal int Last => _last;

    /// <summary>Number here of a task, process group or session that the first namespace knows as <paramref name="first"/>; 0: not
    /// visible here.</summary>
    public int NumberOf(int first) => Parent is null ? first : _here.GetValueOrDefault(first);

    /// <summary>Number in the first namespace of what is called <paramref name="number"/> here; -1: nothing is.</summary>
    public int FirstOf(int number) => Parent is null ? number : _first.GetValueOrDefault(number, -1);

    /// <summary>A number of the first namespace as each has it from this one down to another, which is this one or below it; none where
    /// that is not so.</summary>
    internal IEnumerable<int> NumbersDown(PidNamespace inner, int first)
    {
        var path = new Stack<PidNamespace>();
        for (PidNamespace? at = inner; at is not null && at.Level >= Level; at = at.Parent)
            path.Push(at);
        return path.TryPeek(out PidNamespace? top) && ReferenceEquals(top, this) ? path.Select(s => s.NumberOf(first)) : [];
    }

    /// <summary>Whether this is a namespace or one of its ancestors.</summary>
    public bool IsAncestorOf(PidNamespace other)
    {
        for (PidNamespace? at = other; at is not null; at = at.Parent)
        {
            if (ReferenceEquals(at, this))
                return true;
        }
        return false;
    }

    /// <summary>Gives a new task a number here: the next one that nobody has.</summary>
    internal int Add(int first, Func<int, bool> inUse)
    {
        do
        {
            _last = _last >= Largest ? 300 : _last + 1;
        }
        while (_first.TryGetValue(_last, out int holder) && inUse(holder));
        if (_here.Remove(first, out int stale))
            _first.Remove(stale);
        if (_first.TryGetValue(_last, out int before))
            _here.Remove(before);
        _here[first] = _last;
        _first[_last] = first;
        return _last;
    }

    /// <summary>A task got the number of another in the first namespace (execve by a thread that is no leader).</summary>
    internal void Rename(int from, int to)
    {
        if (Parent is null || !_here.Remove(from, out int number))
            return;
        if (!_here.ContainsKey(to))
        {
            _here[to] = number;
            _first[number] = to;
        }
        else
        {
            _first.Remove(number);
        }
    }
}
