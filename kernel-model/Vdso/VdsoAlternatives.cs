using System.Buffers.Binary;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Instructions of an image that the kernel replaces at boot when the CPUs have a feature (apply_alternatives_vdso of
/// arch/arm64/kernel/alternative.c). Capability numbers differ from kernel to kernel, so what a record is for is told by its
/// instructions: a self-synchronised counter read is for FEAT_ECV, a branch that becomes a NOP in __kernel_getrandom is for AdvSIMD.
/// Anything else stays as it is.</summary>
public static class VdsoAlternatives
{
    private const uint Nop = 0xd503201f, MrsCntvctss = 0xd53be0c0, RegisterMask = 0x1f;

    /// <summary>Makes the replacements.</summary>
    /// <param name="image">The image, which is changed.</param>
    /// <param name="file">Its headers.</param>
    /// <param name="hasFeature">Whether the CPUs have a feature, by its name without FEAT_.</param>
    /// <returns>What was done with each record, in their order.</returns>
    internal static IReadOnlyList<string> Apply(byte[] image, VdsoObject file, Func<string, bool> hasFeature)
    {
        var applied = new List<string>();
        foreach (AlternativeRecord record in file.Alternatives)
        {
            string? feature = FeatureOf(image, file, record);
            bool apply = feature is not null && hasFeature(feature);
            if (apply)
                image.AsSpan(record.ReplacementOffset, record.ReplacementLength).CopyTo(image.AsSpan(record.Offset));
            applied.Add($"0x{record.Offset:x}: "
                + $"{(feature is null ? "unknown, left alone" : apply ? $"{feature}, applied" : $"{feature}, not in this CPU")}");
        }
        return applied;
    }

    /// <summary>The feature that a record is for, or null for one that is not known here.</summary>
    internal static string? FeatureOf(ReadOnlySpan<byte> image, VdsoObject file, AlternativeRecord record)
    {
        if (record.Length != record.ReplacementLength || record.Length == 0 || record.Length % 4 != 0)
            return null;
        bool nops = true;
        for (int i = 0; i < record.Length; i += 4)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(image[(record.ReplacementOffset + i)..]);
            if ((word & ~RegisterMask) == MrsCntvctss)
                return "ECV";
            nops &= word == Nop;
        }
        return nops && file.Symbols.TryGetValue("__kernel_getrandom", out ulong start) && (ulong)record.Offset >= start ? "ASIMD" : null;
    }
}
