using System.Globalization;
using ArmVdso.Lab.Check;

namespace ArmVdso.Lab.Boot;

/// <summary>Explores calls of a booted kernel's vDSO: at each instruction boundary of a call an interrupt comes, upon which the kernel
/// itself does what <see cref="BootedEvent"/> lists; the answer is compared with what system calls say.</summary>
public static class BootedCheck
{
    /// <summary>The first process, the victim, its parent, and one of another PID namespace.</summary>
    private const int Tasks = 4;

    private static readonly string s_explored = FormattableString.Invariant(
        $"each boundary between two instructions of the call as it is made undisturbed (of one of more than {Explorer.LongFunction}: each ")
        + "before an access to memory or the system), of a thread that was on CPU 0, from one state of the machine for each function";

    /// <summary>What may happen.</summary>
    public static IReadOnlyList<CheckName> Events { get; } = [.. BootedEvent.All.Select(e => new CheckName(e.Name, e.Meaning))];

    /// <summary>Functions that are called, of those that a kernel exports.</summary>
    public static IReadOnlyList<string> Functions { get; } = [.. BootedFunction.All.Select(f => f.Name)];

    /// <summary>Explores.</summary>
    /// <param name="settings">CPUs, profile and limits.</param>
    /// <param name="files">The kernel.</param>
    /// <param name="functions">Names of <see cref="Functions"/>; null: all.</param>
    /// <param name="events">Names of <see cref="Events"/>; null: all.</param>
    /// <param name="mutant">A fault that is planted in the vDSO's code first; null: none.</param>
    /// <param name="progress">Told how far it is; null: nobody.</param>
    /// <exception cref="LabException">The kernel cannot be booted, or exports none of the functions.</exception>
    public static CheckResult Run(
        SessionSettings settings, BootFiles files, IReadOnlyList<string>? functions = null, IReadOnlyList<string>? events = null,
        string? mutant = null, Action<string>? progress = null)
    {
        progress?.Invoke("booting");
        using var rig = new BootedRig(settings, files);
        BootedEvent[] chosen = [.. BootedEvent.All.Where(e => events?.Contains(e.Name) ?? true)];
        var cells = new List<CheckCell>();
        bool planted = false;
        while (rig.Next())
        {
            planted = planted || Plant(rig, mutant, files.Kernel);
            if (functions?.Contains(rig.Function.Name) == false || (rig.Life != VictimLife.Plain && !chosen.Any(e => Applies(rig, e))))
                continue;
            progress?.Invoke(rig.Function.Name);
            rig.Keep();
            cells.AddRange(Explore(rig, chosen));
        }
        // Those of another life replace what was said of them before.
        cells = [.. cells.GroupBy(c => (c.Function, c.Event)).Select(g => g.Last())];
        if (cells.Count == 0)
            throw new LabException($"{files.Kernel}: its vDSO has none of the functions that are to be checked", LabFault.Input);
        var bounds = new CheckBounds(rig.Release, settings.Cpus, Tasks) { Booted = s_explored };
        return new CheckResult(rig.Release, rig.Settings, bounds, cells);
    }

    /// <summary>Executes one interleaving, and writes its instructions.</summary>
    /// <param name="settings">CPUs, profile and limits.</param>
    /// <param name="files">The kernel.</param>
    /// <param name="id">Its ID, as <see cref="CheckCell.Schedule"/> gives it.</param>
    /// <param name="output">Where the trace is written.</param>
    /// <param name="mutant">A fault that is planted first; null: none.</param>
    /// <param name="brief">The kernel's instructions as one line for each task.</param>
    /// <returns>Whether the answer is right.</returns>
    /// <exception cref="LabException">The kernel cannot be booted, or the ID is none of it.</exception>
    public static bool Replay(
        SessionSettings settings, BootFiles files, string id, TextWriter output, string? mutant = null, bool brief = false)
    {
        var schedule = Schedule.Parse(id, Events.Select(e => e.Name));
        ScheduledEvent scheduled = schedule.Events.FirstOrDefault(new ScheduledEvent("none", -1, -1));
        BootedEvent? happens = BootedEvent.All.FirstOrDefault(e => e.Name == scheduled.Event);
        if (schedule.Events.Count > 1 || scheduled.Part != -1 || schedule.Versions is not null)
            throw new LabException($"replay: '{id}' is not RELEASE/FUNCTION/EVENT@BOUNDARY of a booted kernel", LabFault.Input);
        if (happens?.Cpus > settings.Cpus)
            throw new LabException($"replay: {happens.Name} needs {happens.Cpus} CPUs (--cpus)", LabFault.Input);
        using var rig = new BootedRig(settings, files);
        bool planted = false;
        while (rig.Next())
        {
            planted = planted || Plant(rig, mutant, files.Kernel);
            if (happens is not null && (happens.Needs & ~rig.Parts) != 0)
                throw new LabException($"replay: {files.Kernel} has not all of {happens.Needs}", LabFault.Input);
            if (rig.Function.Name != schedule.Function || rig.Life != (happens?.Life ?? VictimLife.Plain))
                continue;
            if (rig.Release != schedule.Design)
                throw new LabException($"replay: '{id}' is of another kernel: {files.Kernel} is {rig.Release}", LabFault.Input);
            rig.Keep();
            var trace = new BootedTrace(rig, output, brief);
            output.WriteLine($"{schedule}: profile {settings.CpuProfileName}, {settings.Cpus} CPUs");
            Outcome outcome = Judge(rig, happens, scheduled.Boundary, trace);
            trace.Flush();
            output.WriteLine(outcome.Failure is null
                ? outcome.Applied ? "held" : "held; the call ended before the event" : $"FAILED: {outcome.Failure}");
            output.Flush();
            return outcome.Failure is null;
        }
        throw new LabException($"replay: {files.Kernel} exports no {schedule.Function}", LabFault.Input);
    }

    /// <summary>Whether a fault is one that can be planted in a booted kernel's vDSO.</summary>
    public static bool IsMutant(string name) =>
        PlacedFault.IsName(name) || Mutant.All.Any(m => m.Name == name && m.PlantInCode is not null);

    /// <summary>The faults that have names of their own.</summary>
    public static IReadOnlyList<CheckName> Mutants { get; } =
        [.. Mutant.All.Where(m => m.PlantInCode is not null).Select(m => new CheckName(m.Name, m.Meaning))];

    private static bool Plant(BootedRig rig, string? mutant, string kernel)
    {
        if (mutant is null)
            return true;
        ulong? Find(string symbol) => rig.Symbols.Where(s => s.Name == symbol).Select(s => (ulong?)s.Value).FirstOrDefault();
        int places = PlacedFault.IsName(mutant) ? PlacedFault.Remove(mutant, Find, rig) : Mutant.Find(mutant).PlantInCode!(rig);
        return places > 0 ? true : throw new LabException($"{kernel}: its vDSO has no place for the fault {mutant}", LabFault.Input);
    }

    private static IEnumerable<CheckCell> Explore(BootedRig rig, BootedEvent[] events)
    {
        BootedFunction function = rig.Function;
        (Outcome undisturbed, HashSet<int> touching) = Watch(rig, null, -1);
        bool isLong = undisturbed.Instructions > Explorer.LongFunction;
        if (rig.Life == VictimLife.Plain)
        {
            var none = new CheckCell(function.Name, "none");
            none.Add(new Schedule(rig.Release, function.Name, []), undisturbed);
            yield return none;
        }
        foreach (BootedEvent happens in events)
        {
            string? not = WhyNot(rig, happens);
            if (rig.Life != VictimLife.Plain && happens.Life != rig.Life)
                continue;
            var cell = new CheckCell(function.Name, happens.Name) { NotApplicable = not, OnPurpose = OnPurpose(happens) };
            for (int boundary = 1; not is null && boundary < undisturbed.Instructions; boundary++)
            {
                if (isLong && !touching.Contains(boundary))
                    continue;
                var schedule = new Schedule(rig.Release, function.Name, [new ScheduledEvent(happens.Name, -1, boundary)]);
                cell.Add(schedule, Judge(rig, happens, boundary));
            }
            yield return cell;
        }
    }

    private static bool Applies(BootedRig rig, BootedEvent happens) => WhyNot(rig, happens) is null;

    private static string? WhyNot(BootedRig rig, BootedEvent happens) =>
        happens.Cpus > rig.Settings.Cpus ? $"it needs {happens.Cpus} CPUs (--cpus)"
        : (happens.For & rig.Function.Kind) == 0 ? $"it cannot change what {rig.Function.Name} answers"
        : (happens.Needs & ~rig.Parts) != 0 ? $"this kernel has not all of {happens.Needs}"
        : happens.Life != rig.Life ? "the thread does not live so" : null;

    private static string? OnPurpose(BootedEvent happens) =>
        happens.Needs == KernelParts.None ? null : "a kernel may leave tasks of namespaces to the system call";

    private static Outcome Judge(BootedRig rig, BootedEvent? happens, int boundary, IMachineObserver? observer = null) =>
        Watch(rig, happens, boundary, observer).Outcome;

    private static (Outcome Outcome, HashSet<int> Touching) Watch(
        BootedRig rig, BootedEvent? happens, int boundary, IMachineObserver? observer = null)
    {
        (CallRecord? record, CallWatch watch) = rig.Try(happens, boundary, observer);
        string? failure = record is null ? "the call did not come back" : rig.Function.Wrong(record);
        bool seen = happens is not null && record is not null && happens.Seen(record);
        (int own, int further) = watch.SystemCalls;
        bool fellBack = own > 0 && ((happens?.Exhausts ?? BootedKinds.None) & rig.Function.Kind) == 0;
        var outcome = new Outcome(watch.Instructions, failure, fellBack, happens is null || watch.Happened, 0)
        {
            Happened = happens is null || watch.Happened,
            Inside = seen,
            Telling = seen,
            Further = record is null ? 0 : (int)record.Handled + (record.HasChild ? 1 : 0),
            FurtherFellBack = further > 0 ? 1 : 0,
        };
        return (outcome, watch.Touching);
    }
}
