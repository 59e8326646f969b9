using System.Numerics;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Vectors in host registers. Those that a run of blocks uses more than once are in XMM5 to XMM15 from their first use on, besides
/// in memory, where each result goes at once: so code may be left anywhere. Where it is come back to, behind an instruction that a
/// reference body executed, what is read later is fetched again.</summary>
internal sealed partial class Emitter
{
    private const int FirstHeldVector = 5, HeldVectors = 11;

    // Host register of each vector of the run, or 0.
    private readonly int[] _vectorHosts = new int[32];
    // Bytes of a vector above which it is zero, while a host register holds it.
    private readonly int[] _vectorBytes = new int[32];
    // Vectors that are read behind each step of the run.
    private readonly List<uint> _readBehind = [];
    private uint _vectorsHeld, _vectorsPut;

    private static RegisterUse VectorUse(in Op op) =>
        op.Code != OpCode.End && RowInfo.IsFp(op.Row) ? RegisterUse.Get(op.Row, op.Instruction) : default;

    /// <summary>A run begins: which vectors get a host register.</summary>
    private void ChooseVectors()
    {
        _vectorsHeld = _vectorsPut = 0;
        Array.Clear(_vectorHosts);
        _readBehind.Clear();
        if (!_steps.Exists(step => step.Block.HasFp))
        {
            _readBehind.AddRange(Enumerable.Repeat(0U, _steps.Count));
            return;
        }
        Span<int> uses = stackalloc int[32];
        uint read = 0;
        for (int at = _steps.Count - 1; at >= 0; at--)
        {
            _readBehind.Add(read);
            RegisterUse use = VectorUse(_steps[at].Op);
            read |= use.ReadsVector;
            for (uint all = use.ReadsVector | use.WritesVector; all != 0; all &= all - 1)
                uses[BitOperations.TrailingZeroCount(all)]++;
        }
        _readBehind.Reverse();
        for (int n = 0; n < HeldVectors; n++)
        {
            int most = 0;
            for (int register = 1; register < uses.Length; register++)
            {
                if (uses[register] > uses[most])
                    most = register;
            }
            // What is used once is an operand in memory as well.
            if (uses[most] < 2)
                break;
            uses[most] = 0;
            _vectorHosts[most] = FirstHeldVector + n;
        }
    }

    /// <summary>Before an operation: host registers get the vectors that it reads.</summary>
    /// <returns>The vectors that it writes.</returns>
    private uint FetchVectors(in Op op)
    {
        RegisterUse use = VectorUse(op);
        for (uint all = use.ReadsVector & ~_vectorsHeld; all != 0; all &= all - 1)
        {
            int register = BitOperations.TrailingZeroCount(all);
            if (_vectorHosts[register] == 0)
                continue;
            MoveVector(16, _vectorHosts[register], Vector(register), false);
            _vectorBytes[register] = 16;
            _vectorsHeld |= 1U << register;
        }
        return use.WritesVector;
    }

    /// <summary>Behind an operation: what it wrote in memory alone is held no more.</summary>
    /// <param name="written">The vectors that it writes.</param>
    /// <param name="exit">The first of its exits.</param>
    /// <param name="flags">What EFLAGS hold.</param>
    private void SettleVectors(uint written, int exit, EFlags flags)
    {
        _vectorsHeld = (_vectorsHeld & ~written) | _vectorsPut;
        _vectorsPut = 0;
        uint needed = _vectorsHeld & _readBehind[_at];
        if (needed == 0 && flags == EFlags.Unknown)
            return;
        for (ulong resume = 0, stub = 0; exit < _exits.Count; exit++)
        {
            ulong here = _exits[exit].Resume;
            if (here == 0)
                continue;
            if (here != resume)
                (resume, stub) = (here, ComeBackBy(here, needed, flags));
            _exits[exit] = _exits[exit] with { Resume = stub };
        }
    }

    /// <summary>Apart: vectors are fetched again, and flags.</summary>
    private ulong ComeBackBy(ulong resume, uint needed, EFlags flags)
    {
        (_a, _rare) = (_rare, _a);
        ulong place = _a.Here;
        for (uint all = needed; all != 0; all &= all - 1)
        {
            int register = BitOperations.TrailingZeroCount(all);
            MoveVector(16, _vectorHosts[register], Vector(register), false);
        }
        if (flags != EFlags.Unknown)
        {
            GetEFlags();
            if (flags == EFlags.Borrow)
                _a.ComplementCarry();
        }
        _a.JumpTo(resume);
        (_a, _rare) = (_rare, _a);
        return place;
    }

    private bool IsHeldVector(int register) => (_vectorsHeld >> register & 1) != 0;

    /// <summary>A vector as a source: a host register, or memory.</summary>
    private Operand Source(int register) => IsHeldVector(register) ? Operand.Xmm(_vectorHosts[register]) : Vector(register);

    /// <summary>The host register that holds a vector, of which only the lowest bytes are looked at; else <paramref name="spare"/>, which
    /// gets them.</summary>
    private int LowOf(int spare, int register, int bytes)
    {
        if (IsHeldVector(register))
            return _vectorHosts[register];
        MoveVector(bytes, spare, Vector(register), false);
        return spare;
    }

    /// <summary>A host register with the lowest bytes of a vector, and zeros above them: the one that holds it, or
    /// <paramref name="spare"/>.</summary>
    private int ZeroExtended(int spare, int register, int bytes)
    {
        if (!IsHeldVector(register))
            return LowOf(spare, register, bytes);
        int host = _vectorHosts[register];
        if (_vectorBytes[register] <= bytes)
            return host;
        GetLow(spare, host, bytes);
        return spare;
    }

    /// <summary>A host register gets the lowest 4, 8 or 16 bytes of another one, and zeros above.</summary>
    private void GetLow(int to, int from, int bytes)
    {
        if (bytes == 4)
            _a.Vex(3, 1, 0x21, to, from, Operand.Xmm(from), 0x0E); // VINSERTPS
        else
            MoveVector(bytes, to, Operand.Xmm(from), false);
    }

    /// <summary>The host register that a result goes to: that of the vector, or XMM0.</summary>
    private int ResultFor(int register) => _vectorHosts[register];

    /// <summary>A vector gets a host register's value.</summary>
    /// <param name="register">The vector.</param>
    /// <param name="xmm">The host register.</param>
    /// <param name="bytes">Above them it is zero.</param>
    private void PutRegister(int register, int xmm, int bytes = 16)
    {
        MoveVector(16, xmm, Vector(register), true);
        int host = _vectorHosts[register];
        if (host == 0)
            return;
        if (host != xmm)
            MoveVector(16, host, Operand.Xmm(xmm), false);
        _vectorBytes[register] = bytes;
        _vectorsPut |= 1U << register;
    }
}
