using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Fixtures;

/// <summary>The vDSO designs: a new one is in every test that has them from here.</summary>
internal static class KnownDesigns
{
    /// <summary>Those with an image, but the talk's, which has its defects.</summary>
    public static TheoryData<string> Mended { get; } =
        [.. VdsoDesigns.WithImage.Where(n => n != "per-cpu")];
}
