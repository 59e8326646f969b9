using System.Globalization;

namespace ArmVdso.Emulator.Timing.Models;

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

    /// <summary>Reads the text form: <c>PORT[*COUNT][:BUSY][@OFFSET]</c> separated by blanks, PORT one of B, S, M, I (S or M), L, D, V,
    /// or one alone of two: S0, S1, L0, L1, D0, D1, V0, V1. Null when it is not well formed.</summary>
    public static MicroOp[]? Parse(string text)
    {
        var ops = new List<MicroOp>();
        foreach (string token in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string rest = token;
            if (!Number(ref rest, '@', 0, out int offset) || !Number(ref rest, ':', 1, out int busy) || busy < 1)
                return null;
            if (!Number(ref rest, '*', 1, out int count))
                return null;
            IssuePorts? ports = rest switch
            {
                "B" => IssuePorts.B,
                "S" => IssuePorts.S0 | IssuePorts.S1,
                "M" => IssuePorts.M,
                "I" => IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M,
                "L" => IssuePorts.L0 | IssuePorts.L1,
                "D" => IssuePorts.D0 | IssuePorts.D1,
                "S0" => IssuePorts.S0,
                "S1" => IssuePorts.S1,
                "L0" => IssuePorts.L0,
                "L1" => IssuePorts.L1,
                "D0" => IssuePorts.D0,
                "D1" => IssuePorts.D1,
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
