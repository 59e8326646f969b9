using System.Globalization;
using System.Security.Cryptography;

namespace ArmVdso.Kernel.Vdso;

/// <summary>What the kernel does with a task that it interrupts inside of a range of the image (section .vdso_fixup).</summary>
public enum RangePolicy
{
    /// <summary>The image's ranges, if any, mean nothing to the kernel.</summary>
    None,

    /// <summary>The PC goes back to the range's start; the second time in a row to where the system call is made.</summary>
    Restart,

    /// <summary>The PC goes to where the system call is made.</summary>
    FallBack,
}

/// <summary>The file design.ini of a design in a folder (docs/own-design.md). Nothing in it is trusted; what is wrong is told as
/// FILE:LINE: FIELD: what.</summary>
public sealed class DesignFile
{
    /// <summary>Name of the file in its folder.</summary>
    public const string FileName = "design.ini";

    /// <summary>Folder with what is built.</summary>
    public const string Built = "built";

    /// <summary>File in <see cref="Built"/> that says of which files it is built.</summary>
    public const string Sums = "sums.txt";

    private const int MostLines = 1000, MostPrivatePages = 192, MostSharedPages = 192, MostFiles = 1000;

    private readonly Dictionary<string, (string Text, int Line)> _fields = [];
    private readonly List<OwnFunction> _functions = [];

    private static readonly string[] Known =
    [
        "name", "description", "register", "image", "image-sources", "include", "defines", "linker-script", "version-script", "data-header",
        "data", "cpu-slots", "cpu-count", "cpu-nodes", "offset-bits", "thread-slots", "process-data", "private-pages", "words", "hooks",
        "clock", "pages", "ranges", "reload", "guard", "bti", "leaves", "fixes",
    ];

    private readonly bool _onDisk;
    private readonly Dictionary<string, string> _fixes = [];

    private DesignFile(string folder, bool onDisk)
    {
        _onDisk = onDisk;
        Folder = folder;
        Path = System.IO.Path.Join(folder, FileName);
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>In tables.</summary>
    public string Name { get; private set; } = "";

    /// <summary>What it is, in one line.</summary>
    public string Description => Text("description", "a design in a folder");

    /// <summary>What TPIDRRO_EL0 holds.</summary>
    public string Register => Text("register", Hooks.Count == 0 ? "0" : "what its hooks say");

    /// <summary>A given image; empty: <see cref="ImageSources"/> are compiled.</summary>
    public string Image => Text("image", "");

    /// <summary>Sources of the image.</summary>
    public IReadOnlyList<string> ImageSources => Words("image-sources");

    /// <summary>Folders with headers.</summary>
    public IReadOnlyList<string> Include => Words("include");

    /// <summary>Macros, NAME or NAME=VALUE each.</summary>
    public IReadOnlyList<string> Defines => Words("defines");

    /// <summary>Linker script of the image; empty: ours.</summary>
    public string LinkerScript => Text("linker-script", "");

    /// <summary>Version script of the image; empty: ours, which exports __kernel_* and __vdso_*.</summary>
    public string VersionScript => Text("version-script", "");

    /// <summary>C headers with the data's layout; none: the design has no data of its own.</summary>
    public IReadOnlyList<string> DataHeaders => Words("data-header");

    /// <summary>C type of what all processes share; empty: nothing.</summary>
    public string Data => Text("data", "");

    /// <summary>Member of <see cref="Data"/> that is an array with a slot for each CPU; empty: none.</summary>
    public string CpuSlots => Text("cpu-slots", "");

    /// <summary>Member of <see cref="Data"/> that is an array with an element for each CPU, whose member <c>node</c> the kernel writes at
    /// boot; empty: none.</summary>
    public string CpuNodes => Text("cpu-nodes", "");

    /// <summary>How many CPUs have a slot, where the array itself does not say: a number or a macro; empty: it does.</summary>
    public string CpuCount => Text("cpu-count", "");

    /// <summary>Bits of TPIDRRO_EL0 that hold a slot's offset: no CPU's slot is beyond them.</summary>
    public int OffsetBits { get; private set; }

    /// <summary>C type of the slot that each thread has in pages of its process; empty: none.</summary>
    public string ThreadSlots => Text("thread-slots", "");

    /// <summary>C type of what each process has on a page of its own; empty: nothing.</summary>
    public string ProcessData => Text("process-data", "");

    /// <summary><see cref="ThreadSlots"/> or <see cref="ProcessData"/>; empty: a process has no pages of its own.</summary>
    public string PrivateType => ThreadSlots + ProcessData;

    /// <summary>The field that says what a slot is.</summary>
    public string SlotField => CpuSlots.Length > 0 ? "cpu-slots" : ThreadSlots.Length > 0 ? "thread-slots" : "process-data";

    /// <summary>Most pages that a process has for slots of its threads.</summary>
    public int PrivatePages { get; private set; }

    /// <summary>Words of a slot: the name here, and the member of the slot.</summary>
    public IReadOnlyList<(string Name, string Member)> SlotWords { get; private set; } = [];

    /// <summary>C and assembly for EL1.</summary>
    public IReadOnlyList<string> Hooks => Words("hooks");

    /// <summary>Where clocks are: none, data (as in our own images), auto, or a vvar layout.</summary>
    public string Clock => Text("clock", "none");

    /// <summary>Whether the pages of the clocks lie above the design's own ones.</summary>
    public bool ClockAbove { get; private set; }

    /// <summary>What becomes of tasks that are interrupted in ranges.</summary>
    public RangePolicy Ranges { get; private set; }

    /// <summary>Whether an exit to EL0 writes TPIDRRO_EL0 again where the entry used it as scratch.</summary>
    public bool Reload => _reload.Holds(Fixed);

    /// <summary>Whether the image's code lies in guarded pages where the CPU has FEAT_BTI: its functions begin with landing pads
    /// (CONFIG_ARM64_BTI_KERNEL; arch/arm64/kernel/vdso.c).</summary>
    public bool LandingPads { get; private set; }

    /// <summary>Whether a preemptible kernel runs the update at execve with preemption off.</summary>
    public bool Guard => _guard.Holds(Fixed);

    private Switch _reload, _guard;

    /// <summary>Yes or no, or what a fix makes a yes of.</summary>
    private readonly record struct Switch(bool On, string? Fix)
    {
        internal bool Holds(IReadOnlyList<string> mended) => Fix is null ? On : mended.Contains(Fix);
    }

    private Switch SwitchOf(string field, bool other)
    {
        if (Text(field, "") is not ['f', 'i', 'x', '=', .. string fix])
            return new Switch(One(field, other, ("yes", true), ("no", false), ("fix=NAME", false)), null);
        return _fixes.ContainsKey(fix) ? new Switch(false, fix) : throw Error(field, $"'{fix}' is not in [fixes]");
    }

    /// <summary>Defects that can be mended: their names, and what becomes right.</summary>
    public IReadOnlyDictionary<string, string> Fixes => _fixes;

    /// <summary>Those that are mended.</summary>
    public IReadOnlyList<string> Fixed { get; private set; } = [];

    /// <summary>Where the design leaves the answer to the kernel on purpose.</summary>
    public VdsoLeaves Leaves { get; private set; }

    /// <summary>Functions that calls.tsv does not know.</summary>
    public IReadOnlyList<OwnFunction> Functions => _functions;

    /// <summary>Whether a text names a design in a folder.</summary>
    public static bool IsFolder(string text) => Directory.Exists(text) || (text.Contains('/') && File.Exists(text + "/" + FileName));

    /// <summary>Reads a folder's file.</summary>
    /// <exception cref="ArgumentException">It cannot be used.</exception>
    public static DesignFile Read(string folder)
    {
        var design = new DesignFile(folder.Length > 1 ? folder.TrimEnd('/') : folder, true);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(design.Path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArgumentException($"{design.Path}: not found; 'armvdso vdso init {folder}' makes one", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{design.Path}: {e.Message}", e);
        }
        design.Parse(lines);
        return design;
    }

    /// <summary>The file of one of our own designs, of which nothing else is looked for.</summary>
    /// <exception cref="ArgumentException">It cannot be used.</exception>
    internal static DesignFile OfOurs(string name, string text)
    {
        var design = new DesignFile(name, false);
        design.Parse(text.Split('\n'));
        return design;
    }

    /// <summary>Mends defects beside those that the file itself names.</summary>
    /// <param name="fixes">Names of <see cref="Fixes"/>, or "all".</param>
    /// <exception cref="ArgumentException">There is no such defect.</exception>
    internal void Mend(IReadOnlyList<string> fixes)
    {
        foreach (string fix in fixes)
        {
            if (_fixes.Count == 0)
                throw new ArgumentException($"design '{Name}' has no defects to mend with fix=");
            if (fix != "all" && !_fixes.ContainsKey(fix))
                throw new ArgumentException($"there is no defect '{fix}' to mend; known: {string.Join(", ", _fixes.Keys)}, all");
        }
        Fixed = fixes.Contains("all") ? [.. _fixes.Keys] : [.. Fixed.Union(fixes)];
    }

    /// <summary>A line for each file of the folder, but for what is built: SHA-256 and name.</summary>
    /// <exception cref="IOException">One cannot be read, or there are too many.</exception>
    public string SumOfFiles()
    {
        var lines = new List<string>();
        foreach (string path in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            string name = System.IO.Path.GetRelativePath(Folder, path);
            if (name.StartsWith(Built + "/", StringComparison.Ordinal) || name.StartsWith('.'))
                continue;
            if (lines.Count == MostFiles)
                throw new IOException($"{Folder}: more than {MostFiles} files; a design has few");
            using FileStream file = File.OpenRead(path);
            lines.Add($"{Convert.ToHexStringLower(SHA256.HashData(file))}  {name}");
        }
        return string.Concat(lines.OrderBy(l => l[66..], StringComparer.Ordinal).Select(l => l + "\n"));
    }

    /// <summary>Checks what the compiler found of the data.</summary>
    /// <param name="layout">Names and values.</param>
    /// <param name="name">The file that they are in.</param>
    /// <exception cref="ArgumentException">Something is missing, too large, or elsewhere.</exception>
    public void CheckLayout(IReadOnlyDictionary<string, long> layout, string name)
    {
        long Value(string key) => layout.TryGetValue(key, out long value)
            ? value
            : throw new ArgumentException($"{name}: it has no '{key}'; 'armvdso vdso build {Folder}' makes it anew");
        long shared = Value("vvar_pages") - Value("thread_pages");
        if (Value("thread_pages") != PrivatePages || Value("page_size") != PhysicalMemory.PageSize)
            throw new ArgumentException($"{name}: it is of another file than {Path}");
        if (shared is < 0 or > MostSharedPages)
            throw Error("data", $"its {shared} pages are too many; at most {MostSharedPages}");
        bool slots = CpuSlots.Length > 0 || PrivateType.Length > 0;
        if (slots && Value("vdso_per_cpu_data.size") is < 4 or > PhysicalMemory.PageSize)
            throw Error(SlotField, "it has 4 to 4096 bytes");
        if (CpuSlots.Length > 0 && Value("nr_cpus") is < 1 or > 4096)
            throw Error("cpu-slots", $"{Value("nr_cpus")} CPUs; 1 to 4096");
        if (CpuSlots.Length > 0 && Value("vdso_vsys_data.cpu_data") is var first
            && (first < 0 || first + Value("nr_cpus") * Value("vdso_per_cpu_data.size") > shared * PhysicalMemory.PageSize))
            throw Error("cpu-slots", "the slots are not inside of the data");
    }

    /// <summary>Line of a field; 0: it is not there.</summary>
    public int LineOf(string field) => _fields.TryGetValue(field, out (string Text, int Line) at) ? at.Line : 0;

    /// <summary>An error in a field.</summary>
    public ArgumentException Error(string field, string what) => At(LineOf(field), $"{field}: {what}");

    private ArgumentException At(int line, string what) => new(line == 0 ? $"{Path}: {what}" : $"{Path}:{line}: {what}");

    private string Text(string field, string other) => _fields.TryGetValue(field, out (string Text, int Line) at) ? at.Text : other;

    private string[] Words(string field) => Text(field, "").Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    private void Parse(string[] lines)
    {
        if (lines.Length > MostLines)
            throw At(0, $"{lines.Length} lines; at most {MostLines}");
        string section = "";
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] == '[')
            {
                if (line is not ("[functions]" or "[before]" or "[fixes]"))
                    throw At(i + 1, $"'{line}' is no section; there are [functions], [before] and [fixes]");
                section = line;
                continue;
            }
            int equals = line.IndexOf('=');
            if (equals < 1)
                throw At(i + 1, $"'{line}' is not FIELD = VALUE");
            string field = line[..equals].TrimEnd(), value = line[(equals + 1)..].TrimStart();
            if (section == "[functions]")
                AddFunction(field, value, i + 1);
            else if (section == "[before]")
                AddBefore(field, value, i + 1);
            else if (section == "[fixes]")
                AddFix(field, value, i + 1);
            else if (!Known.Contains(field))
                throw At(i + 1, $"there is no field '{field}'; known: {string.Join(' ', Known)}");
            else if (value.Length == 0)
                throw At(i + 1, $"{field}: it is empty; leave the line out");
            else if (!_fields.TryAdd(field, (value, i + 1)))
                throw At(i + 1, $"{field}: it is in line {LineOf(field)} already");
        }
        Check();
    }

    private void AddFunction(string symbol, string value, int line)
    {
        if (_functions.Exists(f => f.Symbol == symbol))
            throw At(line, $"{symbol}: it is there already");
        try
        {
            _functions.Add(OwnFunction.Parse(symbol, value, line));
        }
        catch (FormatException e)
        {
            throw At(line, $"{symbol}: {e.Message}");
        }
    }

    private void AddBefore(string symbol, string value, int line)
    {
        int at = _functions.FindIndex(f => f.Symbol == symbol);
        if (at < 0)
            throw At(line, $"{symbol}: it is not in [functions] above");
        try
        {
            _functions[at] = _functions[at].With(value);
        }
        catch (FormatException e)
        {
            throw At(line, $"{symbol}: {e.Message}");
        }
    }

    private void AddFix(string name, string meaning, int line)
    {
        if (name == "all" || name.Any(c => !char.IsAsciiLetterOrDigit(c)))
            throw At(line, $"{name}: the name of a fix has letters and digits alone, and is not all");
        if (!_fixes.TryAdd(name, meaning))
            throw At(line, $"{name}: it is there already");
    }

    private void Check()
    {
        Name = Text("name", System.IO.Path.GetFileName(System.IO.Path.GetFullPath(Folder)));
        if (Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw Error("name", $"'{Name}' has other characters than letters, digits, - _ .");
        if (Image.Length == 0 == (ImageSources.Count == 0))
            throw Error(Image.Length == 0 ? "image" : "image-sources", "a design has either an image or image-sources");
        foreach (string field in (string[])["image", "image-sources", "include", "linker-script", "version-script", "data-header", "hooks"])
        {
            foreach (string file in Words(field))
            {
                if (file[0] == '-')
                    throw Error(field, $"'{file}' is no name of a file");
                string full = System.IO.Path.Join(Folder, file);
                if (!_onDisk)
                    continue;
                if (field == "include" ? !Directory.Exists(full) : !File.Exists(full))
                    throw Error(field, $"{full} is not there");
            }
        }
        foreach (string define in Defines)
        {
            if (!char.IsAsciiLetter(define[0]) && define[0] != '_')
                throw Error("defines", $"'{define}' is not NAME or NAME=VALUE");
        }
        if (CpuSlots.Length > 0 && Data.Length == 0)
            throw Error("cpu-slots", "it is a member of 'data', which is not there");
        if ((Data.Length > 0 || PrivateType.Length > 0) && DataHeaders.Count == 0)
            throw Error(Data.Length > 0 ? "data" : SlotField, "its type is in 'data-header', which is not there");
        if ((CpuSlots.Length > 0 ? 1 : 0) + (ThreadSlots.Length > 0 ? 1 : 0) + (ProcessData.Length > 0 ? 1 : 0) > 1)
            throw Error(SlotField, "a design has one of cpu-slots, thread-slots and process-data");
        foreach ((string field, string type) in (ReadOnlySpan<(string, string)>)
            [("data", Data), ("thread-slots", ThreadSlots), ("process-data", ProcessData)])
        {
            if (type.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or ' ')))
                throw Error(field, $"'{type}' is no C type, as struct NAME");
        }
        if (CpuCount.Length > 0 && CpuSlots.Length == 0)
            throw Error("cpu-count", "without cpu-slots there are none");
        if (CpuCount.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '_'))
            throw Error("cpu-count", $"'{CpuCount}' is no number and no macro");
        if (CpuNodes.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.')))
            throw Error("cpu-nodes", $"'{CpuNodes}' is no member");
        if (CpuNodes.Length > 0 && Data.Length == 0)
            throw Error("cpu-nodes", "without data there are none");
        if (CpuSlots.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.')))
            throw Error("cpu-slots", $"'{CpuSlots}' is no member");
        SlotWords = [.. Words("words").Select(Word)];
        if (SlotWords.Count > 0 && CpuSlots.Length == 0 && PrivateType.Length == 0)
            throw Error("words", "they are words of slots, of which there are none");
        PrivatePages = ProcessData.Length > 0 ? 1 : ThreadSlots.Length == 0 ? 0 : Number("private-pages", 16, 1, MostPrivatePages);
        if (ThreadSlots.Length == 0 && LineOf("private-pages") != 0)
            throw Error("private-pages", "without thread-slots there are none");
        Ranges = One("ranges", RangePolicy.None, ("none", RangePolicy.None), ("restart", RangePolicy.Restart),
            ("fall-back", RangePolicy.FallBack));
        OffsetBits = Number("offset-bits", 64, 8, 64);
        _reload = SwitchOf("reload", Hooks.Count > 0);
        _guard = SwitchOf("guard", true);
        LandingPads = One("bti", false, ("yes", true), ("no", false));
        if (Words("fixes").FirstOrDefault(f => !_fixes.ContainsKey(f)) is { } unknown)
            throw Error("fixes", $"'{unknown}' is not in [fixes]");
        Fixed = Words("fixes");
        foreach (string word in Words("leaves"))
        {
            Leaves |= word switch
            {
                "namespaces" => VdsoLeaves.Namespaces,
                "new-program" => VdsoLeaves.NewProgram,
                _ => throw Error("leaves", $"there is no '{word}'; known: namespaces, new-program"),
            };
        }
        CheckPages();
    }

    private void CheckPages()
    {
        if (Clock == "data" && Data.Length == 0)
            throw Error("clock", "the clocks are in 'data', which is not there");
        bool own = Data.Length > 0 || PrivateType.Length > 0, block = Clock is not ("none" or "data");
        if (block && Clock != "auto" && !VvarLayout.All.Any(l => l.Name == Clock))
            throw Error(
                "clock", $"there is no '{Clock}'; known: none, data, auto, {string.Join(", ", VvarLayout.All.Select(l => l.Name))}");
        string usual = Clock == "data" ? "time rng data" : block && own ? "clock data" : block ? "clock" : own ? "data" : "";
        string pages = string.Join(' ', Words("pages"));
        ClockAbove = block && own && pages == "data clock";
        if (pages.Length > 0 && pages != usual && !ClockAbove)
            throw Error("pages", $"'{pages}' is no order of this design's pages; from the lowest up it is {usual}"
                + (block && own ? " or data clock" : ""));
    }

    private (string Name, string Member) Word(string text)
    {
        int equals = text.IndexOf('=');
        string name = equals < 0 ? text : text[..equals], member = equals < 0 ? text : text[(equals + 1)..];
        return name.Length > 0 && member.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '=' or '.' or '[' or ']')
            ? (name, member)
            : throw Error("words", $"'{text}' is not NAME or NAME=MEMBER");
    }

    private int Number(string field, int other, int least, int most)
    {
        string text = Text(field, "");
        return text.Length == 0 ? other
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= least && n <= most ? n
            : throw Error(field, $"'{text}' is not a number from {least} to {most}");
    }

    private T One<T>(string field, T other, params ReadOnlySpan<(string Word, T Meaning)> known)
    {
        string text = Text(field, "");
        var words = new List<string>();
        foreach ((string word, T meaning) in known)
        {
            if (word == text)
                return meaning;
            words.Add(word);
        }
        return text.Length == 0 ? other : throw Error(field, $"there is no '{text}'; known: {string.Join(", ", words)}");
    }
}
