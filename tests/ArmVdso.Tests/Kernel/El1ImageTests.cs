using System.Globalization;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Kernel;

/// <summary>The committed EL1 image and embedded guest are what their sources give; the layouts of both sides agree.</summary>
public sealed class El1ImageTests
{
    [Theory]
    [InlineData("kernel-model/El1/build.sh")]
    [InlineData("tools/ArmVdso.Lab/Guests/build.sh")]
    public void IsUpToDate(string script)
    {
        (int status, string output, string errors) = GuestPrograms.Run(Path.Join(GuestPrograms.RepositoryRoot, script), "--check");
        Assert.True(status == 0, output + errors);
    }

    /// <summary>Every image of a design.</summary>
    public static TheoryData<string> Images =>
        [.. VdsoDesigns.WithImage];

    /// <summary>EL1 code writes the slot at offsets of its own header; each image's layout is the truth. Every field of the image is
    /// known to EL1 code, and every field of EL1 code is in the images, as far as they have slots of that kind.</summary>
    [Theory]
    [MemberData(nameof(Images))]
    public void SlotOfEveryImageIsWhatEl1Writes(string name)
    {
        VdsoImage image = VdsoImage.Load(name);
        Dictionary<string, long> el1 = Constants(typeof(VdsoSlot));
        foreach ((string field, long offset) in Fields(image, "vdso_per_cpu_data.", "size"))
        {
            Assert.True(el1.TryGetValue(field, out long at), $"{name}: EL1 code does not know vdso_per_cpu_data.{field}");
            Assert.True(at == offset, $"{name}: vdso_per_cpu_data.{field} is at {offset}, EL1 code has it at {at}");
        }
        bool onlyCpu = image.LayoutOr("vdso_per_cpu_data.pid", -1) < 0;
        foreach ((string field, long offset) in el1.Where(f => onlyCpu ? f.Key is "cpu" or "node" : f.Key != "seq"))
            Assert.True(image.LayoutOr($"vdso_per_cpu_data.{field}", -1) == offset,
                $"{name}: EL1 code writes {field} at {offset}, the image has none");
    }

    /// <summary>The same of the clocks' data, which EL1 code reads from the kernel's own record.</summary>
    [Theory]
    [MemberData(nameof(Images))]
    public void ClockDataOfEveryImageAreWhatEl1Reads(string name)
    {
        VdsoImage image = VdsoImage.Load(name);
        foreach ((string field, long offset) in Constants(typeof(VdsoData)))
        {
            string there = field == "raw" ? "vdso_data.size" : $"vdso_data.{field}";
            Assert.True(image.LayoutOr(there, -1) == offset,
                $"{name}: {there} is at {image.LayoutOr(there, -1)}, EL1 code reads it at {offset}");
        }
        Assert.Equal(El1Number.CoarseResNs, image.Layout("low_res_nsec"));
    }

    /// <summary>Bits and numbers of a type are told apart.</summary>
    [Theory]
    [InlineData(typeof(TaskFlag))]
    [InlineData(typeof(HypercallNumber))]
    [InlineData(typeof(El1Action))]
    [InlineData(typeof(Alternative))]
    public void NumbersOfATypeDiffer(Type type) =>
        Assert.Equal(Enum.GetNames(type).Length, Enum.GetValuesAsUnderlyingType(type).Cast<object>().Distinct().Count());

    /// <summary>What is to be patched is what the sources put there.</summary>
    [Fact]
    public void PatchSitesHaveTheirInstructions()
    {
        byte[] image = File.ReadAllBytes(Path.Join(GuestPrograms.RepositoryRoot, "kernel-model/El1/bin/el1.bin"));
        uint At(PatchSite site) => BitConverter.ToUInt32(image, (int)((ulong)site - (ulong)El1Symbol.vectors));
        const uint nop = 0xd503201f, call = 0x94000000, move = 0xd280001e;
        Assert.All(
            (PatchSite[])[PatchSite.vdso_switch_call, PatchSite.vdso_start_call, PatchSite.vdso_refresh_call],
            site => Assert.Equal(call, At(site) & 0xfc000000));
        Assert.All(PatchSites.RegisterSaves, site => Assert.Equal(nop, At(site)));
        Assert.All(PatchSites.BhbRounds, site => Assert.Equal(move, At(site) & 0xffe0001f));
        Assert.Equal((4, 16), (PatchSites.RegisterSaves.Count, PatchSites.BhbRounds.Count));
    }

    private static Dictionary<string, long> Constants(Type type) => type.GetFields()
        .ToDictionary(f => Snake(f.Name), f => Convert.ToInt64(f.GetRawConstantValue(), CultureInfo.InvariantCulture));

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private static IEnumerable<(string Field, long Offset)> Fields(VdsoImage image, string prefix, string except) => image.LayoutNames
        .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && n != prefix + except)
        .Select(n => (n[prefix.Length..], image.Layout(n)));
}
