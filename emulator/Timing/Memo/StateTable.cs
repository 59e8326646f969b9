namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Saved pipeline states, each once, by number.</summary>
internal sealed class StateTable
{
    private readonly int _size;
    private readonly int _most;
    private readonly int[] _slots;
    private byte[] _states;
    private uint[] _hashes = new uint[64];
    private bool[] _redirected = new bool[64];
    private int[] _horizons = new int[64];

    /// <summary>An empty table.</summary>
    /// <param name="size">Bytes of a state, a multiple of 8.</param>
    /// <param name="most">Most states; a power of two.</param>
    internal StateTable(int size, int most)
    {
        _size = size;
        _most = most;
        _slots = new int[2 * most];
        _states = new byte[64 * size];
    }

    /// <summary>States in the table.</summary>
    internal int Count { get; private set; }

    /// <summary>Whether no further state fits.</summary>
    internal bool Full => Count == _most;

    /// <summary>A state.</summary>
    internal ReadOnlySpan<byte> this[int state] => _states.AsSpan(state * _size, _size);

    /// <summary>Whether fetch is redirected in a state.</summary>
    internal bool Redirected(int state) => _redirected[state];

    /// <summary>Cycles until everything that a state holds is ready.</summary>
    internal int Horizon(int state) => _horizons[state];

    /// <summary>The number of a state, added when it is new; the table is not <see cref="Full"/>.</summary>
    /// <param name="state">The state.</param>
    /// <param name="redirected">What it says of fetch.</param>
    /// <param name="horizon">What it says of <see cref="Horizon"/>.</param>
    internal int Intern(ReadOnlySpan<byte> state, bool redirected, long horizon)
    {
        uint hash = Hash(MemoryMarshal.Cast<byte, ulong>(state));
        int mask = _slots.Length - 1;
        int at = (int)hash & mask;
        for (; _slots[at] != 0; at = (at + 1) & mask)
        {
            int known = _slots[at] - 1;
            if (_hashes[known] == hash && this[known].SequenceEqual(state))
                return known;
        }
        int number = Count++;
        if (number == _hashes.Length)
        {
            Array.Resize(ref _states, 2 * _states.Length);
            Array.Resize(ref _hashes, 2 * number);
            Array.Resize(ref _redirected, 2 * number);
            Array.Resize(ref _horizons, 2 * number);
        }
        state.CopyTo(_states.AsSpan(number * _size));
        _hashes[number] = hash;
        _redirected[number] = redirected;
        _horizons[number] = checked((int)horizon);
        _slots[at] = number + 1;
        return number;
    }

    /// <summary>Forgets all states.</summary>
    internal void Clear()
    {
        Count = 0;
        Array.Clear(_slots);
    }

    private static uint Hash(ReadOnlySpan<ulong> words)
    {
        const ulong Prime = 0x9E3779B97F4A7C15;
        ulong a = 1, b = 2, c = 3, d = 4;
        int i = 0;
        for (; i + 4 <= words.Length; i += 4)
        {
            a = (a ^ words[i]) * Prime;
            b = (b ^ words[i + 1]) * Prime;
            c = (c ^ words[i + 2]) * Prime;
            d = (d ^ words[i + 3]) * Prime;
        }
        for (; i < words.Length; i++)
            a = (a ^ words[i]) * Prime;
        ulong all = ((a ^ (a >> 29)) * Prime) ^ ((b ^ (b >> 31)) * Prime) ^ ((c >> 27) + c * Prime) ^ (d >> 25) ^ d;
        return (uint)((all * Prime) >> 32);
    }
}
