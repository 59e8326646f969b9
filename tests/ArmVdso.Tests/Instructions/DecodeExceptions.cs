using System.Globalization;

namespace ArmVdso.Tests.Instructions;

/// <summary>decode-exceptions.txt: where the table may differ from libLLVM, and why.</summary>
public static class DecodeExceptions
{
    /// <summary>One accepted difference, with a word that shows it.</summary>
    public sealed record Line(string Place, DecodeDifference Kind, string Name, uint Word, string Reason);

    /// <summary>Reads the file beside the tests.</summary>
    public static IReadOnlyList<Line> Read()
    {
        var lines = new List<Line>();
        int number = 0;
        foreach (string text in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Instructions", "decode-exceptions.txt")))
        {
            string place = $"decode-exceptions.txt:{++number}";
            if (text.Trim() is "" or ['#', ..])
                continue;
            string[] parts = text.Split(" ; ", StringSplitOptions.TrimEntries);
            Assert.True(parts.Length == 4 && parts[3] != "", $"{place}: KIND ; NAME ; 0xWORD ; REASON expected");
            Assert.True(Enum.TryParse(parts[0], out DecodeDifference kind), $"{place}: unknown kind {parts[0]}");
            uint word = uint.Parse(parts[2].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            lines.Add(new Line(place, kind, parts[1], word, parts[3]));
        }
        return lines;
    }
}
