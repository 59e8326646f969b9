using System.Globalization;

namespace ArmVdso.CallGenerator;

/// <summary>What a function is called with to be measured and checked.</summary>
/// <param name="Name">Behind the function's name and an underscore; empty: the function's name alone.</param>
/// <param name="First">First argument where that is no pointer.</param>
internal sealed record Case(string Name, int First);

/// <summary>A parameter in C.</summary>
/// <param name="Type">With its stars.</param>
/// <param name="Name">Name.</param>
internal sealed record Parameter(string Type, string Name)
{
    internal bool IsPointer => Type.EndsWith('*');

    internal string Declaration => IsPointer ? Type + Name : $"{Type} {Name}";
}

/// <summary>A row of vdso-image/calls.tsv, which explains the parts.</summary>
internal sealed record Call(
    string Name, int Number, string Type, IReadOnlyList<Parameter> Parameters, string Answer, IReadOnlyList<string> Fields, string? Truth,
    string? El1,
    string Library, IReadOnlyList<Case> Cases)
{
    internal bool IsId => Answer == "id";

    /// <summary>A getter that answers for the caller and asks the kernel about others.</summary>
    internal bool IsOfSelf => IsId && Parameters.Count == 1;

    /// <summary>The case's name in reports.</summary>
    internal string NameOf(Case of) => of.Name.Length == 0 ? Name : $"{Name}_{of.Name}";
}

/// <summary>A word of the slot that is the task's own.</summary>
/// <param name="Name">Name.</param>
/// <param name="Call">The getter that reads it.</param>
/// <param name="Slot">Offset in the slot.</param>
/// <param name="Record">Offset in EL1 code's task record.</param>
internal sealed record Field(string Name, Call Call, int Slot, int Record);

/// <summary>The rows.</summary>
internal sealed class CallTable
{
    private const int Parts = 10;
    private static readonly string[] Answers = ["id", "cpu", "clock", "resolution", "timeofday", "random", "constant"];

    /// <summary>CPU and node are the slot's first words, and the sequence of the mended designs its last.</summary>
    private const int FirstSlot = 8;

    /// <summary>Bytes of a slot of a cache line.</summary>
    private const int SlotLine = 64;

    /// <summary>Where the task record has room: eight words, and six more behind what follows them.</summary>
    private static readonly (int At, int Words)[] Rooms = [(0x080, 8), (0x0e8, 6)];

    private CallTable(IReadOnlyList<Call> calls, IReadOnlyList<Field> fields)
    {
        Calls = calls;
        Fields = fields;
    }

    /// <summary>In the order of the file.</summary>
    internal IReadOnlyList<Call> Calls { get; }

    /// <summary>The task's words of the slot, in its order.</summary>
    internal IReadOnlyList<Field> Fields { get; }

    /// <summary>Offset of the sequence in slots that have one.</summary>
    internal int Sequence => FirstSlot + 4 * Fields.Count;

    /// <summary>Reads the file.</summary>
    /// <exception cref="FormatException">A row is wrong; the message has line and reason.</exception>
    internal static CallTable Read(string path)
    {
        var calls = new List<Call>();
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (text.Length == 0 || text[0] == '#')
                continue;
            try
            {
                Call call = Parse(text);
                if (calls.Any(c => c.Name == call.Name || c.Number == call.Number))
                    throw new FormatException($"{call.Name} or its number {call.Number} is there already");
                calls.Add(call);
            }
            catch (FormatException e)
            {
                throw new FormatException($"{path}:{line}: {e.Message}");
            }
        }
        return new CallTable(calls, MakeFields(calls, path));
    }

    private static Call Parse(string text)
    {
        string[] parts = text.Split('\t');
        if (parts.Length != Parts)
            throw new FormatException($"a row has {Parts} parts, this one {parts.Length}");
        string Required(int i, string what) => parts[i] is "" or "-" ? throw new FormatException($"{parts[0]} needs {what}") : parts[i];
        string? Optional(int i) => parts[i] == "-" ? null : Required(i, "a name or -");
        if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            throw new FormatException($"'{parts[1]}' is no number of a system call");
        var call = new Call(
            Required(0, "a name"), number, Required(2, "a type"),
            [.. (Optional(3) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Parameter)],
            Required(4, "an answer"), (Optional(5) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Optional(6), Optional(7), Required(8, "a library"),
            [.. (Optional(9) ?? "=0").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(MakeCase)]);
        if (!Answers.Contains(call.Answer))
            throw new FormatException($"there is no answer '{call.Answer}'; known: {string.Join(", ", Answers)}");
        if (call.IsId && (call.Fields.Count != 1 || call.Truth is null || call.Parameters is not ([] or [{ Type: "s32" }])))
            throw new FormatException($"{call.Name}: an id is one word of the slot, has a truth, and takes nothing or a PID (s32)");
        if (call.Answer == "constant" && (call.Fields.Count != 0 || call.Truth is null))
            throw new FormatException($"{call.Name}: a constant is no word of the slot and has a truth");
        if (call.Answer is not ("id" or "constant") && call.Truth is not null)
            throw new FormatException($"{call.Name}: its truth is the call's own body");
        return call;
    }

    private static Parameter Parameter(string text)
    {
        string trimmed = text.Trim();
        int name = trimmed.LastIndexOfAny([' ', '*']) + 1;
        return name is 0 || name == trimmed.Length
            ? throw new FormatException($"'{trimmed}' is no parameter: a type and a name")
            : new Parameter(trimmed[..name].TrimEnd(' '), trimmed[name..]);
    }

    private static Case MakeCase(string text)
    {
        string[] parts = text.Split('=');
        return parts.Length == 2 && int.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int first)
            ? new Case(parts[0], first)
            : throw new FormatException($"'{text}' is no case: NAME=FIRST-ARGUMENT");
    }

    private static List<Field> MakeFields(List<Call> calls, string path)
    {
        var fields = new List<Field>();
        foreach (Call call in calls.Where(c => c.IsId))
        {
            if (fields.Any(f => f.Name == call.Fields[0]))
                throw new FormatException($"{path}: {call.Name} reads {call.Fields[0]}, which another one reads");
            int slot = FirstSlot + 4 * fields.Count;
            if (slot + 8 > SlotLine)
                throw new FormatException($"{path}: {call.Fields[0]} has no room in a slot of {SlotLine} bytes");
            fields.Add(new Field(call.Fields[0], call, slot, Record(fields.Count, call.Fields[0], path)));
        }
        return fields;
    }

    private static int Record(int index, string field, string path)
    {
        foreach ((int at, int words) in Rooms)
        {
            if (index < words)
                return at + 4 * index;
            index -= words;
        }
        throw new FormatException($"{path}: {field} has no room in EL1 code's task record");
    }
}
