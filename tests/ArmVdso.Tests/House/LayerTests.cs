using System.Text.RegularExpressions;
using ArmVdso.Kernel;
using ArmVdso.Tests.Fixtures;

namespace ArmVdso.Tests.House;

/// <summary>The folders of a project are layers: a folder refers to those above it in its list, never to those below.
/// kernel-model/README.md says what each folder is for.</summary>
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
        ["Tasks", "Vdso", "Delivery", "Perf", "Loader", "Proc", "Syscalls", ""],
        ["Explore"],
    ];

    [Fact]
    public void Folders_of_the_kernel_model_refer_downwards_only()
    {
        using var references = new FolderReferences(typeof(LinuxKernel).Assembly.Location, "ArmVdso.Kernel");
        Assert.Empty(references.References.Where(r => LayerOf(r.Key.From) < LayerOf(r.Key.To))
            .Select(r => $"{r.Key.From} -> {r.Key.To}: {r.Value}"));
    }

    [Fact]
    public void Sources_of_the_kernel_model_use_lower_namespaces_only()
    {
        foreach (string file in Sources())
        {
            const string usings = @"^using (?:static )?ArmVdso\.Kernel(?:\.(\w+))?";
            foreach (Match use in Regex.Matches(File.ReadAllText(file), usings, RegexOptions.Multiline))
                Assert.True(LayerOf(FolderOf(file)) >= LayerOf(use.Groups[1].Value), $"{file}: {use.Value}");
        }
    }

    [Fact]
    public void The_namespace_of_a_source_is_its_folder()
    {
        foreach (string file in Sources())
        {
            string space = Regex.Match(File.ReadAllText(file), @"^namespace ([\w.]+);", RegexOptions.Multiline).Groups[1].Value;
            string expected = FolderOf(file) is { Length: > 0 } folder ? $"ArmVdso.Kernel.{folder}" : "ArmVdso.Kernel";
            Assert.True(space == expected, $"{file}: {space}");
        }
    }

    [Fact]
    public void Every_folder_is_a_layer_and_is_described()
    {
        string readme = File.ReadAllText(Path.Join(Root, "kernel-model/README.md"));
        string[] folders = [.. Sources().Select(FolderOf).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(folders, KernelModel.SelectMany(l => l).Order(StringComparer.Ordinal));
        Assert.All(folders.Where(f => f.Length > 0), f => Assert.Contains($"| {f} |", readme));
    }

    /// <summary>What the reader of assemblies must not be blind to: one reference of each kind that is there.</summary>
    [Theory]
    [InlineData("Files", "Memory")] // an interface (OpenFile: IMappedFile)
    [InlineData("Time", "Namespaces")] // an interface (TimeNamespace: INamespace)
    [InlineData("Memory", "Configuration")] // a field and bodies (PageAllocator's random order)
    [InlineData("Delivery", "Signals")] // signatures
    [InlineData("Ipc", "Waiting")] // fields
    [InlineData("Explore", "")] // bodies
    public void References_are_seen(string from, string to)
    {
        using var references = new FolderReferences(typeof(LinuxKernel).Assembly.Location, "ArmVdso.Kernel");
        Assert.Contains((from, to), references.References.Keys);
    }

    private static int LayerOf(string folder)
    {
        int layer = Array.FindIndex(KernelModel, l => l.Contains(folder));
        Assert.True(layer >= 0, $"kernel-model/{folder} is in no layer");
        return layer;
    }

    private static IEnumerable<string> Sources() => Directory
        .EnumerateFiles(Path.Join(Root, "kernel-model"), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    /// <summary>Folder below kernel-model; what is generated belongs to the folder that it lies in.</summary>
    private static string FolderOf(string file)
    {
        string folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Join(Root, "kernel-model"), file))!;
        return folder.EndsWith("/Generated", StringComparison.Ordinal) ? folder[..^"/Generated".Length] : folder;
    }
}
