using System.Numerics;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Lab.Workloads;

/// <summary>Code that makes a vDSO call look like an SVC: only X0 changes. An SVC is replaced by a branch to a stub of its own,
/// which calls the vDSO function for the numbers that it knows and makes the system call for all others.</summary>
internal static class RedirectCode
{
    private const uint Svc = 0xD4000001;
    private const uint ReadFlags = 0xD53B4210;
    private const uint WriteFlags = 0xD51B4210;
    private const uint SignExtend = 0x93407C00;
    private const uint ZeroExtend = 0x2A0003E0;

    /// <summary>A vDSO function and the registers that a call of it destroys beside X0.</summary>
    /// <param name="Number">System call number, below 4096.</param>
    /// <param name="Offset">Byte offset of the function in the image.</param>
    /// <param name="Clobbers">Bit n: Xn (1 to 18).</param>
    /// <param name="Flags">Whether NZCV may change.</param>
    /// <param name="Signed">Whether the result is an int rather than an unsigned number.</param>
    internal readonly record struct Target(int Number, ulong Offset, uint Clobbers, bool Flags, bool Signed);

    /// <summary>Finds the function that answers a system call, and what its code writes.</summary>
    /// <returns>False with a reason when there is none, or when its calls cannot look like an SVC.</returns>
    internal static bool TryFind(VdsoImage image, int number, string symbol, out Target target, out string reason)
    {
        target = default;
        if (!image.Symbols.TryGetValue(symbol, out ulong offset))
        {
            reason = "the image does not export it";
            return false;
        }
        ulong end = image.Symbols.Values.Where(o => o > offset).DefaultIfEmpty(image.TextEnd).Min();
        uint clobbers = 0;
        bool flags = false;
        for (ulong at = offset; at + 4 <= end; at += 4)
        {
            uint word = BitConverter.ToUInt32(image.Bytes, (int)at);
            Row row = Decoder.Decode(word);
            // A call, or a jump out of the function: anything that a function may destroy.
            bool leaves = (word & 0xFC000000) == 0x94000000 || (word & 0xFFFFFC1F) == 0xD63F0000
                || ((word & 0xFC000000) == 0x14000000 && at + (ulong)((long)((int)(word << 6) >> 6) * 4) - offset >= end - offset);
            if (leaves)
            {
                clobbers |= 0x7FFFE;
                flags = true;
                continue;
            }
            RegisterUse use = RegisterUse.Get(row, word);
            if (use.WritesVector != 0)
            {
                reason = "its code writes SIMD registers, which a system call preserves";
                return false;
            }
            clobbers |= use.WritesGeneral;
            flags |= use.WritesFlags;
        }
        reason = "";
        bool signed = VdsoCalls.All.FirstOrDefault(c => c.Symbol == symbol)?.Fails ?? true;
        target = new Target(number, offset, clobbers & 0x7FFFE & ~(1u << 16), flags, signed);
        return true;
    }

    /// <summary>A B instruction, or null when the distance is 128 MiB or more.</summary>
    internal static uint? Branch(ulong from, ulong to)
    {
        long distance = (long)(to - from) / 4;
        return distance is >= -(1 << 25) and < 1 << 25 ? 0x14000000 | ((uint)distance & 0x3FFFFFF) : null;
    }

    /// <summary>The stub of one SVC instruction.</summary>
    /// <param name="at">Address of the stub.</param>
    /// <param name="back">Address behind the SVC.</param>
    /// <param name="vdso">Address of the image.</param>
    /// <param name="targets">Functions that it calls.</param>
    /// <returns>Words, or null when <paramref name="back"/> is out of reach.</returns>
    internal static uint[]? Stub(ulong at, ulong back, ulong vdso, IReadOnlyList<Target> targets)
    {
        var code = new List<uint> { PushPair(16, 30) };
        var branches = new List<int>();
        foreach (Target t in targets)
        {
            code.Add(0xD1000000 | (uint)t.Number << 10 | 8 << 5 | 16);
            branches.Add(code.Count);
            code.Add(0);
        }
        code.Add(PopPair(16, 30));
        code.Add(Svc);
        if (Branch(at + (ulong)code.Count * 4, back) is not { } other)
            return null;
        code.Add(other);
        var literals = new List<(int Load, ulong Value)>();
        for (int i = 0; i < targets.Count; i++)
        {
            Target t = targets[i];
            code[branches[i]] = 0xB4000000 | (uint)(code.Count - branches[i]) << 5 | 16;
            List<(uint A, uint B)> saved = Pairs(t);
            if (t.Flags)
                code.Add(ReadFlags);
            code.AddRange(saved.Select(p => PushPair(p.A, p.B)));
            literals.Add((code.Count, vdso + t.Offset));
            code.Add(0);
            code.Add(0xD63F0000 | 16 << 5);
            code.Add(t.Signed ? SignExtend : ZeroExtend);
            code.AddRange(saved.AsEnumerable().Reverse().Select(p => PopPair(p.A, p.B)));
            if (t.Flags)
                code.Add(WriteFlags);
            code.Add(PopPair(16, 30));
            if (Branch(at + (ulong)code.Count * 4, back) is not { } home)
                return null;
            code.Add(home);
        }
        if (code.Count % 2 != 0)
            code.Add(0xD503201F);
        foreach ((int load, ulong value) in literals)
        {
            code[load] = 0x58000000 | (uint)(code.Count - load) << 5 | 16;
            code.Add((uint)value);
            code.Add((uint)(value >> 32));
        }
        return [.. code];
    }

    /// <summary>What to save, in pairs; NZCV is in X16 then. XZR fills up.</summary>
    private static List<(uint A, uint B)> Pairs(Target target)
    {
        var registers = new List<uint>();
        if (target.Flags)
            registers.Add(16);
        for (uint rest = target.Clobbers; rest != 0; rest &= rest - 1)
            registers.Add((uint)BitOperations.TrailingZeroCount(rest));
        if (registers.Count % 2 != 0)
            registers.Add(31);
        return [.. registers.Chunk(2).Select(p => (p[0], p[1]))];
    }

    private static uint PushPair(uint a, uint b) => 0xA9BF0000 | b << 10 | 31 << 5 | a;

    private static uint PopPair(uint a, uint b) => 0xA8C10000 | b << 10 | 31 << 5 | a;
}
