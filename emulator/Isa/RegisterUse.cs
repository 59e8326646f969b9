namespace ArmVdso.Emulator.Isa;

/// <summary>The registers that one instruction reads and writes, as sets: bit n of a set is register n. In the general
/// sets bit 31 is SP; the zero register is in none.</summary>
public readonly partial struct RegisterUse
{
    private readonly RegisterUseBuilder _use;

    private RegisterUse(RegisterUseBuilder use) => _use = use;

    /// <summary>General registers read; bit 31 is SP.</summary>
    public uint ReadsGeneral => _use.ReadsGeneral;

    /// <summary>General registers written; bit 31 is SP.</summary>
    public uint WritesGeneral => _use.WritesGeneral;

    /// <summary>SIMD and floating-point registers read.</summary>
    public uint ReadsVector => _use.ReadsVector;

    /// <summary>SIMD and floating-point registers written.</summary>
    public uint WritesVector => _use.WritesVector;

    /// <summary>Whether NZCV is read.</summary>
    public bool ReadsFlags => _use.ReadsFlags;

    /// <summary>Whether NZCV is written.</summary>
    public bool WritesFlags => _use.WritesFlags;

    /// <summary>The registers of a word that decodes as <paramref name="row"/>.</summary>
    public static RegisterUse Get(Row row, uint instruction)
    {
        RegisterUseBuilder use = default;
        Fill(Shapes[(int)row], instruction, ref use);
        return new RegisterUse(use);
    }
}

/// <summary>What generated code fills in for <see cref="RegisterUse"/>.</summary>
internal struct RegisterUseBuilder
{
    public uint ReadsGeneral;
    public uint WritesGeneral;
    public uint ReadsVector;
    public uint WritesVector;
    public bool ReadsFlags;
    public bool WritesFlags;

    /// <summary>A general register where 31 is zero: no register.</summary>
    public static uint General(int n) => (1u << n) & 0x7fff_ffff;

    /// <summary>A general register where 31 is SP, or a vector register.</summary>
    public static uint Any(int n) => 1u << n;

    /// <summary>Consecutive registers, modulo 32.</summary>
    public static uint AnyRange(int first, int count) => uint.RotateLeft((1u << count) - 1, first);

    /// <summary>Consecutive general registers, 31 being zero.</summary>
    public static uint GeneralRange(int first, int count) => AnyRange(first, count) & 0x7fff_ffff;
}
