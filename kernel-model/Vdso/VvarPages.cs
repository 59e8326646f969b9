using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The data pages of a vDSO image: written at every update (kernel/time/vsyscall.c), ordered for tasks of the first
/// time namespace and of others, whose data page shows their offsets and leads the code to the real one.</summary>
internal sealed class VvarPages : IVvarPage
{
    private const ulong CounterMask = 0x00FF_FFFF_FFFF_FFFF;
    private readonly LinuxKernel _kernel;
    private readonly PhysicalMemory _memory;
    private readonly VvarLayout _layout;
    private readonly ulong _data;
    private readonly ulong _rng;
    private readonly Func<ulong, ulong[]> _order;
    private readonly bool _always;

    /// <summary>Pages for a layout; data and, where they are apart, random number pages are allocated here.</summary>
    internal VvarPages(LinuxKernel kernel, VvarLayout layout)
    {
        _kernel = kernel;
        _memory = kernel.Machine.Memory;
        _layout = layout;
        _data = kernel.PageAllocator.Allocate();
        ulong rngPage = layout.Rng is { } rng && rng.Page != layout.DataPage ? kernel.PageAllocator.Allocate() : _data;
        _rng = rngPage;
        _order = first =>
        {
            var pages = new ulong[layout.Pages];
            pages[layout.DataPage] = first;
            // Without an own page in front the time namespace's page is not there: SIGBUS.
            if (first != _data && layout.TimensPage >= 0)
                pages[layout.TimensPage] = _data;
            if (layout.Rng is { } random && random.Page != layout.DataPage)
                pages[random.Page] = rngPage;
            return pages;
        };
    }

    /// <summary>Pages of an image whose data pages somebody else has allocated and orders.</summary>
    /// <param name="kernel">Kernel.</param>
    /// <param name="layout">Layout of the data page and of the random number page.</param>
    /// <param name="data">Physical address of the data page.</param>
    /// <param name="rng">Physical address of the page with the random number data.</param>
    /// <param name="order">All pages below the image in ascending order, from the physical address of the one that clocks are
    /// read from: the data page, or a time namespace's.</param>
    /// <param name="always">Whether values are written that user space may not use (clock mode NONE).</param>
    internal VvarPages(LinuxKernel kernel, VvarLayout layout, ulong data, ulong rng, Func<ulong, ulong[]> order, bool always = false)
    {
        _always = always;
        _kernel = kernel;
        _memory = kernel.Machine.Memory;
        _layout = layout;
        _data = data;
        _rng = rng;
        _order = order;
    }

    /// <summary>The kernel's own record, which EL1 code reads.</summary>
    internal static VvarPages KernelRecord(LinuxKernel kernel, ulong page) =>
        new(kernel, VvarLayout.Find("6.1"), page, page, first => [first], true);

    /// <summary>Physical address of the page that updates write.</summary>
    internal ulong DataPage => _data;

    /// <summary>The pages below the image in ascending order for tasks of a namespace; 0: no page (SIGBUS).</summary>
    internal ulong[] For(TimeNamespace space) =>
        _order(space.IsInitial ? _data : space.VvarPage == 0 ? MakeNamespacePage(space) : space.VvarPage);

    /// <summary>The page of a namespace: seq odd and clock mode TIMENS send readers to the branch that adds the offsets, which lie
    /// where the base times are elsewhere.</summary>
    private ulong MakeNamespacePage(TimeNamespace space)
    {
        ulong page = _kernel.PageAllocator.Allocate();
        if (page == 0)
            return _data;
        VvarLayout.ClockEntries clock = _layout.Clock;
        for (int i = 0; i < clock.Count + clock.Auxiliary; i++)
        {
            ulong entry = page + (ulong)(clock.First + i * clock.Stride);
            _memory.Write(entry + (ulong)clock.Seq, 1u);
            _memory.Write(entry + (ulong)clock.ClockMode, Clocks.ModeTimens);
            foreach (int id in (int[])[Clocks.Monotonic, Clocks.MonotonicRaw, Clocks.MonotonicCoarse, Clocks.Boottime,
                Clocks.BoottimeAlarm])
            {
                (long seconds, long part) = Split(space.OffsetOf(id));
                ulong at = entry + (ulong)(clock.Basetime + id * 16);
                _memory.Write(at, seconds);
                _memory.Write(at + 8, part);
            }
        }
        space.VvarPage = page;
        return page;
    }

    /// <inheritdoc/>
    public void Write(in TimeSnapshot time)
    {
        VvarLayout.ClockEntries clock = _layout.Clock;
        OrderedStores memory = _kernel.Timekeeper.Stores;
        Span<uint> seq = stackalloc uint[clock.Count];
        for (int i = 0; i < clock.Count; i++)
        {
            ulong at = Entry(i) + (ulong)clock.Seq;
            seq[i] = memory.Read<uint>(at);
            memory.Write(at, seq[i] + 1);
        }
        memory.WriteBarrier();
        for (int i = 0; i < clock.Count; i++)
            WriteEntry(Entry(i), i == 1, time);
        for (int i = 0; i < _layout.Zones.Count; i++)
        {
            VvarLayout.Zone zone = _layout.Zones[i];
            if (i == 0)
            {
                memory.Write(_data + (ulong)zone.MinutesWest, time.MinutesWest);
                memory.Write(_data + (ulong)zone.DstTime, time.DstTime);
            }
            memory.Write(_data + (ulong)zone.HrtimerRes, 1u);
        }
        memory.WriteBarrier();
        for (int i = 0; i < clock.Count; i++)
            memory.Write(Entry(i) + (ulong)clock.Seq, seq[i] + 2);
        _kernel.Machine.NotifyWrite(_data, PhysicalMemory.PageSize);
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
        OrderedStores memory = _kernel.Timekeeper.Stores;
        memory.Write(entry + (ulong)clock.ClockMode, time.ClockMode);
        if (!raw)
        {
            Plain(entry, Clocks.RealtimeCoarse, time.Coarse + time.RealtimeOffset);
            Plain(entry, Clocks.MonotonicCoarse, time.Coarse);
        }
        // What no reader may use is not worth writing, as in update_vsyscall.
        if (time.ClockMode == Clocks.ModeNone && !_always)
            return;
        memory.Write(entry + (ulong)clock.CycleLast, time.CycleLast);
        memory.Write(entry + (ulong)clock.Mask, CounterMask);
        memory.Write(entry + (ulong)clock.Mult, raw ? time.RawMult : time.Mult);
        memory.Write(entry + (ulong)clock.Shift, (uint)Timekeeper.Shift);
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
        _kernel.Timekeeper.Stores.Write(at, ns / (long)Timekeeper.NsPerSecond);
        _kernel.Timekeeper.Stores.Write(at + 8, ns % (long)Timekeeper.NsPerSecond);
    }

    private void Shifted(ulong entry, int id, Int128 shifted, long offset)
    {
        Int128 value = shifted + ((Int128)offset << Timekeeper.Shift);
        Int128 second = (Int128)Timekeeper.NsPerSecond << Timekeeper.Shift;
        ulong at = entry + (ulong)(_layout.Clock.Basetime + id * 16);
        _kernel.Timekeeper.Stores.Write(at, (ulong)(value / second));
        _kernel.Timekeeper.Stores.Write(at + 8, (ulong)(value % second));
    }

    /// <summary>Whether the image reads data of the random number generator.</summary>
    internal bool HasRng => _layout.Rng is not null;

    /// <summary>The kernel's generator was seeded anew (random.c): keys of user space that are older are not to be used.</summary>
    internal void WriteRng(ulong generation, bool ready)
    {
        if (_layout.Rng is not { } rng)
            return;
        _memory.Write(_rng + (ulong)rng.Generation, generation);
        _memory.Write(_rng + (ulong)rng.IsReady, (byte)(ready ? 1 : 0));
        _kernel.Machine.NotifyWrite(_rng, PhysicalMemory.PageSize);
    }
}
