namespace ArmVdso.Lab.Recording.Views;

/// <summary>A trace for Perfetto in its own form: protos/perfetto/trace/trace.proto and track_event/track_event.proto. Times are
/// nanoseconds of the guest.</summary>
internal sealed class PerfettoTimeline(Stream output, ulong clockHz) : ITimeline
{
    // Trace.packet; fields of TracePacket.
    private const int Packet = 1, Timestamp = 8, SequenceId = 10, TrackEvent = 11, SequenceFlags = 13, TrackDescriptor = 60;

    // Fields of TrackEvent, and of its DebugAnnotation.
    private const int DebugAnnotation = 4, Type = 9, TrackUuid = 11, Categories = 22, Name = 23, CounterValue = 30, FlowIds = 47,
        TerminatingFlowIds = 48, AnnotationInt = 4, AnnotationText = 6, AnnotationName = 10;

    // Fields of TrackDescriptor, ProcessDescriptor and ThreadDescriptor.
    private const int Uuid = 1, TrackName = 2, Process = 3, Thread = 4, ParentUuid = 5, Counter_ = 8, Pid = 1, ProcessName = 6, Tid = 2,
        ThreadName = 5;

    private const ulong SliceBegin = 1, SliceEnd = 2, InstantType = 3, CounterType = 4, SequenceIsCleared = 1;
    private readonly ProtoBuffer _trace = new(), _packet = new(), _body = new(), _part = new();
    private bool _begun;

    private ulong Ns(ulong cycle) => (ulong)((UInt128)cycle * 1_000_000_000 / clockHz);

    /// <inheritdoc/>
    public void Declare(Track track)
    {
        _body.Clear().Number(Uuid, (ulong)track.Id);
        _part.Clear();
        switch (track.Kind)
        {
            case TrackKind.Process:
                _body.Message(Process, _part.Number(Pid, (ulong)track.Task.Pid).Text(ProcessName, track.Name));
                break;
            case TrackKind.Thread:
                _part.Number(Pid, (ulong)track.Task.Pid).Number(Tid, (ulong)track.Task.Tid).Text(ThreadName, track.Name);
                _body.Message(Thread, _part);
                break;
            default:
                string name = track.Kind == TrackKind.Cpu ? track.Name : $"{track.Parent!.Name} {track.Name}";
                _body.Text(TrackName, name);
                break;
        }
        if (track.Parent is { } parent)
            _body.Number(ParentUuid, (ulong)parent.Id);
        if (track.Kind == TrackKind.CpuCounter)
            _body.Message(Counter_, _part.Clear());
        Write(null, TrackDescriptor);
    }

    /// <inheritdoc/>
    public void Begin(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown) =>
        Event(track, cycle, SliceBegin, name, category, shown);

    /// <inheritdoc/>
    public void End(Track track, ulong cycle, IReadOnlyList<Shown> shown) => Event(track, cycle, SliceEnd, "", "", shown);

    /// <inheritdoc/>
    public void Instant(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown) =>
        Event(track, cycle, InstantType, name, category, shown);

    /// <inheritdoc/>
    public void Counter(Track track, ulong cycle, long value)
    {
        Head(track, CounterType);
        _body.Number(CounterValue, (ulong)value);
        Write(cycle, TrackEvent);
    }

    /// <inheritdoc/>
    public void Flow(ulong id, Track from, ulong left, Track to, ulong came)
    {
        Head(from, InstantType);
        _body.Text(Categories, "sched").Text(Name, "leaves for another CPU").Fixed(FlowIds, id);
        Write(left, TrackEvent);
        Head(to, InstantType);
        _body.Text(Categories, "sched").Text(Name, "came from another CPU").Fixed(TerminatingFlowIds, id);
        Write(came, TrackEvent);
    }

    /// <inheritdoc/>
    public void Finish() => output.Flush();

    private void Event(Track track, ulong cycle, ulong type, string name, string category, IReadOnlyList<Shown> shown)
    {
        Head(track, type);
        if (category.Length > 0)
            _body.Text(Categories, category);
        if (name.Length > 0)
            _body.Text(Name, name);
        foreach (Shown value in shown)
        {
            _part.Clear().Text(AnnotationName, value.Name);
            if (value.Text is null)
                _part.Number(AnnotationInt, (ulong)value.Number);
            else
                _part.Text(AnnotationText, value.Text);
            _body.Message(DebugAnnotation, _part);
        }
        Write(cycle, TrackEvent);
    }

    private void Head(Track track, ulong type) => _body.Clear().Number(Type, type).Number(TrackUuid, (ulong)track.Id);

    private void Write(ulong? cycle, int field)
    {
        _packet.Clear();
        if (cycle is { } at)
            _packet.Number(Timestamp, Ns(at));
        _packet.Number(SequenceId, 1).Message(field, _body);
        if (!_begun)
            _packet.Number(SequenceFlags, SequenceIsCleared);
        _begun = true;
        output.Write(_trace.Clear().Message(Packet, _packet).Bytes);
    }
}
