namespace ArmVdso.Emulator.Engine.Native;

/// <summary>A general register of the host.</summary>
internal enum Gpr : byte
{
    Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15,
}

/// <summary>A condition of the host, by its number in the encoding; an odd one is the opposite of the one before it.</summary>
internal enum Cc : byte
{
    O, No, B, Ae, E, Ne, Be, A, S, Ns, P, Np, L, Ge, Le, G,
}

/// <summary>The two-operand instructions that share one encoding, by its number there.</summary>
internal enum Alu : byte
{
    Add, Or, Adc, Sbb, And, Sub, Xor, Cmp,
}

/// <summary>Shifts and rotations, by their number in the encoding.</summary>
internal enum Shift : byte
{
    Rol = 0,
    Ror = 1,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// <summary>What ModRM can name: a register, or memory at a base, perhaps with a scaled index.</summary>
internal readonly struct Operand
{
    private Operand(bool isMemory, byte register, byte index, byte scale, int displacement)
    {
        IsMemory = isMemory;
        Register = register;
        Index = index;
        Scale = scale;
        Displacement = displacement;
    }

    /// <summary>Names no index.</summary>
    internal const byte NoIndex = 4;

    internal bool IsMemory { get; }

    /// <summary>The register, or the base.</summary>
    internal byte Register { get; }

    internal byte Index { get; }

    /// <summary>Logarithm of the factor of the index.</summary>
    internal byte Scale { get; }

    internal int Displacement { get; init; }

    public static implicit operator Operand(Gpr register) => new(false, (byte)register, NoIndex, 0, 0);

    /// <summary>A vector register of the host.</summary>
    internal static Operand Xmm(int register) => new(false, (byte)register, NoIndex, 0, 0);

    internal static Operand At(Gpr @base, int displacement) => new(true, (byte)@base, NoIndex, 0, displacement);

    internal static Operand At(Gpr @base, Gpr index, int scale, int displacement) =>
        new(true, (byte)@base, (byte)index, (byte)scale, displacement);
}
