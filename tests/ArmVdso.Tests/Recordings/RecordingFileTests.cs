using ArmVdso.Lab;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Tests.Recordings;

/// <summary>The file of a recording: what is written is read again, what is cut off or damaged does no harm.</summary>
public sealed class RecordingFileTests
{
    private static readonly RecordingHeader s_header = new()
    {
        Command = "run",
        Arguments = ["prog", "\u001b[1m"],
        Core = "none",
        Profile = "max",
        Cpus = 2,
        Design = "per-cpu",
        Kernel = "plain",
        Seed = ulong.MaxValue,
        ClockHz = 1_000_000_000,
        SlotFields = ["cpu"],
        Counters = ["INST_RETIRED"],
    };

    /// <summary>Events of every kind, of random numbers.</summary>
    private static List<RecordedEvent> SomeEvents(int seed)
    {
        var random = new Random(seed);
        long Any() => random.Next(4) switch
        {
            0 => random.Next(100),
            1 => -random.NextInt64(),
            2 => long.MinValue,
            _ => random.NextInt64(),
        };
        RecordedTask[] tasks = [RecordedTask.None, new(0, 0, "swapper/0"), new(7, 7, "\u00e4\n<script>"), new(8, 7, "")];
        var events = new List<RecordedEvent>();
        ulong cycle = 0;
        for (int i = 0; i < 200; i++)
        {
            RecordedKind kind = RecordedKinds.All[random.Next(RecordedKinds.All.Count)];
            long[] values = [.. RecordedKinds.ValuesOf(kind, s_header).Select(_ => Any())];
            cycle += (ulong)random.Next(2000) - 500 * (ulong)random.Next(2);
            events.Add(new RecordedEvent(
                kind, cycle, random.Next(2), tasks[random.Next(4)], random.Next(2) == 0 ? "" : $"n{random.Next(9)}", values,
                random.Next(2) == 0 ? null : tasks[random.Next(1, 4)], random.Next(3) == 0 ? "why" : ""));
        }
        return events;
    }

    private static byte[] Written(IEnumerable<RecordedEvent> events)
    {
        var stream = new MemoryStream();
        using (var writer = new RecordingWriter("memory", stream, s_header))
        {
            foreach (RecordedEvent e in events)
                writer.Add(e.Kind, e.Cycle, e.Cpu, e.Task, e.Name, [.. e.Values], e.Other, e.Detail);
        }
        return stream.ToArray();
    }

    private static (List<RecordedEvent> Events, bool Complete) Read(byte[] bytes)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bytes);
            using var reader = new RecordingReader(file);
            Assert.Equal(s_header.Arguments, reader.Header.Arguments);
            Assert.Equal(s_header.Seed, reader.Header.Seed);
            return ([.. reader.Events()], reader.Complete);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Same(IEnumerable<RecordedEvent> expected, IEnumerable<RecordedEvent> read)
    {
        foreach ((RecordedEvent e, RecordedEvent r) in expected.Zip(read))
        {
            Assert.Equal(e with { Values = [] }, r with { Values = [] });
            Assert.Equal(e.Values, r.Values);
        }
    }

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        List<RecordedEvent> events = SomeEvents(1);
        (List<RecordedEvent> read, bool complete) = Read(Written(events));
        Assert.True(complete);
        Assert.Equal(events.Count, read.Count);
        Same(events, read);
    }

    [Fact]
    public void WhatIsCutOffIsABeginning()
    {
        List<RecordedEvent> events = SomeEvents(2);
        byte[] whole = Written(events);
        int begin = Array.IndexOf(whole, (byte)'\n', 20) + 1, before = 0;
        for (int length = begin; length < whole.Length; length += 7)
        {
            (List<RecordedEvent> read, bool complete) = Read(whole[..length]);
            Assert.False(complete);
            Assert.InRange(read.Count, before, events.Count);
            Same(events, read);
            before = read.Count;
        }
        Assert.True(before > 190);
    }

    [Fact]
    public void DamageIsAnErrorOrOtherEvents()
    {
        byte[] whole = Written(SomeEvents(3));
        var random = new Random(3);
        int begin = Array.IndexOf(whole, (byte)'\n', 20) + 1, errors = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = (byte[])whole.Clone();
            damaged[random.Next(begin, damaged.Length)] = (byte)random.Next(256);
            try
            {
                Read(damaged);
            }
            catch (LabException e)
            {
                Assert.Contains("damaged at byte", e.Message);
                errors++;
            }
        }
        Assert.InRange(errors, 1, 300);
    }
}
