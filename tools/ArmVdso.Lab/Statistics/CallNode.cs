namespace ArmVdso.Lab.Statistics;

/// <summary>A function, called by way of certain others, and what it took itself. The root has no caller, threads are its
/// callees.</summary>
public sealed class CallNode
{
    private readonly Dictionary<(string, string), CallNode> _calls = [];

    internal CallNode(string name, string where, CallNode? caller) => (Name, Where, Caller) = (name, where, caller);

    /// <summary>The function; a thread where nobody calls.</summary>
    public string Name { get; }

    /// <summary>The file or mapping that it is in.</summary>
    public string Where { get; }

    /// <summary>Who called; null: the root.</summary>
    public CallNode? Caller { get; }

    /// <summary>How often it was called from there.</summary>
    public ulong Calls { get; internal set; }

    /// <summary>Cycles in it itself.</summary>
    public ulong Cycles { get; internal set; }

    /// <summary>Instructions in it itself.</summary>
    public ulong Instructions { get; internal set; }

    /// <summary>What it calls, in the order of the first calls.</summary>
    public IReadOnlyCollection<CallNode> Callees => _calls.Values;

    /// <summary>Cycles with those of all that it calls, once <see cref="Sum"/> has been called of the root.</summary>
    public ulong WholeCycles { get; private set; }

    /// <summary>Instructions with those of all that it calls, likewise.</summary>
    public ulong WholeInstructions { get; private set; }

    /// <summary>What it calls: a function, known by name and place.</summary>
    internal CallNode Callee(string function, string place)
    {
        if (!_calls.TryGetValue((function, place), out CallNode? node))
            _calls[(function, place)] = node = new CallNode(function, place, this);
        return node;
    }

    /// <summary>Computes <see cref="WholeCycles"/> and <see cref="WholeInstructions"/> of it and of all below it.</summary>
    public CallNode Sum()
    {
        // Callees come behind their callers.
        foreach (CallNode node in All().Reverse())
        {
            (node.WholeCycles, node.WholeInstructions) = (node.Cycles, node.Instructions);
            foreach (CallNode callee in node.Callees)
            {
                node.WholeCycles += callee.WholeCycles;
                node.WholeInstructions += callee.WholeInstructions;
            }
        }
        return this;
    }

    /// <summary>It and all below it, callers first.</summary>
    public IEnumerable<CallNode> All()
    {
        var left = new Stack<CallNode>([this]);
        while (left.TryPop(out CallNode? node))
        {
            yield return node;
            foreach (CallNode callee in node.Callees.Reverse())
                left.Push(callee);
        }
    }

    /// <summary>From the thread to it.</summary>
    public IReadOnlyList<CallNode> Path()
    {
        var path = new List<CallNode>();
        for (CallNode? at = this; at?.Caller is not null; at = at.Caller)
            path.Add(at);
        path.Reverse();
        return path;
    }
}
