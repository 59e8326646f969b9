using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>A recording as lines: for people, as JSON objects, as a table of commas.</summary>
internal static class RecordingLines
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.Default, SkipValidation = true };

    /// <summary>A line an event, laid out as perf script has it; times are cycles of the CPU.</summary>
    internal static void Text(RecordingHeader header, IEnumerable<RecordedEvent> events, TextWriter output)
    {
        string run = header.Command == "boot" ? "booted" : $"vDSO design {header.Design}, kernel {header.Kernel}, ran";
        output.WriteLine(
            $"# core {header.Core}, profile {header.Profile}, {header.Cpus} CPUs at {header.ClockHz / 1_000_000} MHz, seed {header.Seed}, "
            + $"{run} {Printable(string.Join(' ', header.Arguments))}");
        output.WriteLine("#            task    tid  cpu           cycle: event");
        foreach (RecordedEvent e in events)
        {
            string who = $"{Printable(e.Task.Name),16} {e.Task.Tid,6} [{e.Cpu:000}] {e.Cycle,14}: ";
            output.WriteLine($"{who}{RecordedKinds.NameOf(e.Kind)}: {Details(header, e)}".TrimEnd());
        }
    }

    private static string Details(RecordingHeader header, RecordedEvent e)
    {
        var text = new StringBuilder(Printable(e.Name));
        if (e.Kind == RecordedKind.Switch)
        {
            return $"prev={Printable(Before(e))} prev_state={RecordedKinds.StateLetter(e.Values[0])} ==> "
                + $"next={Printable(e.Task.ToString())}";
        }
        if (e.Kind == RecordedKind.Offset)
            text.Append(CultureInfo.InvariantCulture, $" prev={Printable(Before(e))}");
        IReadOnlyList<string> names = RecordedKinds.ValuesOf(e.Kind, header);
        for (int i = 0; i < e.Values.Count && i < names.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $" {names[i]}={Value(names[i], e.Values[i])}");
        if (e.Detail.Length > 0)
            text.Append(CultureInfo.InvariantCulture, $" ({e.Detail})");
        return text.ToString().TrimStart();
    }

    private static string Value(string name, long value) => name switch
    {
        "new" or "old" when value == 0 => "off",
        "ret" when value is < 0 and >= -4095 => StraceText.Error(-value),
        _ when RecordedKinds.IsHex(name) => StraceText.Hex((ulong)value),
        _ => StraceText.Number(value),
    };

    private static string Before(RecordedEvent e) => (e.Other ?? RecordedTask.None).ToString();

    /// <summary>What the guest chose, without characters that a terminal obeys.</summary>
    internal static string Printable(string text) => string.Concat(
        text.Select(c => c is < ' ' or (>= '\x7f' and < '\xa0') ? $"\\x{(int)c:x2}" : c.ToString()));

    /// <summary>The header, then an object an event. Those of tpidrro_write have the fields of <c>armvdso trace --json</c>.</summary>
    internal static void Json(RecordingHeader header, IEnumerable<RecordedEvent> events, Stream output)
    {
        Span<byte> end = "\n"u8.ToArray();
        using (var first = new StreamWriter(output, leaveOpen: true))
            first.Write(header.ToJson().ToJsonString() + "\n");
        using var writer = new Utf8JsonWriter(output, s_json);
        foreach (RecordedEvent e in events)
        {
            writer.WriteStartObject();
            writer.WriteString("event", RecordedKinds.NameOf(e.Kind));
            writer.WriteNumber("cycle", e.Cycle);
            writer.WriteNumber("cpu", e.Cpu);
            if (e.Kind == RecordedKind.Offset)
                Offset(writer, header, e);
            else
                Fields(writer, header, e);
            writer.WriteEndObject();
            writer.Flush();
            output.Write(end);
            writer.Reset();
        }
    }

    private static void Offset(Utf8JsonWriter writer, RecordingHeader header, RecordedEvent e)
    {
        bool booted = header.Command == "boot";
        writer.WriteString(booted ? "function" : "cause", e.Name);
        if (!booted)
            writer.WriteString("prev", Before(e));
        writer.WriteString(booted ? "task" : "next", e.Task.ToString());
        writer.WriteNumber("old", (ulong)e.Values[0]);
        writer.WriteNumber("new", (ulong)e.Values[1]);
        if (booted)
            return;
        if (e.Values.Count == 2)
        {
            writer.WriteNull("slot");
            return;
        }
        writer.WriteStartObject("slot");
        for (int i = 0; i < header.SlotFields.Count && i + 2 < e.Values.Count; i++)
            writer.WriteNumber(header.SlotFields[i], e.Values[i + 2]);
        writer.WriteEndObject();
    }

    private static void Fields(Utf8JsonWriter writer, RecordingHeader header, RecordedEvent e)
    {
        writer.WriteString("task", e.Task.Name);
        writer.WriteNumber("tid", e.Task.Tid);
        writer.WriteNumber("pid", e.Task.Pid);
        if (e.Other is not null)
            writer.WriteString("prev", Before(e));
        if (e.Name.Length > 0)
            writer.WriteString("name", e.Name);
        IReadOnlyList<string> names = RecordedKinds.ValuesOf(e.Kind, header);
        for (int i = 0; i < e.Values.Count && i < names.Count; i++)
        {
            if (RecordedKinds.IsHex(names[i]))
                writer.WriteNumber(names[i], (ulong)e.Values[i]);
            else
                writer.WriteNumber(names[i], e.Values[i]);
        }
        if (e.Detail.Length > 0)
            writer.WriteString("detail", e.Detail);
    }

    /// <summary>RFC 4180: a line an event, with a column for each number that an event can have.</summary>
    internal static void Csv(RecordingHeader header, IEnumerable<RecordedEvent> events, TextWriter output)
    {
        string[] columns = [.. RecordedKinds.All.SelectMany(k => RecordedKinds.ValuesOf(k, header)).Distinct()];
        output.Write($"cycle,cpu,event,task,tid,pid,name,prev,detail,{string.Join(',', columns)}\r\n");
        var row = new string[columns.Length];
        foreach (RecordedEvent e in events)
        {
            Array.Fill(row, "");
            IReadOnlyList<string> names = RecordedKinds.ValuesOf(e.Kind, header);
            for (int i = 0; i < e.Values.Count && i < names.Count; i++)
            {
                row[Array.IndexOf(columns, names[i])] = RecordedKinds.IsHex(names[i])
                    ? StraceText.Hex((ulong)e.Values[i]) : StraceText.Number(e.Values[i]);
            }
            string[] head =
            [
                StraceText.Number(e.Cycle), StraceText.Number(e.Cpu), RecordedKinds.NameOf(e.Kind), Quoted(e.Task.Name),
                StraceText.Number(e.Task.Tid), StraceText.Number(e.Task.Pid), Quoted(e.Name), Quoted(e.Other?.ToString() ?? ""),
                Quoted(e.Detail),
            ];
            output.Write($"{string.Join(',', head)},{string.Join(',', row)}\r\n");
        }
    }

    private static string Quoted(string text)
    {
        string shown = Printable(text);
        return shown.AsSpan().IndexOfAny(',', '"') < 0 ? shown : $"\"{shown.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
