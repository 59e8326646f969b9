namespace ArmVdso.Kernel.Files;

/// <summary>A checked program of classic BPF as seccomp takes it (bpf_check_classic in net/core/filter.c, seccomp_check_filter in
/// kernel/seccomp.c): words of the data, arithmetic, forward jumps, 16 words of memory.</summary>
internal sealed class ClassicBpf
{
    /// <summary>struct sock_filter.</summary>
    internal readonly record struct Instruction(ushort Code, byte True, byte False, uint K);

    /// <summary>BPF_MAXINSNS.</summary>
    internal const int MostInstructions = 4096;

    private const int Load = 0, LoadX = 1, Store = 2, StoreX = 3, Arithmetic = 4, Jump = 5, Return = 6, Misc = 7;
    private const int Immediate = 0, Absolute = 0x20, Scratch = 0x60, Length = 0x80, FromX = 8;
    private const int Add = 0, Sub = 0x10, Mul = 0x20, Div = 0x30, Or = 0x40, And = 0x50, Lsh = 0x60, Rsh = 0x70, Neg = 0x80, Xor = 0xa0;
    private const int Always = 0, Equal = 0x10, Greater = 0x20, GreaterOrEqual = 0x30, AnyBit = 0x40;
    private const int ReturnA = 0x10, ToA = 0x80, Words = 16;

    private readonly Instruction[] _program;
    private readonly int _dataSize;

    private ClassicBpf(Instruction[] program, int dataSize)
    {
        _program = program;
        _dataSize = dataSize;
    }

    /// <summary>The instructions as they were given.</summary>
    internal ReadOnlySpan<Instruction> Program => _program;

    /// <summary>A program over data of a size; null: it is not valid (EINVAL).</summary>
    internal static ClassicBpf? Check(Instruction[] program, int dataSize)
    {
        if (program.Length is 0 or > MostInstructions || (program[^1].Code & 7) != Return)
            return null;
        for (int pc = 0; pc < program.Length; pc++)
        {
            if (!IsKnown(program[pc], dataSize) || !StaysInside(program[pc], program.Length - pc - 1))
                return null;
        }
        return ReadsWhatWasWritten(program) ? new ClassicBpf(program, dataSize) : null;
    }

    private static bool IsKnown(Instruction i, int dataSize) => i.Code switch
    {
        Load | Absolute => i.K % 4 == 0 && i.K < (uint)dataSize,
        Load | Length or LoadX | Length or Load | Immediate or LoadX | Immediate => true,
        Load | Scratch or LoadX | Scratch or Store or StoreX => i.K < Words,
        Arithmetic | Add or Arithmetic | Sub or Arithmetic | Mul or Arithmetic | Or or Arithmetic | And or Arithmetic | Xor
            or Arithmetic | Neg => true,
        Arithmetic | Div => i.K != 0,
        Arithmetic | Lsh or Arithmetic | Rsh => i.K < 32,
        Arithmetic | Add | FromX or Arithmetic | Sub | FromX or Arithmetic | Mul | FromX or Arithmetic | Div | FromX
            or Arithmetic | Or | FromX or Arithmetic | And | FromX or Arithmetic | Lsh | FromX or Arithmetic | Rsh | FromX
            or Arithmetic | Xor | FromX => true,
        Jump | Always or Jump | Equal or Jump | Greater or Jump | GreaterOrEqual or Jump | AnyBit => true,
        Jump | Equal | FromX or Jump | Greater | FromX or Jump | GreaterOrEqual | FromX or Jump | AnyBit | FromX => true,
        Return or Return | ReturnA or Misc or Misc | ToA => true,
        _ => false,
    };

    private static bool StaysInside(Instruction i, int after) => (i.Code & 7) != Jump
        || ((i.Code & 0xf0) == Always ? i.K < (uint)after : i.True < after && i.False < after);

    /// <summary>check_load_and_stores: a word of memory is written on every way to where it is read.</summary>
    private static bool ReadsWhatWasWritten(Instruction[] program)
    {
        var ways = new ushort[program.Length];
        Array.Fill(ways, ushort.MaxValue);
        ushort written = 0;
        for (int pc = 0; pc < program.Length; pc++)
        {
            Instruction i = program[pc];
            written &= ways[pc];
            switch (i.Code)
            {
                case Store or StoreX:
                    written |= (ushort)(1 << (int)i.K);
                    break;
                case Load | Scratch or LoadX | Scratch when (written & 1 << (int)i.K) == 0:
                    return false;
                case Jump | Always:
                    ways[pc + 1 + (int)i.K] &= written;
                    written = ushort.MaxValue;
                    break;
                case var code when (code & 7) == Jump:
                    ways[pc + 1 + i.True] &= written;
                    ways[pc + 1 + i.False] &= written;
                    written = ushort.MaxValue;
                    break;
            }
        }
        return true;
    }

    /// <summary>What the program says of the data.</summary>
    /// <param name="data">As many bytes as it was checked for.</param>
    /// <param name="executed">Instructions that were executed are added.</param>
    internal uint Run(ReadOnlySpan<byte> data, ref int executed)
    {
        uint a = 0, x = 0;
        Span<uint> memory = stackalloc uint[Words];
        memory.Clear();
        for (int pc = 0; ; pc++)
        {
            Instruction i = _program[pc];
            executed++;
            uint operand = (i.Code & FromX) != 0 ? x : i.K;
            switch (i.Code & 7)
            {
                case Load:
                    a = Loaded(i, data, memory);
                    break;
                case LoadX:
                    x = Loaded(i, data, memory);
                    break;
                case Store:
                    memory[(int)i.K] = a;
                    break;
                case StoreX:
                    memory[(int)i.K] = x;
                    break;
                case Arithmetic when (i.Code & 0xf0) == Div && operand == 0:
                    return 0;
                case Arithmetic:
                    a = Calculate(i.Code & 0xf0, a, operand);
                    break;
                case Jump when (i.Code & 0xf0) == Always:
                    pc += (int)i.K;
                    break;
                case Jump:
                    pc += Holds(i.Code & 0xf0, a, operand) ? i.True : i.False;
                    break;
                case Return:
                    return (i.Code & ReturnA) != 0 ? a : i.K;
                default:
                    (a, x) = (i.Code & ToA) != 0 ? (x, x) : (a, a);
                    break;
            }
        }
    }

    private uint Loaded(Instruction i, ReadOnlySpan<byte> data, ReadOnlySpan<uint> memory) => (i.Code & 0xe0) switch
    {
        Absolute => BitConverter.ToUInt32(data[(int)i.K..]),
        Scratch => memory[(int)i.K],
        Length => (uint)_dataSize,
        _ => i.K,
    };

    private static uint Calculate(int operation, uint a, uint operand) => operation switch
    {
        Add => a + operand,
        Sub => a - operand,
        Mul => a * operand,
        Div => a / operand,
        Or => a | operand,
        And => a & operand,
        Lsh => a << (int)(operand & 31),
        Rsh => a >> (int)(operand & 31),
        Xor => a ^ operand,
        _ => (uint)-(int)a,
    };

    private static bool Holds(int condition, uint a, uint operand) => condition switch
    {
        Equal => a == operand,
        Greater => a > operand,
        GreaterOrEqual => a >= operand,
        _ => (a & operand) != 0,
    };
}
