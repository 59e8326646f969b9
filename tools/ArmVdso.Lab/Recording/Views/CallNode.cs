namespace ArmVdso.Lab.Recording.Views;

/// <summary>A function, called by way of certain others, and what it took itself.</summary>
internal sealed class CallNode(string name, string where, CallNode? caller)
{
    private readonly Dictionary<(string, string), CallNode> _calls = [];

    /// <summary>The function; a thread where nobody calls.</summary>
    internal string Name => name;

    /// <summary>The file or mapping that it is in.</summary>
    internal string Where => where;

    /// <summary>Who called; null: the root.</summary>
    internal CallNode? Caller => caller;

    /// <summary>How often it was called from there.</summary>
    internal ulong Calls { get; set; }

    /// <summary>Cycles in it itself.</summary>
    internal ulong Cycles { get; set; }

    /// <summary>Instructions in it itself.</summary>
    internal ulong Instructions { get; set; }

    /// <summary>What it calls, in the order of the first calls.</summary>
    internal IReadOnlyCollection<CallNode> Callees => _calls.Values;

    /// <summary>What it calls: a function, known by name and place.</summary>
    internal CallNode Callee(string function, string place)
    {
        if (!_calls.TryGetValue((function, place), out CallNode? node))
            _calls[(function, place)] = node = new CallNode(function, place, this);
        return node;
    }

    /// <summary>Cycles and instructions with those of all that it calls.</summary>
    internal (ulong Cycles, ulong Instructions) Whole()
    {
        (ulong cycles, ulong instructions) = (Cycles, Instructions);
        foreach (CallNode callee in _calls.Values)
        {
            (ulong c, ulong i) = callee.Whole();
            (cycles, instructions) = (cycles + c, instructions + i);
        }
        return (cycles, instructions);
    }

    /// <summary>It and all below it, callers first.</summary>
    internal IEnumerable<CallNode> All()
    {
        yield return this;
        foreach (CallNode callee in _calls.Values)
        {
            foreach (CallNode node in callee.All())
                yield return node;
        }
    }
}
