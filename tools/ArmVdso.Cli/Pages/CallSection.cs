using System.Text.Json.Nodes;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Designs;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>The system calls of a run as the page has them: by class, by call, and what each design would serve.</summary>
internal sealed class CallSection
{
    /// <summary>A call of the run.</summary>
    private sealed class Line
    {
        /// <summary>Made by SVC, and answered by the vDSO without one.</summary>
        internal long Calls, Served;

        internal ulong Cycles, Charged;

        /// <summary>Times that the program asked.</summary>
        internal long Asked => Calls + Served;
    }

    private static readonly (Service Service, string Name)[] s_services =
        [(Service.Stock, "stock"), (Service.Design, "design"), (Service.Candidate, "candidate"), (Service.Never, "never")];

    private readonly SortedDictionary<int, Line> _lines = [];

    /// <summary>The calls that a run counted.</summary>
    internal static CallSection Of(WorkloadRun run)
    {
        var section = new CallSection { Switches = run.Switches };
        foreach ((int number, CallCount count) in run.Total())
        {
            section._lines[number] = new Line
            {
                Calls = count.Calls,
                Served = count.Served,
                Cycles = count.Cycles,
                Charged = count.Charged,
            };
        }
        return section;
    }

    /// <summary>Switches between tasks, idle tasks left out.</summary>
    internal long Switches { get; private set; }

    /// <summary>Takes an event of a recording. Cycles of a call during which its task was switched away have the wait in them.</summary>
    internal void Take(RecordedEvent e)
    {
        switch (e.Kind)
        {
            case RecordedKind.SyscallEnter:
                LineOf((int)e.Values[0]).Calls++;
                break;
            case RecordedKind.SyscallExit:
                Line line = LineOf((int)e.Values[0]);
                line.Cycles += (ulong)e.Values[2];
                line.Charged += (ulong)e.Values[3];
                break;
            case RecordedKind.VdsoExit when e.Detail.Length == 0 && NumberOf(e.Name) is { } number:
                LineOf(number).Served++;
                break;
            case RecordedKind.Switch when e.Task.Tid > 0 && e.Other is { Tid: > 0 }:
                Switches++;
                break;
        }
    }

    private static readonly Dictionary<string, int> s_numbers = SyscallTable.All.ToDictionary(r => r.Name, r => r.Number);

    private static int? NumberOf(string name) => s_numbers.TryGetValue(name, out int number) ? number : null;

    private Line LineOf(int number)
    {
        if (!_lines.TryGetValue(number, out Line? line))
            _lines[number] = line = new Line();
        return line;
    }

    /// <summary>As the page has it.</summary>
    internal JsonObject ToJson()
    {
        long asked = _lines.Values.Sum(l => l.Asked);
        double cycles = _lines.Values.Sum(l => (double)l.Cycles);
        var classes = new JsonArray();
        foreach (IGrouping<int, KeyValuePair<int, Line>> group in _lines.GroupBy(l => CallService.Class(l.Key)).OrderBy(g => g.Key))
        {
            var services = new JsonArray();
            foreach ((Service service, string _) in s_services)
                services.Add((JsonNode)group.Where(l => ServiceOf(l.Key) == service).Sum(l => l.Value.Asked));
            classes.Add((JsonNode)new JsonObject
            {
                ["class"] = group.Key,
                ["asked"] = group.Sum(l => l.Value.Asked),
                ["calls"] = group.Sum(l => l.Value.Calls),
                ["cycles"] = group.Sum(l => (double)l.Value.Cycles),
                ["by_service"] = services,
            });
        }
        var calls = new JsonArray();
        foreach ((int number, Line line) in _lines.OrderByDescending(l => l.Value.Cycles).ThenByDescending(l => l.Value.Served))
        {
            string name = SyscallTable.NameOf(number);
            calls.Add((JsonNode)new JsonObject
            {
                ["name"] = name,
                ["class"] = CallService.Class(number),
                ["calls"] = line.Calls,
                ["vdso_served"] = line.Served,
                ["cycles"] = line.Cycles,
                ["share"] = cycles == 0 ? 0 : line.Cycles / cycles,
                ["per_call"] = line.Calls == 0 ? null : (double)line.Cycles / line.Calls,
                ["charged_share"] = line.Cycles == 0 ? 0 : (double)line.Charged / line.Cycles,
                ["service"] = Array.Find(s_services, s => s.Service == ServiceOf(number)).Name,
                ["reason"] = CallService.Reason(name),
            });
        }
        return new JsonObject
        {
            ["asked"] = asked,
            ["made"] = _lines.Values.Sum(l => l.Calls),
            ["vdso_served"] = _lines.Values.Sum(l => l.Served),
            ["cycles"] = cycles,
            ["switches"] = Switches,
            ["services"] = new JsonArray([.. s_services.Select(s => (JsonNode)s.Name)]),
            ["classes"] = classes,
            ["calls"] = calls,
        };
    }

    private static Service ServiceOf(int number) => CallService.Of(SyscallTable.NameOf(number));

    /// <summary>What each design would serve of these calls, and save if all of them went through it: against system calls alone, single
    /// calls with warm caches, less what the switches would pay.</summary>
    internal JsonArray Serves(DesignsResult result)
    {
        var list = new JsonArray();
        long asked = _lines.Values.Sum(l => l.Asked);
        foreach (DesignFigures design in result.Designs)
        {
            long served = 0, saved = 0;
            var names = new List<string>();
            foreach ((int number, Line line) in _lines.Where(l => l.Value.Asked > 0))
            {
                string name = SyscallTable.NameOf(number), measured = name == "clock_gettime" ? "clock_gettime_monotonic" : name;
                if (design.Cycles(measured) is not { } cycles)
                    continue;
                names.Add(name);
                served += line.Asked;
                saved += line.Asked * ((long)result.None.SyscallsWarm[measured].Cycles - (long)cycles);
            }
            long paid = result.SwitchAdded(design) * Switches;
            list.Add((JsonNode)new JsonObject
            {
                ["design"] = design.Design,
                ["calls"] = served,
                ["share"] = asked == 0 ? 0 : (double)served / asked,
                ["saved"] = saved,
                ["paid"] = paid,
                ["net"] = saved - paid,
                ["names"] = string.Join(' ', names.Order(StringComparer.Ordinal)),
            });
        }
        return list;
    }
}
