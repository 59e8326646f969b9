using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Lab.Check;

/// <summary>Shows that the checker can fail, fault by fault.</summary>
internal static class MutantHunt
{
    private static readonly string[] Events =
    [
        "none", "migrate", "aba", "setresuid", "setresgid", "reparent", "reparent-late", "tick", "settime", "race", "weak-tick",
        "weak-settime", "weak-race", "aux-set", "aux-off", "weak-aux-set",
    ];

    /// <summary>Plants each fault that has a place in the design.</summary>
    internal static IEnumerable<MutantResult> Run(SessionSettings settings, string design, IReadOnlyList<CheckedFunction> functions)
    {
        bool preempted = settings.KernelConfiguration.Preempt;
        List<CheckEvent> events = [.. CheckEvent.All.Where(e => Events.Contains(e.Name) || (preempted && e.Name == "mid-exec"))];
        // What fails without any fault says nothing about one.
        HashSet<(string, string)> known = [
            .. Failures(settings, design, null, functions, events, out _).Select(c => (c.Function, c.Event))];
        string name = OursOf(design);
        foreach (Mutant mutant in Mutant.All)
        {
            List<CheckEvent> also = [.. mutant.Also.Select(n => CheckEvent.Find(n)!)];
            if (!functions.Any(mutant.Concerns))
                continue;
            List<CheckCell> failed = Failures(settings, design, mutant, functions, [.. events, .. also], out int places);
            if (places == 0)
                continue;
            if (also.Count > 0)
                known.UnionWith(Failures(settings, design, null, functions, also, out _).Select(c => (c.Function, c.Event)));
            failed.RemoveAll(c => known.Contains((c.Function, c.Event)));
            yield return new MutantResult(
                design, mutant.Name, places, mutant.Harmless.GetValueOrDefault(name), [.. failed.Select(c => c.Event).Distinct()],
                [.. failed.Select(c => c.Function).Distinct()], failed.FirstOrDefault()?.Schedule);
        }
    }

    /// <summary>The name of the design of ours that a folder is a copy of, else its own: what is known of it is so there, too.</summary>
    private static string OursOf(string design) =>
        VdsoDesigns.Create(design) is FolderDesign folder
            ? VdsoDesigns.WithImage.FirstOrDefault(name => folder.IsCopyOf(FolderDesign.OfOurs(name, []))) ?? design
            : design;

    private static List<CheckCell> Failures(
        SessionSettings settings, string design, Mutant? mutant, IReadOnlyList<CheckedFunction> functions, List<CheckEvent> events,
        out int places)
    {
        using var rig = new CheckRig(CheckRig.With(settings, design));
        places = mutant?.Plant(rig) ?? 1;
        if (places == 0)
            return [];
        var explorer = new Explorer(rig);
        var failed = new List<CheckCell>();
        foreach (CheckedFunction function in functions.Where(f => f.IsIn(rig)))
        {
            try
            {
                failed.AddRange(explorer.Explore(function, events, false).Where(c => c.Failed > 0));
            }
            catch (LabException e) when (mutant is not null && e.Fault == LabFault.Failed)
            {
                // The function has crashed, and the laboratory with it: what fails worse than by a wrong answer is found, too.
                failed.Add(BrokenOff(explorer.Last, function, e.Message));
                return failed;
            }
        }
        return failed;
    }

    private static CheckCell BrokenOff(Schedule? last, CheckedFunction function, string what)
    {
        var cell = new CheckCell(function.Name, "broke off");
        if (last is not null)
            cell.Add(last, new Outcome(0, what, false, true, 0));
        return cell;
    }
}
