namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of cryptography. AES and products without carry are instructions of the host, where it has them; SHA-512, which it has
/// not, is done in general registers.</summary>
internal sealed partial class Emitter
{
    private bool EmitCrypto(uint i, Row row) =>
        row switch
        {
            Row.AESE => EncryptRound(i, 0xDD),
            Row.AESD => EncryptRound(i, 0xDF),
            Row.AESMC => MixColumns(i),
            Row.AESIMC => InverseMixColumns(i),
            Row.PMULL_1q => MultiplyWithoutCarry(i),
            Row.SHA512H => Sha512Hash(i),
            Row.SHA512H2 => Sha512HashSecond(i),
            Row.SHA512SU0 => Sha512Schedule(i, Half(Rd(i), 1), Half(Rn(i), 0), 1, 8, 7, false),
            Row.SHA512SU1 => Sha512Schedule(i, Half(Rn(i), 0), Half(Rn(i), 1), 19, 61, 6, true),
            _ => false,
        };

    /// <summary>AESE and AESD: the last round of the host, with a key that is zero.</summary>
    private bool EncryptRound(uint i, int opcode)
    {
        if (!System.Runtime.Intrinsics.X86.Aes.IsSupported)
            return false;
        GetVector(0, Rd(i));
        Packed(0xEF, 0, 0, Source(Rn(i)));
        SetZero(1);
        _a.Vex(2, 1, opcode, 0, 0, Operand.Xmm(1)); // VAESENCLAST, VAESDECLAST
        return PutWhole(i);
    }

    /// <summary>A round of the host is all of a last round and this; the inverse of a last round is made before it.</summary>
    private bool MixColumns(uint i)
    {
        if (!System.Runtime.Intrinsics.X86.Aes.IsSupported)
            return false;
        GetVector(0, Rn(i));
        SetZero(1);
        _a.Vex(2, 1, 0xDF, 0, 0, Operand.Xmm(1)); // VAESDECLAST
        _a.Vex(2, 1, 0xDC, 0, 0, Operand.Xmm(1)); // VAESENC
        return PutWhole(i);
    }

    private bool InverseMixColumns(uint i)
    {
        if (!System.Runtime.Intrinsics.X86.Aes.IsSupported)
            return false;
        _a.Vex(2, 1, 0xDB, 0, 0, Source(Rn(i))); // VAESIMC
        return PutWhole(i);
    }

    private bool MultiplyWithoutCarry(uint i)
    {
        if (!System.Runtime.Intrinsics.X86.Pclmulqdq.IsSupported)
            return false;
        GetVector(0, Rn(i));
        _a.Vex(3, 1, 0x44, 0, 0, Source(Rm(i)), IsLong(i) ? 0x11 : 0); // VPCLMULQDQ
        return PutWhole(i);
    }

    private bool PutWhole(uint i)
    {
        PutRegister(Rd(i), 0);
        return true;
    }

    /// <summary>RCX gets three rotations of RAX, exclusive-ored; RDX is lost.</summary>
    private void Sigma(int first, int second, int third)
    {
        _a.RotateRight(64, Gpr.Rcx, Gpr.Rax, first);
        _a.RotateRight(64, Gpr.Rdx, Gpr.Rax, second);
        _a.Alu(Alu.Xor, 64, Gpr.Rcx, Gpr.Rdx);
        _a.RotateRight(64, Gpr.Rdx, Gpr.Rax, third);
        _a.Alu(Alu.Xor, 64, Gpr.Rcx, Gpr.Rdx);
    }

    /// <summary>Adds to RCX the bits of one word where RAX is 1, of another where it is 0.</summary>
    private void AddChoice(in Operand ones, in Operand zeros)
    {
        _a.Mov(64, Gpr.Rdx, ones);
        _a.Alu(Alu.Xor, 64, Gpr.Rdx, zeros);
        _a.Alu(Alu.And, 64, Gpr.Rdx, Gpr.Rax);
        _a.Alu(Alu.Xor, 64, Gpr.Rdx, zeros);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rdx);
    }

    private bool Sha512Hash(uint i)
    {
        Operand wLow = Half(Rd(i), 0), wHigh = Half(Rd(i), 1), xLow = Half(Rn(i), 0), xHigh = Half(Rn(i), 1);
        Operand yLow = Half(Rm(i), 0), yHigh = Half(Rm(i), 1);
        _a.Mov(64, Gpr.Rax, yHigh);
        Sigma(14, 18, 41);
        AddChoice(xLow, xHigh);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, wHigh);
        _a.Mov(64, Gpr.Rax, Gpr.Rcx);
        _a.Alu(Alu.Add, 64, Gpr.Rax, yLow);
        _a.Push(Gpr.Rcx);
        Sigma(14, 18, 41);
        AddChoice(yHigh, xLow);
        return PutWords(wLow, wHigh);
    }

    /// <summary>Adds the low word of the destination to RCX, and puts it there with the high word on the stack.</summary>
    private bool PutWords(in Operand low, in Operand high)
    {
        _a.Alu(Alu.Add, 64, Gpr.Rcx, low);
        _a.Pop(Gpr.Rdx);
        _a.Store(64, low, Gpr.Rcx);
        _a.Store(64, high, Gpr.Rdx);
        return true;
    }

    private bool Sha512HashSecond(uint i)
    {
        Operand wLow = Half(Rd(i), 0), wHigh = Half(Rd(i), 1), xLow = Half(Rn(i), 0);
        Operand yLow = Half(Rm(i), 0), yHigh = Half(Rm(i), 1);
        _a.Mov(64, Gpr.Rax, yLow);
        Sigma(28, 34, 39);
        AddMajority(xLow, yLow, yHigh);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, wHigh);
        _a.Push(Gpr.Rcx);
        _a.Mov(64, Gpr.Rax, Gpr.Rcx);
        Sigma(28, 34, 39);
        AddMajority(Gpr.Rax, yLow, yHigh);
        return PutWords(wLow, wHigh);
    }

    /// <summary>Adds the majority of three words to RCX: a &amp; (b ^ c) ^ b &amp; c. RAX and RDX are lost.</summary>
    private void AddMajority(in Operand a, in Operand b, in Operand c)
    {
        _a.Mov(64, Gpr.Rdx, b);
        _a.Alu(Alu.Xor, 64, Gpr.Rdx, c);
        _a.Alu(Alu.And, 64, Gpr.Rdx, a);
        _a.Mov(64, Gpr.Rax, b);
        _a.Alu(Alu.And, 64, Gpr.Rax, c);
        _a.Alu(Alu.Xor, 64, Gpr.Rdx, Gpr.Rax);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rdx);
    }

    /// <summary>SHA512SU0 and SU1: two words of the schedule; SU1 adds those of the third register too.</summary>
    private bool Sha512Schedule(uint i, in Operand first, in Operand second, int one, int other, int shift, bool adds)
    {
        // Both are worked out before one is written: registers may be the same.
        ScheduleWord(second, one, other, shift);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Half(Rd(i), 1));
        if (adds)
            _a.Alu(Alu.Add, 64, Gpr.Rcx, Half(Rm(i), 1));
        _a.Push(Gpr.Rcx);
        ScheduleWord(first, one, other, shift);
        if (adds)
            _a.Alu(Alu.Add, 64, Gpr.Rcx, Half(Rm(i), 0));
        return PutWords(Half(Rd(i), 0), Half(Rd(i), 1));
    }

    private void ScheduleWord(in Operand word, int one, int other, int shift)
    {
        _a.Mov(64, Gpr.Rax, word);
        _a.RotateRight(64, Gpr.Rcx, Gpr.Rax, one);
        _a.RotateRight(64, Gpr.Rdx, Gpr.Rax, other);
        _a.Alu(Alu.Xor, 64, Gpr.Rcx, Gpr.Rdx);
        _a.Shift(Native.Shift.Shr, 64, Gpr.Rax, shift);
        _a.Alu(Alu.Xor, 64, Gpr.Rcx, Gpr.Rax);
    }
}
