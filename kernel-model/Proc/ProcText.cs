using System.Text;

namespace ArmVdso.Kernel.Proc;

/// <summary>Names in texts that tools take apart (fs/seq_file.c).</summary>
internal static class ProcText
{
    /// <summary>A text with some characters as \ooo (mangle_path, seq_escape).</summary>
    internal static string Escape(string text, string characters)
    {
        if (text.AsSpan().IndexOfAny(characters) < 0)
            return text;
        var escaped = new StringBuilder();
        foreach (char ch in text)
        {
            if (characters.Contains(ch, StringComparison.Ordinal))
                escaped.Append('\\').Append(Convert.ToString(ch, 8).PadLeft(3, '0'));
            else
                escaped.Append(ch);
        }
        return escaped.ToString();
    }

    /// <summary>A command's name in status: newline and backslash as C writes them (ESCAPE_SPACE | ESCAPE_SPECIAL).</summary>
    internal static string EscapeName(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
