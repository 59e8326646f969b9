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
    /// <param name="refills">Its page is in the second TLB only.</param>
    /// <param name="written">The written line that leaves L1 for it; <see cref="Cache.NoLine"/>: none.</param>
    internal bool IsNear(ulong va, ulong line, bool write, out bool refills, out ulong written)
    {
        refills = false;
        written = Cache.NoLine;
        if (va >> 55 != 0 || _l1d.Contains(line))
            return false;
        written = _l1d.FindWritten(line);
        if (write ? GoesPast(line) : _streams.Length > 0 && (Follows(line) || Begins(Trained(line, out _))))
            return false;
        ulong page = va >> 12;
        refills = !_microD.Contains(page, _lowTag);
        return (!refills || _main.Contains(page, _lowTag)) && _shared.IsNear(line, written, _l1d, _l2);
    }

    /// <summary>Does an access that <see cref="IsNear"/>, as <see cref="Observe"/> does it, but for remembering what was stored.</summary>
    internal void TakeNear(ulong va, ulong line, bool write, bool refills, ulong written, ref TimingCounters counters)
    {
        if (write)
            counters.Stores++;
        else
            counters.Loads++;
        counters.L1DAccesses++;
        counters.L1DMisses++;
        counters.L2Accesses++;
        ulong page = va >> 12;
        if (refills)
        {
            counters.DtlbMisses++;
            _main.Touch(page, _lowTag, out int size);
            _microD.Insert(page, _lowTag, size);
        }
        else
        {
            _microD.Touch(page, _lowTag);
        }
        if (write)
            Streams(line, out _);
        _l1d.Insert(line, _shared.FetchNear(line, written, write, _l2));
        if (!write && _streams.Length > 0)
            Keep(Trained(line, out int at), at);
    }
}
