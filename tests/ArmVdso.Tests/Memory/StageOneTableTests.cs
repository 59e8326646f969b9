namespace ArmVdso.Tests.Memory;

/// <summary>Translation by tables where the bare image, which runs on a Cortex-A53 with 4 KiB pages, does not come: other granules and
/// sizes, hardware management of descriptors, E0PD, WXN, hierarchical attributes that are off.</summary>
public sealed class StageOneTableTests : IDisposable
{
    private const ulong AccessFlag = 1 << 10, User = 1 << 6, ReadOnly = 1 << 7, Dirty = 1UL << 51, Pxn = 1UL << 53, Mmu = 1, Wxn = 1 << 19;
    private const PagePermissions Read = PagePermissions.KernelRead, Write = PagePermissions.KernelWrite;
    private readonly PhysicalMemory _ram = new(64 << 20);
    private readonly ExclusiveMonitors _monitors = new(1);

    public void Dispose() => _ram.Dispose();

    private Translation Make(ulong tcr, ulong ttbr, TranslationFeatures? features = null, bool high = false, ulong sctlr = Mmu) =>
        new StageOneTables(_ram, _monitors, () => features ?? new TranslationFeatures(true, true, true, true, 40))
            .Select(new TranslationRegisters(ttbr, ttbr, tcr | 2UL << 32, 0x44FF, sctlr), high)!;

    /// <summary>T1SZ and T0SZ.</summary>
    private static ulong Size(int bits) => (ulong)(64 - bits) * 0x10001;

    private void Put(ulong table, ulong index, ulong descriptor) => _ram.Write(table + 8 * index, descriptor);

    /// <summary>Granule, bits of address, TG0 and TG1; the first table's level and entries follow from them (DDI0487, D8.2).</summary>
    [Theory]
    [InlineData(12, 39, 0, 2)]
    [InlineData(12, 48, 0, 2)]
    [InlineData(12, 36, 0, 2)]
    [InlineData(12, 30, 0, 2)]
    [InlineData(14, 47, 2, 1)]
    [InlineData(14, 48, 2, 1)]
    [InlineData(14, 36, 2, 1)]
    [InlineData(16, 48, 1, 3)]
    [InlineData(16, 42, 1, 3)]
    public void PagesAndBlocksOfEveryGranule(int granule, int bits, ulong low, ulong high)
    {
        ulong tcr = Size(bits) | low << 14 | high << 30;
        ulong va = 0x5A5A_5A5A_5A5A_5A5A & ((1UL << bits) - 1);
        int stride = granule - 3, levels = (bits - granule + stride - 1) / stride;
        ulong table = 0x100000, next = 0x200000;
        for (int level = 4 - levels; level < 4; level++, table = next, next += 0x100000)
        {
            int shift = granule + stride * (3 - level);
            ulong index = (va >> shift) & (level == 4 - levels ? ulong.MaxValue : (1UL << stride) - 1);
            Put(table, index, level < 3 ? next | 3 : 0x3000000 | AccessFlag | 3);
        }
        foreach (bool upper in (bool[])[false, true])
        {
            Translation t = Make(tcr, 0x100000, high: upper);
            Assert.Equal(bits, t.VaBits);
            Assert.True(t.Translate(upper ? va | ulong.MaxValue << bits : va, Read, out PageTranslation page));
            Assert.Equal(0x3000000 | (va & ((1UL << granule) - 1) & ~0xfffUL), page.Pa);
            Assert.Equal(granule, page.BlockBits);
            Assert.False(t.Translate(va ^ (1UL << granule), Read, out page));
            Assert.Equal(FaultStatus.TranslationLevel3, page.Fault);
        }
        // A block at level 2.
        ulong second = 0x100000 + 0x100000 * (ulong)(levels - 2);
        int block = granule + stride;
        Put(second, (va >> block) & (levels == 2 ? ulong.MaxValue : (1UL << stride) - 1), AccessFlag | 1);
        Assert.True(Make(tcr, 0x100000).Translate(va, Write, out PageTranslation large));
        Assert.Equal(va & ((1UL << block) - 1) & ~0xfffUL, large.Pa);
        Assert.Equal(block, large.BlockBits);
    }

    /// <summary>One page at address 0 of a small space.</summary>
    private ulong Single(ulong descriptor, ulong tableAttributes = 0)
    {
        Put(0x100000, 0, 0x200000 | 3 | tableAttributes);
        Put(0x200000, 0, 0x3000000 | 3 | descriptor);
        return Size(30);
    }

    [Fact]
    public void HardwareSetsTheAccessFlag()
    {
        ulong tcr = Single(0);
        Assert.False(Make(tcr, 0x100000).Translate(0, Read, out PageTranslation page));
        Assert.Equal(FaultStatus.AccessFlagLevel0 + 3, page.Fault);
        const ulong hardware = 1UL << 39;
        var none = new TranslationFeatures(false, false, false, false, 40);
        Assert.False(Make(tcr | hardware, 0x100000, none).Translate(0, Read, out _));
        Assert.Equal(0UL, _ram.Read<ulong>(0x200000) & AccessFlag);
        // A refused access sets nothing.
        Assert.False(Make(tcr | hardware, 0x100000).Translate(0, PagePermissions.UserRead, out _));
        Assert.Equal(0UL, _ram.Read<ulong>(0x200000) & AccessFlag);
        _monitors.Set(0, 0x200000, 8);
        Assert.True(Make(tcr | hardware, 0x100000).Translate(0, Read, out _));
        Assert.Equal(AccessFlag, _ram.Read<ulong>(0x200000) & AccessFlag);
        Assert.True(_monitors.Unmarked);
    }

    [Fact]
    public void HardwareManagesTheDirtyState()
    {
        ulong tcr = Single(AccessFlag | ReadOnly | Dirty) | 1UL << 39;
        Assert.False(Make(tcr, 0x100000).Translate(0, Write, out _));
        Translation managed = Make(tcr | 1UL << 40, 0x100000);
        Assert.True(managed.Translate(0, Read, out PageTranslation page));
        Assert.Equal(PagePermissions.None, page.Permissions & Write);
        Assert.Equal(ReadOnly, _ram.Read<ulong>(0x200000) & ReadOnly);
        Assert.True(managed.Translate(0, Write, out page));
        Assert.Equal(Write, page.Permissions & Write);
        Assert.Equal(0UL, _ram.Read<ulong>(0x200000) & ReadOnly);
    }

    [Fact]
    public void E0pdKeepsEL0Out()
    {
        ulong tcr = Single(AccessFlag | User);
        Assert.True(Make(tcr, 0x100000).Translate(0, PagePermissions.UserRead, out _));
        Translation kept = Make(tcr | 1UL << 55, 0x100000);
        Assert.False(kept.Translate(0, PagePermissions.UserRead, out PageTranslation page));
        Assert.Equal(FaultStatus.TranslationLevel0, page.Fault);
        Assert.True(kept.Translate(0, Read, out _));
    }

    [Fact]
    public void PanRefusesPagesOfEL0()
    {
        Translation t = Make(Single(AccessFlag | User), 0x100000);
        Assert.True(t.Translate(0, Read, out _));
        Assert.False(t.Translate(0, Read | PagePermissions.Unprivileged, out PageTranslation page));
        Assert.Equal(FaultStatus.PermissionLevel3, page.Fault);
    }

    [Fact]
    public void WhatCanBeWrittenIsNotExecuted()
    {
        ulong tcr = Single(AccessFlag);
        Assert.True(Make(tcr, 0x100000).Translate(0, PagePermissions.KernelExecute, out _));
        Assert.False(Make(tcr, 0x100000, sctlr: Mmu | Wxn).Translate(0, PagePermissions.KernelExecute, out _));
        // Without it too, where EL0 can write.
        Assert.False(Make(Single(AccessFlag | User), 0x100000).Translate(0, PagePermissions.KernelExecute, out _));
    }

    [Fact]
    public void AttributesOfTablesCanBeOff()
    {
        ulong tcr = Single(AccessFlag | Pxn, 1UL << 62);
        Assert.False(Make(tcr, 0x100000).Translate(0, Write, out _));
        Assert.True(Make(tcr | 1UL << 41, 0x100000).Translate(0, Write, out _));
    }

    [Fact]
    public void TablesOutsideOfRamAreAnExternalAbort()
    {
        ulong tcr = Single(AccessFlag);
        Put(0x100000, 1, 0x8000_0000 | 3);
        Assert.False(Make(tcr, 0x100000).Translate(2 << 20, Read, out PageTranslation page));
        Assert.Equal(FaultStatus.ExternalWalkLevel0 + 3, page.Fault);
        Put(0x100000, 1, 1UL << 41 | 3);
        Assert.False(Make(tcr, 0x100000).Translate(2 << 20, Read, out page));
        Assert.Equal(FaultStatus.AddressSizeLevel0 + 3, page.Fault);
    }

    [Fact]
    public void WithTheMmuOffAddressesArePhysical()
    {
        Assert.True(Make(Size(39), 0x100000, sctlr: 0).Translate(0x1234567, Write, out PageTranslation page));
        Assert.Equal(0x1234000UL, page.Pa);
    }
}
