using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of general registers that have no operation of their own.</summary>
internal sealed partial class Emitter
{
    /// <summary>Emits an instruction that has no operation of its own, when its row has code here.</summary>
    /// <returns>What EFLAGS hold behind it; null: it has none.</returns>
    private EFlags? EmitRow(in Op op)
    {
        uint i = op.Instruction;
        return op.Row switch
        {
            Row.NOP or Row.HINT or Row.BTI or Row.CSDB or Row.ESB or Row.DMB or Row.DSB => EFlags.Unknown,
            Row.PRFM_imm or Row.PRFM_reg or Row.PRFM_lit or Row.PRFUM => EFlags.Unknown,
            Row.RBIT => ReverseBits(i),
            Row.REV16 => ReverseInPairs(i, Width(i)),
            Row.REV32 => ReverseWords(i),
            Row.CRC32CB or Row.CRC32CH or Row.CRC32CW or Row.CRC32CX => Checksum(i),
            Row.ADDS_ext => ExtendedFlags(i, Alu.Add, EFlags.Carry),
            Row.SUBS_ext => ExtendedFlags(i, Alu.Sub, EFlags.Borrow),
            Row.AND_shift => ShiftedLogic(i, Alu.And, false, EFlags.Unknown),
            Row.ORR_shift => ShiftedLogic(i, Alu.Or, false, EFlags.Unknown),
            Row.EOR_shift => ShiftedLogic(i, Alu.Xor, false, EFlags.Unknown),
            Row.BIC_shift => ShiftedLogic(i, Alu.And, true, EFlags.Unknown),
            Row.ORN_shift => ShiftedLogic(i, Alu.Or, true, EFlags.Unknown),
            Row.BICS_shift => ShiftedLogic(i, Alu.And, true, EFlags.Carry),
            Row.EON_shift => ShiftedLogic(i, Alu.Xor, true, EFlags.Unknown),
            Row.ADC => WithCarry(i, Alu.Adc, EFlags.Unknown),
            Row.ADCS => WithCarry(i, Alu.Adc, EFlags.Carry),
            Row.SBC => WithCarry(i, Alu.Sbb, EFlags.Unknown),
            Row.SBCS => WithCarry(i, Alu.Sbb, EFlags.Borrow),
            Row.CCMN_reg => CompareNegativeIf(i, false),
            Row.CCMN_imm => CompareNegativeIf(i, true),
            Row.LDAR or Row.LDAPR => EmitOrdered(op, false),
            Row.STLR => EmitOrdered(op, true),
            Row.LD1_1 or Row.LD1_1_post => Vectors(i, 1, false, op.Row == Row.LD1_1_post),
            Row.LD1_2 or Row.LD1_2_post => Vectors(i, 2, false, op.Row == Row.LD1_2_post),
            Row.LD1_3 or Row.LD1_3_post => Vectors(i, 3, false, op.Row == Row.LD1_3_post),
            Row.LD1_4 or Row.LD1_4_post => Vectors(i, 4, false, op.Row == Row.LD1_4_post),
            Row.ST1_1 or Row.ST1_1_post => Vectors(i, 1, true, op.Row == Row.ST1_1_post),
            Row.ST1_2 or Row.ST1_2_post => Vectors(i, 2, true, op.Row == Row.ST1_2_post),
            Row.ST1_3 or Row.ST1_3_post => Vectors(i, 3, true, op.Row == Row.ST1_3_post),
            Row.ST1_4 or Row.ST1_4_post => Vectors(i, 4, true, op.Row == Row.ST1_4_post),
            Row.CAS => CompareAndSwap(i),
            Row.SWP => Atomic(i, null),
            Row.LDADD => AtomicAlu(i, Alu.Add),
            Row.LDSET => AtomicAlu(i, Alu.Or),
            Row.LDEOR => AtomicAlu(i, Alu.Xor),
            Row.LDCLR => AtomicClear(i),
            _ => RowInfo.Class(op.Row) == TimingClass.Mops ? EmitBulk(op) : EmitVector(op),
        };
    }

    private static int Width(uint i) => i >> 31 != 0 ? 64 : 32;

    private static int Destination(int register) => register == 31 ? Translator.Discard : register;

    /// <summary>The index of a register whose number 31 is SP.</summary>
    private int OrStackPointer(int register) => register != 31 ? register : _block.Mode == 2 ? Translator.SpEL1 : Translator.SpEL0;

    private EFlags ExtendedFlags(uint i, Alu operation, EFlags flags)
    {
        Extend(Gpr.Rcx, Rm(i), (int)(i >> 13) & 7);
        int shift = (int)(i >> 10) & 7;
        if (shift != 0)
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rcx, shift);
        return WithRcx(Destination(Rd(i)), OrStackPointer(Rn(i)), Width(i), operation, flags);
    }

    private EFlags ShiftedLogic(uint i, Alu operation, bool inverted, EFlags flags)
    {
        ShiftIntoRcx(Rm(i), Width(i), (int)(i >> 22) & 3, (int)(i >> 10) & 63);
        if (inverted)
            _a.Not(Width(i), Gpr.Rcx);
        return WithRcx(Destination(Rd(i)), Rn(i), Width(i), operation, flags);
    }

    private EFlags WithCarry(uint i, Alu operation, EFlags flags)
    {
        Get(Width(i), Gpr.Rcx, Rm(i));
        Get(Width(i), Gpr.Rax, Rn(i));
        // MOV left EFLAGS.
        EFlags wanted = operation == Alu.Adc ? EFlags.Carry : EFlags.Borrow;
        if (_eflags == EFlags.Unknown)
        {
            _a.BitTest(32, Operand.At(Frame, NativeFrame.Flags), 8);
            _eflags = EFlags.Carry;
        }
        if (_eflags != wanted)
            _a.ComplementCarry();
        _eflags = EFlags.Unknown;
        _a.Alu(operation, Width(i), Gpr.Rax, Gpr.Rcx);
        Put(Destination(Rd(i)), Gpr.Rax);
        return flags == EFlags.Unknown ? flags : KeepFlags(flags, Comparison.None);
    }

    private EFlags CompareNegativeIf(uint i, bool number)
    {
        int condition = (int)(i >> 12) & 15, otherwise = -1;
        if (condition < 14)
            otherwise = _a.JumpIf(Opposite(Condition(condition)));
        Get(Width(i), Gpr.Rax, Rn(i));
        if (number)
            _a.Alu(Alu.Add, Width(i), Gpr.Rax, Rm(i));
        else
            _a.Alu(Alu.Add, Width(i), Gpr.Rax, _general[Rm(i)]);
        StoreFlags(EFlags.Carry);
        Otherwise(otherwise, (int)i & 15);
        return EFlags.Unknown;
    }

    /// <summary>Bytes are reversed by the host, bits inside them by exchanging halves, pairs and neighbours.</summary>
    private EFlags ReverseBits(uint i)
    {
        int size = Width(i);
        Get(size, Gpr.Rax, Rn(i));
        _a.ReverseBytes(size, Gpr.Rax);
        foreach ((int shift, ulong mask) in s_exchanges)
        {
            _a.Set(Gpr.Rdx, mask);
            _a.Mov(64, Gpr.Rcx, Gpr.Rax);
            _a.Shift(Native.Shift.Shr, 64, Gpr.Rcx, shift);
            _a.Alu(Alu.And, 64, Gpr.Rcx, Gpr.Rdx);
            _a.Alu(Alu.And, 64, Gpr.Rax, Gpr.Rdx);
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rax, shift);
            _a.Alu(Alu.Or, 64, Gpr.Rax, Gpr.Rcx);
        }
        Put(Destination(Rd(i)), Gpr.Rax);
        return EFlags.Unknown;
    }

    private static readonly (int Shift, ulong Mask)[] s_exchanges =
        [(4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333), (1, 0x5555555555555555)];

    /// <summary>The two bytes of each half word change places.</summary>
    private EFlags ReverseInPairs(uint i, int size)
    {
        Get(size, Gpr.Rax, Rn(i));
        _a.Mov(size, Gpr.Rcx, Gpr.Rax);
        _a.Set(Gpr.Rdx, size == 64 ? 0x00FF00FF00FF00FF : 0x00FF00FFUL);
        _a.Shift(Native.Shift.Shr, size, Gpr.Rcx, 8);
        _a.Alu(Alu.And, size, Gpr.Rcx, Gpr.Rdx);
        _a.Alu(Alu.And, size, Gpr.Rax, Gpr.Rdx);
        _a.Shift(Native.Shift.Shl, size, Gpr.Rax, 8);
        _a.Alu(Alu.Or, size, Gpr.Rax, Gpr.Rcx);
        Put(Destination(Rd(i)), Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags ReverseWords(uint i)
    {
        Get(64, Gpr.Rax, Rn(i));
        _a.ReverseBytes(64, Gpr.Rax);
        _a.Shift(Native.Shift.Ror, 64, Gpr.Rax, 32);
        Put(Destination(Rd(i)), Gpr.Rax);
        return EFlags.Unknown;
    }

    /// <summary>CRC32C of 1 to 8 bytes, an instruction of the host (SSE4.2, which AVX2 comes after).</summary>
    private EFlags Checksum(uint i)
    {
        int bits = 8 << (int)(i >> 10 & 3);
        Get(32, Gpr.Rax, Rn(i));
        Get(64, Gpr.Rcx, Rm(i));
        _a.Crc32(bits, Gpr.Rax, Gpr.Rcx);
        Put(Destination(Rd(i)), Gpr.Rax);
        return EFlags.Unknown;
    }

    /// <summary>Load-acquire and store-release: one host thread executes all PEs, so order needs nothing; what is not aligned is left to
    /// the reference body.</summary>
    private EFlags EmitOrdered(in Op op, bool store)
    {
        uint i = op.Instruction;
        int bytes = 1 << (int)(i >> 30), first = _stubs.Count;
        AlignedBase(i, bytes);
        FindPage(bytes, store);
        if (store && _logged)
            LogStore(bytes);
        if (store)
            StoreRegister(Rd(i), bytes, 0);
        else
            Load(Destination(Rd(i)), bytes, 0);
        ComeBackHere(first, ExitKind.Access);
        return EFlags.Unknown;
    }
}
