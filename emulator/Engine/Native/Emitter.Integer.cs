using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Integer operations. What each does is in operations.txt.</summary>
internal sealed partial class Emitter
{
    // The number that the last operation put into a register, for the MOVK behind it.
    private (int Register, ulong Value) _constant;

    private enum SelectKind
    {
        Plain,
        Increment,
        Invert,
        Negate,
    }

    private EFlags Number(in Op op, ulong value)
    {
        PutNumber(op.Rd, value);
        _constant = (op.Rd, value);
        return EFlags.Unknown;
    }

    private EFlags MoveKeep(in Op op, int size)
    {
        ulong mask = 0xffffUL << op.Ra;
        bool follows = _op > 0 && _steps[_at - 1].Op.Code is OpCode.Mov or OpCode.MovK64 or OpCode.MovK32;
        if (follows && _constant.Register == op.Rn && op.Rn == op.Rd)
        {
            ulong all = (_constant.Value & ~mask) | op.Imm << op.Ra;
            return Number(op, size == 64 ? all : (uint)all);
        }
        // A MOVK behind this one must not take an older number for its register's.
        _constant = (Translator.Discard, 0);
        Get(size, Gpr.Rax, op.Rn);
        AluNumber(Alu.And, size, Gpr.Rax, size == 64 ? ~mask : (uint)~mask);
        AluNumber(Alu.Or, size, Gpr.Rax, size == 64 ? op.Imm << op.Ra : (uint)(op.Imm << op.Ra));
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags Move(in Op op, int size)
    {
        if (op.Rm == 31)
        {
            PutNumber(op.Rd, 0);
            return EFlags.Unknown;
        }
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        if (size == 64 && result == Gpr.Rax)
            result = Fetch(op.Rm, Gpr.Rax);
        else
            Get(size, result, op.Rm);
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags ReadWord(in Op op, int displacement)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.Mov(64, result, Operand.At(State, displacement));
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags AddNumber(in Op op, int size)
    {
        // The immediate is of 12 or 24 bits, or the negative of one.
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.Lea(size, result, Operand.At(Fetch(op.Rn, Gpr.Rax), (int)op.Imm));
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags WithNumber(in Op op, int size, Alu operation, EFlags flags)
    {
        ulong number = size == 64 ? op.Imm : (uint)op.Imm;
        bool fits = size == 32 || (long)number == (int)number;
        if (op.Rd == Translator.Discard && fits && op.Rn != 31 && operation == Alu.Sub)
        {
            _a.Alu(Alu.Cmp, size, _general[op.Rn], (int)number);
            return KeepFlags(flags, new(operation, size, op.Rn, -1, number));
        }
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        Get(size, result, op.Rn);
        AluNumber(operation, size, result, number);
        Put(op.Rd, result);
        return flags == EFlags.Unknown ? flags : KeepFlags(flags, new(operation, size, op.Rn, -1, number));
    }

    private EFlags Add(in Op op, int size)
    {
        if (op.Rn == op.Rd || op.Rm == op.Rd || !IsHeld(op.Rn) || !IsHeld(op.Rm))
            return op.Rm == op.Rd ? Binary(op.Rd, op.Rm, op.Rn, size, Alu.Add, EFlags.Unknown) : Binary(op, size, Alu.Add, EFlags.Unknown);
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.Lea(size, result, Operand.At(HostOf(op.Rn), HostOf(op.Rm), 0, 0));
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags Binary(in Op op, int size, Alu operation, EFlags flags)
    {
        bool commutes = operation != Alu.Sub;
        return commutes && op.Rm == op.Rd
            ? Binary(op.Rd, op.Rm, op.Rn, size, operation, flags)
            : Binary(op.Rd, op.Rn, op.Rm, size, operation, flags);
    }

    private EFlags Binary(int rd, int rn, int rm, int size, Alu operation, EFlags flags)
    {
        if (rd == Translator.Discard && operation is Alu.Sub or Alu.And && flags != EFlags.Unknown)
        {
            // CMP and TST.
            Gpr left = Fetch(rn, Gpr.Rax);
            if (operation == Alu.Sub)
                _a.Alu(Alu.Cmp, size, left, _general[rm]);
            else
                _a.Test(size, left, _general[rm]);
            return KeepFlags(flags, new(operation, size, rn, rm, 0));
        }
        Gpr result = ResultIn(rd, rd == rn ? Translator.Discard : rm);
        Get(size, result, rn);
        _a.Alu(operation, size, result, _general[rm]);
        Put(rd, result);
        return flags == EFlags.Unknown ? flags : KeepFlags(flags, new(operation, size, rn, rm, 0));
    }

    /// <summary>An operation whose second operand was made in RCX.</summary>
    private EFlags WithRcx(in Op op, int size, Alu operation, EFlags flags) => WithRcx(op.Rd, op.Rn, size, operation, flags);

    private EFlags WithRcx(int rd, int rn, int size, Alu operation, EFlags flags)
    {
        Gpr result = ResultIn(rd, Translator.Discard);
        Get(size, result, rn);
        _a.Alu(operation, size, result, Gpr.Rcx);
        Put(rd, result);
        return flags == EFlags.Unknown ? flags : KeepFlags(flags, Comparison.None);
    }

    private EFlags Inverted(in Op op, int size, Alu operation)
    {
        Get(64, Gpr.Rcx, op.Rm);
        _a.Not(size, Gpr.Rcx);
        return WithRcx(op, size, operation, EFlags.Unknown);
    }

    private EFlags AddShifted(in Op op, int size, int kind)
    {
        if (op.Ra > 3 || !IsHeld(op.Rn) || !IsHeld(op.Rm))
            return ShiftedBy(op, size, Alu.Add, EFlags.Unknown, kind);
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.Lea(size, result, Operand.At(HostOf(op.Rn), HostOf(op.Rm), op.Ra, 0));
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags Shifted(in Op op, int size, Alu operation, EFlags flags) => ShiftedBy(op, size, operation, flags, op.Extra);

    private EFlags ShiftedBy(in Op op, int size, Alu operation, EFlags flags, int kind)
    {
        ShiftIntoRcx(op.Rm, size, kind, op.Ra);
        return WithRcx(op, size, operation, flags);
    }

    private void ShiftIntoRcx(int register, int size, int kind, int amount)
    {
        Get(64, Gpr.Rcx, register);
        if ((amount & (size - 1)) == 0)
            return;
        _a.Shift(
            (kind & 3) switch { 0 => Native.Shift.Shl, 1 => Native.Shift.Shr, 2 => Native.Shift.Sar, _ => Native.Shift.Ror },
            size, Gpr.Rcx, amount & (size - 1));
    }

    /// <summary>The second operand is rotated right and masked: LSL, LSR and ROR are. When the mask takes off what a shift leaves
    /// out, it is a shift.</summary>
    private EFlags Rotated(in Op op, int size, Alu operation, bool inverted)
    {
        ulong ones = size == 64 ? ulong.MaxValue : uint.MaxValue;
        ulong mask = op.Imm & ones;
        int right = op.Ra & (size - 1), left = (size - right) & (size - 1);
        Get(64, Gpr.Rcx, op.Rm);
        if (mask == ((ones << left) & ones) && left != 0)
            _a.Shift(Native.Shift.Shl, size, Gpr.Rcx, left);
        else if (mask == ones >> right && right != 0)
            _a.Shift(Native.Shift.Shr, size, Gpr.Rcx, right);
        else
            RotateAndMask(size, right, mask, ones);
        if (inverted)
            _a.Not(size, Gpr.Rcx);
        return WithRcx(op, size, operation, EFlags.Unknown);
    }

    private void RotateAndMask(int size, int right, ulong mask, ulong ones)
    {
        if (right != 0)
            _a.Shift(Native.Shift.Ror, size, Gpr.Rcx, right);
        if (mask != ones)
            AluNumber(Alu.And, size, Gpr.Rcx, mask);
    }

    private EFlags Extended(in Op op, int size, Alu operation)
    {
        Extend(Gpr.Rcx, op.Rm, op.Extra);
        if (op.Ra != 0)
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rcx, op.Ra);
        return WithRcx(op, size, operation, EFlags.Unknown);
    }

    /// <summary>ExtendReg without the shift.</summary>
    private void Extend(Gpr host, int register, int option)
    {
        Operand source = _general[register];
        switch (option & 7)
        {
            case 0: _a.ZeroExtend(8, host, source); break;
            case 1: _a.ZeroExtend(16, host, source); break;
            case 2: _a.Mov(32, host, source); break;
            case 4: _a.SignExtend(8, 64, host, source); break;
            case 5: _a.SignExtend(16, 64, host, source); break;
            case 6: _a.SignExtend(32, 64, host, source); break;
            default: Get(64, host, register); break;
        }
    }

    private EFlags Extract(in Op op)
    {
        // A mask that ends at bit 31 after a shift is an LSR of a word.
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        int shift = op.Ra & 63;
        ulong mask = op.Imm;
        if (shift == 0 && mask is 0xFF or 0xFFFF)
        {
            _a.ZeroExtend(mask == 0xFF ? 8 : 16, result, _general[op.Rn]);
        }
        else if (shift < 32 && mask == uint.MaxValue >> shift)
        {
            Get(32, result, op.Rn);
            if (shift != 0)
                _a.Shift(Native.Shift.Shr, 32, result, shift);
        }
        else
        {
            Get(64, result, op.Rn);
            if (shift != 0)
                _a.Shift(Native.Shift.Shr, 64, result, shift);
            if (mask != ulong.MaxValue >> shift)
                AluNumber(Alu.And, mask <= uint.MaxValue ? 32 : 64, result, mask);
        }
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags InsertInZeros(in Op op)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        int shift = op.Ra & 63;
        ulong mask = op.Imm;
        if (shift < 32 && mask == uint.MaxValue >> shift)
        {
            Get(32, result, op.Rn);
            _a.Shift(Native.Shift.Shl, 32, result, shift);
        }
        else
        {
            bool word = mask == uint.MaxValue;
            Get(word ? 32 : 64, result, op.Rn);
            if (!word && mask != ulong.MaxValue >> shift)
                AluNumber(Alu.And, mask <= uint.MaxValue ? 32 : 64, result, mask);
            _a.Shift(Native.Shift.Shl, 64, result, shift);
        }
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags SignedField(in Op op, int size)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        int left = op.Ra & (size - 1), right = op.Rm & (size - 1), width = size - left;
        if (left == right && width is 8 or 16 or 32 && width < size)
        {
            _a.SignExtend(width, size, result, _general[op.Rn]);
        }
        else
        {
            Get(size, result, op.Rn);
            if (left != 0)
                _a.Shift(Native.Shift.Shl, size, result, left);
            if (right != 0)
                _a.Shift(Native.Shift.Sar, size, result, right);
        }
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags Insert(in Op op, int size)
    {
        // (M & ~mask) | (N' & mask) is M ^ ((M ^ N') & mask).
        Get(size, Gpr.Rax, op.Rn);
        int right = op.Ra & (size - 1);
        if (right != 0)
            _a.Shift(Native.Shift.Ror, size, Gpr.Rax, right);
        _a.Alu(Alu.Xor, size, Gpr.Rax, _general[op.Rm]);
        AluNumber(Alu.And, size, Gpr.Rax, size == 64 ? op.Imm : (uint)op.Imm);
        _a.Alu(Alu.Xor, size, Gpr.Rax, _general[op.Rm]);
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags ExtractPair(in Op op, int size)
    {
        Get(size, Gpr.Rax, op.Rm);
        int amount = op.Ra & (size - 1);
        if (amount != 0)
            _a.ShiftRightDouble(size, Gpr.Rax, Fetch(op.Rn, Gpr.Rcx), amount);
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags Select(in Op op, int size, SelectKind kind)
    {
        bool always = op.Ra >= 14;
        Cc condition = always ? Cc.O : Condition(op.Ra);
        if (always)
        {
            Get(size, Gpr.Rax, op.Rn);
        }
        else if (kind == SelectKind.Increment && op.Rn == 31 && op.Rm == 31)
        {
            // CSET.
            _a.SetIf(Opposite(condition), Gpr.Rax);
            _a.ZeroExtend(8, Gpr.Rax, Gpr.Rax);
        }
        else
        {
            Get(size, Gpr.Rax, op.Rm);
            if (kind is SelectKind.Invert or SelectKind.Negate)
                _a.Not(size, Gpr.Rax);
            if (kind is SelectKind.Increment or SelectKind.Negate)
                _a.Lea(size, Gpr.Rax, Operand.At(Gpr.Rax, 1));
            // CMOV of a word clears the upper half whether it moves or not.
            _a.MoveIf(condition, size, Gpr.Rax, _general[op.Rn]);
        }
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags CompareIf(in Op op, int size, bool number)
    {
        int otherwise = -1;
        if (op.Ra < 14)
            otherwise = _a.JumpIf(Opposite(Condition(op.Ra)));
        Gpr left = Fetch(op.Rn, Gpr.Rax);
        if (number)
            _a.Alu(Alu.Cmp, size, left, (int)op.Imm);
        else
            _a.Alu(Alu.Cmp, size, left, _general[op.Rm]);
        StoreFlags(EFlags.Borrow);
        Otherwise(otherwise, op.Extra);
        _lazy = Comparison.None;
        return EFlags.Unknown;
    }

    /// <summary>The flags of a conditional comparison whose condition does not hold.</summary>
    private void Otherwise(int jump, int nzcv)
    {
        if (jump < 0)
            return;
        int end = _a.Jump();
        _a.Resolve(jump);
        _a.Store(16, Operand.At(Frame, NativeFrame.Flags), NativeFrame.Pack(nzcv));
        _a.Resolve(end);
    }

    private EFlags MultiplyAdd(in Op op, int size, Alu operation)
    {
        Get(size, Gpr.Rax, op.Rn);
        _a.Multiply(size, Gpr.Rax, _general[op.Rm]);
        return Accumulate(op, size, operation);
    }

    /// <summary>Adds the product in RAX, or takes it off.</summary>
    private EFlags Accumulate(in Op op, int size, Alu operation)
    {
        if (operation == Alu.Sub)
            _a.Neg(size, Gpr.Rax);
        if (op.Ra != 31)
            _a.Alu(Alu.Add, size, Gpr.Rax, _general[op.Ra]);
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags MultiplyLong(in Op op, bool signed, Alu operation)
    {
        Extend(Gpr.Rax, op.Rn, signed ? 6 : 2);
        Extend(Gpr.Rcx, op.Rm, signed ? 6 : 2);
        _a.Multiply(64, Gpr.Rax, Gpr.Rcx);
        return Accumulate(op, 64, operation);
    }

    private EFlags MultiplyHigh(in Op op, bool signed)
    {
        Get(64, Gpr.Rax, op.Rn);
        _a.MultiplyWide(signed, _general[op.Rm]);
        Put(op.Rd, Gpr.Rdx);
        return EFlags.Unknown;
    }

    private EFlags Divide(in Op op, int size, bool signed)
    {
        // 0 by 0, and the negative by -1, whose quotient the host may not be able to give.
        Get(size, Gpr.Rcx, op.Rm);
        _a.Set(Gpr.Rax, 0);
        _a.Test(size, Gpr.Rcx, Gpr.Rcx);
        int byZero = _a.JumpIf(Cc.E);
        Get(size, Gpr.Rax, op.Rn);
        int end = -1;
        if (signed)
        {
            _a.Alu(Alu.Cmp, size, Gpr.Rcx, -1);
            int divide = _a.JumpIf(Cc.Ne);
            _a.Neg(size, Gpr.Rax);
            end = _a.Jump();
            _a.Resolve(divide);
            _a.ExtendAccumulator(size);
        }
        else
        {
            _a.Set(Gpr.Rdx, 0);
        }
        _a.Divide(signed, size, Gpr.Rcx);
        _a.Resolve(byZero);
        if (end >= 0)
            _a.Resolve(end);
        Put(op.Rd, Gpr.Rax);
        TraceQuotient(op);
        return EFlags.Unknown;
    }

    private EFlags ShiftByRegister(in Op op, int size, Shift shift)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.ShiftBy(shift, size, result, _general[op.Rn], Fetch(op.Rm, Gpr.Rcx));
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags RotateByRegister(in Op op, int size)
    {
        Get(64, Gpr.Rcx, op.Rm);
        Get(size, Gpr.Rax, op.Rn);
        _a.ShiftByCl(Native.Shift.Ror, size, Gpr.Rax);
        Put(op.Rd, Gpr.Rax);
        return EFlags.Unknown;
    }

    private EFlags CountZeros(in Op op, int size)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        _a.CountLeadingZeros(size, result, _general[op.Rn]);
        Put(op.Rd, result);
        return EFlags.Unknown;
    }

    private EFlags Reverse(in Op op, int size)
    {
        Gpr result = ResultIn(op.Rd, Translator.Discard);
        Get(size, result, op.Rn);
        _a.ReverseBytes(size, result);
        Put(op.Rd, result);
        return EFlags.Unknown;
    }
}
