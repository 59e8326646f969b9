using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>The short way of the memoised timing for a line that misses L1 and comes from the cache behind it: nothing but that happens.
/// </summary>
public sealed partial class CoreEvents
{
    /// <summary>Cycles that such a line takes.</summary>
    internal int NearLatency => _model.L2Latency;

    /// <summary>An access inside a line misses L1 and finds the line in the cache behind it; no other PE has it, nothing goes to memory, no
    /// page is walked for, and it neither begins a stream nor belongs to one. Changes nothing. The address space is that of
    /// <see cref="SetAddressSpace"/>.</summary>
    /// <param name="va">Virtual address.</param>
    /// <param name="line">Line number.</param>
    /// <param name="write">Whether it is a store.</param>
    /// <param name="near">What was found, for <see cref="TakeNear"/>.</param>
    internal bool IsNear(ulong va, ulong line, bool write, out NearMiss near)
    {
        near = default;
        if (va >> 55 != 0 || _l1d.Contains(line))
            return false;
        near.Victim = _l1d.FindVictim(line, out near.Register, out near.Written);
        if (write)
        {
            if (GoesPast(line))
                return false;
        }
        else if (_streams.Length > 0)
        {
            if (Follows(line))
                return false;
            near.Region = Trained(line, out near.RegionAt);
            if (Begins(near.Region))
                return false;
        }
        ulong page = va >> 12;
        near.Page = _microD.Search(page, _lowTag);
        near.Refills = near.Page < 0;
        if (near.Refills)
        {
            near.Page = _main.Search(page, _lowTag);
            if (near.Page < 0)
                return false;
        }
        return _shared.IsNear(line, near.Written, _l1d, _l2, out near.Places);
    }

    /// <summary>Does an access that <see cref="IsNear"/>, as <see cref="Observe"/> does it, but for remembering what was stored. Nothing
    /// was done since.</summary>
    internal void TakeNear(ulong va, ulong line, bool write, in NearMiss near, ref TimingCounters counters)
    {
        CountAccess(write, ref counters);
        counters.L1DMisses++;
        counters.L2Accesses++;
        if (near.Refills)
        {
            counters.DtlbMisses++;
            _microD.Insert(va >> 12, _lowTag, _main.UseEntry(near.Page));
        }
        else
        {
            _microD.UseEntry(near.Page);
        }
        if (write)
            Streams(line, out _);
        _l1d.Replace(line, _shared.FetchNear(line, write, near.Places, _l2), near.Victim, near.Register);
        if (!write && _streams.Length > 0)
            Keep(near.Region, near.RegionAt);
    }

    /// <summary>Counts an access, and no miss.</summary>
    internal static void CountAccess(bool write, ref TimingCounters counters)
    {
        if (write)
            counters.Stores++;
        else
            counters.Loads++;
        counters.L1DAccesses++;
    }

    /// <summary>Where <see cref="IsNear"/> found what.</summary>
    internal struct NearMiss
    {
        /// <summary>Its page is in the second TLB only.</summary>
        public bool Refills;

        /// <summary>The written line that leaves L1 for it; <see cref="Cache.NoLine"/>: none.</summary>
        public ulong Written;

        /// <summary>The entry of L1 that goes, and what its register is then.</summary>
        public int Victim;

        /// <inheritdoc cref="Victim"/>
        public uint Register;

        /// <summary>The entry of the page, in the first TLB or the second.</summary>
        public int Page;

        /// <summary>The region of loads as it is with the miss, and where it was.</summary>
        public Region Region;

        /// <inheritdoc cref="Region"/>
        public int RegionAt;

        /// <summary>In the caches behind.</summary>
        public NearPlaces Places;
    }
}
