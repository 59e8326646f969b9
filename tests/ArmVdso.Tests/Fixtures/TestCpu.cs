namespace ArmVdso.Tests.Fixtures;

/// <summary>A machine with one PE at EL0 and pages of RAM at a fixed virtual address, for tests of single instructions.</summary>
internal sealed class TestCpu : IDisposable
{
    /// <summary>Virtual address of the first page.</summary>
    public const ulong Base = 0x10000;

    private const ulong BasePa = 0x4000;
    private const int Pages = 4;

    /// <summary>The machine.</summary>
    public Machine Machine { get; }

    /// <summary>Its PE.</summary>
    public Cpu Cpu { get; }

    /// <summary>The space of the lower addresses.</summary>
    public AddressSpace Space { get; }

    /// <summary>Maps four writable pages.</summary>
    /// <param name="cpus">Number of PEs, all of them at EL0 in the same space.</param>
    public TestCpu(int cpus = 1)
    {
        Machine = new Machine(cpus, 1 << 20, (_, _) => new TimingModel());
        Cpu = Machine.Cpus[0];
        Space = Machine.CreateAddressSpace(39);
        for (ulong page = 0; page < Pages; page++)
            Space.Map(Base + page * 4096, BasePa + page * 4096,
                PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute);
        foreach (Cpu cpu in Machine.Cpus)
        {
            cpu.SetX(0, Space.Handle);
            cpu.WriteSystemRegister(3, 0, 2, 0, 0, 0);
            cpu.SetX(0, 25 | (25 << 16));
            cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0);
            cpu.EL = 0;
        }
    }

    /// <summary>The bytes of RAM behind the mapped pages.</summary>
    public Span<byte> Bytes => Machine.Memory.Span(BasePa, Pages * 4096);

    /// <summary>Makes one page read-only.</summary>
    public void Protect(int page, PagePermissions permissions) => Space.Protect(Base + (ulong)page * 4096, permissions);

    /// <inheritdoc/>
    public void Dispose() => Machine.Dispose();
}
