namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Blocks that leave a trace, by their numbers there, and the code that reads it.</summary>
internal sealed class TracedBlocks
{
    private readonly List<BlockSchedule?> _schedules = [null];

    /// <summary>By number: where the code is that reads the trace of a block, and the block's address. Number 0 is the end of a trace,
    /// whose address is where the last block went. It does not move until another block is added.</summary>
    internal Record[] Records { get; private set; } = GC.AllocateArray<Record>(64, pinned: true);

    /// <summary>Where such code is entered; 0: there is none.</summary>
    internal ulong Entry { get; set; }

    /// <summary>Code for a block that is left to <see cref="BlockMemo"/>.</summary>
    internal ulong Unread { get; set; }

    /// <summary>The number of the next one.</summary>
    internal int Next => _schedules.Count;

    /// <summary>A block by its number.</summary>
    internal BlockSchedule this[ulong number] => _schedules[(int)number]!;

    /// <summary>Adds a block.</summary>
    internal void Add(BlockSchedule schedule)
    {
        int number = _schedules.Count;
        if (number == Records.Length)
        {
            Record[] more = GC.AllocateArray<Record>(2 * number, pinned: true);
            Records.CopyTo(more, 0);
            Records = more;
        }
        Records[number] = new Record { Code = Unread, Pc = schedule.Pc };
        _schedules.Add(schedule);
    }

    /// <summary>Forgets all blocks.</summary>
    internal void Clear() => _schedules.RemoveRange(1, _schedules.Count - 1);

    internal struct Record
    {
        public ulong Code;
        public ulong Pc;
    }
}
