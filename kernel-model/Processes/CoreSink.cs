using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Processes;

/// <summary>A core file while it is written: at most as long as RLIMIT_CORE says, with holes for what is not there (dump_emit and
/// dump_skip in fs/coredump.c).</summary>
internal sealed class CoreSink(OpenFile file, ulong limit)
{
    private ulong _skipped;

    /// <summary>Where the next byte goes.</summary>
    internal ulong Position { get; private set; }

    /// <summary>Writes bytes. False: the limit or the space is used up; nothing more can be written.</summary>
    internal bool Emit(ReadOnlySpan<byte> bytes)
    {
        if (Position + (ulong)bytes.Length > limit)
            return false;
        if (file.Write(bytes, (long)Position) != bytes.Length)
            return false;
        Position += (ulong)bytes.Length;
        _skipped = 0;
        return true;
    }

    /// <summary>Leaves a hole.</summary>
    internal bool Skip(ulong bytes)
    {
        Position += bytes;
        _skipped += bytes;
        return Position <= limit;
    }

    /// <summary>A hole up to a multiple.</summary>
    internal bool Align(ulong to) => Skip(Position % to == 0 ? 0 : to - Position % to);

    /// <summary>The file reaches to the end of its last hole.</summary>
    internal void End()
    {
        if (_skipped == 0)
            return;
        Position--;
        Emit([0]);
    }
}
