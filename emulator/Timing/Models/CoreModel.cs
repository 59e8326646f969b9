using System.Collections.Concurrent;
using System.Reflection;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A core: what a data file (<c>cores/*.json</c>) states about it, each number with its evidence and source. A model does not
/// change once it is read.</summary>
[NotState("the settings name it, and it does not change")]
public sealed partial class CoreModel
{
    private const string Prefix = "cores/", BoardPrefix = "boards/", Suffix = ".json";
    private static readonly ConcurrentDictionary<string, CoreModel> BuiltIn = new();
    private readonly Dictionary<string, int> _values;

    internal CoreModel(IReadOnlyList<CoreParameter> parameters)
    {
        Parameters = parameters;
        _values = parameters.ToDictionary(p => p.Key, p => p.Value);
    }

    /// <summary>The profile of a core that names none: everything that is implemented.</summary>
    public const string DefaultProfile = "max";

    /// <summary>Name of the core.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>One line about it.</summary>
    public string Description { get; internal init; } = "";

    /// <summary>The board that the core is on; null for the core by itself.</summary>
    public BoardModel? Board { get; internal init; }

    /// <summary>What names the file in errors: the name of a built-in core, or a path.</summary>
    public string File { get; internal init; } = "";

    /// <summary>The CPU profile (ID registers, features) that such a core is: the name of one, or a file. A core file without the key
    /// <c>profile</c> has <see cref="DefaultProfile"/>.</summary>
    public string Profile { get; internal init; } = DefaultProfile;

    /// <summary>What software is told about the core, in the file's order; its readers say what holds when nothing is said.</summary>
    public IReadOnlyList<CoreSoftware> Software { get; internal init; } = [];

    /// <summary>Has no pipeline: one cycle an instruction, no caches.</summary>
    public bool IsPlain => ReferenceEquals(this, None);

    /// <summary>Issues out of order.</summary>
    public bool OutOfOrder { get; internal init; }

    /// <summary>Whether blocks on this core can be timed by looking them up.</summary>
    public bool IsMemoised => !OutOfOrder && !IsPlain;

    /// <summary>All parameters, in the file's order.</summary>
    public IReadOnlyList<CoreParameter> Parameters { get; }

    /// <summary>The timings of classes and mnemonics, in the file's order.</summary>
    public IReadOnlyList<CoreTiming> Timings { get; internal init; } = [];

    /// <summary>On an in-order core: the timing of each class, and of mnemonics and rows apart from their class.</summary>
    internal IReadOnlyDictionary<string, ClassTiming> ClassTimings { get; init; } = new Dictionary<string, ClassTiming>();

    /// <summary>On an out-of-order core: the same, and of forms (<c>class.form</c>).</summary>
    internal IReadOnlyDictionary<string, MicroOpTiming> MicroOpTimings { get; init; } = new Dictionary<string, MicroOpTiming>();

    private IEnumerable<string> TimedNames => OutOfOrder ? MicroOpTimings.Keys : ClassTimings.Keys;

    /// <summary>Classes of the instruction table that the file times; with forms on an out-of-order core.</summary>
    public IReadOnlyCollection<string> Classes => [.. TimedNames.Where(k => char.IsLower(k[0]))];

    /// <summary>Mnemonics and rows that the file times apart from their class.</summary>
    public IReadOnlyCollection<string> Mnemonics => [.. TimedNames.Where(k => char.IsUpper(k[0])).Select(k => k.Split('.')[0]).Distinct()];

    /// <summary>The model "none": one cycle an instruction, no caches. It has no file.</summary>
    public static CoreModel None { get; } = new([])
    {
        Name = "none",
        Description = "one cycle an instruction, no caches",
        File = "none",
        ClockMegahertz = 1000,
    };

    /// <summary>Names of the models that are built in, without "none".</summary>
    public static IReadOnlyList<string> Names { get; } = NamesOf(Prefix);

    /// <summary>Names of the boards that are built in.</summary>
    public static IReadOnlyList<string> BoardNames { get; } = NamesOf(BoardPrefix);

    private static IReadOnlyList<string> NamesOf(string prefix) => [.. Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && n.EndsWith(Suffix, StringComparison.Ordinal))
        .Select(n => n[prefix.Length..^Suffix.Length])
        .Order(StringComparer.Ordinal)];

    /// <summary>Loads a built-in model by name ("none" too), or a file when the argument has a directory or ends in .json. Behind an @ may
    /// stand a board, by name or file: it replaces parameters of the core.</summary>
    /// <exception cref="CoreModelException">No such model or board, or it is not well formed.</exception>
    public static CoreModel Load(string nameOrPath)
    {
        if (nameOrPath == None.Name)
            return None;
        int at = nameOrPath.LastIndexOf('@');
        if (at >= 0 && !System.IO.File.Exists(nameOrPath))
        {
            (string core, string board) = (nameOrPath[..at], nameOrPath[(at + 1)..]);
            if (core == None.Name)
                throw new CoreModelException($"board {board}: the core none has no memory");
            return IsPath(core) || IsPath(board) ? OnBoard(core, board) : BuiltIn.GetOrAdd(nameOrPath, _ => OnBoard(core, board));
        }
        return IsPath(nameOrPath)
            ? Parse(OwnText(nameOrPath), nameOrPath)
            : BuiltIn.GetOrAdd(nameOrPath, static name => Parse(OwnText(name), name));
    }

    private static CoreModel OnBoard(string core, string board) => new CoreFile(core).Read(TextOf(core), LoadBoard(board));

    /// <summary>Loads a board by name, or a file.</summary>
    /// <exception cref="CoreModelException">No such board, or it is not well formed.</exception>
    public static BoardModel LoadBoard(string nameOrPath) =>
        new CoreFile(nameOrPath, "board").ReadBoard(TextOf(nameOrPath, "board", BoardPrefix, BoardNames));

    private static bool IsPath(string nameOrPath) => nameOrPath.Contains('/') || nameOrPath.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The text of a core's file, whole: with what its base states.</summary>
    /// <param name="name">A built-in model, but not "none", or a file.</param>
    /// <exception cref="CoreModelException">There is none, or it has no such base.</exception>
    public static string TextOf(string name) => CoreBase.Expand(OwnText(name), name, OwnText);

    private static string OwnText(string name) => TextOf(name, "core model", Prefix, [None.Name, .. Names]);

    private static string TextOf(string name, string what, string prefix, IReadOnlyList<string> known)
    {
        try
        {
            if (IsPath(name))
                return System.IO.File.ReadAllText(name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CoreModelException($"{what} {name}: {e.Message}");
        }
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{prefix}{name}{Suffix}")
            ?? throw new CoreModelException($"{what} {name}: not built in; known: {string.Join(", ", known)}, or give a .json file");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a model from text. <paramref name="file"/> names it in errors.</summary>
    /// <exception cref="CoreModelException">It is not well formed.</exception>
    public static CoreModel Parse(string text, string file) => new CoreFile(file).Read(CoreBase.Expand(text, file, OwnText));

    /// <summary>What is wrong with a value of this model's file; also for those who read <see cref="Profile"/> and
    /// <see cref="Software"/>.</summary>
    /// <param name="key">Path of the key, as <c>software.kernel.value</c>.</param>
    /// <param name="what">What is wrong.</param>
    public CoreModelException Error(string key, string what) => CoreFile.ErrorIn(File, key, what);
}
