using System.Reflection;
using System.Text.RegularExpressions;
using ArmVdso.Kernel;

namespace ArmVdso.Tests.House;

/// <summary>The folders of a project are layers: a folder refers to those above it in its list, never to those below. A folder is a
/// namespace; what is generated belongs to the folder that its Generated/ lies in. The README of each project says what each folder is
/// for.</summary>
public sealed class LayerTests
{
    private static readonly string Root = GuestPrograms.RepositoryRoot;

    /// <summary>The folders of kernel-model from the lowest to the highest; folders of one line may refer to each other.</summary>
    private static readonly string[][] KernelModel =
    [
        ["Abi"],
        ["Configuration"],
        ["Memory"],
        ["El1"],
        ["Costs"],
        ["Waiting"],
        ["Namespaces"],
        ["Time"],
        ["Signals"],
        ["Ipc"],
        ["Files"],
        ["Disk"],
        ["Tasks"],
        ["Vdso"],
        ["Loader"],
        ["Delivery"],
        ["Perf"],
        ["Processes"],
        ["Entry"],
        ["Proc"],
        ["Syscalls"],
        [""],
        ["Explore"],
    ];

    /// <summary>The folders of emulator from the lowest to the highest. Timing lies so low because it knows the instruction set alone,
    /// and no CPU or machine.</summary>
    private static readonly string[][] Emulator =
    [
        ["State"],
        ["Isa"],
        ["Isa.Disassembly"],
        ["MemoryModel"],
        ["Timing.Counters"],
        ["Timing.Models"],
        ["Timing.Instructions"],
        ["Timing.Events"],
        ["Timing.Memo"],
        ["Timing"],
        ["Timing.InOrder"],
        ["Timing.OutOfOrder"],
        ["FloatingPoint"],
        ["Memory"],
        ["Processor"],
        ["Semantics"],
        ["Engine.Reference"],
        ["Engine.Portable"],
        ["Engine.Native"],
        ["Engine.Lockstep"],
        [""],
        ["Board"],
    ];

    /// <summary>Folders that know nothing of each other, though one lies higher.</summary>
    private static readonly (string, string)[] Strangers = [("Timing.OutOfOrder", "Timing.InOrder")];

    private static readonly Dictionary<string, Room> Rooms = new()
    {
        ["kernel-model"] = new("kernel-model", typeof(LinuxKernel).Assembly, KernelModel),
        ["emulator"] = new("emulator", typeof(Emulator.Machine).Assembly, Emulator),
    };

    public static TheoryData<string> RoomNames => [.. Rooms.Keys];

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Folders_refer_downwards_only(string name)
    {
        Room room = Rooms[name];
        using var references = new FolderReferences(room.Assembly.Location, room.Namespace);
        Assert.Empty(references.References.Where(r => !room.MayRefer(r.Key.From, r.Key.To))
            .Select(r => $"{r.Key.From} -> {r.Key.To}: {r.Value}"));
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Sources_use_lower_namespaces_only(string name)
    {
        Room room = Rooms[name];
        string usings = $@"^using (?:static |\w+ = )?{Regex.Escape(room.Namespace)}\b(?:\.([\w.]+))?";
        foreach (string file in room.Sources())
        {
            foreach (Match use in Regex.Matches(File.ReadAllText(file), usings, RegexOptions.Multiline))
                Assert.True(room.MayRefer(room.FolderOf(file), room.FolderOfName(use.Groups[1].Value)), $"{file}: {use.Value}");
        }
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void The_namespace_of_a_source_is_its_folder(string name)
    {
        Room room = Rooms[name];
        foreach (string file in room.Sources())
        {
            string space = Regex.Match(File.ReadAllText(file), @"^namespace ([\w.]+);", RegexOptions.Multiline).Groups[1].Value;
            string expected = room.FolderOf(file) is { Length: > 0 } folder ? $"{room.Namespace}.{folder}" : room.Namespace;
            Assert.True(space == expected, $"{file}: {space}");
        }
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Every_folder_is_a_layer_and_is_described(string name)
    {
        Room room = Rooms[name];
        string readme = File.ReadAllText(Path.Join(Root, name, "README.md"));
        string[] folders = [.. room.Sources().Select(room.FolderOf).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(folders, room.Layers.SelectMany(l => l).Order(StringComparer.Ordinal));
        Assert.All(folders.Where(f => f.Length > 0), f => Assert.Contains($"| {f.Replace('.', '/')} |", readme));
    }

    /// <summary>What the reader of assemblies must not be blind to: one reference of each kind that is there.</summary>
    [Theory]
    [InlineData("kernel-model", "Files", "Memory")] // an interface (OpenFile: IMappedFile)
    [InlineData("kernel-model", "Time", "Namespaces")] // an interface (TimeNamespace: INamespace)
    [InlineData("kernel-model", "Memory", "Configuration")] // a field and bodies (PageAllocator's random order)
    [InlineData("kernel-model", "Delivery", "Signals")] // signatures
    [InlineData("kernel-model", "Ipc", "Waiting")] // fields
    [InlineData("kernel-model", "Explore", "")] // bodies
    [InlineData("emulator", "Semantics", "FloatingPoint")] // bodies
    [InlineData("emulator", "Engine.Portable", "Processor")] // a base (PortableEngine: ExecutionEngine)
    [InlineData("emulator", "Timing.InOrder", "Timing")] // a base (InOrderTiming: PipelineTiming)
    public void References_are_seen(string name, string from, string to)
    {
        using var references = new FolderReferences(Rooms[name].Assembly.Location, Rooms[name].Namespace);
        Assert.Contains((from, to), references.References.Keys);
    }

    /// <summary>A project whose folders are layers. A folder is named by its namespace below that of the project.</summary>
    private sealed record Room(string Name, Assembly Assembly, string[][] Layers)
    {
        internal string Namespace => Assembly.GetName().Name!;

        internal bool MayRefer(string from, string to) => LayerOf(from) >= LayerOf(to) && !Strangers.Contains((from, to));

        private int LayerOf(string folder)
        {
            int layer = Array.FindIndex(Layers, l => l.Contains(folder));
            Assert.True(layer >= 0, $"{Name}/{folder} is in no layer");
            return layer;
        }

        internal IEnumerable<string> Sources() => Directory
            .EnumerateFiles(Path.Join(Root, Name), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

        internal string FolderOf(string file)
        {
            string folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Join(Root, Name), file))!;
            return (folder.EndsWith("/Generated", StringComparison.Ordinal) ? folder[..^"/Generated".Length] : folder).Replace('/', '.');
        }

        /// <summary>The folder of a namespace or of a type in one, as a using directive names it.</summary>
        internal string FolderOfName(string name) =>
            Layers.SelectMany(l => l).Contains(name) ? name
                : FolderOfName(name.Contains('.', StringComparison.Ordinal) ? name[..name.LastIndexOf('.')] : "");
    }
}
