using System.Buffers.Binary;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Encodes the x64 instructions that the emitter uses (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2),
/// into a buffer of its own, for a place that is known.</summary>
internal sealed class Assembler
{
    private readonly byte[] _code;

    /// <param name="capacity">Bytes of the longest piece of code.</param>
    internal Assembler(int capacity) => _code = new byte[capacity];

    /// <summary>Where the first byte will be executed.</summary>
    internal ulong Origin { get; private set; }

    /// <summary>Bytes so far.</summary>
    internal int Position { get; private set; }

    /// <summary>Where the next byte will be executed.</summary>
    internal ulong Here => Origin + (ulong)Position;

    /// <summary>What was encoded.</summary>
    internal ReadOnlySpan<byte> Bytes => _code.AsSpan(0, Position);

    /// <summary>Begins anew, for another place.</summary>
    internal void Start(ulong origin)
    {
        Origin = origin;
        Position = 0;
    }

    private void Byte(int value) => _code[Position++] = (byte)value;

    private void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(Position), value);
        Position += 4;
    }

    /// <summary>An instruction with ModRM: prefixes, REX, opcode of one to three bytes, operand.</summary>
    private void Encode(int size, int opcode, int register, in Operand rm, int prefix = 0)
    {
        if (size == 16)
            Byte(0x66);
        if (prefix != 0)
            Byte(prefix);
        int rex = (size == 64 ? 8 : 0) | (register >> 3 << 2) | (rm.IsMemory ? rm.Index >> 3 << 1 : 0) | (rm.Register >> 3);
        // SPL, BPL, SIL and DIL need a REX prefix.
        if (rex != 0 || (size == 8 && (register >= 4 || (!rm.IsMemory && rm.Register >= 4))))
            Byte(0x40 | rex);
        if (opcode > 0xFFFF)
            Byte(opcode >> 16);
        if (opcode > 0xFF)
            Byte(opcode >> 8);
        Byte(opcode);
        ModRm(register, rm);
    }

    private void ModRm(int register, in Operand rm)
    {
        int reg = (register & 7) << 3;
        if (!rm.IsMemory)
        {
            Byte(0xC0 | reg | (rm.Register & 7));
            return;
        }
        int low = rm.Register & 7;
        bool sib = rm.Index != Operand.NoIndex || low == 4;
        int mod = rm.Displacement == 0 && low != 5 ? 0 : rm.Displacement == (sbyte)rm.Displacement ? 1 : 2;
        Byte(mod << 6 | reg | (sib ? 4 : low));
        if (sib)
            Byte(rm.Scale << 6 | (rm.Index & 7) << 3 | low);
        if (mod == 1)
            Byte(rm.Displacement);
        else if (mod == 2)
            Int32(rm.Displacement);
    }

    /// <summary>An instruction of 128 bits with VEX prefix.</summary>
    /// <param name="map">1: 0F, 2: 0F38, 3: 0F3A.</param>
    /// <param name="prefix">0: none, 1: 66, 2: F3, 3: F2.</param>
    /// <param name="opcode">Last byte of the opcode.</param>
    /// <param name="register">ModRM.reg.</param>
    /// <param name="second">VEX.vvvv; 0 where there is none.</param>
    /// <param name="rm">ModRM.rm.</param>
    /// <param name="wide">VEX.W.</param>
    internal void Vex(int map, int prefix, int opcode, int register, int second, in Operand rm, bool wide = false)
    {
        Byte(0xC4);
        int index = rm.IsMemory ? rm.Index >> 3 : 0;
        Byte(((register >> 3) ^ 1) << 7 | (index ^ 1) << 6 | ((rm.Register >> 3) ^ 1) << 5 | map);
        Byte((wide ? 0x80 : 0) | (~second & 15) << 3 | prefix);
        Byte(opcode);
        ModRm(register, rm);
    }

    /// <summary>As the other one, with an immediate byte.</summary>
    internal void Vex(int map, int prefix, int opcode, int register, int second, in Operand rm, int immediate, bool wide = false)
    {
        Vex(map, prefix, opcode, register, second, rm, wide);
        Byte(immediate);
    }

    internal void Mov(int size, Gpr destination, in Operand source) => Encode(size, 0x8B, (int)destination, source);

    /// <summary>Stores a register of 8, 16, 32 or 64 bits.</summary>
    internal void Store(int size, in Operand destination, Gpr source) => Encode(size, size == 8 ? 0x88 : 0x89, (int)source, destination);

    /// <summary>Stores a number; 64 bits of it are the sign extension of 32.</summary>
    internal void Store(int size, in Operand destination, int value)
    {
        Encode(size, size == 8 ? 0xC6 : 0xC7, 0, destination);
        if (size == 8)
        {
            Byte(value);
        }
        else if (size == 16)
        {
            Byte(value);
            Byte(value >> 8);
        }
        else
        {
            Int32(value);
        }
    }

    /// <summary>A register gets a number, in the shortest form; the flags stay.</summary>
    internal void Set(Gpr register, ulong value)
    {
        if (value <= uint.MaxValue)
        {
            if ((int)register >= 8)
                Byte(0x41);
            Byte(0xB8 | ((int)register & 7));
            Int32((int)value);
        }
        else if ((long)value == (int)value)
        {
            Store(64, register, (int)value);
        }
        else
        {
            Byte(0x48 | ((int)register >> 3));
            Byte(0xB8 | ((int)register & 7));
            BinaryPrimitives.WriteUInt64LittleEndian(_code.AsSpan(Position), value);
            Position += 8;
        }
    }

    /// <summary>MOVZX of 8 or 16 bits.</summary>
    internal void ZeroExtend(int from, Gpr destination, in Operand source) =>
        Encode(from == 8 && !source.IsMemory ? 8 : 32, from == 8 ? 0x0FB6 : 0x0FB7, (int)destination, source);

    /// <summary>MOVSX or MOVSXD of 8, 16 or 32 bits to 32 or 64.</summary>
    internal void SignExtend(int from, int size, Gpr destination, in Operand source)
    {
        // A 32-bit form of a byte register needs REX for SIL and its like.
        int encoded = size == 32 && from == 8 && !source.IsMemory ? 8 : size;
        Encode(encoded, from switch { 8 => 0x0FBE, 16 => 0x0FBF, _ => 0x63 }, (int)destination, source);
    }

    internal void Alu(Alu operation, int size, Gpr destination, in Operand source) =>
        Encode(size, (int)operation << 3 | 3, (int)destination, source);

    /// <summary>With a number that is sign-extended from 32 bits.</summary>
    internal void Alu(Alu operation, int size, in Operand destination, int value)
    {
        bool small = value == (sbyte)value;
        Encode(size, small ? 0x83 : 0x81, (int)operation, destination);
        if (small)
            Byte(value);
        else
            Int32(value);
    }

    /// <summary>The destination is in memory.</summary>
    internal void AluTo(Alu operation, int size, in Operand destination, Gpr source) =>
        Encode(size, (int)operation << 3 | 1, (int)source, destination);

    internal void Test(int size, Gpr left, in Operand right) => Encode(size, size == 8 ? 0x84 : 0x85, (int)left, right);

    /// <summary>TEST of a byte with a number.</summary>
    internal void TestByte(in Operand left, int value)
    {
        Encode(8, 0xF6, 0, left);
        Byte(value);
    }

    internal void Test(int size, in Operand left, int value)
    {
        Encode(size, 0xF7, 0, left);
        Int32(value);
    }

    /// <summary>BT with the number of a bit.</summary>
    internal void BitTest(int size, in Operand operand, int bit)
    {
        Encode(size, 0x0FBA, 4, operand);
        Byte(bit);
    }

    internal void Lea(int size, Gpr destination, in Operand address) => Encode(size, 0x8D, (int)destination, address);

    internal void Shift(Shift shift, int size, Gpr register, int amount)
    {
        Encode(size, 0xC1, (int)shift, register);
        Byte(amount);
    }

    /// <summary>A shift by CL.</summary>
    internal void ShiftByCl(Shift shift, int size, Gpr register) => Encode(size, 0xD3, (int)shift, register);

    /// <summary>SHRD: shifts right, bits of <paramref name="source"/> come in.</summary>
    internal void ShiftRightDouble(int size, Gpr destination, Gpr source, int amount)
    {
        Encode(size, 0x0FAC, (int)source, destination);
        Byte(amount);
    }

    /// <summary>RORX: rotates right and leaves the flags.</summary>
    internal void RotateRight(int size, Gpr destination, in Operand source, int amount) =>
        Vex(3, 3, 0xF0, (int)destination, 0, source, amount, size == 64);

    /// <summary>SHLX, SHRX or SARX: shifts by a register and leaves the flags.</summary>
    internal void ShiftBy(Shift shift, int size, Gpr destination, in Operand source, Gpr amount) =>
        Vex(
            2, shift switch { Native.Shift.Shl => 1, Native.Shift.Sar => 2, _ => 3 }, 0xF7, (int)destination, (int)amount, source,
            size == 64);

    internal void Not(int size, Gpr register) => Encode(size, 0xF7, 2, register);

    internal void Neg(int size, Gpr register) => Encode(size, 0xF7, 3, register);

    /// <summary>RDX:RAX gets the product of RAX.</summary>
    internal void MultiplyWide(bool signed, in Operand factor) => Encode(64, 0xF7, signed ? 5 : 4, factor);

    /// <summary>Divides RDX:RAX.</summary>
    internal void Divide(bool signed, int size, Gpr divisor) => Encode(size, 0xF7, signed ? 7 : 6, divisor);

    /// <summary>CDQ or CQO.</summary>
    internal void ExtendAccumulator(int size)
    {
        if (size == 64)
            Byte(0x48);
        Byte(0x99);
    }

    internal void Multiply(int size, Gpr destination, in Operand source) => Encode(size, 0x0FAF, (int)destination, source);

    internal void CountLeadingZeros(int size, Gpr destination, in Operand source) => Encode(size, 0x0FBD, (int)destination, source, 0xF3);

    /// <summary>CRC32: the CRC32C of a register of 8 to 64 bits is added.</summary>
    internal void Crc32(int size, Gpr destination, Gpr source) =>
        Encode(size, size == 8 ? 0x0F38F0 : 0x0F38F1, (int)destination, source, 0xF2);

    internal void ReverseBytes(int size, Gpr register)
    {
        if (size == 64 || (int)register >= 8)
            Byte((size == 64 ? 0x48 : 0x40) | ((int)register >> 3));
        Byte(0x0F);
        Byte(0xC8 | ((int)register & 7));
    }

    /// <summary>CMPXCHG: when the accumulator is equal to memory, that gets a register; else the accumulator gets memory.</summary>
    internal void CompareExchange(int size, in Operand memory, Gpr register) =>
        Encode(size, size == 8 ? 0x0FB0 : 0x0FB1, (int)register, memory);

    /// <summary>LDMXCSR or STMXCSR.</summary>
    internal void ControlAndStatus(bool store, in Operand memory) => Encode(32, 0x0FAE, store ? 3 : 2, memory);

    internal void MoveIf(Cc condition, int size, Gpr destination, in Operand source) =>
        Encode(size, 0x0F40 | (int)condition, (int)destination, source);

    internal void SetIf(Cc condition, in Operand destination) => Encode(8, 0x0F90 | (int)condition, 0, destination);

    /// <summary>AH gets S, Z, A, P and C.</summary>
    internal void Lahf() => Byte(0x9F);

    /// <summary>S, Z, A, P and C from AH.</summary>
    internal void Sahf() => Byte(0x9E);

    internal void ComplementCarry() => Byte(0xF5);

    internal void AddToAl(int value)
    {
        Byte(0x04);
        Byte(value);
    }

    internal void Push(Gpr register)
    {
        if ((int)register >= 8)
            Byte(0x41);
        Byte(0x50 | ((int)register & 7));
    }

    internal void Pop(Gpr register)
    {
        if ((int)register >= 8)
            Byte(0x41);
        Byte(0x58 | ((int)register & 7));
    }

    internal void Call(ulong target)
    {
        Byte(0xE8);
        Int32(0);
        Resolve(Position - 4, target);
    }

    internal void Return() => Byte(0xC3);

    internal void JumpTo(in Operand target) => Encode(32, 0xFF, 4, target);

    /// <summary>A jump whose target Resolve gives.</summary>
    /// <returns>What it is known by: the place of its distance.</returns>
    internal int Jump()
    {
        Byte(0xE9);
        Int32(0);
        return Position - 4;
    }

    /// <summary>A conditional jump whose target Resolve gives.</summary>
    internal int JumpIf(Cc condition)
    {
        Byte(0x0F);
        Byte(0x80 | (int)condition);
        Int32(0);
        return Position - 4;
    }

    /// <summary>The jump goes here.</summary>
    internal void Resolve(int jump) => Resolve(jump, Here);

    internal void Resolve(int jump, ulong target) =>
        BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(jump), Distance(Origin + (ulong)jump, target));

    /// <summary>Where it goes on when a jump is not made.</summary>
    internal static ulong Behind(Assembler code, int jump) => code.Origin + (ulong)jump + 4;

    /// <summary>What a jump holds: the distance to its target from its end.</summary>
    internal static int Distance(ulong place, ulong target) => checked((int)unchecked((long)(target - (place + 4))));

    internal void JumpTo(ulong target) => Resolve(Jump(), target);

    internal void JumpTo(Cc condition, ulong target) => Resolve(JumpIf(condition), target);
}
