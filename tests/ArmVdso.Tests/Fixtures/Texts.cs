namespace ArmVdso.Tests.Fixtures;

/// <summary>What tests expect of the texts that programs print.</summary>
internal static class Texts
{
    /// <summary>Asserts that the parts are in a text, each behind the one before.</summary>
    internal static void ContainsInOrder(string text, params IEnumerable<string> parts)
    {
        int at = 0;
        foreach (string part in parts)
        {
            int found = text.IndexOf(part, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"'{part}' is not in the rest of:\n{text}");
            at = found + part.Length;
        }
    }
}
