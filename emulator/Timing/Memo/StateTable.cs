using System.Numerics;
using System.Runtime.Intrinsics;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Saved pipeline states, each once, by number. Of a large state the words are kept that are not zero, behind a map of where they
/// are: most of what it says is that something is ready.</summary>
internal sealed class StateTable
{
    private const int WordsOfMap = 64;

    // A small state is kept as it is.
    private const int SmallWords = 16;

    private readonly int _size;
    private readonly int _most;
    private readonly int[] _slots;
    private readonly int _maps;
    private readonly ulong[] _packed;
    private ulong[] _words;
    private int[] _starts = new int[64 + 1];
    private uint[] _hashes = new uint[64];
    private bool[] _redirected = new bool[64];
    private int[] _horizons = new int[64];

    /// <summary>An empty table.</summary>
    /// <param name="size">Bytes of a state, a multiple of 8.</param>
    /// <param name="most">Most states; a power of two.</param>
    internal StateTable(int size, int most)
    {
        _size = size / sizeof(ulong);
        _most = most;
        _slots = new int[2 * most];
        _maps = _size <= SmallWords ? 0 : (_size + WordsOfMap - 1) / WordsOfMap;
        _packed = new ulong[_maps + _size];
        _words = new ulong[_packed.Length];
    }

    /// <summary>States in the table.</summary>
    internal int Count { get; private set; }

    /// <summary>Whether no further state fits.</summary>
    internal bool Full => Count == _most;

    /// <summary>Writes a state as it was given.</summary>
    internal void CopyTo(int state, Span<byte> bytes)
    {
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        ReadOnlySpan<ulong> packed = Packed(state);
        if (_maps == 0)
        {
            packed.CopyTo(words);
            return;
        }
        words.Clear();
        int from = _maps;
        for (int map = 0; map < _maps; map++)
        {
            for (ulong there = packed[map]; there != 0; there &= there - 1)
                words[map * WordsOfMap + BitOperations.TrailingZeroCount(there)] = packed[from++];
        }
    }

    /// <summary>Whether fetch is redirected in a state.</summary>
    internal bool Redirected(int state) => _redirected[state];

    /// <summary>Cycles until everything that a state holds is ready.</summary>
    internal int Horizon(int state) => _horizons[state];

    /// <summary>Whether a small state is the one of a number.</summary>
    internal bool Is(int number, ReadOnlySpan<byte> state) => Packed(number).SequenceEqual(MemoryMarshal.Cast<byte, ulong>(state));

    /// <summary>The number of a state, added when it is new; the table is not <see cref="Full"/>.</summary>
    /// <param name="state">The state.</param>
    /// <param name="redirected">What it says of fetch.</param>
    /// <param name="horizon">What it says of <see cref="Horizon"/>.</param>
    internal int Intern(ReadOnlySpan<byte> state, bool redirected, long horizon)
    {
        ReadOnlySpan<ulong> packed = MemoryMarshal.Cast<byte, ulong>(state);
        if (_maps > 0)
            packed = Pack(packed);
        uint hash = Hash(packed);
        int mask = _slots.Length - 1;
        int at = (int)hash & mask;
        for (; _slots[at] != 0; at = (at + 1) & mask)
        {
            int known = _slots[at] - 1;
            if (_hashes[known] == hash && Packed(known).SequenceEqual(packed))
                return known;
        }
        int number = Count++, start = _starts[number];
        if (number == _hashes.Length)
        {
            Array.Resize(ref _starts, 2 * number + 1);
            Array.Resize(ref _hashes, 2 * number);
            Array.Resize(ref _redirected, 2 * number);
            Array.Resize(ref _horizons, 2 * number);
        }
        if (start + packed.Length > _words.Length)
            Array.Resize(ref _words, 2 * _words.Length);
        packed.CopyTo(_words.AsSpan(start));
        _starts[number + 1] = start + packed.Length;
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

    private ReadOnlySpan<ulong> Packed(int state) => _words.AsSpan(_starts[state], _starts[state + 1] - _starts[state]);

    private ReadOnlySpan<ulong> Pack(ReadOnlySpan<ulong> words)
    {
        Span<ulong> packed = _packed;
        packed[.._maps].Clear();
        int end = _maps;
        for (int i = 0; i < words.Length; i += Vector256<ulong>.Count)
        {
            uint there;
            if (words.Length - i >= Vector256<ulong>.Count)
            {
                there = ~Vector256.Equals(Vector256.Create(words[i..]), Vector256<ulong>.Zero).ExtractMostSignificantBits()
                    & ((1u << Vector256<ulong>.Count) - 1);
            }
            else
            {
                there = (1u << (words.Length - i)) - 1;
            }
            for (; there != 0; there &= there - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(there);
                if (words[at] == 0)
                    continue;
                packed[at / WordsOfMap] |= 1UL << (at % WordsOfMap);
                packed[end++] = words[at];
            }
        }
        return packed[..end];
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
