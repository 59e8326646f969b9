using ArmVdso.Tests.Documents;
using ArmVdso.Tests.Laboratory;
using ArmVdso.Tests.Programs;
using ArmVdso.Tests.Timing;
using ArmVdso.Tests.Vdso;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("ArmVdso.Tests.Fixtures." + nameof(LongestFirst), "ArmVdso.Tests")]

namespace ArmVdso.Tests.Fixtures;

/// <summary>The classes that take longest begin first: one of them that began last would run alone on a host of many CPUs.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_longest =
    [
        .. new[]
        {
            typeof(CheckedDesignCommandTests), typeof(RecipeCommandTests), typeof(MemoisedTimingLockstepTests), typeof(CompareCommandTests),
            typeof(CheckCommandTests), typeof(VdsoSelftestProgramTests), typeof(StaticProgramTests), typeof(OutOfOrderProgramTests),
            typeof(HostileProgramTests), typeof(PlantedFaultCommandTests),
        }.Select(t => t.FullName!),
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Array.FindIndex(s_longest, n => c.DisplayName.EndsWith(n, StringComparison.Ordinal)) is var i && i < 0
            ? s_longest.Length : i).ThenBy(c => c.DisplayName, StringComparer.Ordinal);
}
