using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Where code that reads traces finds the fields of what it shares with the timing, in bytes from the start of each.</summary>
internal static class ReaderOffsets
{
    private static ReaderFrame s_frame;
    private static LatestEvents s_latest;
    private static LatestBranches s_branches;
    private static Filling s_filling;
    private static LoadStream s_stream;
    private static MemoEntry s_entry;
    private static TracedBlocks.Record s_record;

    // Of the frame.
    internal static readonly int At = Of(ref s_frame, ref s_frame.At), Entry = Of(ref s_frame, ref s_frame.Entry),
        Cycles = Of(ref s_frame, ref s_frame.Cycles), Shapes = Of(ref s_frame, ref s_frame.Shapes),
        Resume = Of(ref s_frame, ref s_frame.Resume), DataPage = Of(ref s_frame, ref s_frame.DataPage),
        Until = Of(ref s_frame, ref s_frame.Until), FillLines = Of(ref s_frame, ref s_frame.Fills),
        FillReady = FillLines + sizeof(ulong), Missed = Of(ref s_frame, ref s_frame.Missed),
        MissedLines = Of(ref s_frame, ref s_frame.MissedLines),
        Last = Of(ref s_frame, ref s_frame.Last),
        Told = Of(ref s_frame, ref s_frame.Told), Blocks = Of(ref s_frame, ref s_frame.Blocks),
        Fetched = Of(ref s_frame, ref s_frame.Fetched), Context = Of(ref s_frame, ref s_frame.Context),
        RefilledLoads = Of(ref s_frame, ref s_frame.RefilledLoads), RefilledStores = Of(ref s_frame, ref s_frame.RefilledStores),
        RefilledFetches = Of(ref s_frame, ref s_frame.RefilledFetches), FetchShape = Of(ref s_frame, ref s_frame.FetchShape),
        Digits = Of(ref s_frame, ref s_frame.Digits),
        HostBase = Of(ref s_frame, ref s_frame.HostBase), Records = Of(ref s_frame, ref s_frame.Records),
        Entries = Of(ref s_frame, ref s_frame.Entries), Due = Of(ref s_frame, ref s_frame.Due);

    // Of the frame: addresses of what the events remember.
    internal static readonly int DataTags = Of(ref s_frame, ref s_frame.Events.DataTags),
        DataStates = Of(ref s_frame, ref s_frame.Events.DataStates), FetchTags = Of(ref s_frame, ref s_frame.Events.FetchTags),
        Latest = Of(ref s_frame, ref s_frame.Events.Latest), Fillings = Of(ref s_frame, ref s_frame.Events.Fillings),
        Streams = Of(ref s_frame, ref s_frame.Events.Streams), DivideSteps = Of(ref s_frame, ref s_frame.Events.DivideSteps),
        Branches = Of(ref s_frame, ref s_frame.Events.Branches.Latest), Counters = Of(ref s_frame, ref s_frame.Events.Branches.Counters),
        Returns = Of(ref s_frame, ref s_frame.Events.Branches.Returns),
        IndirectTags = Of(ref s_frame, ref s_frame.Events.Branches.IndirectTags),
        IndirectTargets = Of(ref s_frame, ref s_frame.Events.Branches.IndirectTargets);

    internal static readonly TlbOffsets DataTlb = TlbOffsets.Of(ref s_frame, ref s_frame.Events.DataTlb),
        FetchTlb = TlbOffsets.Of(ref s_frame, ref s_frame.Events.FetchTlb),
        MainTlb = TlbOffsets.Of(ref s_frame, ref s_frame.Events.MainTlb);

    // Of what was fetched and stored last.
    internal static readonly int FetchLine = Of(ref s_latest, ref s_latest.FetchLine),
        FetchPage = Of(ref s_latest, ref s_latest.FetchPage), FetchContext = Of(ref s_latest, ref s_latest.FetchContext),
        FetchIsCurrent = Of(ref s_latest, ref s_latest.FetchIsCurrent), StoredAddress = Of(ref s_latest, ref s_latest.StoredAddress),
        StoredBytes = Of(ref s_latest, ref s_latest.StoredBytes), StoredBeats = Of(ref s_latest, ref s_latest.StoredBeats),
        MissedLine = Of(ref s_latest, ref s_latest.MissedLine), FullLines = Of(ref s_latest, ref s_latest.FullLines),
        MissedStreams = Of(ref s_latest, ref s_latest.MissedStreams);

    // Of a line that stores write.
    internal static readonly int FillingLine = Of(ref s_filling, ref s_filling.Line),
        FillingBytes = Of(ref s_filling, ref s_filling.Bytes), FillingMissed = Of(ref s_filling, ref s_filling.Missed),
        FillingStreamed = Of(ref s_filling, ref s_filling.Streamed), FillingSize = Unsafe.SizeOf<Filling>();

    // Of a stream.
    internal static readonly int StreamTrigger = Of(ref s_stream, ref s_stream.Trigger), StreamStep = Of(ref s_stream, ref s_stream.Step),
        StreamSize = Unsafe.SizeOf<LoadStream>();

    // Of the latest branches.
    internal static readonly int History = Of(ref s_branches, ref s_branches.History), Top = Of(ref s_branches, ref s_branches.Top),
        CachedBranch = Of(ref s_branches, ref s_branches.CachedBranch), CachedTarget = Of(ref s_branches, ref s_branches.CachedTarget);

    // Of an entry.
    internal static readonly int EntrySignature = Of(ref s_entry, ref s_entry.Signature),
        EntryBlock = Of(ref s_entry, ref s_entry.Block), EntryState = Of(ref s_entry, ref s_entry.State),
        Exit = Of(ref s_entry, ref s_entry.Exit), EntryCycles = Of(ref s_entry, ref s_entry.Cycles),
        EntryDelta = Of(ref s_entry, ref s_entry.Delta), Redirected = Of(ref s_entry, ref s_entry.Redirected),
        Followers = Of(ref s_entry, ref s_entry.Next), EntrySize = Unsafe.SizeOf<MemoEntry>();

    // Of a block's record.
    internal static readonly int RecordCode = Of(ref s_record, ref s_record.Code), RecordPc = Of(ref s_record, ref s_record.Pc);

    internal static int Of<TWhole, TField>(ref TWhole whole, ref TField field) =>
        (int)Unsafe.ByteOffset(ref Unsafe.As<TWhole, byte>(ref whole), ref Unsafe.As<TField, byte>(ref field));
}

/// <summary>The same for a TLB.</summary>
internal readonly record struct TlbOffsets(int Hints, int Pages, int Contexts, int Used, int Order)
{
    internal static TlbOffsets Of<TWhole>(ref TWhole whole, ref TlbPlaces places) => new(
        ReaderOffsets.Of(ref whole, ref places.Hints), ReaderOffsets.Of(ref whole, ref places.Pages),
        ReaderOffsets.Of(ref whole, ref places.Contexts), ReaderOffsets.Of(ref whole, ref places.Used),
        ReaderOffsets.Of(ref whole, ref places.Order));
}
