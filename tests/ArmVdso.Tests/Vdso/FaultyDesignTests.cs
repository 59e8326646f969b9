using System.Reflection;
using ArmVdso.Kernel.Explore;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Vdso;

/// <summary>The design around a design, whose hooks can be made to fail.</summary>
public sealed class FaultyDesignTests
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>It passes everything on: a hook that VdsoDesign gets and it has not would silently be nobody's.</summary>
    [Fact]
    public void EveryMemberOfADesignIsPassedOn() =>
        Assert.Empty(typeof(FaultyDesign).GetMethods(All)
            .Where(m => m.IsVirtual && m.DeclaringType == typeof(VdsoDesign)).Select(m => m.Name));

    [Fact]
    public void HooksAreMethodsOfADesign() =>
        Assert.All(FaultyDesign.Hooks, h => Assert.NotNull(typeof(VdsoDesign).GetMethod(h, All)));
}
