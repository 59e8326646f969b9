using System.Globalization;

namespace ArmVdso.Emulator.Isa.Disassembly;

internal static partial class SystemInstructionNames
{
    private static readonly Dictionary<int, string> _names = Parse();

    /// <summary>The alias of a SYS instruction with its marks, or null.</summary>
    public static string? Find(int op1, int crn, int crm, int op2) =>
        _names.GetValueOrDefault(Key(op1, crn, crm, op2));

    private static int Key(int op1, int crn, int crm, int op2) => (op1 << 11) | (crn << 7) | (crm << 3) | op2;

    private static Dictionary<int, string> Parse()
    {
        var names = new Dictionary<int, string>();
        foreach (string line in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            int Field(int i) => int.Parse(words[i], CultureInfo.InvariantCulture);
            for (int op2 = 0; op2 + 3 < words.Length; op2++)
            {
                if (words[op2 + 3] != "-")
                    names.Add(Key(Field(0), Field(1), Field(2), op2), words[op2 + 3].Replace('/', ' '));
            }
        }
        return names;
    }
}
