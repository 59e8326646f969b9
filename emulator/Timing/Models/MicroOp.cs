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

    /// <summary>Branch, of a core with two.</summary>
    B1 = 1024,

    /// <summary>Integer, single and multi-cycle, of a core with two.</summary>
    M1 = 2048,

    /// <summary>Load, of a core with three.</summary>
    L2 = 4096,

    /// <summary>FP and ASIMD, of a core with four.</summary>
    V2 = 8192,

    /// <summary>FP and ASIMD, of a core with four.</summary>
    V3 = 16384,
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
    /// <summary>All ports.</summary>
    public const int PortCount = 15;

    private static IssuePorts? Named(string name) => name switch
    {
        "B" => IssuePorts.B | IssuePorts.B1,
        "S" => IssuePorts.S0 | IssuePorts.S1,
        "M" => IssuePorts.M | IssuePorts.M1,
        "M0" => IssuePorts.M,
        "I" => IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M | IssuePorts.M1,
        "F" => IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M,
        "L" => IssuePorts.L0 | IssuePorts.L1 | IssuePorts.L2,
        "L01" => IssuePorts.L0 | IssuePorts.L1,
        "D" => IssuePorts.D0 | IssuePorts.D1,
        "S0" => IssuePorts.S0,
        "S1" => IssuePorts.S1,
        "L0" => IssuePorts.L0,
        "L1" => IssuePorts.L1,
        "D0" => IssuePorts.D0,
        "D1" => IssuePorts.D1,
        "V0" => IssuePorts.V0,
        "V1" => IssuePorts.V1,
        "V01" => IssuePorts.V0 | IssuePorts.V1,
        "V02" => IssuePorts.V0 | IssuePorts.V2,
        "V13" => IssuePorts.V1 | IssuePorts.V3,
        "V" => IssuePorts.V0 | IssuePorts.V1 | IssuePorts.V2 | IssuePorts.V3,
        _ => null,
    };

    /// <summary>Reads the text form: <c>PORT[*COUNT][:BUSY][@OFFSET]</c> separated by blanks, PORT one of B, S, M, I (S or M), L, D, V, of
    /// each as many as the core has, or some of them: F (S or M0), M0, S0, S1, L0, L1, L01, D0, D1, V0, V1, V01, V02, V13. Null when it is
    /// not well formed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="has">Ports that the core has.</param>
    public static MicroOp[]? Parse(string text, IssuePorts has)
    {
        var ops = new List<MicroOp>();
        foreach (string token in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string rest = token;
            if (!Number(ref rest, '@', 0, out int offset) || !Number(ref rest, ':', 1, out int busy) || busy < 1)
                return null;
            if (!Number(ref rest, '*', 1, out int count))
                return null;
            IssuePorts ports = (Named(rest) ?? IssuePorts.None) & has;
            if (ports == IssuePorts.None)
                return null;
            for (int i = 0; i < count; i++)
                ops.Add(new MicroOp(ports, (byte)busy, (byte)offset, MicroOpGroup.Main, 0));
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
