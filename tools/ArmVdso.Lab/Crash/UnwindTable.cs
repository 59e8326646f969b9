using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Crash;

/// <summary>What .eh_frame says of a file's functions (DWARF 5, 6.4; Linux Standard Base, 10.6): how to get from a frame to its
/// caller's.</summary>
internal sealed class UnwindTable
{
    /// <summary>What functions have in common (CIE).</summary>
    private sealed record Common(ulong CodeAlign, long DataAlign, int Encoding, bool Augmented, bool Signal, int Start, int End);

    /// <summary>A function: [Start, End), and its instructions.</summary>
    private sealed record Entry(ulong Start, ulong End, Common Common, int From, int To);

    private const int MostStates = 64;
    private readonly byte[] _bytes;
    private readonly List<Entry> _entries = [];
    private readonly int _at;
    private readonly ulong _address;

    /// <summary>A file without .eh_frame has no entries.</summary>
    internal UnwindTable(ElfFile elf, byte[] bytes)
    {
        _bytes = bytes;
        if (Find(elf, bytes) is not { } found)
            return;
        (_at, _address) = found;
        Read();
        _entries.Sort((a, b) => a.Start.CompareTo(b.Start));
    }

    /// <summary>Where .eh_frame is: as the section says, else as the header that is loaded does.</summary>
    private static (int Offset, ulong Address)? Find(ElfFile elf, byte[] bytes)
    {
        if (elf.UnwindSection is { } section)
            return ((int)section.Offset, section.Address);
        if (elf.UnwindHeader is not { } header || header.Offset > (ulong)bytes.Length - 12)
            return null;
        // version, encodings of the pointer, the count and the table, then the pointer to .eh_frame.
        var reader = new ByteReader(bytes.AsSpan((int)header.Offset), 4, 12);
        return reader.Pointer(bytes[(int)header.Offset + 1], header.Address) is { } address && elf.OffsetOf(address) is { } offset
            && offset < (ulong)bytes.Length ? ((int)offset, address) : null;
    }

    private ReadOnlySpan<byte> Section => _bytes.AsSpan(_at);

    private void Read()
    {
        var commons = new Dictionary<int, Common?>();
        ReadOnlySpan<byte> section = Section;
        for (int at = 0; at + 8 <= section.Length;)
        {
            var reader = new ByteReader(section, at, section.Length);
            ulong length = reader.Fixed(4);
            if (length is 0 or >= 0xfffffff0 || length > (ulong)(section.Length - at - 4))
                return;
            int end = at + 4 + (int)length, place = reader.Position;
            int id = (int)reader.Fixed(4);
            if (id != 0)
            {
                int from = place - id;
                if (!commons.TryGetValue(from, out Common? common))
                    commons[from] = common = ReadCommon(section, from);
                if (common is not null)
                    ReadEntry(new ByteReader(section, place + 4, end), common, end);
            }
            at = end;
        }
    }

    private static Common? ReadCommon(ReadOnlySpan<byte> section, int at)
    {
        if (at < 0 || at + 8 > section.Length)
            return null;
        var reader = new ByteReader(section, at, section.Length);
        ulong length = reader.Fixed(4);
        if (reader.Fixed(4) != 0 || length > (ulong)(section.Length - at - 4))
            return null;
        int end = at + 4 + (int)length;
        reader = new ByteReader(section, at + 8, end);
        byte version = reader.Byte();
        string augmentation = "";
        for (byte c; (c = reader.Byte()) != 0;)
            augmentation += (char)c;
        ulong codeAlign = reader.Unsigned();
        long dataAlign = reader.Signed();
        _ = version == 1 ? reader.Byte() : reader.Unsigned();
        int encoding = 0, start = reader.Position;
        if (augmentation.StartsWith('z'))
        {
            start = (int)reader.Unsigned();
            start += reader.Position;
            foreach (char c in augmentation[1..])
            {
                if (c == 'R')
                    encoding = reader.Byte();
                else if (c == 'L')
                    reader.Byte();
                else if (c == 'P')
                    reader.Pointer(reader.Byte() & 0x0f, 0);
            }
        }
        return new Common(codeAlign, dataAlign, encoding, augmentation.StartsWith('z'), augmentation.Contains('S'), start, end);
    }

    private void ReadEntry(ByteReader reader, Common common, int end)
    {
        if (reader.Pointer(common.Encoding, _address) is not { } start || reader.Pointer(common.Encoding & 0x0f, 0) is not { } length)
            return;
        int from = common.Augmented ? (int)reader.Unsigned() : 0;
        from += reader.Position;
        if (from >= 0 && from <= end)
            _entries.Add(new Entry(start, start + length, common, from, end));
    }

    /// <summary>The rules at an address in the file's own numbering; null: no entry, or one that cannot be read.</summary>
    internal CallFrameRow? Find(ulong address)
    {
        int count = _entries.CountUpTo(address, e => e.Start);
        if (count == 0 || _entries[count - 1] is not { } entry || address >= entry.End)
            return null;
        var row = new CallFrameRow();
        ulong at = entry.Start;
        Common common = entry.Common;
        if (!Execute(new ByteReader(Section, common.Start, common.End), common, ref row, null, ref at, ulong.MaxValue))
            return null;
        CallFrameRow first = row.Clone();
        at = entry.Start;
        return Execute(new ByteReader(Section, entry.From, entry.To), common, ref row, first, ref at, address) && !row.HasExpression
            ? row : null;
    }

    /// <summary>Executes call frame instructions up to an address. False: one is not known.</summary>
    private bool Execute(ByteReader r, Common common, ref CallFrameRow row, CallFrameRow? first, ref ulong at, ulong address)
    {
        var saved = new Stack<CallFrameRow>();
        while (!r.AtEnd)
        {
            byte op = r.Byte();
            int low = op & 0x3f;
            switch (op >> 6)
            {
                case 1:
                    at += (ulong)low * common.CodeAlign;
                    break;
                case 2:
                    Set(row, low, RegisterRule.Saved, (long)r.Unsigned() * common.DataAlign);
                    break;
                case 3:
                    Restore(row, first, low);
                    break;
                default:
                    if (!Extended(op, ref r, common, ref row, first, saved, ref at))
                        return false;
                    break;
            }
            if (at > address)
                return true;
        }
        return true;
    }

    private bool Extended(
        byte op, ref ByteReader r, Common common, ref CallFrameRow row, CallFrameRow? first, Stack<CallFrameRow> saved, ref ulong at)
    {
        switch (op)
        {
            case 0x00: // nop
            case 0x2c: // AARCH64_negate_ra_state_with_pc
            case 0x2d: // AARCH64_negate_ra_state: codes of return addresses are taken off wherever they are
                return true;
            case 0x01: // set_loc
                if (r.Pointer(common.Encoding, _address) is not { } location)
                    return false;
                at = location;
                return true;
            case 0x02 or 0x03 or 0x04: // advance_loc1, 2, 4
                at += r.Fixed(1 << (op - 2)) * common.CodeAlign;
                return true;
            case 0x05: // offset_extended
                Set(row, r.Unsigned(), RegisterRule.Saved, (long)r.Unsigned() * common.DataAlign);
                return true;
            case 0x06: // restore_extended
                Restore(row, first, (int)r.Unsigned());
                return true;
            case 0x07: // undefined
                Set(row, r.Unsigned(), RegisterRule.Undefined, 0);
                return true;
            case 0x08: // same_value
                Set(row, r.Unsigned(), RegisterRule.Same, 0);
                return true;
            case 0x0a: // remember_state
                saved.Push(row.Clone());
                return saved.Count <= MostStates;
            case 0x0b: // restore_state
                return saved.TryPop(out CallFrameRow? before) && (row = before) is not null;
            case 0x0c: // def_cfa
                return SetCfa(row, r.Unsigned(), (long)r.Unsigned());
            case 0x0d: // def_cfa_register
                return SetCfa(row, r.Unsigned(), row.CfaOffset);
            case 0x0e: // def_cfa_offset
                row.CfaOffset = (long)r.Unsigned();
                return true;
            case 0x0f: // def_cfa_expression
                row.HasExpression = true;
                r.Skip(r.Unsigned());
                return true;
            case 0x10 or 0x16: // expression, val_expression
                Set(row, r.Unsigned(), RegisterRule.Undefined, 0);
                r.Skip(r.Unsigned());
                return true;
            case 0x11: // offset_extended_sf
                Set(row, r.Unsigned(), RegisterRule.Saved, r.Signed() * common.DataAlign);
                return true;
            case 0x12: // def_cfa_sf
                return SetCfa(row, r.Unsigned(), r.Signed() * common.DataAlign);
            case 0x13: // def_cfa_offset_sf
                row.CfaOffset = r.Signed() * common.DataAlign;
                return true;
            case 0x14: // val_offset
                Set(row, r.Unsigned(), RegisterRule.Value, (long)r.Unsigned() * common.DataAlign);
                return true;
            case 0x15: // val_offset_sf
                Set(row, r.Unsigned(), RegisterRule.Value, r.Signed() * common.DataAlign);
                return true;
            case 0x2e: // GNU_args_size
                r.Unsigned();
                return true;
            default:
                return false;
        }
    }

    private static void Set(CallFrameRow row, ulong register, RegisterRule rule, long offset) => Set(row, (int)register, rule, offset);

    private static void Set(CallFrameRow row, int register, RegisterRule rule, long offset)
    {
        // Others are SIMD registers and the state of the return address, which no frame is found by.
        if ((uint)register < CallFrameRow.Registers)
            row.Rules[register] = (rule, offset);
    }

    private static bool SetCfa(CallFrameRow row, ulong register, long offset)
    {
        row.CfaRegister = (int)register;
        row.CfaOffset = offset;
        row.HasExpression = false;
        return register < CallFrameRow.Registers;
    }

    private static void Restore(CallFrameRow row, CallFrameRow? first, int register)
    {
        if ((uint)register < CallFrameRow.Registers)
            row.Rules[register] = first?.Rules[register] ?? default;
    }
}
