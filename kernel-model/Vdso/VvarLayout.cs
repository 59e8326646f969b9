using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Where a kernel version has the data that its vDSO reads, from Vdso/vvar-layouts.json. Offsets in bytes.</summary>
public sealed partial record VvarLayout
{
    private static readonly Lazy<VvarLayout[]> Known = new(Load);

    /// <summary>Name: the first kernel version that has it.</summary>
    public required string Name { get; init; }

    /// <summary>First and last kernel version with this layout.</summary>
    public required string From { get; init; }

    /// <inheritdoc cref="From"/>
    public required string To { get; init; }

    /// <summary>"image" when an image of such a kernel was run here, "source" when it is known from headers only.</summary>
    public required string Evidence { get; init; }

    /// <summary>Where it is defined.</summary>
    public required string Source { get; init; }

    /// <summary>Pages directly below the image.</summary>
    public required int Pages { get; init; }

    /// <summary>Index of the page with the clocks.</summary>
    public required int DataPage { get; init; }

    /// <summary>Index of the page that a time namespace swaps with <see cref="DataPage"/>; -1 when the design has none.</summary>
    public required int TimensPage { get; init; }

    /// <summary>The clock entries.</summary>
    public required ClockEntries Clock { get; init; }

    /// <summary>Where time zone and timer resolution are; the second, where there is one, is the raw entry's unused copy.</summary>
    public required IReadOnlyList<Zone> Zones { get; init; }

    /// <summary>Data of the random number generator; null before 6.12.</summary>
    public Random? Rng { get; init; }

    /// <summary>Entries of struct vdso_data (struct vdso_clock since 6.15) in the data page.</summary>
    /// <param name="First">Offset of the first.</param>
    /// <param name="Stride">Distance of the next.</param>
    /// <param name="Count">Entries: adjusted and coarse clocks, raw clock.</param>
    /// <param name="Seq">u32, odd while the kernel writes.</param>
    /// <param name="ClockMode">s32, VDSO_CLOCKMODE_*.</param>
    /// <param name="CycleLast">u64, counter value of the base times.</param>
    /// <param name="Mask">u64, counter bits.</param>
    /// <param name="Mult">u32.</param>
    /// <param name="Shift">u32.</param>
    /// <param name="Basetime">Array of {u64 sec, u64 nsec} by clock ID.</param>
    /// <param name="Auxiliary">Entries of auxiliary clocks that follow; of each, base time 0 is the clock's.</param>
    public sealed record ClockEntries(
        int First, int Stride, int Count, int Seq, int ClockMode, int CycleLast, int Mask, int Mult, int Shift, int Basetime,
        int Auxiliary = 0);

    /// <summary>Time zone (two s32) and timer resolution (u32, ns).</summary>
    /// <param name="MinutesWest">tz_minuteswest.</param>
    /// <param name="DstTime">tz_dsttime.</param>
    /// <param name="HrtimerRes">hrtimer_res.</param>
    public sealed record Zone(int MinutesWest, int DstTime, int HrtimerRes);

    /// <summary>struct vdso_rng_data.</summary>
    /// <param name="Page">Index of its page.</param>
    /// <param name="Generation">u64 in that page.</param>
    /// <param name="IsReady">u8 in that page.</param>
    public sealed record Random(int Page, int Generation, int IsReady);

    /// <summary>All layouts, oldest first.</summary>
    public static IReadOnlyList<VvarLayout> All => Known.Value;

    /// <summary>The layout with a name.</summary>
    /// <exception cref="VdsoImageException">There is none.</exception>
    public static VvarLayout Find(string name) => Array.Find(Known.Value, l => l.Name == name)
        ?? throw new VdsoImageException($"there is no vvar layout '{name}'; known: {string.Join(", ", All.Select(l => l.Name))}");

    /// <summary>What can be done where none is found: the option of a command that has it, or more words of the design.</summary>
    internal const string NameOne = "; name a layout with --vvar, or behind the image: stock:FILE,vvar=LAYOUT";

    /// <summary>The layout that an image was built for: by the kernel version in its note, and the lowest page that its code
    /// addresses must be the first of that layout.</summary>
    /// <exception cref="VdsoImageException">Neither is known, or they contradict each other.</exception>
    public static VvarLayout Probe(VdsoObject image, ReadOnlySpan<byte> bytes)
    {
        int lowest = LowestDataPage(image, bytes);
        int version = (int)(image.LinuxVersionCode >> 8);
        VvarLayout? layout = version == 0
            ? Array.Find(Known.Value, l => l.Pages == lowest)
            : Array.Find(Known.Value, l => Code(l.From) <= version && version <= Code(l.To));
        if (layout is null)
            throw new VdsoImageException(
                $"no vvar layout is known for Linux {image.LinuxVersion} with data from page -{lowest}{NameOne}");
        if (lowest != 0 && layout.Pages != lowest)
            throw new VdsoImageException($"its code reads data from page -{lowest}, Linux {image.LinuxVersion} has "
                + $"{layout.Pages} data pages of 4 KiB (another page size?){NameOne}");
        return layout;
    }

    /// <summary>How many pages below the image its code reaches, by ADR and ADRP; 0: none.</summary>
    public static int LowestDataPage(VdsoObject image, ReadOnlySpan<byte> bytes)
    {
        long lowest = 0;
        for (int at = image.Text.Start & ~3; at + 4 <= image.Text.End; at += 4)
        {
            uint word = BitConverter.ToUInt32(bytes[at..]);
            bool page = PcRelative.IsAdrp(word);
            if (!page && !PcRelative.IsAdr(word))
                continue;
            long immediate = PcRelative.AdrImmediate(word);
            long target = page ? (at & ~0xfff) + (immediate << 12) : at + immediate;
            // Data far below is another image's idea of an address: 64 KiB is more than any layout has.
            if (target < 0 && target >= -0x10000)
                lowest = Math.Min(lowest, target & ~0xfffL);
        }
        return (int)(-lowest >> 12);
    }

    private static int Code(string version)
    {
        string[] parts = version.Split('.');
        return int.Parse(parts[0], CultureInfo.InvariantCulture) << 8 | int.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    private sealed record File(VvarLayout[] Layouts);

    /// <summary>Reads the file without reflection, which a command compiled ahead does not have.</summary>
    [JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
    [JsonSerializable(typeof(File))]
    private sealed partial class FileContext : JsonSerializerContext;

    private static VvarLayout[] Load()
    {
        using Stream stream = typeof(VvarLayout).Assembly.GetManifestResourceStream("vdso/vvar-layouts.json")
            ?? throw new FileNotFoundException("embedded resource vdso/vvar-layouts.json is missing");
        return JsonSerializer.Deserialize(stream, FileContext.Default.File)!.Layouts;
    }
}
