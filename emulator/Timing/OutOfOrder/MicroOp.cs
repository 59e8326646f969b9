using System.Globalization;

namespace ArmVdso.Emulator.Timing;

/// <summary>Issue ports of an out-of-order core; each takes one micro-op a cycle.</summary>
[Flags]
public enum IssuePorts : ushort
{
    /// <summary>Needs no port: done at rename.</summary>
    None = 0,

    /// <summary>Branch.</summary>
    B = 1,

    /// <summary>Integer, single cycle.</summary>
    S0 = 2,

    /// <summary>Integer, single cycle.</summary>
    S1 = 4,

    /// <summary>Integer, single and multi-cycle.</summary>
    M = 8,

    /// <summary>Load and store address.</summary>
    L0 = 16,

    /// <summary>Load and store address.</summary>
    L1 = 32,

    /// <summary>Store data.</summary>
    D0 = 64,

    /// <summary>Store data.</summary>
    D1 = 128,

    /// <summary>FP and ASIMD.</summary>
    V0 = 256,

    /// <summary>FP and ASIMD.</summary>
    V1 = 512,
}

/// <summary>What a micro-op waits for.</summary>
public enum MicroOpGroup : byte
{
    /// <summary>The operands of the computation, or of the address of a memory access.</summary>
    Main,

    /// <summary>The data of a store.</summary>
    Data,

    /// <summary>The base register, which it writes back.</summary>
    Writeback,
}

/// <summary>One micro-op of an instruction.</summary>
/// <param name="Ports">Ports of which one takes it.</param>
/// <param name="Busy">Cycles during which the port then takes nothing else.</param>
/// <param name="Offset">Cycles after the first micro-op of its group, at the earliest.</param>
/// <param name="Group">What it waits for.</param>
/// <param name="Natural">Cycles after the first micro-op of its group at which it issues when the ports are free.</param>
public readonly record struct MicroOp(IssuePorts Ports, byte Busy, byte Offset, MicroOpGroup Group, byte Natural)
{
    /// <summary>Ports in the order in which they are tried.</summary>
    public const int PortCount = 10;

    /// <summary>Reads the text form: <c>PORT[*COUNT][:BUSY][@OFFSET]</c> separated by blanks, PORT one of B, S, M, I (S or M), L, D, V0,
    /// V1, V. Null when it is not well formed.</summary>
    public static MicroOp[]? Parse(string text)
    {
        var ops = new List<MicroOp>();
        foreach (string token in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string rest = token;
            if (!Number(ref rest, '@', 0, out int offset) || !Number(ref rest, ':', 1, out int busy) || !Number(ref rest, '*', 1, out int count) || busy < 1)
                return null;
            IssuePorts? ports = rest switch
            {
                "B" => IssuePorts.B,
                "S" => IssuePorts.S0 | IssuePorts.S1,
                "M" => IssuePorts.M,
                "I" => IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M,
                "L" => IssuePorts.L0 | IssuePorts.L1,
                "D" => IssuePorts.D0 | IssuePorts.D1,
                "V0" => IssuePorts.V0,
                "V1" => IssuePorts.V1,
                "V" => IssuePorts.V0 | IssuePorts.V1,
                _ => null,
            };
            if (ports is not { } set)
                return null;
            for (int i = 0; i < count; i++)
                ops.Add(new MicroOp(set, (byte)busy, (byte)offset, MicroOpGroup.Main, 0));
        }
        return ops.Count <= 16 ? [.. ops] : null;
    }

    /// <summary>Name of one port, as S0.</summary>
    public static string PortName(int port) => ((IssuePorts)(1 << port)).ToString();

    private static bool Number(ref string text, char mark, int missing, out int value)
    {
        value = missing;
        int at = text.IndexOf(mark);
        if (at < 0)
            return true;
        bool good = int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= 60;
        text = text[..at];
        return good;
    }
}

/// <summary>The static timing of one encoding on an out-of-order core. Registers are numbered as in <see cref="InstructionTiming"/>.</summary>
public sealed class OutOfOrderInstruction
{
    /// <summary>Class, with the forms that were found in the model file, as <c>simd_mul.q</c>.</summary>
    public required string Class { get; init; }

    /// <summary>Registers read.</summary>
    public required byte[] Sources { get; init; }

    /// <summary>Which micro-ops need each source.</summary>
    public required MicroOpGroup[] SourceGroups { get; init; }

    /// <summary>For each source: cycles by which it may be later than the first micro-op (what is merged behind a load or a transfer).</summary>
    public required byte[] Needs { get; init; }

    /// <summary>Bit i is set when the writeback micro-op needs source i too.</summary>
    public uint WritebackSources { get; init; }

    /// <summary>Bit i is set when source i is an accumulator.</summary>
    public uint AccumulatorSources { get; init; }

    /// <summary>Cycles by which an accumulator may be late when an instruction of the same class produced it.</summary>
    public byte Forward { get; init; }

    /// <summary>Class of instructions that forward accumulators to each other; 0 is none.</summary>
    public byte ForwardGroup { get; init; }

    /// <summary>Registers written.</summary>
    public required byte[] Destinations { get; init; }

    /// <summary>Bit i is set when destination i comes from the writeback micro-op.</summary>
    public uint WritebackDestinations { get; init; }

    /// <summary>Cycles from the issue of the first micro-op to the result.</summary>
    public short Latency { get; init; }

    /// <summary>Micro-ops; none for what is done at rename.</summary>
    public required MicroOp[] Ops { get; init; }

    /// <summary>What else it does.</summary>
    public TimingKind Kind { get; init; }

    /// <summary>Cycles by which it delays what follows (system instructions).</summary>
    public short Hold { get; init; }

    /// <summary>0: no order; 1: issues when everything older is complete; 2: and nothing younger is fetched before it is done.</summary>
    public byte Serialize { get; init; }

    /// <summary>Rename slots that it takes.</summary>
    public byte Slots { get; init; } = 1;

    /// <summary>What the dynamic side needs to know of it.</summary>
    public required InstructionTiming View { get; init; }

    /// <summary>Whether it transfers SIMD&amp;FP registers.</summary>
    public bool Vector { get; init; }

    /// <summary>The encoding.</summary>
    public uint Encoding { get; init; }
}
