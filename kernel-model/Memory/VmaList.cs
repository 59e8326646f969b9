using System.Runtime.InteropServices;

namespace ArmVdso.Kernel.Memory;

/// <summary>The mappings of a memory in ascending order, none over another (Linux's mm_mt). What changes here changes no page: that is
/// the business of <see cref="MemoryMap"/>.</summary>
internal sealed class VmaList
{
    private readonly List<Vma> _vmas = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<Vma> All => _vmas;

    /// <summary>How many.</summary>
    public int Count => _vmas.Count;

    /// <summary>The mapping at an index.</summary>
    public Vma this[int index] => _vmas[index];

    /// <summary>Bytes of all mappings, and the most that they have been (total_vm, hiwater_vm).</summary>
    public ulong Size { get; private set; }

    /// <inheritdoc cref="Size"/>
    public ulong PeakSize { get; private set; }

    /// <summary>Index of the first mapping that ends after <paramref name="address"/>.</summary>
    public int IndexAfter(ulong address)
    {
        int low = 0, high = _vmas.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_vmas[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The mappings of which a part is in [start, end); not to be used once the list has changed.</summary>
    public ReadOnlySpan<Vma> In(ulong start, ulong end)
    {
        int first = IndexAfter(start), i = first;
        while (i < _vmas.Count && _vmas[i].Start < end)
            i++;
        return CollectionsMarshal.AsSpan(_vmas)[first..i];
    }

    /// <summary>The mapping that holds an address, or null.</summary>
    public Vma? Find(ulong address)
    {
        int i = IndexAfter(address);
        return i < _vmas.Count && _vmas[i].Start <= address ? _vmas[i] : null;
    }

    /// <summary>The special mapping with a name and a number of pages, or null.</summary>
    public Vma? FindSpecial(string name, int pages) => _vmas.Find(v => v.Name == name && v.SpecialPages?.Length == pages);

    /// <summary>Whether a part of [start, end) is mapped.</summary>
    public bool Overlaps(ulong start, ulong end)
    {
        int i = IndexAfter(start);
        return i < _vmas.Count && _vmas[i].Start < end;
    }

    /// <summary>Whether [start, end) is mapped without a hole.</summary>
    public bool Covers(ulong start, ulong end)
    {
        int i = IndexAfter(start);
        ulong at = start;
        while (at < end)
        {
            if (i >= _vmas.Count || _vmas[i].Start > at)
                return false;
            at = _vmas[i++].End;
        }
        return true;
    }

    /// <summary>Whether a part of [start, end) is sealed (can_modify_mm).</summary>
    public bool HasSealed(ulong start, ulong end)
    {
        foreach (Vma vma in In(start, end))
        {
            if (vma.Sealed)
                return true;
        }
        return false;
    }

    /// <summary>Start of a free range of <paramref name="length"/> bytes between two addresses: top down from <paramref name="middle"/>,
    /// then bottom up from it; 0 when there is none.</summary>
    public ulong FindGap(ulong length, ulong lowest, ulong middle, ulong highest)
    {
        ulong end = middle;
        for (int i = _vmas.Count - 1; i >= -1; i--)
        {
            ulong gapStart = i >= 0 ? _vmas[i].End : lowest;
            if (gapStart < end && end - gapStart >= length)
                return end - length;
            if (i >= 0 && _vmas[i].Start < end)
                end = _vmas[i].Start;
        }
        ulong bottom = middle;
        for (int i = IndexAfter(middle); i <= _vmas.Count; i++)
        {
            ulong gapEnd = i < _vmas.Count ? _vmas[i].Start : highest;
            if (gapEnd > bottom && gapEnd - bottom >= length)
                return bottom;
            if (i < _vmas.Count)
                bottom = Math.Max(bottom, _vmas[i].End);
        }
        return 0;
    }

    /// <summary>Adds a mapping over a free range; it becomes one with neighbours that are like it.</summary>
    public void Insert(Vma vma)
    {
        int i = IndexAfter(vma.Start);
        _vmas.Insert(i, vma);
        Grow(vma.End - vma.Start);
        MergeAt(i);
        MergeAt(i - 1);
    }

    /// <summary>Forgets the mapping at an index.</summary>
    public void RemoveAt(int index)
    {
        Size -= _vmas[index].End - _vmas[index].Start;
        _vmas.RemoveAt(index);
    }

    /// <summary>Makes a mapping larger, over free addresses beside it.</summary>
    public void Extend(Vma vma, ulong start, ulong end)
    {
        Grow(end - start - (vma.End - vma.Start));
        (vma.Start, vma.End) = (start, end);
    }

    /// <summary>Makes one of a mapping and the next when they are adjacent and alike. True: it did.</summary>
    public bool MergeAt(int i)
    {
        if (i < 0 || i + 1 >= _vmas.Count)
            return false;
        Vma a = _vmas[i], b = _vmas[i + 1];
        if (a.End != b.Start || a.Prot != b.Prot || a.Shared || b.Shared || a.File is not null || b.File is not null || a.Name != b.Name
            || a.SpecialPages is not null || b.SpecialPages is not null || a.GrowsDown != b.GrowsDown || a.DontFork != b.DontFork
            || a.WipeOnFork != b.WipeOnFork || a.Locked != b.Locked || a.Sealed != b.Sealed
            || a.Accounted != b.Accounted || a.NoReserve != b.NoReserve || a.DontDump != b.DontDump
            || a.Policy != b.Policy || a.Userfault != b.Userfault)
        {
            return false;
        }
        a.End = b.End;
        _vmas.RemoveAt(i + 1);
        return true;
    }

    /// <summary>Makes an address the border of two mappings where it lies inside of one.</summary>
    public void SplitAt(ulong address)
    {
        int i = IndexAfter(address);
        if (i >= _vmas.Count || _vmas[i].Start >= address)
            return;
        Vma vma = _vmas[i];
        Vma upper = vma.Clone(address, vma.End);
        vma.File?.Hold();
        vma.SharedAnonymous?.AddUser();
        Vma lower = vma.Clone(vma.Start, address);
        upper.Userfault = lower.Userfault = vma.Userfault;
        _vmas[i] = lower;
        _vmas.Insert(i + 1, upper);
    }

    private void Grow(ulong bytes)
    {
        Size += bytes;
        PeakSize = Math.Max(PeakSize, Size);
    }
}
