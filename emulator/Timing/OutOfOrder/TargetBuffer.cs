namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>What the branch target buffers know of a taken direct branch.</summary>
public enum TargetHit : byte
{
    /// <summary>In the small first-level buffer: fetch goes on without a bubble.</summary>
    Near,

    /// <summary>In the second buffer, which is fast too.</summary>
    Micro,

    /// <summary>In the main buffer.</summary>
    Main,

    /// <summary>In neither: found at decode, or not at all when conditional.</summary>
    None,
}

/// <summary>The branch target buffers of a decoupled front end: a small one that is searched every cycle, perhaps a second one behind it,
/// and a main one that holds a few branches of each aligned block of code. True LRU in each.</summary>
public sealed class TargetBuffer
{
    private const int BlockShift = 5;
    private readonly ulong[] _near;
    private readonly ulong[] _micro;
    private readonly ulong[] _blocks;
    private readonly int _perBlock;
    private readonly int _sets;

    /// <summary>Empty buffers: <paramref name="near"/>, <paramref name="micro"/> (0: there is none) and <paramref name="main"/> entries,
    /// the last in sets of <paramref name="perBlock"/> for the branches of one 32-byte block; the number of sets is a power of
    /// two.</summary>
    public TargetBuffer(int near, int micro, int main, int perBlock)
    {
        _near = new ulong[near];
        _micro = new ulong[micro];
        _blocks = new ulong[main];
        _perBlock = perBlock;
        _sets = main / perBlock;
        Array.Fill(_near, ulong.MaxValue);
        Array.Fill(_micro, ulong.MaxValue);
        Array.Fill(_blocks, ulong.MaxValue);
    }

    /// <summary>Looks a taken branch up and learns it.</summary>
    public TargetHit Access(ulong pc)
    {
        bool near = Use(_near, 0, _near.Length, pc);
        bool main = Use(_blocks, (int)((pc >> BlockShift) & ((ulong)_sets - 1)) * _perBlock, _perBlock, pc);
        bool micro = _micro.Length > 0 && Use(_micro, 0, _micro.Length, pc);
        return near ? TargetHit.Near : micro ? TargetHit.Micro : main ? TargetHit.Main : TargetHit.None;
    }

    private static bool Use(ulong[] entries, int first, int count, ulong pc)
    {
        if (entries[first] == pc)
            return true;
        int at = 1;
        while (at < count && entries[first + at] != pc)
            at++;
        bool hit = at < count;
        for (int i = hit ? at : count - 1; i > 0; i--)
            entries[first + i] = entries[first + i - 1];
        entries[first] = pc;
        return hit;
    }
}
