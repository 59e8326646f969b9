using System.Globalization;
using System.Text;
using System.Text.Json;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Cli;

/// <summary>The events of a recording as JSON for the page's timeline: short rows of numbers, which name tasks and texts by
/// index.</summary>
/// <param name="header">The recording's header.</param>
/// <param name="most">Events that the page may have; those that come later are counted.</param>
internal sealed class TimelineData(RecordingHeader header, long most)
{
    /// <summary>Events that the timeline draws or lists; enters and exits of the same are told apart by their kind.</summary>
    private static readonly RecordedKind[] s_kinds = [.. RecordedKinds.All.Where(k => k != RecordedKind.Counters)];

    private readonly StringBuilder _events = new();
    private readonly Dictionary<RecordedTask, int> _tasks = [];
    private readonly Dictionary<string, int> _names = [];
    private long _count, _all;

    /// <summary>Adds an event.</summary>
    internal void Take(RecordedEvent e)
    {
        if (e.Kind == RecordedKind.Counters)
            return;
        if (_all++ >= most)
            return;
        _count++;
        // What the kind says most: who ran before, the register's new value, where a task came from, how long something took.
        string value = e.Kind switch
        {
            RecordedKind.Switch or RecordedKind.VdsoEnter or RecordedKind.SyscallEnter => Plain(e.Other is { } before ? Task(before) : -1),
            RecordedKind.Offset => ((ulong)e.Values[1]).ToString(CultureInfo.InvariantCulture),
            RecordedKind.Migration or RecordedKind.FaultExit or RecordedKind.InterruptExit or RecordedKind.Signal or RecordedKind.Exit =>
                Plain(e.Values[0]),
            RecordedKind.VdsoExit => Plain(e.Values[1]),
            RecordedKind.SyscallExit => Plain(e.Values[2]),
            _ => "0",
        };
        _events.Append(_count == 1 ? "" : ",").Append('[').Append(Array.IndexOf(s_kinds, e.Kind)).Append(',')
            .Append(CultureInfo.InvariantCulture, $"{e.Cycle},{e.Cpu},{Task(e.Task)},{Index(_names, e.Name)},{value}]");
    }

    private static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);

    private int Task(RecordedTask task) => Index(_tasks, task);

    private static int Index<T>(Dictionary<T, int> list, T item)
        where T : notnull
    {
        if (!list.TryGetValue(item, out int index))
            list[item] = index = list.Count;
        return index;
    }

    /// <summary>The JSON. No character of it ends a script.</summary>
    /// <param name="complete">Whether the recording has an end.</param>
    /// <param name="leftOut">Events that the recording's own bound left out.</param>
    internal string ToJson(bool complete, ulong leftOut)
    {
        string kinds = string.Join(',', s_kinds.Select(k => Quoted(RecordedKinds.NameOf(k))));
        string tasks = string.Join(',', _tasks.Keys.Select(t => $"[{Plain(t.Tid)},{Plain(t.Pid)},{Quoted(t.Name)}]"));
        return $$"""
            {"cpus":{{header.Cpus}},"clock_hz":{{header.ClockHz}},"events_shown":{{_count}},"events_all":{{_all}},
            "complete":{{(complete ? "true" : "false")}},"left_out":{{leftOut}},
            "kinds":[{{kinds}}],
            "tasks":[{{tasks}}],
            "names":[{{string.Join(',', _names.Keys.Select(Quoted))}}],
            "events":[{{_events}}]}
            """;
    }

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
