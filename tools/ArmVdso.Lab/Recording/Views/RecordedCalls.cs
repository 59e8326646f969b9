using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>What threads spent their cycles in, as far as events say: system calls, calls of the vDSO, faults and interrupts, nested; the
/// rest is the thread's own. Time in which a thread does not run is nobody's.</summary>
internal static class RecordedCalls
{
    /// <summary>What a CPU runs.</summary>
    private sealed class Place
    {
        internal int Tid;
        internal ulong Since;
    }

    /// <summary>Makes the tree of a recording: threads, and what they were in.</summary>
    internal static CallNode Of(RecordingHeader header, IEnumerable<RecordedEvent> events)
    {
        var root = new CallNode("all", "", null);
        Place[] places = [.. Enumerable.Range(0, header.Cpus).Select(_ => new Place())];
        var threads = new Dictionary<int, (CallNode Thread, Stack<(RecordedKind Kind, CallNode Node)> Open)>();
        foreach (RecordedEvent e in events)
        {
            Place place = places[e.Cpu];
            if (place.Tid > 0 && threads.TryGetValue(place.Tid, out var running) && e.Cycle > place.Since)
                Innermost(running).Cycles += e.Cycle - place.Since;
            place.Since = e.Cycle;
            if (e.Kind == RecordedKind.Switch || (place.Tid == 0 && e.Task.Tid > 0))
                place.Tid = e.Task.Tid;
            if (e.Task.Tid <= 0)
                continue;
            if (!threads.TryGetValue(e.Task.Tid, out var thread)
                || (e.Kind == RecordedKind.Exec && thread.Thread.Name != e.Task.ToString()))
            {
                CallNode node = root.Callee(e.Task.ToString(), "");
                node.Calls++;
                threads[e.Task.Tid] = thread = (node, []);
            }
            Take(e, thread.Thread, thread.Open);
        }
        return root.Sum();
    }

    private static CallNode Innermost((CallNode Thread, Stack<(RecordedKind Kind, CallNode Node)> Open) thread) =>
        thread.Open.TryPeek(out var open) ? open.Node : thread.Thread;

    private static void Take(RecordedEvent e, CallNode thread, Stack<(RecordedKind Kind, CallNode Node)> open)
    {
        switch (e.Kind)
        {
            case RecordedKind.VdsoEnter or RecordedKind.SyscallEnter or RecordedKind.FaultEnter or RecordedKind.InterruptEnter:
                string where = RecordedKinds.SetOf(e.Kind) switch
                {
                    RecordedSet.Vdso => "[vdso]",
                    RecordedSet.Syscalls => "[syscall]",
                    _ => "[exception]",
                };
                CallNode node = (open.TryPeek(out var outer) ? outer.Node : thread).Callee(e.Name, where);
                node.Calls++;
                open.Push((e.Kind, node));
                break;
            case RecordedKind.VdsoExit or RecordedKind.SyscallExit or RecordedKind.FaultExit or RecordedKind.InterruptExit:
                if (!open.Any(o => o.Kind == e.Kind - 1))
                    return;
                while (open.TryPop(out var closed) && closed.Kind != e.Kind - 1)
                    continue;
                break;
        }
    }
}
