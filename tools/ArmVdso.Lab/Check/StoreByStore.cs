namespace ArmVdso.Lab.Check;

/// <summary>An update of the data page that can be stopped between its stores.</summary>
internal interface IStoreByStore
{
    /// <summary>Goes on until this many stores are visible, or to the end.</summary>
    void Advance(int stores);

    /// <summary>Goes on to the end. Returns how many stores there were.</summary>
    int Finish();
}

/// <summary>An update of the clocks: the kernel's stores, held back and made visible one at a time.</summary>
internal sealed class ClockStores : IStoreByStore
{
    private readonly CheckRig _rig;
    private readonly ClockHistory _clocks;
    private readonly List<HeldStore> _stores;
    private int _visible;

    internal ClockStores(CheckRig rig, ClockHistory clocks, Action update)
    {
        _rig = rig;
        _clocks = clocks;
        List<HeldStore> stores = [];
        clocks.Begin(rig, rig.Victim, () => stores = rig.Control.HoldClockStores(update));
        _stores = [.. rig.WriterFault(stores)];
    }

    /// <summary>The stores in the order of the writer.</summary>
    internal IReadOnlyList<HeldStore> Stores => _stores;

    public void Advance(int stores)
    {
        for (; _visible < Math.Min(stores, _stores.Count); _visible++)
        {
            HeldStore s = _stores[_visible];
            _rig.Observer?.Event(
                $"the kernel's store {_visible + 1} of {_stores.Count}: {_rig.DataName(s.Pa)} = 0x{s.Value:x} ({s.Size} bytes)");
            BitConverter.GetBytes(s.Value).AsSpan(0, s.Size).CopyTo(_rig.Machine.Memory.Span(s.Pa, s.Size));
        }
        if (_visible == _stores.Count)
            _clocks.End();
    }

    public int Finish()
    {
        Advance(_stores.Count);
        return _stores.Count;
    }
}

/// <summary>A context switch at EL1 on another CPU: its instructions, stopped after each that stores to the data page.</summary>
internal sealed class SwitchStores : IStoreByStore
{
    private readonly CheckRig _rig;
    private readonly Cpu _cpu;
    private readonly KernelTask _next;
    private int _visible;
    private bool _done;

    internal SwitchStores(CheckRig rig, int cpu, KernelTask next)
    {
        _rig = rig;
        _cpu = rig.Machine.Cpus[cpu];
        _next = next;
        rig.Observer?.Event($"cpu{cpu} begins to switch to {next}");
        rig.Control.Switch(cpu, next);
    }

    /// <summary>Called for each instruction that stores to the data page.</summary>
    internal Action<Cpu>? Stored { get; init; }

    /// <summary>Called before each instruction.</summary>
    internal Action<Cpu>? Stepping { get; init; }

    /// <summary>Called after each instruction, and after each exception that came instead of one.</summary>
    internal Action<Cpu>? Stepped { get; init; }

    public void Advance(int stores)
    {
        while (_visible < stores && !_done)
        {
            Stepping?.Invoke(_cpu);
            ulong executed = _cpu.Instructions;
            _rig.Step(_cpu);
            Stepped?.Invoke(_cpu);
            _done = _cpu.EL == 0 && ReferenceEquals(_rig.Kernel.Scheduler.Current(_cpu.Index), _next);
            if (_cpu.Instructions != executed && _rig.StoredData(_cpu))
            {
                _visible++;
                Stored?.Invoke(_cpu);
            }
        }
    }

    public int Finish()
    {
        Advance(int.MaxValue);
        return _visible;
    }
}
