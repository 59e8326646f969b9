namespace ArmVdso.Emulator;

/// <summary>The exclusive monitors of all PEs. A granule is 64 bytes (the reset value of CTR_EL0.ERG here).
/// A store by any other PE to a marked granule clears the mark (DDI0487, B2.9).</summary>
public sealed class ExclusiveMonitors
{
    /// <summary>Bytes of an exclusives reservation granule.</summary>
    public const int Granule = 64;

    private const ulong Clear = ulong.MaxValue;
    private readonly ulong[] _granule;
    private readonly ulong[] _address;
    private readonly int[] _size;
    private int _armed;

    internal ExclusiveMonitors(int cpus)
    {
        _granule = new ulong[cpus];
        _address = new ulong[cpus];
        _size = new int[cpus];
        Array.Fill(_granule, Clear);
    }

    internal void Set(Cpu cpu, ulong pa, int size)
    {
        if (_granule[cpu.Index] == Clear)
            _armed++;
        _granule[cpu.Index] = pa / Granule;
        _address[cpu.Index] = pa;
        _size[cpu.Index] = size;
    }

    /// <summary>True and cleared when the PE holds a mark made for the same address and size.</summary>
    internal bool Pass(Cpu cpu, ulong pa, int size)
    {
        int i = cpu.Index;
        bool pass = _granule[i] != Clear && _address[i] == pa && _size[i] == size;
        ClearLocal(cpu);
        return pass;
    }

    /// <summary>CLREX, exception entry and return: forgets this PE's mark.</summary>
    public void ClearLocal(Cpu cpu)
    {
        if (_granule[cpu.Index] == Clear)
            return;
        _granule[cpu.Index] = Clear;
        _armed--;
    }

    /// <summary>A store by <paramref name="by"/> (null: by system software outside any PE) clears other PEs' marks on the granules it touches.</summary>
    internal void ObserveStore(Cpu? by, ulong pa, int size)
    {
        if (_armed != 0)
            ObserveSlow(by, pa, size);
    }

    private void ObserveSlow(Cpu? by, ulong pa, int size)
    {
        ulong first = pa / Granule;
        ulong last = (pa + (ulong)size - 1) / Granule;
        for (int i = 0; i < _granule.Length; i++)
        {
            if (_granule[i] == Clear || i == by?.Index || _granule[i] < first || _granule[i] > last)
                continue;
            _granule[i] = Clear;
            _armed--;
        }
    }
}
