using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>The TLB. What the translation registers select is a context with entries of its own, so entries know no ASID; a few contexts
/// are kept, since software goes to and fro between them (a process and the kernel's empty tables, two processes). Maintenance reaches
/// all of them; dropping more than is asked for is always allowed.</summary>
public sealed partial class Cpu
{
    /// <summary>Contexts that are kept.</summary>
    internal const int Contexts = 4;

    private const string Forgettable = "a TLB may forget at any time";

    private sealed class TlbContext
    {
        internal Translation? Low, High;
        internal readonly TlbEntry[] Entries = new TlbEntry[TlbSize];
        internal ulong Selected;

        /// <summary>Whether anything of the translations may be remembered, here or by the engine.</summary>
        internal bool Asked = true;

        internal void Clear()
        {
            if (!Asked)
                return;
            Asked = false;
            foreach (ref TlbEntry entry in Entries.AsSpan())
                entry.Page = NoPage;
        }
    }

    [NotState(Forgettable)]
    private readonly TlbContext[] _contexts = [.. Enumerable.Range(0, Contexts).Select(_ => new TlbContext())];
    [NotState(Forgettable)]
    private TlbContext _context = null!;

    [NotState(Forgettable)]
    private ulong _selections;

    /// <summary>Goes to the context of the current translations.</summary>
    private void SelectContext()
    {
        int index = Array.FindIndex(_contexts, c => ReferenceEquals(c.Low, _low) && ReferenceEquals(c.High, _high));
        bool known = index >= 0;
        if (!known)
        {
            index = 0;
            for (int i = 1; i < Contexts; i++)
            {
                if (_contexts[i].Selected < _contexts[index].Selected)
                    index = i;
            }
            (_contexts[index].Low, _contexts[index].High) = (_low, _high);
        }
        _context = _contexts[index];
        _context.Selected = ++_selections;
        _tlb = _context.Entries;
        bool forget = !known && _context.Asked;
        if (forget)
            _context.Clear();
        Engine.TranslationsSelected(index, forget);
    }

    // By 2 MiB of virtual address: the largest block that TLB entries there were made of.
    private const int RegionBits = 21;
    private const ulong MostPages = 512, AllPages = ulong.MaxValue;

    [NotState(Forgettable)]
    private readonly Dictionary<ulong, int> _blocks = [];

    private void RememberBlock(ulong va, int bits)
    {
        ulong region = va >> RegionBits;
        if (!_blocks.TryGetValue(region, out int known) || known < bits)
            _blocks[region] = bits;
    }

    /// <summary>Drops what is remembered of the translation of an address, all of the block or page that it lies in.</summary>
    private void InvalidateTlb(ulong va)
    {
        if (!_blocks.TryGetValue(va >> RegionBits, out int bits))
        {
            InvalidateTlbPage(va);
        }
        else if (bits > RegionBits)
        {
            InvalidateTlbAll();
        }
        else
        {
            ulong first = va >> bits << bits;
            for (ulong page = 0; page < 1UL << bits; page += 4096)
                InvalidateTlbPage(first + page);
        }
    }

    /// <summary>TLBI of the EL1&amp;0 regime (DDI0487, C5.5).</summary>
    /// <param name="crn">8, or 9 for the forms with nXS.</param>
    /// <param name="crm">Whose TLBs, and whether a range.</param>
    /// <param name="op2">What.</param>
    /// <param name="operand">Xt.</param>
    /// <returns>False: there is no such instruction.</returns>
    internal bool InvalidateTlb(int crn, int crm, int op2, ulong operand)
    {
        bool range = crm is 2 or 5 or 6, outer = crm is 1 or 5;
        if ((crn == 9 && !Machine.HasFeature("XS")) || (outer && !Machine.HasFeature("TLBIOS"))
            || (range && !Machine.HasFeature("TLBIRANGE")) || crm is not (1 or 2 or 3 or 5 or 6 or 7)
            || op2 is 4 or 6 || (range && op2 is 0 or 2))
            return false;
        if (!Machine.Translation.NeedsMaintenance)
            return true;
        if (crm is 6 or 7)
        {
            InvalidateTlb(range, op2, operand);
            return true;
        }
        foreach (Cpu cpu in Machine.Cpus)
            cpu.InvalidateTlb(range, op2, operand);
        return true;
    }

    /// <summary>The TLBs of the timing model drop the entries that these pages are in.</summary>
    private void ForgetPages(ulong va, ulong pages) => Timing.ForgetTranslations(va >> 12, pages, null);

    private void InvalidateTlb(bool range, int op2, ulong operand)
    {
        if (op2 is 0 or 2)
        {
            InvalidateTlbAll();
            Timing.ForgetTranslations(0, AllPages, op2 == 2 ? operand >> 48 : null);
        }
        else if (!range)
        {
            ulong va = (ulong)((long)(operand << 20) >> 8);
            InvalidateTlb(va);
            ForgetPages(va, 1);
        }
        else
        {
            // TG, SCALE, NUM, BaseADDR in units of the granule.
            int granule = ((operand >> 46) & 3) switch { 1 => 12, 2 => 14, 3 => 16, _ => 0 };
            ulong pages = (((operand >> 39) & 31) + 1) << (5 * (int)((operand >> 44) & 3) + 1) << (granule - 12);
            ulong start = (ulong)((long)(operand << 27) >> 27) << granule;
            if (granule == 0 || pages > MostPages)
            {
                InvalidateTlbAll();
                if (granule != 0)
                    ForgetPages(start, pages);
                return;
            }
            ForgetPages(start, pages);
            for (ulong page = 0; page < pages; page++)
                InvalidateTlb(start + page * 4096);
        }
    }
}
