using System.Reflection;
using System.Text;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Differential;

/// <summary>Writes what a person needs to understand a mismatch.</summary>
public static class CaseReport
{
    private static readonly Func<uint, ulong, string> Disassemble = FindDisassembler();

    private static Func<uint, ulong, string> FindDisassembler()
    {
        Type? disassembler = typeof(Row).Assembly.GetType("ArmVdso.Emulator.Isa.Disassembler");
        MethodInfo? method = disassembler?.GetMethod("Disassemble", [typeof(uint), typeof(ulong)]);
        return method is null ? (word, _) => $".inst 0x{word:x8}" : method.CreateDelegate<Func<uint, ulong, string>>();
    }

    /// <summary>The report of one case.</summary>
    public static string Write(
        Slot slot, int state, ReadOnlySpan<ulong> before, ReadOnlySpan<ulong> theirs, ReadOnlySpan<ulong> ours,
        List<int> differences, int memory, ReadOnlySpan<byte> ourZones, ReadOnlySpan<byte> theirZones, string? what)
    {
        var text = new StringBuilder();
        text.Append($"{slot.Row.Name} {slot.Word:x8} {Disassemble(slot.Word, slot.PC)}");
        if (slot.Before != 0)
            text.Append($" (after {slot.Before:x8})");
        text.Append($" pc=0x{slot.PC:x}  --repro {slot.Row.Name}:0x{slot.Seed:x}:{slot.Index} (state {state})\n");
        if (what is not null)
            return text.Append($"    {what}\n").ToString();
        text.Append("    in:");
        foreach (Field f in slot.Row.Fields)
        {
            if (f.Width != 5 || f.Name[0] is not 'r')
                continue;
            int n = (int)f.Get(slot.Word);
            int v = StateWord.V + 2 * n;
            text.Append($" {f.Name}={n} [{(n == 31 ? "sp" : $"x{n}")}=0x{before[n]:x16} v{n}=0x{before[v + 1]:x16}_{before[v]:x16}]");
        }
        text.Append($" nzcv={before[StateWord.Nzcv] >> 28:x} fpcr={before[StateWord.Fpcr]:x8} fpsr={before[StateWord.Fpsr]:x8}\n");
        int shown = 0;
        foreach (int i in differences)
        {
            if (shown++ < 8)
                text.Append(
                    $"    {StateWord.Name(i),-8} qemu 0x{theirs[i]:x16}  ours 0x{ours[i]:x16}  before "
                    + $"0x{(i < StateWord.PC ? before[i] : 0):x16}\n");
        }
        if (memory >= 0 && memory < OracleLayout.ZoneBytes)
        {
            int start = Math.Min(memory & ~15, OracleLayout.ZoneBytes - 32);
            int offset = start < OracleLayout.ZoneABytes
                ? OracleLayout.ZoneA + start
                : OracleLayout.ZoneB + start - OracleLayout.ZoneABytes;
            text.Append($"    memory at 0x{OracleLayout.WindowVa + (ulong)offset:x}\n");
            text.Append($"      before {Convert.ToHexString(CaseGenerator.Template.AsSpan(start, 32))}\n");
            text.Append($"      qemu   {Convert.ToHexString(theirZones.Slice(start, 32))}\n");
            text.Append($"      ours   {Convert.ToHexString(ourZones.Slice(start, 32))}\n");
        }
        return text.ToString();
    }
}
