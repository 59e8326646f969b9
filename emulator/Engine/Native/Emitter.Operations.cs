using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Which code an operation becomes.</summary>
internal sealed partial class Emitter
{
    /// <summary>Emits one operation.</summary>
    /// <returns>What EFLAGS hold behind it, when it changed them.</returns>
    private EFlags EmitOp(in Op op)
    {
        if (op.Code >= OpCode.Ld8Off)
            return EmitAccess(op);
        switch (op.Code)
        {
            case OpCode.Generic: return (MustBeNoted(op) ? null : EmitRow(op)) ?? Interpret();
            case OpCode.End: return GoTo(_block.Pc + op.Offset);
            case OpCode.Mov: return Number(op, op.Imm);
            case OpCode.MovK64: return MoveKeep(op, 64);
            case OpCode.MovK32: return MoveKeep(op, 32);
            case OpCode.MovReg64: return Move(op, 64);
            case OpCode.MovReg32: return Move(op, 32);
            case OpCode.ReadTpidr: return ReadWord(op, _tpidr);
            case OpCode.ReadTpidrro: return ReadWord(op, _tpidrro);
            case OpCode.AddI64: return AddNumber(op, 64);
            case OpCode.AddI32: return AddNumber(op, 32);
            case OpCode.AddsI64: return WithNumber(op, 64, Alu.Add, EFlags.Carry);
            case OpCode.AddsI32: return WithNumber(op, 32, Alu.Add, EFlags.Carry);
            case OpCode.SubsI64: return WithNumber(op, 64, Alu.Sub, EFlags.Borrow);
            case OpCode.SubsI32: return WithNumber(op, 32, Alu.Sub, EFlags.Borrow);
            case OpCode.AndI: return WithNumber(op, op.Imm <= uint.MaxValue ? 32 : 64, Alu.And, EFlags.Unknown);
            case OpCode.OrrI64: return WithNumber(op, 64, Alu.Or, EFlags.Unknown);
            case OpCode.OrrI32: return WithNumber(op, 32, Alu.Or, EFlags.Unknown);
            case OpCode.EorI64: return WithNumber(op, 64, Alu.Xor, EFlags.Unknown);
            case OpCode.EorI32: return WithNumber(op, 32, Alu.Xor, EFlags.Unknown);
            case OpCode.AndsI64: return WithNumber(op, 64, Alu.And, EFlags.Carry);
            case OpCode.AndsI32: return WithNumber(op, 32, Alu.And, EFlags.Carry);
            case OpCode.Ubfx: return Extract(op);
            case OpCode.Ubfiz: return InsertInZeros(op);
            case OpCode.Sbf64: return SignedField(op, 64);
            case OpCode.Sbf32: return SignedField(op, 32);
            case OpCode.Bfm64: return Insert(op, 64);
            case OpCode.Bfm32: return Insert(op, 32);
            case OpCode.Extr64: return ExtractPair(op, 64);
            case OpCode.Extr32: return ExtractPair(op, 32);
            case OpCode.Add64: return Add(op, 64);
            case OpCode.Add32: return Add(op, 32);
            case OpCode.Sub64: return Binary(op, 64, Alu.Sub, EFlags.Unknown);
            case OpCode.Sub32: return Binary(op, 32, Alu.Sub, EFlags.Unknown);
            case OpCode.Adds64: return Binary(op, 64, Alu.Add, EFlags.Carry);
            case OpCode.Adds32: return Binary(op, 32, Alu.Add, EFlags.Carry);
            case OpCode.Subs64: return Binary(op, 64, Alu.Sub, EFlags.Borrow);
            case OpCode.Subs32: return Binary(op, 32, Alu.Sub, EFlags.Borrow);
            case OpCode.And64: return Binary(op, 64, Alu.And, EFlags.Unknown);
            case OpCode.And32: return Binary(op, 32, Alu.And, EFlags.Unknown);
            case OpCode.Orr64: return Binary(op, 64, Alu.Or, EFlags.Unknown);
            case OpCode.Orr32: return Binary(op, 32, Alu.Or, EFlags.Unknown);
            case OpCode.Eor64: return Binary(op, 64, Alu.Xor, EFlags.Unknown);
            case OpCode.Eor32: return Binary(op, 32, Alu.Xor, EFlags.Unknown);
            case OpCode.Bic64: return Inverted(op, 64, Alu.And);
            case OpCode.Bic32: return Inverted(op, 32, Alu.And);
            case OpCode.Orn64: return Inverted(op, 64, Alu.Or);
            case OpCode.Orn32: return Inverted(op, 32, Alu.Or);
            case OpCode.Ands64: return Binary(op, 64, Alu.And, EFlags.Carry);
            case OpCode.Ands32: return Binary(op, 32, Alu.And, EFlags.Carry);
            case OpCode.AddLsl64: return AddShifted(op, 64, 0);
            case OpCode.AddSh64: return Shifted(op, 64, Alu.Add, EFlags.Unknown);
            case OpCode.AddSh32: return Shifted(op, 32, Alu.Add, EFlags.Unknown);
            case OpCode.SubSh64: return Shifted(op, 64, Alu.Sub, EFlags.Unknown);
            case OpCode.SubSh32: return Shifted(op, 32, Alu.Sub, EFlags.Unknown);
            case OpCode.AddsSh64: return Shifted(op, 64, Alu.Add, EFlags.Carry);
            case OpCode.AddsSh32: return Shifted(op, 32, Alu.Add, EFlags.Carry);
            case OpCode.SubsSh64: return Shifted(op, 64, Alu.Sub, EFlags.Borrow);
            case OpCode.SubsSh32: return Shifted(op, 32, Alu.Sub, EFlags.Borrow);
            case OpCode.AndsSh64: return Shifted(op, 64, Alu.And, EFlags.Carry);
            case OpCode.AndsSh32: return Shifted(op, 32, Alu.And, EFlags.Carry);
            case OpCode.AddRot64: return Rotated(op, 64, Alu.Add, false);
            case OpCode.AddRot32: return Rotated(op, 32, Alu.Add, false);
            case OpCode.SubRot64: return Rotated(op, 64, Alu.Sub, false);
            case OpCode.SubRot32: return Rotated(op, 32, Alu.Sub, false);
            case OpCode.AndRot64: return Rotated(op, 64, Alu.And, false);
            case OpCode.AndRot32: return Rotated(op, 32, Alu.And, false);
            case OpCode.OrrRot64: return Rotated(op, 64, Alu.Or, false);
            case OpCode.OrrRot32: return Rotated(op, 32, Alu.Or, false);
            case OpCode.EorRot64: return Rotated(op, 64, Alu.Xor, false);
            case OpCode.EorRot32: return Rotated(op, 32, Alu.Xor, false);
            case OpCode.BicRot64: return Rotated(op, 64, Alu.And, true);
            case OpCode.BicRot32: return Rotated(op, 32, Alu.And, true);
            case OpCode.OrnRot64: return Rotated(op, 64, Alu.Or, true);
            case OpCode.OrnRot32: return Rotated(op, 32, Alu.Or, true);
            case OpCode.AddExt64: return Extended(op, 64, Alu.Add);
            case OpCode.AddExt32: return Extended(op, 32, Alu.Add);
            case OpCode.SubExt64: return Extended(op, 64, Alu.Sub);
            case OpCode.SubExt32: return Extended(op, 32, Alu.Sub);
            case OpCode.Csel64: return Select(op, 64, SelectKind.Plain);
            case OpCode.Csel32: return Select(op, 32, SelectKind.Plain);
            case OpCode.Csinc64: return Select(op, 64, SelectKind.Increment);
            case OpCode.Csinc32: return Select(op, 32, SelectKind.Increment);
            case OpCode.Csinv64: return Select(op, 64, SelectKind.Invert);
            case OpCode.Csinv32: return Select(op, 32, SelectKind.Invert);
            case OpCode.Csneg64: return Select(op, 64, SelectKind.Negate);
            case OpCode.Csneg32: return Select(op, 32, SelectKind.Negate);
            case OpCode.Ccmp64: return CompareIf(op, 64, false);
            case OpCode.Ccmp32: return CompareIf(op, 32, false);
            case OpCode.CcmpI64: return CompareIf(op, 64, true);
            case OpCode.CcmpI32: return CompareIf(op, 32, true);
            case OpCode.Madd64: return MultiplyAdd(op, 64, Alu.Add);
            case OpCode.Madd32: return MultiplyAdd(op, 32, Alu.Add);
            case OpCode.Msub64: return MultiplyAdd(op, 64, Alu.Sub);
            case OpCode.Msub32: return MultiplyAdd(op, 32, Alu.Sub);
            case OpCode.Smaddl: return MultiplyLong(op, true, Alu.Add);
            case OpCode.Umaddl: return MultiplyLong(op, false, Alu.Add);
            case OpCode.Smsubl: return MultiplyLong(op, true, Alu.Sub);
            case OpCode.Umsubl: return MultiplyLong(op, false, Alu.Sub);
            case OpCode.Smulh: return MultiplyHigh(op, true);
            case OpCode.Umulh: return MultiplyHigh(op, false);
            case OpCode.Udiv64: return Divide(op, 64, false);
            case OpCode.Udiv32: return Divide(op, 32, false);
            case OpCode.Sdiv64: return Divide(op, 64, true);
            case OpCode.Sdiv32: return Divide(op, 32, true);
            case OpCode.Lslv64: return ShiftByRegister(op, 64, Native.Shift.Shl);
            case OpCode.Lslv32: return ShiftByRegister(op, 32, Native.Shift.Shl);
            case OpCode.Lsrv64: return ShiftByRegister(op, 64, Native.Shift.Shr);
            case OpCode.Lsrv32: return ShiftByRegister(op, 32, Native.Shift.Shr);
            case OpCode.Asrv64: return ShiftByRegister(op, 64, Native.Shift.Sar);
            case OpCode.Asrv32: return ShiftByRegister(op, 32, Native.Shift.Sar);
            case OpCode.Rorv64: return RotateByRegister(op, 64);
            case OpCode.Rorv32: return RotateByRegister(op, 32);
            case OpCode.Clz64: return CountZeros(op, 64);
            case OpCode.Clz32: return CountZeros(op, 32);
            case OpCode.Rev64: return Reverse(op, 64);
            case OpCode.Rev32: return Reverse(op, 32);
            case OpCode.B: return GoTo(op.Imm);
            case OpCode.Bl: return Call(op);
            case OpCode.Br: return Indirect(op, false);
            case OpCode.Blr: return Indirect(op, true);
            case OpCode.Ret: return Indirect(op, false);
            case OpCode.Cbz64: return BranchIfZero(op, 64, Cc.E);
            case OpCode.Cbz32: return BranchIfZero(op, 32, Cc.E);
            case OpCode.Cbnz64: return BranchIfZero(op, 64, Cc.Ne);
            case OpCode.Cbnz32: return BranchIfZero(op, 32, Cc.Ne);
            case OpCode.Tbz: return BranchOnBit(op, Cc.Ae);
            case OpCode.Tbnz: return BranchOnBit(op, Cc.B);
            // BEq to BLe are in the order of the conditions.
            default: return BranchIf(Condition(op.Code - OpCode.BEq), op.Imm);
        }
    }
}
