using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The data pages of a vDSO image: written at every update (kernel/time/vsyscall.c), ordered for tasks of the first
/// time namespace and of others, whose data page shows their offsets and leads the code to the real one.</summary>
internal sealed class VvarPages : IVvarPage
{
    private const ulong CounterMask = 0x00FF_FFFF_FFFF_FFFF;
    private readonly Machine _machine;
    private readonly PageAllocator _pages;
    private readonly OrderedStores _stores;
    private readonly VvarLayout _layout;
    private readonly ulong _data;
    private readonly ulong _rng;
    private readonly Func<ulong, ulong[]> _order;
    private readonly bool _always;

    /// <summary>Pages for a layout; data and, where they are apart, random number pages are allocated here.</summary>
    internal VvarPages(Machine machine, PageAllocator pages, OrderedStores stores, VvarLayout layout)
    {
        (_machine, _pages, _stores) = (machine, pages, stores);
        _layout = layout;
        _data = pages.Allocate();
        ulong rngPage = layout.Rng is { } rng && rng.Page != layout.DataPage ? pages.Allocate() : _data;
        _rng = rngPage;
        _order = first =>
        {
            var ordered = new ulong[layout.Pages];
            ordered[layout.DataPage] = first;
            // Without an own page in front the time namespace's page is not there: SIGBUS.
            if (first != _data && layout.TimensPage >= 0)
                ordered[layout.TimensPage] = _data;
            if (layout.Rng is { } random && random.Page != layout.DataPage)
                ordered[random.Page] = rngPage;
            return ordered;
        };
    }

    /// <summary>Pages of an image whose data pages somebody else has allocated and orders.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="pages">Where the pages of time namespaces come from.</param>
    /// <param name="stores">How readers on other CPUs see the stores.</param>
    /// <param name="layout">Layout of the data page and of the random number page.</param>
    /// <param name="data">Physical address of the data page.</param>
    /// <param name="rng">Physical address of the page with the random number data.</param>
    /// <param name="order">All pages below the image in ascending order, from the physical address of the one that clocks are
    /// read from: the data page, or a time namespace's.</param>
    /// <param name="always">Whether values are written that user space may not use (clock mode NONE).</param>
    internal VvarPages(
        Machine machine, PageAllocator pages, OrderedStores stores, VvarLayout layout, ulong data, ulong rng, Func<ulong, ulong[]> order,
        bool always = false)
    {
        _always = always;
        (_machine, _pages, _stores) = (machine, pages, stores);
        _layout = layout;
        _data = data;
        _rng = rng;
        _order = order;
    }

    /// <summary>The kernel's own record, which EL1 code reads.</summary>
    internal static VvarPages KernelRecord(Machine machine, PageAllocator pages, OrderedStores stores, ulong page) =>
        new(machine, pages, stores, VvarLayout.Find("6.1"), page, page, first => [first], true);

    /// <summary>Physical address of the page that updates write.</summary>
    internal ulong DataPage => _data;

    /// <summary>The pages below the image in ascending order for tasks of a namespace; 0: no page (SIGBUS).</summary>
    internal ulong[] For(TimeNamespace space)
    {
        ulong[] pages = _order(space.IsInitial ? _data : space.VvarPage == 0 ? MakeNamespacePage(space) : space.VvarPage);
        return space.IsInitial || !CopiesRng ? pages : [.. pages.Select(p => p == _rng ? Copy(p) : p)];
    }

    /// <summary>Whether the random number data have a page of their own, that of all time namespaces.</summary>
    internal bool HasRngPage => HasRng && _rng != _data;

    /// <summary>A planted fault: who enters a time namespace sees a copy of the random number page, which is not kept up to date.</summary>
    internal bool CopiesRng { get; set; }

    private ulong Copy(ulong page)
    {
        ulong copy = _pages.Allocate();
        _machine.Memory.Span(page, PhysicalMemory.PageSize).CopyTo(_machine.Memory.Span(copy, PhysicalMemory.PageSize));
        return copy;
    }

    /// <summary>The page of a namespace: seq odd and clock mode TIMENS send readers to the branch that adds the offsets, which lie
    /// where the base times are elsewhere.</summary>
    private ulong MakeNamespacePage(TimeNamespace space)
    {
        ulong page = _pages.Allocate();
        if (page == 0)
            return _data;
        VvarLayout.ClockEntries clock = _layout.Clock;
        for (int i = 0; i < clock.Count + clock.Auxiliary; i++)
        {
            ulong entry = page + (ulong)(clock.First + i * clock.Stride);
            _machine.Memory.Write(entry + (ulong)clock.Seq, 1u);
            _machine.Memory.Write(entry + (ulong)clock.ClockMode, Clocks.ModeTimens);
            foreach (int id in (int[])[Clocks.Monotonic, Clocks.MonotonicRaw, Clocks.MonotonicCoarse, Clocks.Boottime,
                Clocks.BoottimeAlarm])
            {
                (long seconds, long part) = Split(space.OffsetOf(id));
                ulong at = entry + (ulong)(clock.Basetime + id * 16);
                _machine.Memory.Write(at, seconds);
                _machine.Memory.Write(at + 8, part);
            }
        }
        space.VvarPage = page;
        return page;
    }

    /// <inheritdoc/>
    public void Write(in TimeSnapshot time)
    {
        VvarLayout.ClockEntries clock = _layout.Clock;
        Span<uint> seq = stackalloc uint[clock.Count];
        for (int i = 0; i < clock.Count; i++)
        {
            ulong at = Entry(i) + (ulong)clock.Seq;
            seq[i] = _stores.Read<uint>(at);
            _stores.Write(at, seq[i] + 1);
        }
        _stores.WriteBarrier();
        for (int i = 0; i < clock.Count; i++)
            WriteEntry(Entry(i), i == 1, time);
        for (int i = 0; i < _layout.Zones.Count; i++)
        {
            VvarLayout.Zone zone = _layout.Zones[i];
            if (i == 0)
            {
                _stores.Write(_data + (ulong)zone.MinutesWest, time.MinutesWest);
                _stores.Write(_data + (ulong)zone.DstTime, time.DstTime);
            }
            _stores.Write(_data + (ulong)zone.HrtimerRes, 1u);
        }
        _stores.WriteBarrier();
        for (int i = 0; i < clock.Count; i++)
            _stores.Write(Entry(i) + (ulong)clock.Seq, seq[i] + 2);
        _machine.NotifyWrite(_data, PhysicalMemory.PageSize);
    }

    /// <inheritdoc/>
    public void Write(int index, in AuxiliaryReading clock, int mode)
    {
        VvarLayout.ClockEntries layout = _layout.Clock;
        if (index >= layout.Auxiliary)
            return;
        ulong entry = Entry(layout.Count + index), sequence = entry + (ulong)layout.Seq;
        uint seq = _stores.Read<uint>(sequence);
        _stores.Write(sequence, seq + 1);
        _stores.WriteBarrier();
        bool counts = clock.Enabled && mode != Clocks.ModeNone;
        _stores.Write(entry + (ulong)layout.ClockMode, counts ? mode : Clocks.ModeNone);
        if (counts)
        {
            WriteCounter(entry, clock.CycleLast, clock.Mult);
            // Whole ns: Linux drops the fraction here, so that a reader may be one ns behind the system call.
            Shifted(entry, 0, (clock.Shifted >> Timekeeper.Shift) << Timekeeper.Shift, clock.OffsetNs);
        }
        _stores.WriteBarrier();
        _stores.Write(sequence, seq + 2);
        _machine.NotifyWrite(_data, PhysicalMemory.PageSize);
    }

    private void WriteCounter(ulong entry, ulong cycleLast, uint mult)
    {
        VvarLayout.ClockEntries clock = _layout.Clock;
        _stores.Write(entry + (ulong)clock.CycleLast, cycleLast);
        _stores.Write(entry + (ulong)clock.Mask, CounterMask);
        _stores.Write(entry + (ulong)clock.Mult, mult);
        _stores.Write(entry + (ulong)clock.Shift, (uint)Timekeeper.Shift);
    }

    /// <summary>A time in ns, also a negative one, as seconds and the nanoseconds (not negative) that are to be added.</summary>
    internal static (long Seconds, long Part) Split(long ns)
    {
        (long seconds, long part) = Math.DivRem(ns, (long)Timekeeper.NsPerSecond);
        return part < 0 ? (seconds - 1, part + (long)Timekeeper.NsPerSecond) : (seconds, part);
    }

    private ulong Entry(int i) => _data + (ulong)(_layout.Clock.First + i * _layout.Clock.Stride);

    private void WriteEntry(ulong entry, bool raw, in TimeSnapshot time)
    {
        VvarLayout.ClockEntries clock = _layout.Clock;
        _stores.Write(entry + (ulong)clock.ClockMode, time.ClockMode);
        if (!raw)
        {
            Plain(entry, Clocks.RealtimeCoarse, time.Coarse + time.RealtimeOffset);
            Plain(entry, Clocks.MonotonicCoarse, time.Coarse);
        }
        // What no reader may use is not worth writing, as in update_vsyscall.
        if (time.ClockMode == Clocks.ModeNone && !_always)
            return;
        WriteCounter(entry, time.CycleLast, raw ? time.RawMult : time.Mult);
        if (raw)
        {
            Shifted(entry, Clocks.MonotonicRaw, time.Raw, 0);
            return;
        }
        Shifted(entry, Clocks.Realtime, time.Monotonic, time.RealtimeOffset);
        Shifted(entry, Clocks.Monotonic, time.Monotonic, 0);
        Shifted(entry, Clocks.Boottime, time.Monotonic, time.BoottimeOffset);
        Shifted(entry, Clocks.Tai, time.Monotonic, time.RealtimeOffset + time.TaiOffset * (long)Timekeeper.NsPerSecond);
    }

    private void Plain(ulong entry, int id, long ns)
    {
        ulong at = entry + (ulong)(_layout.Clock.Basetime + id * 16);
        _stores.Write(at, ns / (long)Timekeeper.NsPerSecond);
        _stores.Write(at + 8, ns % (long)Timekeeper.NsPerSecond);
    }

    private void Shifted(ulong entry, int id, Int128 shifted, long offset)
    {
        Int128 value = shifted + ((Int128)offset << Timekeeper.Shift);
        Int128 second = (Int128)Timekeeper.NsPerSecond << Timekeeper.Shift;
        ulong at = entry + (ulong)(_layout.Clock.Basetime + id * 16);
        _stores.Write(at, (ulong)(value / second));
        _stores.Write(at + 8, (ulong)(value % second));
    }

    /// <summary>Whether the image reads data of the random number generator.</summary>
    internal bool HasRng => _layout.Rng is not null;

    /// <summary>Of the kernel's generator: how often it was seeded.</summary>
    internal ulong Generation { get; private set; }

    /// <summary>The kernel's generator was seeded anew (random.c): keys of user space that are older are not to be used.</summary>
    internal void WriteRng(ulong generation, bool ready)
    {
        if (_layout.Rng is not { } rng)
            return;
        Generation = generation;
        _machine.Memory.Write(_rng + (ulong)rng.Generation, generation);
        _machine.Memory.Write(_rng + (ulong)rng.IsReady, (byte)(ready ? 1 : 0));
        _machine.NotifyWrite(_rng, PhysicalMemory.PageSize);
    }
}
