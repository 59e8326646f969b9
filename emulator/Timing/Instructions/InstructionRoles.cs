using System.Numerics;

namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>What the instruction table says about one encoding: what the timing of a core begins with.</summary>
public struct InstructionRoles
{
    /// <summary>Class name of the table, as <c>alu_shift</c>.</summary>
    public string Class;

    /// <summary>Mnemonic in capitals.</summary>
    public string Mnemonic;

    /// <summary>Registers read (numbers of <see cref="InstructionTiming"/>), in the table's order.</summary>
    public List<byte> Sources;

    /// <summary>Registers written, in the table's order; a register that is read and written is in both.</summary>
    public List<byte> Destinations;

    /// <summary>The encoding.</summary>
    public uint Encoding;

    /// <summary>The row.</summary>
    public Row Row;

    /// <summary>What the instruction table says about an encoding.</summary>
    public static InstructionRoles Describe(Row row, uint instruction)
    {
        RegisterUse use = RegisterUse.Get(row, instruction);
        string name = RowInfo.Name(row);
        int suffix = name.IndexOf('_');
        return new InstructionRoles
        {
            Row = row,
            Encoding = instruction,
            Class = ClassName(RowInfo.Class(row)),
            Mnemonic = suffix < 0 ? name : name[..suffix],
            Sources = Registers(use.ReadsGeneral, use.ReadsVector, use.ReadsFlags),
            Destinations = Registers(use.WritesGeneral, use.WritesVector, use.WritesFlags),
        };
    }

    /// <summary>The table's name of a class: <c>AluShift</c> is <c>alu_shift</c>.</summary>
    public static string ClassName(TimingClass timingClass)
    {
        string name = timingClass.ToString();
        var text = new System.Text.StringBuilder(name.Length + 4);
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0)
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    private static List<byte> Registers(uint general, uint vector, bool flags)
    {
        var registers = new List<byte>();
        for (; general != 0; general &= general - 1)
            registers.Add((byte)BitOperations.TrailingZeroCount(general));
        for (; vector != 0; vector &= vector - 1)
            registers.Add((byte)(InstructionTiming.V0 + BitOperations.TrailingZeroCount(vector)));
        if (flags)
            registers.Add(InstructionTiming.Flags);
        return registers;
    }
}
