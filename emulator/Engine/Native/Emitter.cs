using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Why native code returned.</summary>
internal enum ExitKind : byte
{
    /// <summary>The block may not be entered: the budget does not reach, or its instructions are trapped.</summary>
    Refused,

    /// <summary>It goes on at a target that is known, whose code was not.</summary>
    Branch,

    /// <summary>An instruction that has no native code.</summary>
    Instruction,

    /// <summary>A load or store that the TLB does not have.</summary>
    Access,

    /// <summary>An instruction names itself as the next one, and the budget does not reach for that.</summary>
    Repeat,
}

/// <summary>A place where native code of a block returns.</summary>
internal readonly record struct Exit(ExitKind Kind, Block Block, int Op, ulong Target, ulong Jump, ulong Resume);

/// <summary>Makes x64 code of a block. Some general registers are held in host registers, in all blocks the same; the rest, vectors and
/// flags are in memory at block boundaries. What has no code returns to the engine, which has the reference body execute it.</summary>
internal sealed partial class Emitter
{
    /// <summary>General registers of the PE; displacements are small when it points to the middle.</summary>
    internal const int StateBias = 128;

    /// <summary>Bytes that the code made of a block, and what belongs to it and is rare, do not exceed.</summary>
    internal const int LongestCode = 96 << 10;

    // Instructions that may still be executed are in a register: each block takes its own off, and one in memory would make blocks wait
    // for each other.
    private const Gpr State = Gpr.Rbp, Frame = Gpr.R15, Budget = Gpr.R10;
    private static readonly (int Register, Gpr Host)[] s_held =
    [
        (0, Gpr.Rbx), (1, Gpr.Rsi), (2, Gpr.Rdi), (3, Gpr.R8), (4, Gpr.R9), (19, Gpr.R11), (20, Gpr.R12), (21, Gpr.R13), (22, Gpr.R14),
    ];

    private static readonly Gpr[] s_saved = [Gpr.Rbx, Gpr.Rbp, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15];
    private readonly CodeCache _blocks;
    private readonly bool _joins;
    private Assembler _a = new(LongestCode);
    private Assembler _rare = new(LongestCode);
    private readonly List<Exit> _exits;
    private readonly List<Stub> _stubs = [];
    private readonly Operand[] _general = new Operand[35];
    private readonly int _vectors;
    private readonly int _tpidr;
    private readonly int _tpidrro;
    private readonly int _fpsr;
    private readonly bool _logged;
    private Block _block = null!;
    private int _op;
    private ulong _entry;
    private ulong _leave;
    private ulong _missed;
    // The exit to the reference body of the current operation, when code apart leads there; -1: none yet.
    private int _slow = -1;

    /// <summary>Code apart from that of blocks, which would be in the way in the caches of the host: where the jumps of what is rare
    /// go.</summary>
    /// <param name="Jump">The jump that leads there.</param>
    /// <param name="Exit">Where it leaves.</param>
    /// <param name="Kind">What it does.</param>
    /// <param name="Lazy">What makes the flags.</param>
    /// <param name="Tag">What the other place in the TLB is asked for, which may lead back behind the jump; -1: nothing.</param>
    private readonly record struct Stub(int Jump, int Exit, StubKind Kind, Comparison Lazy, int Tag = -1);

    private enum StubKind
    {
        Plain,
        Access,
        Refused,
        Repeat,
        Lookup,
        Edge,
    }

    /// <param name="cpu">A PE of the machine: all are alike.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="exits">Exits of all code; those of a block are added.</param>
    /// <param name="logged">Whether stores are logged, and blocks compared one by one.</param>
    /// <param name="traced">Gets the blocks, whose numbers are in traces; null: nothing is timed.</param>
    internal Emitter(Cpu cpu, CodeCache blocks, List<Exit> exits, bool logged, TracedBlocks? traced)
    {
        _traced = traced;
        _blocks = blocks;
        _exits = exits;
        _logged = logged;
        _joins = !logged && traced is null;
        ref byte first = ref Unsafe.As<ulong, byte>(ref cpu.FirstGeneral);
        _vectors = Displacement(ref first, ref Unsafe.As<V128, byte>(ref cpu.FirstVector));
        _tpidr = Displacement(ref first, ref Unsafe.As<ulong, byte>(ref cpu.TPIDR_EL0));
        _tpidrro = Displacement(ref first, ref Unsafe.As<ulong, byte>(ref cpu.TPIDRRO_EL0));
        _fpsr = Displacement(ref first, ref Unsafe.As<uint, byte>(ref cpu.FPSR));
        for (int i = 0; i < _general.Length; i++)
            _general[i] = Operand.At(State, 8 * i - StateBias);
        foreach ((int register, Gpr host) in s_held)
            _general[register] = host;
    }

    private static int Displacement(ref byte first, ref byte other) => (int)Unsafe.ByteOffset(ref first, ref other) - StateBias;

    /// <summary>What was encoded last.</summary>
    internal ReadOnlySpan<byte> Bytes => _a.Bytes;

    /// <summary>What belongs to it and is rare.</summary>
    internal ReadOnlySpan<byte> RareBytes => _rare.Bytes;

    /// <summary>The code that enters native code and leaves it: int enter(frame, state, code), by the System V convention.</summary>
    /// <param name="origin">Where it will be.</param>
    internal void EmitEntry(ulong origin)
    {
        _a.Start(origin);
        foreach (Gpr register in s_saved)
            _a.Push(register);
        _a.Mov(64, Frame, Gpr.Rdi);
        _a.Mov(64, State, Gpr.Rsi);
        foreach ((int register, Gpr host) in s_held)
            _a.Mov(64, host, Operand.At(State, 8 * register - StateBias));
        _a.Mov(64, Budget, Operand.At(Frame, NativeFrame.Budget));
        // What the runtime did may have been inexact: the code looks at that only as long as the guest has seen nothing inexact.
        _a.TestByte(Operand.At(State, _fpsr), (int)FpsrBits.IXC);
        int seen = _a.JumpIf(Cc.Ne);
        _a.ControlAndStatus(false, Operand.At(Frame, NativeFrame.HostStatusClear));
        _a.Resolve(seen);
        // Behind an access that the TLB did not have, those beside it ask for themselves.
        _a.Set(Gpr.Rcx, 0);
        _a.JumpTo(Gpr.Rdx);
        // An indirect branch to RAX that the tables do not have; also where their empty entries go.
        _missed = _a.Here;
        _a.Store(64, Operand.At(Frame, NativeFrame.Target), Gpr.Rax);
        _a.Set(Gpr.Rax, uint.MaxValue);
        // EAX is the exit.
        _leave = _a.Here;
        _a.Store(64, Operand.At(Frame, NativeFrame.Budget), Budget);
        foreach ((int register, Gpr host) in s_held)
            _a.Store(64, Operand.At(State, 8 * register - StateBias), host);
        foreach (Gpr register in s_saved.Reverse())
            _a.Pop(register);
        _a.Return();
    }

    /// <summary>Changes operations before their code is made, so that a test can plant a bug.</summary>
    internal Func<Op, Op>? Alteration { get; set; }

    /// <summary>Where an indirect branch goes that the tables do not have.</summary>
    internal ulong Missed => _missed;

    /// <summary>Makes the code of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="origin">Where the code will be.</param>
    /// <param name="rare">Where what is rare will be.</param>
    internal void Emit(Block block, ulong origin, ulong rare)
    {
        _a.Start(origin);
        _rare.Start(rare);
        _stubs.Clear();
        _entry = origin;
        _window = Window.None;
        _lazy = Comparison.None;
        _constant = (Translator.Discard, 0);
        Collect(block);
        ChooseVectors();
        for (_at = 0; _at < _steps.Count; _at++)
        {
            Op op;
            (_block, _op, op) = _steps[_at];
            if (_op == 0)
                Enter(_at == 0);
            uint written = FetchVectors(op);
            int exit = _exits.Count;
            EFlags set = EmitOp(op);
            SettleVectors(written, exit, set);
            if (!KeepsEFlags(op.Code))
                _eflags = set;
            if (!Passes(ref _window, op))
                _window = Window.None;
        }
        Assembler code = _a;
        (_a, _rare) = (_rare, _a);
        foreach (Stub stub in _stubs)
        {
            code.Resolve(stub.Jump, _a.Here);
            if (stub.Tag >= 0)
                _a.Resolve(AskAgain(stub.Tag), Assembler.Behind(code, stub.Jump));
            EmitStub(stub);
        }
        (_a, _rare) = (_rare, _a);
    }

    private void EmitStub(Stub stub)
    {
        switch (stub.Kind)
        {
            case StubKind.Access:
                LeaveForAccess(stub.Exit, stub.Lazy);
                return;
            case StubKind.Refused:
                _a.Alu(Alu.Add, 64, Budget, CostOf(_exits[stub.Exit].Block));
                break;
            case StubKind.Repeat:
                _a.Alu(Alu.Add, 64, Budget, 1);
                break;
            case StubKind.Lookup:
                Remake(stub.Lazy);
                GoBeyond(stub.Exit);
                return;
            case StubKind.Edge:
                Remake(stub.Lazy);
                LinkApart(stub.Exit);
                return;
        }
        Remake(stub.Lazy);
        Leave(stub.Exit);
    }

    /// <summary>A jump inside the page that is not made in the block's own code: it goes behind itself until it is known where.</summary>
    private void LinkApart(int exit)
    {
        int jump = _a.Jump();
        if (_exits[exit].Target == _steps[0].Block.Pc)
        {
            _a.Resolve(jump, _entry);
            return;
        }
        _exits[exit] = _exits[exit] with { Jump = _a.Origin + (ulong)jump };
        _a.Resolve(jump);
        Leave(exit);
    }

    /// <summary>The engine makes the access at the address in RAX.</summary>
    private void LeaveForAccess(int exit, in Comparison lazy)
    {
        _a.Store(64, Operand.At(Frame, NativeFrame.Address), Gpr.Rax);
        Remake(lazy);
        Leave(exit);
    }

    /// <summary>Goes to another page by the table of branches, or leaves by an exit.</summary>
    private void GoBeyond(int exit)
    {
        ulong target = _exits[exit].Target;
        int entry = NativeFrame.Jumps(_exits[exit].Block.Mode == 0 ? 0 : 1, false) + NativeFrame.JumpEntry(target);
        _a.Set(Gpr.Rax, target);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Frame, entry));
        int missed = _a.JumpIf(Cc.Ne);
        _a.JumpTo(Operand.At(Frame, entry + 8));
        _a.Resolve(missed);
        Leave(exit);
    }

    private void Leave(int exit)
    {
        _a.Set(Gpr.Rax, (uint)exit);
        _a.JumpTo(_leave);
    }

    private int NewExit(ExitKind kind, ulong target = 0, ulong jump = 0, ulong resume = 0)
    {
        _exits.Add(new Exit(kind, _block, _op, target, jump, resume));
        return _exits.Count - 1;
    }

    private void Refuse(Cc condition)
    {
        int jump = _a.JumpIf(condition);
        _stubs.Add(new Stub(jump, NewExit(ExitKind.Refused), StubKind.Refused, _lazy));
    }

    /// <summary>Returns to the engine, which executes the operation and comes back behind it.</summary>
    private EFlags Interpret()
    {
        // MOV EAX and JMP are of five bytes each.
        Leave(NewExit(ExitKind.Instruction, resume: _a.Here + 10));
        return EFlags.Unknown;
    }

    /// <summary>Where the jumps that were made since <paramref name="first"/> lead: to the reference body, and back here.</summary>
    private void ComeBackHere(int first, ExitKind kind)
    {
        if (first == _stubs.Count && _slow < 0)
            return;
        int exit = _slow >= 0 ? _slow : NewExit(kind);
        _exits[exit] = _exits[exit] with { Resume = _a.Here };
        _slow = -1;
        for (int i = first; i < _stubs.Count; i++)
            _stubs[i] = _stubs[i] with { Exit = exit };
    }

    private int SlowExit() => _slow >= 0 ? _slow : _slow = NewExit(ExitKind.Instruction);

    /// <summary>Apart: the reference body executes the current operation.</summary>
    private void LeaveSlowly()
    {
        int exit = SlowExit();
        Remake(_lazy);
        Leave(exit);
    }

    /// <summary>Code apart, where a jump leads that was just made. Its parameter is where to go back to.</summary>
    private void Apart(int jump, Action<ulong> emit)
    {
        ulong back = _a.Here;
        Assembler code = _a;
        (_a, _rare) = (_rare, _a);
        code.Resolve(jump, _a.Here);
        emit(back);
        (_a, _rare) = (_rare, _a);
    }

    // Operands

    /// <summary>The register that holds a general register, or RAX for one in memory and for a result that is discarded.</summary>
    private Gpr HostOf(int register) => _general[register].IsMemory ? Gpr.Rax : (Gpr)_general[register].Register;

    private bool IsHeld(int register) => !_general[register].IsMemory;

    /// <summary>A register to compute a result in: that of the destination, unless it is a source that is still needed.</summary>
    private Gpr ResultIn(int destination, int needed) =>
        IsHeld(destination) && destination != needed ? HostOf(destination) : Gpr.Rax;

    /// <summary>A host register gets a general register; no code when it is that already.</summary>
    private void Get(int size, Gpr host, int register)
    {
        if (register == 31)
            _a.Set(host, 0);
        else if (!IsHeld(register) || HostOf(register) != host || size != 64)
            _a.Mov(size, host, _general[register]);
    }

    /// <summary>The host register of a general register; one in memory is fetched into <paramref name="spare"/>.</summary>
    private Gpr Fetch(int register, Gpr spare)
    {
        if (IsHeld(register))
            return HostOf(register);
        Get(64, spare, register);
        return spare;
    }

    /// <summary>A general register gets a result.</summary>
    private void Put(int register, Gpr host)
    {
        if (register == Translator.Discard)
            return;
        if (!IsHeld(register))
            _a.Store(64, _general[register], host);
        else if (HostOf(register) != host)
            _a.Mov(64, HostOf(register), host);
    }

    /// <summary>A general register gets a number; the flags stay.</summary>
    private void PutNumber(int register, ulong value)
    {
        if (register == Translator.Discard)
            return;
        if (IsHeld(register))
        {
            _a.Set(HostOf(register), value);
        }
        else if ((long)value == (int)value)
        {
            _a.Store(64, _general[register], (int)value);
        }
        else
        {
            _a.Set(Gpr.Rax, value);
            _a.Store(64, _general[register], Gpr.Rax);
        }
    }

    /// <summary>An operation with a number; what does not fit the instruction goes through RDX.</summary>
    private void AluNumber(Alu operation, int size, Gpr register, ulong value)
    {
        if (size == 32 ? value <= uint.MaxValue : (long)value == (int)value)
        {
            _a.Alu(operation, size, register, (int)value);
            return;
        }
        _a.Set(Gpr.Rdx, value);
        _a.Alu(operation, size, register, Gpr.Rdx);
    }
}
