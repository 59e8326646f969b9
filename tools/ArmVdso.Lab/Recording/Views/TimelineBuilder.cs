using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>Makes a timeline of a recording: a track for what each CPU runs, one for TPIDRRO_EL0 (a counter, and a state that can be off),
/// one for each thread with its vDSO calls, system calls, faults and interrupts nested, and flows for migrations.</summary>
internal sealed class TimelineBuilder(RecordingHeader header, ITimeline timeline)
{
    private static readonly IReadOnlyList<Shown> s_nothing = [];
    private readonly Dictionary<string, Track> _tracks = [];
    private readonly Dictionary<Track, Stack<RecordedKind>> _open = [];
    private readonly Dictionary<Track, ulong> _last = [];
    private readonly Dictionary<(int, int), long> _counted = [];
    private ulong _end, _flows;

    /// <summary>Writes all.</summary>
    internal void Build(IEnumerable<RecordedEvent> events)
    {
        for (int i = 0; i < header.Cpus; i++)
            CpuTrack(i);
        foreach (RecordedEvent e in events)
        {
            _end = Math.Max(_end, e.Cycle);
            Take(e);
        }
        foreach ((Track track, Stack<RecordedKind> open) in _open)
        {
            while (open.TryPop(out _))
                timeline.End(track, At(track, _end), s_nothing);
        }
        timeline.Finish();
    }

    private void Take(RecordedEvent e)
    {
        switch (e.Kind)
        {
            case RecordedKind.Switch:
                Switch(e);
                break;
            case RecordedKind.Migration:
                Track from = CpuTrack((int)e.Values[0]), to = CpuTrack(e.Cpu);
                timeline.Flow(++_flows, from, (ulong)e.Values[1], to, At(to, e.Cycle));
                break;
            case RecordedKind.Offset:
                Offset(e);
                break;
            case RecordedKind.Counters:
                Counters(e);
                break;
            case RecordedKind.VdsoEnter or RecordedKind.SyscallEnter or RecordedKind.FaultEnter or RecordedKind.InterruptEnter:
                Begin(ThreadTrack(e), e, e.Name, CategoryOf(e.Kind));
                break;
            case RecordedKind.VdsoExit or RecordedKind.SyscallExit or RecordedKind.FaultExit or RecordedKind.InterruptExit:
                End(ThreadTrack(e), e.Kind - 1, e);
                break;
            default:
                Track thread = ThreadTrack(e);
                string name = e.Kind == RecordedKind.Signal ? e.Name : RecordedKinds.NameOf(e.Kind);
                timeline.Instant(thread, At(thread, e.Cycle), name, CategoryOf(e.Kind), ShownOf(e));
                break;
        }
    }

    private void Switch(RecordedEvent e)
    {
        Track cpu = CpuTrack(e.Cpu);
        if (_open[cpu].TryPop(out _))
            timeline.End(cpu, At(cpu, e.Cycle), s_nothing);
        if (e.Task.Tid > 0)
            Begin(cpu, e, e.Task.ToString(), "sched", s_nothing);
        // What has ended returns from nothing.
        if (e.Other is { Tid: > 0 } before && e.Values[0] is (long)TaskStateOfTheDead or (long)TaskStateOfTheDead + 1)
            CloseAll(ThreadTrack(e with { Task = before }), e.Cycle);
    }

    private const int TaskStateOfTheDead = (int)Kernel.Tasks.TaskState.Zombie;

    private void CloseAll(Track track, ulong cycle)
    {
        while (_open[track].TryPop(out _))
            timeline.End(track, At(track, cycle), s_nothing);
    }

    private void Offset(RecordedEvent e)
    {
        Track cpu = CpuTrack(e.Cpu), counter = TrackOf(TrackKind.CpuCounter, "TPIDRRO_EL0", cpu, e);
        Track state = TrackOf(TrackKind.CpuState, "TPIDRRO_EL0 slot", cpu, e);
        ulong value = (ulong)e.Values[1], at = At(counter, e.Cycle);
        timeline.Counter(counter, at, (long)value);
        if (_open[state].TryPop(out _))
            timeline.End(state, At(state, e.Cycle), s_nothing);
        Begin(state, e, value == 0 ? "off" : $"{StraceText.Hex(value)} {e.Task}", "tpidrro");
    }

    private void Counters(RecordedEvent e)
    {
        for (int i = 0; i < e.Values.Count && i < header.Counters.Count; i++)
        {
            Track track = TrackOf(TrackKind.CpuCounter, header.Counters[i], CpuTrack(e.Cpu), e);
            timeline.Counter(track, At(track, e.Cycle), e.Values[i] - _counted.GetValueOrDefault((e.Cpu, i)));
            _counted[(e.Cpu, i)] = e.Values[i];
        }
    }

    private void Begin(Track track, RecordedEvent e, string name, string category, IReadOnlyList<Shown>? shown = null)
    {
        _open[track].Push(e.Kind);
        timeline.Begin(track, At(track, e.Cycle), name, category, shown ?? ShownOf(e));
    }

    private void End(Track track, RecordedKind begun, RecordedEvent e)
    {
        if (!_open[track].Contains(begun))
            return;
        while (_open[track].TryPop(out RecordedKind open))
        {
            timeline.End(track, At(track, e.Cycle), open == begun ? ShownOf(e) : s_nothing);
            if (open == begun)
                break;
        }
    }

    /// <summary>Time never goes back on a track: clocks of CPUs differ by less than a quantum.</summary>
    private ulong At(Track track, ulong cycle)
    {
        if (_last.TryGetValue(track, out ulong last) && last > cycle)
            return last;
        return _last[track] = cycle;
    }

    private Track CpuTrack(int cpu) => TrackOf(TrackKind.Cpu, $"cpu {cpu}", null, cpu, RecordedTask.None);

    private Track ThreadTrack(RecordedEvent e)
    {
        if (e.Task.Tid <= 0)
            return TrackOf(TrackKind.CpuState, "idle task", CpuTrack(e.Cpu), e);
        string key = $"thread {e.Task.Tid}";
        if (_tracks.TryGetValue(key, out Track? known) && known.Name == e.Task.Name)
            return known;
        RecordedTask leader = e.Task with { Tid = e.Task.Pid };
        Track process = TrackOf(TrackKind.Process, e.Task.Name, null, e.Cpu, leader, $"process {e.Task.Pid}");
        if (known is null)
            return TrackOf(TrackKind.Thread, e.Task.Name, process, e.Cpu, e.Task, key);
        // It is the same track under another name.
        timeline.Declare(known with { Name = e.Task.Name, Task = e.Task });
        if (e.Task.Tid == e.Task.Pid)
            timeline.Declare(process with { Name = e.Task.Name });
        return known;
    }

    private Track TrackOf(TrackKind kind, string name, Track parent, RecordedEvent e) =>
        TrackOf(kind, name, parent, e.Cpu, RecordedTask.None, $"{parent.Name} {kind} {name}");

    private Track TrackOf(TrackKind kind, string name, Track? parent, int cpu, RecordedTask task, string? key = null)
    {
        if (_tracks.TryGetValue(key ?? name, out Track? track))
            return track;
        _tracks[key ?? name] = track = new Track(_tracks.Count + 1, kind, name, parent, cpu, task);
        _open[track] = [];
        timeline.Declare(track);
        return track;
    }

    private static string CategoryOf(RecordedKind kind) => RecordedKinds.SetOf(kind).ToString().ToLowerInvariant();

    private List<Shown> ShownOf(RecordedEvent e)
    {
        IReadOnlyList<string> names = RecordedKinds.ValuesOf(e.Kind, header);
        var shown = new List<Shown>();
        if (e.Kind == RecordedKind.Offset)
            shown.Add(new Shown("cause", e.Name, 0));
        for (int i = 0; i < e.Values.Count && i < names.Count; i++)
        {
            string? hex = RecordedKinds.IsHex(names[i]) ? StraceText.Hex((ulong)e.Values[i]) : null;
            shown.Add(new Shown(names[i], hex, e.Values[i]));
        }
        if (e.Detail.Length > 0)
            shown.Add(new Shown("detail", e.Detail, 0));
        return shown;
    }
}
