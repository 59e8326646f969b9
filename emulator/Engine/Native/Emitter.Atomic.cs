using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Atomic accesses (FEAT_LSE), and loads and stores of whole vectors one behind the other. One host thread executes all PEs, so an
/// access in two steps is atomic; while another PE holds a mark, native code does not run.</summary>
internal sealed partial class Emitter
{
    private static int Rs(uint i) => (int)(i >> 16) & 31;

    /// <summary>RAX gets the base of an access; the slow way for one that is not aligned, and for such a stack pointer.</summary>
    private void AlignedBase(uint i, int alignment)
    {
        Get(64, Gpr.Rax, OrStackPointer(Rn(i)));
        int mask = Math.Max(Rn(i) == 31 ? 15 : 0, alignment - 1);
        if (mask == 0)
            return;
        _a.Test(32, Gpr.Rax, mask);
        AddSlowWay(Cc.Ne);
    }

    /// <summary>A register gets 1 to 8 bytes, zeros above.</summary>
    private void LoadBytes(Gpr register, int bytes, in Operand memory)
    {
        if (bytes < 4)
            _a.ZeroExtend(8 * bytes, register, memory);
        else
            _a.Mov(8 * bytes, register, memory);
    }

    /// <summary>RCX gets the host's address of a place that may be read and written, and the place is logged.</summary>
    /// <returns>The first of the stubs for what is not so.</returns>
    private int AtomicPlace(uint i, int bytes)
    {
        int first = _stubs.Count;
        AlignedBase(i, bytes);
        FindPage(bytes, true, true);
        if (_logged)
            LogStore(bytes);
        _a.Lea(64, Gpr.Rcx, Place(0));
        return first;
    }

    /// <summary>LDADD and its like, and SWP: Rt gets what was there.</summary>
    /// <param name="i">The encoding.</param>
    /// <param name="operation">How the old value, in RAX, changes the operand in RDX; null: not.</param>
    private EFlags Atomic(uint i, Action? operation)
    {
        int bytes = 1 << (int)(i >> 30), first = AtomicPlace(i, bytes);
        LoadBytes(Gpr.Rax, bytes, Operand.At(Gpr.Rcx, 0));
        Get(64, Gpr.Rdx, Rs(i));
        operation?.Invoke();
        _a.Store(8 * bytes, Operand.At(Gpr.Rcx, 0), Gpr.Rdx);
        Put(Destination(Rd(i)), Gpr.Rax);
        ComeBackHere(first, ExitKind.Access);
        return EFlags.Unknown;
    }

    private EFlags AtomicAlu(uint i, Alu operation) => Atomic(i, () => _a.Alu(operation, 64, Gpr.Rdx, Gpr.Rax));

    private EFlags AtomicClear(uint i) =>
        Atomic(i, () =>
        {
            _a.Not(64, Gpr.Rdx);
            _a.Alu(Alu.And, 64, Gpr.Rdx, Gpr.Rax);
        });

    private EFlags CompareAndSwap(uint i)
    {
        int bytes = 1 << (int)(i >> 30), first = AtomicPlace(i, bytes);
        if (Rs(i) == 31)
            _a.Set(Gpr.Rax, 0);
        else if (bytes < 4)
            _a.ZeroExtend(8 * bytes, Gpr.Rax, _general[Rs(i)]);
        else
            Get(8 * bytes, Gpr.Rax, Rs(i));
        Get(64, Gpr.Rdx, Rd(i));
        _a.CompareExchange(8 * bytes, Operand.At(Gpr.Rcx, 0), Gpr.Rdx);
        if (_logged)
        {
            // Nothing was stored: the last entry of the log is void.
            int stored = _a.JumpIf(Cc.E);
            _a.Alu(Alu.Sub, 64, Operand.At(Frame, NativeFrame.LogEnd), NativeFrame.LogEntry);
            _a.Resolve(stored);
        }
        Put(Destination(Rs(i)), Gpr.Rax);
        ComeBackHere(first, ExitKind.Access);
        return EFlags.Unknown;
    }

    /// <summary>LD1 and ST1 of one to four registers, perhaps with the base moved on behind it.</summary>
    private EFlags Vectors(uint i, int count, bool store, bool moves)
    {
        int width = IsLong(i) ? 16 : 8, bytes = count * width, first = _stubs.Count;
        AlignedBase(i, 1);
        FindPage(bytes, store);
        for (int n = 0; n < count; n++)
        {
            int register = (Rd(i) + n) & 31;
            if (store && _logged)
                LogStore(width, n * width);
            if (store)
            {
                MoveVector(width, LowOf(0, register, width), Place(n * width), true);
                continue;
            }
            MoveVector(width, ResultFor(register), Place(n * width), false);
            PutRegister(register, ResultFor(register), width);
        }
        if (moves)
        {
            if (Rm(i) == 31)
                _a.Lea(64, Gpr.Rax, Operand.At(Gpr.Rax, bytes));
            else
                _a.Alu(Alu.Add, 64, Gpr.Rax, _general[Rm(i)]);
            Put(OrStackPointer(Rn(i)), Gpr.Rax);
        }
        ComeBackHere(first, ExitKind.Access);
        return EFlags.Unknown;
    }
}
