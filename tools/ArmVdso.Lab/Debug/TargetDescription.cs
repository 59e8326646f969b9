using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>The registers in the words of GDB (Target Descriptions, AArch64 Features), in the order of <see cref="DebugTarget"/>.</summary>
internal static class TargetDescription
{
    /// <summary>The name of the feature that holds what only an emulated machine has.</summary>
    internal const string Own = "org.armvdso.machine";

    private static readonly (string Id, string Element, int Count)[] s_vectors =
    [
        ("v2d", "ieee_double", 2), ("v2u", "uint64", 2), ("v2i", "int64", 2), ("v4f", "ieee_single", 4), ("v4u", "uint32", 4),
        ("v4i", "int32", 4), ("v8u", "uint16", 8), ("v8i", "int16", 8), ("v16u", "uint8", 16), ("v16i", "int8", 16), ("v1u", "uint128", 1),
        ("v1i", "int128", 1),
    ];

    // Field names of GDB's own description, so that $v0.d.u works.
    private static readonly (string Union, string[] Fields)[] s_unions =
    [
        ("vnd", ["f:v2d", "u:v2u", "s:v2i"]), ("vns", ["f:v4f", "u:v4u", "s:v4i"]), ("vnh", ["u:v8u", "s:v8i"]),
        ("vnb", ["u:v16u", "s:v16i"]), ("vnq", ["u:v1u", "s:v1i"]), ("aarch64v", ["d:vnd", "s:vns", "h:vnh", "b:vnb", "q:vnq"]),
    ];

    /// <summary>target.xml.</summary>
    /// <param name="osAbi">What the program is of; empty: nothing that GDB knows, as a kernel.</param>
    internal static string Xml(string osAbi)
    {
        var xml = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n");
        xml.Append("<architecture>aarch64</architecture>\n");
        if (osAbi.Length > 0)
            xml.Append($"<osabi>{osAbi}</osabi>\n");
        xml.Append("<feature name=\"org.gnu.gdb.aarch64.core\">\n");
        for (int i = 0; i < 31; i++)
            Register(xml, $"x{i}", 64, "int", "general");
        Register(xml, "sp", 64, "data_ptr", "general");
        Register(xml, "pc", 64, "code_ptr", "general");
        xml.Append("<flags id=\"cpsr_flags\" size=\"4\">");
        foreach ((string name, int bit) in Flags)
            xml.Append($"<field name=\"{name}\" start=\"{bit}\" end=\"{bit}\"/>");
        xml.Append("</flags>\n");
        Register(xml, "cpsr", 32, "cpsr_flags", "general");
        xml.Append("</feature>\n<feature name=\"org.gnu.gdb.aarch64.fpu\">\n");
        foreach ((string id, string element, int count) in s_vectors)
            xml.Append($"<vector id=\"{id}\" type=\"{element}\" count=\"{count}\"/>\n");
        foreach ((string union, string[] fields) in s_unions)
        {
            xml.Append($"<union id=\"{union}\">");
            foreach (string[] field in fields.Select(f => f.Split(':')))
                xml.Append($"<field name=\"{field[0]}\" type=\"{field[1]}\"/>");
            xml.Append("</union>\n");
        }
        for (int i = 0; i < 32; i++)
            Register(xml, $"v{i}", 128, "aarch64v", "float");
        Register(xml, "fpsr", 32, "int", "float");
        Register(xml, "fpcr", 32, "int", "float");
        xml.Append("</feature>\n<feature name=\"org.gnu.gdb.aarch64.tls\">\n");
        Register(xml, "tpidr", 64, "data_ptr", "system");
        xml.Append($"</feature>\n<feature name=\"{Own}\">\n");
        Register(xml, "tpidrro", 64, "uint64", "system");
        Register(xml, "cycle", 64, "uint64", "system");
        Register(xml, "cpu", 32, "uint32", "system");
        return xml.Append("</feature>\n</target>\n").ToString();
    }

    private static readonly (string Name, int Bit)[] Flags =
    [
        ("SP", 0), ("F", 6), ("I", 7), ("A", 8), ("D", 9), ("SSBS", 12), ("IL", 20), ("SS", 21), ("PAN", 22), ("UAO", 23), ("DIT", 24),
        ("TCO", 25), ("V", 28), ("C", 29), ("Z", 30), ("N", 31),
    ];

    private static void Register(StringBuilder xml, string name, int bits, string type, string group) =>
        xml.Append($"<reg name=\"{name}\" bitsize=\"{bits}\" type=\"{type}\" group=\"{group}\"/>\n");
}
