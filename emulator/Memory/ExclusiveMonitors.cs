namespace ArmVdso.Emulator.Memory;

/// <summary>The exclusive monitors of all PEs. A granule is 64 bytes (the reset value of CTR_EL0.ERG here).
/// A store by any other PE to a marked granule clears the mark (DDI0487, B2.9).</summary>
public sealed class ExclusiveMonitors
{
    /// <summary>Bytes of an exclusives reservation granule.</summary>
    public const int Granule = 64;

    /// <summary>No PE: a store by system software.</summary>
    internal const int Outside = -1;

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

    /// <summary>No PE holds a mark.</summary>
    internal bool Unmarked => _armed == 0;

    /// <summary>Whether any other PE holds a mark.</summary>
    internal bool IsMarkedBesides(int pe) => _armed > (_granule[pe] == Clear ? 0 : 1);

    /// <summary>The marks of all PEs, for <see cref="Restore"/>; null when there are none.</summary>
    internal (ulong[] Granule, ulong[] Address, int[] Size)? Save() =>
        _armed == 0 ? null : ([.. _granule], [.. _address], [.. _size]);

    /// <summary>Puts saved marks back.</summary>
    internal void Restore((ulong[] Granule, ulong[] Address, int[] Size)? saved)
    {
        Array.Fill(_granule, Clear);
        _armed = 0;
        if (saved is not { } marks)
            return;
        marks.Granule.CopyTo(_granule, 0);
        marks.Address.CopyTo(_address, 0);
        marks.Size.CopyTo(_size, 0);
        _armed = _granule.Count(g => g != Clear);
    }

    internal void Set(int pe, ulong pa, int size)
    {
        if (_granule[pe] == Clear)
            _armed++;
        _granule[pe] = pa / Granule;
        _address[pe] = pa;
        _size[pe] = size;
    }

    /// <summary>True and cleared when the PE holds a mark made for the same address and size.</summary>
    internal bool Pass(int pe, ulong pa, int size)
    {
        bool pass = _granule[pe] != Clear && _address[pe] == pa && _size[pe] == size;
        ClearLocal(pe);
        return pass;
    }

    /// <summary>CLREX, exception entry and return: forgets this PE's mark.</summary>
    public void ClearLocal(int pe)
    {
        if (_granule[pe] == Clear)
            return;
        _granule[pe] = Clear;
        _armed--;
    }

    /// <summary>A store by PE <paramref name="by"/> (<see cref="Outside"/>: by system software) clears other PEs' marks on the granules
    /// it touches.</summary>
    internal void ObserveStore(int by, ulong pa, int size)
    {
        if (_armed != 0)
            ObserveSlow(by, pa, size);
    }

    private void ObserveSlow(int by, ulong pa, int size)
    {
        ulong first = pa / Granule;
        ulong last = (pa + (ulong)size - 1) / Granule;
        for (int i = 0; i < _granule.Length; i++)
        {
            if (_granule[i] == Clear || i == by || _granule[i] < first || _granule[i] > last)
                continue;
            _granule[i] = Clear;
            _armed--;
        }
    }
}
