using System.Buffers.Binary;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The vDSO image of a stock Linux kernel, unmodified but for what that kernel itself replaces at boot.</summary>
public sealed class StockVdso
{
    private const uint Nop = 0xd503201f, MrsCntvctss = 0xd53be0c0, RegisterMask = 0x1f;

    private StockVdso(byte[] bytes, VdsoObject file, VvarLayout layout)
    {
        Bytes = bytes;
        File = file;
        Layout = layout;
    }

    /// <summary>The image as it is mapped.</summary>
    public byte[] Bytes { get; }

    /// <summary>What its headers say.</summary>
    public VdsoObject File { get; }

    /// <summary>Layout of the data that it reads.</summary>
    public VvarLayout Layout { get; }

    /// <summary>What was done with each alternative, in the order of the records.</summary>
    public IReadOnlyList<string> Applied { get; private set; } = [];

    /// <summary>Reads an image.</summary>
    /// <param name="image">The file.</param>
    /// <param name="layout">Name of the vvar layout; empty: the one that the image's kernel has.</param>
    /// <exception cref="VdsoImageException">It cannot be used.</exception>
    public static StockVdso Load(byte[] image, string layout = "")
    {
        VdsoObject file = VdsoObject.Parse(image);
        if (!file.Symbols.ContainsKey("__kernel_rt_sigreturn"))
            throw new VdsoImageException("it has no __kernel_rt_sigreturn");
        return new StockVdso([.. image], file, layout.Length > 0 ? VvarLayout.Find(layout) : VvarLayout.Probe(file, image));
    }

    /// <summary>Applies the alternatives for CPUs, as apply_alternatives_vdso does at boot. Capability numbers differ from
    /// kernel to kernel, so what a record is for is told by its instructions: a self-synchronised counter read is for FEAT_ECV,
    /// a branch that becomes a NOP in __kernel_getrandom is for AdvSIMD. Anything else stays as it is.</summary>
    /// <param name="hasFeature">Whether the CPUs have a feature, by its name without FEAT_.</param>
    internal void ApplyAlternatives(Func<string, bool> hasFeature)
    {
        var applied = new List<string>();
        foreach (AlternativeRecord record in File.Alternatives)
        {
            string? feature = FeatureOf(record);
            bool apply = feature is not null && hasFeature(feature);
            if (apply)
                Bytes.AsSpan(record.ReplacementOffset, record.ReplacementLength).CopyTo(Bytes.AsSpan(record.Offset));
            applied.Add($"0x{record.Offset:x}: "
                + $"{(feature is null ? "unknown, left alone" : apply ? $"{feature}, applied" : $"{feature}, not in this CPU")}");
        }
        Applied = applied;
    }

    /// <summary>The feature that an alternative is for, or null for one that is not known here.</summary>
    public string? FeatureOf(AlternativeRecord record)
    {
        if (record.Length != record.ReplacementLength || record.Length == 0 || record.Length % 4 != 0)
            return null;
        bool nops = true;
        for (int i = 0; i < record.Length; i += 4)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(Bytes.AsSpan(record.ReplacementOffset + i));
            if ((word & ~RegisterMask) == MrsCntvctss)
                return "ECV";
            nops &= word == Nop;
        }
        return nops && InGetrandom(record) ? "ASIMD" : null;
    }

    private bool InGetrandom(AlternativeRecord record) =>
        File.Symbols.TryGetValue("__kernel_getrandom", out ulong start) && (ulong)record.Offset >= start;
}
