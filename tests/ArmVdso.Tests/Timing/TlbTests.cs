using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Tests.Timing;

/// <summary>Entries of a TLB that stand for more than a page, and maintenance.</summary>
public sealed class TlbTests
{
    private const ulong Asid = 5UL << 48;

    private static Tlb Filled(int entries, int ways)
    {
        var tlb = new Tlb(entries, ways);
        tlb.Insert(0x100, Asid | 0x1000, 0);
        tlb.Insert(0x234, 0, 4);
        tlb.Insert(0xF_FFFF_8000_0400, 0, 9);
        return tlb;
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(64, 4)]
    public void AnEntryStandsForItsPages(int entries, int ways)
    {
        Tlb tlb = Filled(entries, ways);
        foreach (ulong page in (ulong[])[0x230, 0x23F, 0xF_FFFF_8000_0400, 0xF_FFFF_8000_05FF])
            Assert.True(tlb.Contains(page, 0) && tlb.Touch(page, 0));
        foreach (ulong page in (ulong[])[0x22F, 0x240, 0xF_FFFF_8000_0600, 0xF_FFFF_8000_03FF, 0x101])
            Assert.False(tlb.Contains(page, 0) || tlb.Touch(page, 0));
        Assert.False(tlb.Contains(0x234, Asid));
        Assert.True(tlb.Touch(0x23F, 0, out int size));
        Assert.Equal(4, size);
    }

    /// <summary>With three ways the entry that was used least lately goes, whatever its size.</summary>
    [Fact]
    public void TheLeastRecentlyUsedOneGoes()
    {
        Tlb tlb = Filled(3, 3);
        Assert.True(tlb.Touch(0x100, Asid | 0x1000));
        tlb.Insert(0x999, 0, 0);
        Assert.False(tlb.Contains(0x234, 0));
        Assert.True(tlb.Contains(0x100, Asid | 0x1000) && tlb.Contains(0xF_FFFF_8000_0401, 0));
        Assert.Equal((0x999UL, 0UL), tlb.Latest);
    }

    [Theory]
    [InlineData(0x22FUL, 1UL, null, 3)]
    [InlineData(0x23FUL, 1UL, null, 2)]
    [InlineData(0x220UL, 0x11UL, null, 2)]
    [InlineData(0x100UL, 1UL, 5UL, 2)]
    [InlineData(0UL, ulong.MaxValue, 5UL, 2)]
    [InlineData(0UL, ulong.MaxValue, 6UL, 3)]
    [InlineData(0UL, ulong.MaxValue, null, 0)]
    public void MaintenanceDropsWhatItNames(ulong first, ulong count, ulong? asid, int left)
    {
        Tlb tlb = Filled(64, 4);
        tlb.Remove(first, count, asid);
        bool[] there = [tlb.Contains(0x100, Asid | 0x1000), tlb.Contains(0x235, 0), tlb.Contains(0xF_FFFF_8000_0500, 0)];
        Assert.Equal(left, there.Count(t => t));
    }

    /// <summary>Sets as lists in the order of use, which is what a TLB is defined by; what was dropped keeps its place.</summary>
    private sealed class Lists(int entries, int ways)
    {
        private readonly List<(ulong Page, ulong Context)?>[] _sets =
            [.. Enumerable.Range(0, entries / ways).Select(_ => Enumerable.Repeat<(ulong, ulong)?>(null, ways).ToList())];

        private List<(ulong Page, ulong Context)?> Set(ulong page) => _sets[page % (ulong)_sets.Length];

        public bool Touch(ulong page, ulong context)
        {
            if (!Set(page).Remove((page, context)))
                return false;
            Set(page).Insert(0, (page, context));
            return true;
        }

        public void Insert(ulong page, ulong context)
        {
            Set(page).RemoveAt(Set(page).Count - 1);
            Set(page).Insert(0, (page, context));
        }

        public void Remove(ulong page)
        {
            for (int i = 0; i < Set(page).Count; i++)
            {
                if (Set(page)[i]?.Page == page)
                    Set(page)[i] = null;
            }
        }

        public (ulong, ulong)? Latest => _sets[0][0];
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(32, 4)]
    [InlineData(4, 1)]
    public void EntriesGoInTheOrderOfTheirUse(int entries, int ways)
    {
        var random = new Random(entries);
        var tlb = new Tlb(entries, ways);
        var lists = new Lists(entries, ways);
        int there = 0;
        for (int i = 0; i < 50_000; i++)
        {
            ulong page = (ulong)random.Next(2 * entries) + (random.Next(3) == 0 ? 0x40UL : 0), context = (ulong)random.Next(2);
            if (random.Next(40) == 0)
            {
                tlb.Remove(page, 1, null);
                lists.Remove(page);
                continue;
            }
            bool known = lists.Touch(page, context);
            Assert.Equal(known, tlb.Contains(page, context));
            Assert.Equal(known, tlb.Touch(page, context));
            there += known ? 1 : 0;
            if (!known && random.Next(4) != 0)
            {
                tlb.Insert(page, context, 0);
                lists.Insert(page, context);
            }
            if (entries == ways && lists.Latest is { } latest)
                Assert.Equal(latest, tlb.Latest);
        }
        Assert.InRange(there, 1000, 49_000);
    }
}
