using ArmVdso.Lab.Recording;

namespace ArmVdso.Cli;

/// <summary>Sets of a recording's events as options take them, and its file.</summary>
internal static class RecordedSets
{
    /// <summary>The words.</summary>
    internal static string Words { get; } = string.Join(", ", RecordedKinds.Words.Select(w => w.Word));

    /// <summary>The words for all that a run is not made slow by.</summary>
    internal static string AllButVdso { get; } =
        string.Join(',', RecordedKinds.Words.Select(w => w.Word).Where(w => w is not ("all" or "vdso")));

    /// <summary>Reads words joined by commas.</summary>
    /// <exception cref="UserError">One of them is none.</exception>
    internal static RecordedSet Parse(string option, string text)
    {
        RecordedSet set = 0;
        foreach (string word in text.Split(','))
        {
            (string Word, RecordedSet Set)[] known = [.. RecordedKinds.Words.Where(w => w.Word == word)];
            if (known.Length == 0)
            {
                string hint = Nearest.Hint(word, RecordedKinds.Words.Select(w => w.Word));
                throw CommandInput.Error($"{option}: there are no events '{word}'{hint}; known: {Words}");
            }
            set |= known[0].Set;
        }
        return set;
    }

    /// <summary>Begins a file.</summary>
    /// <exception cref="UserError">It cannot be written.</exception>
    internal static FileStream Create(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.EmulatorError);
        }
    }
}
