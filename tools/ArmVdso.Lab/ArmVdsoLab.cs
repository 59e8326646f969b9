using System.Diagnostics;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Debug;
using ArmVdso.Lab.Designs;
using ArmVdso.Lab.Explain;
using ArmVdso.Lab.KernelPath;
using ArmVdso.Lab.Litmus;
using ArmVdso.Lab.Statistics;
using ArmVdso.Lab.Workloads;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Lab;

/// <summary>The door of the laboratory: each question is a method, each answer a record. A laboratory has settings and no state: the same
/// question has the same answer, to the bit. Cycles are modelled; instructions were executed. Every error that the caller can mend is a
/// <see cref="LabException"/>.</summary>
/// <param name="settings">Settings of all runs.</param>
public sealed class ArmVdsoLab(SessionSettings settings)
{
    /// <summary>A laboratory with the settings of the command's defaults: two Cortex-A53, the design per-cpu.</summary>
    public ArmVdsoLab()
        : this(new SessionSettings())
    {
    }

    /// <summary>Settings of all runs.</summary>
    public SessionSettings Settings => settings;

    /// <summary>Functions that <see cref="Compare"/> knows.</summary>
    public static IReadOnlyList<string> ComparedFunctions => Comparison.Functions;

    /// <summary>Functions that <see cref="Compare"/> knows of designs: <see cref="ComparedFunctions"/>, and those that a design in a folder
    /// brings itself.</summary>
    /// <exception cref="LabException">There is no such design.</exception>
    public static IReadOnlyList<string> ComparedFunctionsOf(params IEnumerable<string> designs) =>
        [.. ComparedFunctions.Union(designs.SelectMany(d => Design(d).MeasuredFunctions).Select(f => f.Name))];

    /// <summary>Functions that <see cref="Check"/> knows of designs: <see cref="CheckedFunctions"/>, and those that a design in a folder
    /// brings itself, or a stock image has besides.</summary>
    /// <exception cref="LabException">There is no such design.</exception>
    public static IReadOnlyList<string> CheckedFunctionsOf(params IEnumerable<string> designs) =>
        [.. CheckedFunctions.Union(designs.SelectMany(d => CheckedFunction.Of(Design(d))).Select(f => f.Name))];

    private static VdsoDesign Design(string name) => new SessionSettings { Vdso = name }.Design();

    /// <summary>Designs that have a vDSO, which <see cref="Check"/> can examine.</summary>
    public static IReadOnlyList<string> CheckedDesigns => VdsoDesigns.WithImage;

    /// <summary>Functions that <see cref="Check"/> knows; a design has those that its image exports.</summary>
    public static IReadOnlyList<string> CheckedFunctions { get; } = [.. CheckedFunction.All.Select(f => f.Name)];

    /// <summary>Events that <see cref="Check"/> knows.</summary>
    public static IReadOnlyList<CheckName> CheckEvents { get; } = [.. CheckEvent.All.Select(e => new CheckName(e.Name, e.Meaning))];

    /// <summary>Faults that <see cref="HuntMutants"/> plants.</summary>
    public static IReadOnlyList<CheckName> Mutants { get; } = [.. Mutant.All.Select(m => new CheckName(m.Name, m.Meaning))];

    /// <summary>Whether a name is that of a fault which <see cref="Check"/> and <see cref="Replay"/> can plant: one of
    /// <see cref="Mutants"/>, or a place and what goes wrong there, as <see cref="PlantFaults"/> names them.</summary>
    public static bool IsMutant(string name) => Mutants.Any(m => m.Name == name) || PlacedFault.IsName(name);

    /// <summary>All sets of yardsticks: those of the core models, and those that need the kernel.</summary>
    public static IReadOnlyList<YardstickSet> Yardsticks { get; } = [.. YardstickSets.All, .. KernelYardsticks.All];

    /// <summary>Figures of programs that a core decides, to be taken on variants of it (<see cref="ProgramSensitivity"/>).</summary>
    /// <param name="core">The core, or a core on a board.</param>
    /// <param name="tables">Tables, with a folder of programs: its figures; without: those of the programs built in.</param>
    /// <exception cref="YardstickException">A table is not well formed.</exception>
    public static IReadOnlyList<ProgramFigure> ProgramFigures(string core, YardstickData tables) =>
        tables.Programs is null ? ProgramFigure.BuiltIn : BoardPrograms.FiguresOf(tables, core);

    /// <summary>Litmus tests that <see cref="Litmus"/> knows: names of tests of which results are published.</summary>
    public static IReadOnlyList<string> LitmusTests { get; } = [.. LitmusCatalogue.Names];

    /// <summary>Explores litmus tests under the memory model that <see cref="Check"/> uses, and holds them against published
    /// results.</summary>
    /// <param name="tests">Names of tests, shapes or sources; empty: all.</param>
    /// <exception cref="LabException">There is no such test.</exception>
    public static IReadOnlyList<LitmusResult> Litmus(params IReadOnlyList<string> tests) => [.. LitmusCatalogue.Run(tests)];

    /// <summary>Runs a program to its end. For more than its counts (system calls, cycles by function, own observers) use
    /// <see cref="Session"/>.</summary>
    /// <param name="program">Path on the host or in the root, or a name to look for in the root's PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="hooks">Its streams; null: no input, output thrown away.</param>
    /// <exception cref="LabException">It cannot be run, or a limit was reached.</exception>
    public RunStatistics Run(string program, IReadOnlyList<string>? arguments = null, SessionHooks? hooks = null)
    {
        using var session = new Session(settings, program, arguments ?? [], hooks ?? new SessionHooks());
        var clock = Stopwatch.StartNew();
        int status = session.Run();
        return new RunStatistics(session, clock.Elapsed, status);
    }

    /// <summary>Every write of TPIDRRO_EL0 in a run: who, when, why, on which CPU.</summary>
    /// <param name="sink">Takes the writes, in the order of the run.</param>
    /// <param name="program">The program and its arguments; null: the guest of comparisons, whose threads preempt each other.</param>
    /// <param name="hooks">Its streams; null: no input, output thrown away.</param>
    /// <returns>Exit status of the program.</returns>
    /// <exception cref="LabException">It cannot be run, or a limit was reached.</exception>
    public int Trace(Action<OffsetWrite> sink, IReadOnlyList<string>? program = null, SessionHooks? hooks = null)
    {
        using EmbeddedGuest? guest = program is null ? new EmbeddedGuest() : null;
        SessionSettings with = guest is null ? settings : settings.ForOurGuest() with { Binds = [.. settings.Binds, guest.Bind] };
        program ??= [guest!.Bind.GuestPath, "4"];
        using var session = new Session(with, program[0], [.. program.Skip(1)], hooks ?? new SessionHooks());
        session.Machine.Observer = new OffsetTrace(session.Kernel, sink);
        return session.Run();
    }

    /// <summary>What each function costs by system call and by the vDSO of the design, and what a context switch pays.</summary>
    /// <param name="functions">Names of <see cref="ComparedFunctions"/>; null: all.</param>
    /// <param name="threads">Threads of the guest, 2 to 64.</param>
    /// <exception cref="LabException">There is no such function, or the guest failed.</exception>
    public ComparisonResult Compare(IReadOnlyList<string>? functions = null, int threads = 4) =>
        Comparison.Compare(settings, Known(functions, ComparedFunctionsOf(settings.Vdso), "function"), Threads(threads));

    /// <summary>Cycles of functions through the vDSO of the design alone, warm, without the loop around them.</summary>
    /// <param name="functions">Names of <see cref="ComparedFunctions"/>.</param>
    /// <param name="threads">Threads of the guest, 2 to 64.</param>
    /// <exception cref="LabException">The design does not serve one, or the guest failed.</exception>
    public IReadOnlyList<ulong> CallCycles(IReadOnlyList<string> functions, int threads = 2)
    {
        CallSampler sampler = Comparison.Measure(settings.ForOurGuest(), Threads(threads));
        return
        [
            .. Known(functions, ComparedFunctionsOf(settings.Vdso), "function").Select(f => sampler.Figures(f, CallKind.Vdso)?.Cycles
                ?? throw new LabException($"design {settings.Vdso} does not serve {f}", LabFault.Input)),
        ];
    }

    /// <summary>Designs side by side: cycles warm and cold, what switches, system calls and changes of credentials pay, pages.</summary>
    /// <param name="designs">Designs, as <see cref="SessionSettings.Vdso"/> takes them.</param>
    /// <param name="functions">Names of <see cref="ComparedFunctions"/>; null: all.</param>
    /// <param name="threads">Threads of the guest, 2 to 64.</param>
    /// <param name="progress">Told what is being run.</param>
    /// <param name="soFar">Told what is there, after each design.</param>
    /// <exception cref="LabException">There is no such design or function, or the guest failed.</exception>
    public DesignsResult CompareDesigns(
        IReadOnlyList<string> designs, IReadOnlyList<string>? functions = null, int threads = 4, Action<string>? progress = null,
        Action<DesignsResult>? soFar = null) =>
        Comparison.CompareDesigns(
            settings, designs, Known(functions, ComparedFunctionsOf(designs), "function"), Threads(threads), progress, soFar);

    /// <summary>Every function of a design, interrupted at every instruction boundary by every event, compared with what the system call
    /// could have answered. Timing models play no part.</summary>
    /// <param name="design">The design.</param>
    /// <param name="functions">Names of <see cref="CheckedFunctions"/>; null: all that the design has.</param>
    /// <param name="events">Names of <see cref="CheckEvents"/>; null: all.</param>
    /// <param name="pairs">Also two events at any two boundaries; takes minutes.</param>
    /// <param name="mutant">A fault that is planted first, of <see cref="Mutants"/>.</param>
    /// <param name="samples">For each function, also so many schedules of three events.</param>
    /// <param name="seed">What chooses them.</param>
    /// <exception cref="LabException">There is no such design, function, event or fault, or the design has no place for the
    /// fault.</exception>
    public CheckResult Check(
        string design, IReadOnlyList<string>? functions = null, IReadOnlyList<string>? events = null, bool pairs = false,
        string? mutant = null, int samples = 0, ulong seed = 1)
    {
        List<CheckedFunction> wanted = FunctionsOf(design, functions);
        IReadOnlyList<string> names = Known(events, [.. CheckEvents.Select(e => e.Name)], "event");
        List<CheckEvent> chosen = [.. CheckEvent.All.Where(e => names.Contains(e.Name))];
        using CheckRig rig = RigOf(design);
        if (mutant is not null)
            Mutant.Find(mutant).MustPlant(rig);
        var explorer = new Explorer(rig);
        return new CheckResult(
            design, rig.Settings, rig.Bounds, [.. wanted.Where(f => f.IsIn(rig)).SelectMany(Cells)]);

        IEnumerable<CheckCell> Cells(CheckedFunction function)
        {
            IEnumerable<CheckCell> cells = explorer.Explore(function, chosen, pairs);
            return samples == 0 ? cells : cells.Append(explorer.SampleThree(function, chosen, seed, samples));
        }
    }

    /// <summary>Runs one schedule of <see cref="Check"/> and writes every instruction and event.</summary>
    /// <param name="schedule">Its ID, as <see cref="CheckCell.Schedule"/> gives it.</param>
    /// <param name="output">Where the trace is written.</param>
    /// <param name="mutant">A fault that is planted first.</param>
    /// <param name="brief">EL1 code as one line a function.</param>
    /// <returns>Whether the schedule holds.</returns>
    /// <exception cref="LabException">The ID is none of this laboratory.</exception>
    public bool Replay(string schedule, TextWriter output, string? mutant = null, bool brief = false)
    {
        bool held = ReplaySteps(schedule, step => output.WriteLine(step.ToString()), mutant, brief);
        output.Flush();
        return held;
    }

    /// <summary>The same, step by step.</summary>
    /// <inheritdoc cref="Replay"/>
    public bool ReplaySteps(string schedule, Action<ReplayStep> output, string? mutant = null, bool brief = false) =>
        ReplayTrace.Run(CheckSettings(), Schedule.Parse(schedule), mutant is null ? null : Mutant.Find(mutant), brief, output);

    /// <summary>Opens a schedule, as <see cref="Check"/> names it, in a debugger. The result says whether it holds.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="serve">Serves a debugger; the machine stands before the first instruction of the call.</param>
    /// <param name="mutant">A fault that is planted first; null: none.</param>
    /// <exception cref="LabException">There is no such schedule.</exception>
    public bool DebugReplay(string schedule, Action<DebugTarget> serve, string? mutant = null) =>
        ReplayTrace.Debug(CheckSettings(), Schedule.Parse(schedule), mutant is null ? null : Mutant.Find(mutant), serve);

    /// <summary>Plants each fault that has a place in a design, and says what finds it.</summary>
    /// <param name="design">The design.</param>
    /// <param name="functions">Names of <see cref="CheckedFunctions"/>; null: all.</param>
    /// <exception cref="LabException">There is no such design or function.</exception>
    public IEnumerable<MutantResult> HuntMutants(string design, IReadOnlyList<string>? functions = null) =>
        MutantHunt.Run(CheckSettings(), design, FunctionsOf(design, functions));

    /// <summary>Plants a fault at each place of a design in turn, named by symbol and offset: each instruction that a call executes is
    /// removed, each store of an update is dropped, delayed, misdirected and doubled, each barrier of it removed. Takes minutes.</summary>
    /// <param name="design">The design.</param>
    /// <param name="functions">Names of <see cref="CheckedFunctions"/>; null: all.</param>
    /// <param name="events">Names of <see cref="CheckEvents"/> that may find one; null: all.</param>
    /// <exception cref="LabException">There is no such design, function or event.</exception>
    public IEnumerable<FaultResult> PlantFaults(
        string design, IReadOnlyList<string>? functions = null, IReadOnlyList<string>? events = null)
    {
        IReadOnlyList<string> names = Known(events, [.. CheckEvents.Select(e => e.Name)], "event");
        return FaultTable.Run(
            CheckSettings(), design, FunctionsOf(design, functions), [.. CheckEvent.All.Where(e => names.Contains(e.Name))]);
    }

    /// <summary>What a process can learn of others from the data pages of a design, and whether it can change them.</summary>
    /// <param name="design">The design.</param>
    /// <exception cref="LabException">There is no such design.</exception>
    public Exposure Expose(string design) => ExposureProbe.Examine(CheckSettings(), design);

    /// <summary>Builds a design in a folder (docs/own-design.md) with clang-19 and ld.lld-19.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>What there is now, for people.</returns>
    /// <exception cref="LabException">A tool is missing, or something is wrong in the folder: which file, line and field.</exception>
    public static IReadOnlyList<string> BuildDesign(string folder) => DesignBuilder.Build(folder);

    /// <summary>Begins a design in a folder that is not there yet, or empty.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="from">A design to copy; null: one that serves getpid alone.</param>
    /// <returns>Names of the files.</returns>
    /// <exception cref="LabException">There is no such design to copy, or the folder has something in it.</exception>
    public static IReadOnlyList<string> InitDesign(string folder, string? from = null) => DesignStart.Make(folder, from);

    /// <summary>The attack on a kernel that trusts a writable data page, for each way to treat the page. It has settings of its
    /// own.</summary>
    public static IEnumerable<WritablePageResult> AttackWritablePage() => WritablePageAttack.Run();

    /// <summary>The system calls of a workload, by call and process, with what they cost. A run that a limit or a deadlock ends has what
    /// was counted until then (<see cref="WorkloadRun.EndedBy"/>).</summary>
    /// <param name="program">The program and its arguments.</param>
    /// <param name="hooks">Its streams.</param>
    /// <param name="countVdso">Whether calls that the vDSO answers are counted; several times slower.</param>
    /// <exception cref="LabException">It cannot be run.</exception>
    public WorkloadRun CountCalls(IReadOnlyList<string> program, SessionHooks hooks, bool countVdso = true) =>
        WorkloadOf(program, hooks, countVdso).Run(settings, null, true, true, partly: true);

    /// <summary>One run of a program that is counted, recorded and taken apart at once: its system calls as <see cref="CountCalls"/> has
    /// them, a recording, and the parts of its calls as <see cref="MeasureKernelPath"/> has them. Each instruction is looked at.</summary>
    /// <param name="program">The program and its arguments.</param>
    /// <param name="file">The recording's name, for errors.</param>
    /// <param name="recording">Where it is written.</param>
    /// <param name="hooks">The program's streams.</param>
    /// <exception cref="LabException">It cannot be run.</exception>
    public ObservedRun Observe(IReadOnlyList<string> program, string file, Stream recording, SessionHooks hooks) =>
        new RunObserver(settings, program, file, recording).Run(hooks);

    /// <summary>What a workload would save if a design's vDSO answered its calls, less what its switches would pay: estimated, then
    /// measured by running it with those calls redirected.</summary>
    /// <param name="program">The program and its arguments.</param>
    /// <param name="design">The design.</param>
    /// <param name="hooks">Its streams; the first run is shown, all read the same input.</param>
    /// <param name="against">The design that it is compared with.</param>
    /// <param name="placements">In how many placements of pages in RAM the runs are made.</param>
    /// <param name="countVdso">Whether calls that the vDSO answers are counted; several times slower.</param>
    /// <param name="progress">Told what is being run.</param>
    /// <exception cref="LabException">It cannot be run, there is no such design, or a limit was reached.</exception>
    public WhatIfResult WhatIf(
        IReadOnlyList<string> program, string design, SessionHooks hooks, string against = "none", int placements = 5,
        bool countVdso = true,
        Action<string>? progress = null) =>
        new WhatIf(
            WorkloadOf(program, hooks, countVdso), settings with { Vdso = design }, settings with { Vdso = against }, placements,
            progress).Run();

    /// <summary>Blocks of assembly cycle by cycle, round after round on a bare core: the regions between markers of llvm-mca
    /// (<c>LLVM-MCA-BEGIN</c>, <c>LLVM-MCA-END</c>), or the whole file. A block that returns is called as a function.</summary>
    /// <param name="file">A file of assembly.</param>
    /// <param name="rounds">Rounds that are recorded.</param>
    /// <param name="cold">The first rounds, not the steady state.</param>
    /// <exception cref="LabException">It is not code, or does not come to its end.</exception>
    public IReadOnlyList<ExplainedBlock> ExplainBlocks(string file, int rounds = 3, bool cold = false) =>
        BlockExplainer.Explain(settings, file, rounds, cold);

    /// <summary>Calls of a function in a run, cycle by cycle, with the reason of every wait.</summary>
    /// <param name="target">A function of the vDSO (also by its system call's name), of EL1 code or of the program, or an address
    /// (0x...).</param>
    /// <param name="program">The program and its arguments; null: one that calls every function of the vDSO.</param>
    /// <param name="instructions">Instructions after which a call is cut off.</param>
    /// <param name="call">Number of the call, from 1; 0: the first and the fastest of the first 64.</param>
    /// <param name="hooks">The program's streams; null: output thrown away.</param>
    /// <exception cref="LabException">There is no such function, or it was not called so often.</exception>
    public IReadOnlyList<ExplainedCall> ExplainCalls(
        string target, IReadOnlyList<string>? program = null, int instructions = 400, int call = 0, SessionHooks? hooks = null) =>
        CallExplainer.Explain(settings, target, program, instructions, call, hooks ?? new SessionHooks());

    /// <summary>What system calls execute at EL1, by class, part and function.</summary>
    /// <param name="program">The program and its arguments; null: a guest of short calls.</param>
    /// <param name="hooks">Its streams; null: no input, output thrown away.</param>
    /// <exception cref="LabException">It cannot be run, or a limit was reached.</exception>
    public KernelPathResult MeasureKernelPath(IReadOnlyList<string>? program = null, SessionHooks? hooks = null)
    {
        if (program is null)
            return new KernelPathResult(settings, KernelPathSampler.Measure(settings));
        KernelPathSampler? sampler = null;
        using var session = new Session(settings, program[0], [.. program.Skip(1)], (hooks ?? new SessionHooks()) with
        {
            Switching = (cpu, _, _) => sampler?.Switched(cpu),
        });
        session.Machine.Observer = sampler = new KernelPathSampler(session.Kernel);
        session.Run();
        return new KernelPathResult(settings, sampler.TypicalCalls());
    }

    /// <summary>The core models against reference figures.</summary>
    /// <param name="sets">Names of <see cref="Yardsticks"/>; null: all.</param>
    /// <param name="data">Tables in place of those built in.</param>
    /// <param name="core">The one core that is judged, as <see cref="YardstickSet.Cores"/> of the sets names it; null: all.</param>
    /// <exception cref="LabException">There is no such set, or a table is not well formed.</exception>
    public static IEnumerable<YardstickResult> Measure(
        IReadOnlyList<string>? sets = null, YardstickData? data = null, string? core = null)
    {
        IReadOnlyList<string> names = Known(sets, [.. Yardsticks.Select(s => s.Name)], "set");
        foreach (YardstickSet set in Yardsticks.Where(s => names.Contains(s.Name)))
        {
            IReadOnlyList<YardstickResult> results;
            try
            {
                YardstickData tables = data ?? YardstickData.BuiltIn;
                results = [.. core is not null && set.OfCore is { } single ? single(tables, core) : set.Run(tables)];
            }
            catch (Exception e) when (e is YardstickException or Emulator.Timing.Models.CoreModelException)
            {
                throw new LabException(e.Message, LabFault.Input, e);
            }
            foreach (YardstickResult result in results.Where(r => core is null || r.Core == core))
                yield return result;
        }
    }

    private Workload WorkloadOf(IReadOnlyList<string> program, SessionHooks hooks, bool countVdso) =>
        new(settings, program[0], [.. program.Skip(1)], countVdso, hooks);

    private SessionSettings CheckSettings()
    {
        if (settings.Cpus is < 2 or > Machine.MaxCpus)
            throw new LabException($"the checker needs 2 to {Machine.MaxCpus} CPUs", LabFault.Input);
        settings.Validate();
        return settings;
    }

    private CheckRig RigOf(string design) => new(CheckRig.With(CheckSettings(), design));

    private static List<CheckedFunction> FunctionsOf(string design, IReadOnlyList<string>? names)
    {
        IReadOnlyList<CheckedFunction> all = CheckedFunction.Of(Design(design));
        IReadOnlyList<string> known = Known(names, [.. all.Select(f => f.Name)], "function");
        return [.. all.Where(f => known.Contains(f.Name))];
    }

    private static int Threads(int threads) =>
        threads is >= 2 and <= 64 ? threads : throw new LabException($"{threads} threads: 2 to 64", LabFault.Input);

    private static IReadOnlyList<string> Known(IReadOnlyList<string>? names, IReadOnlyList<string> known, string what)
    {
        string? unknown = names?.FirstOrDefault(n => !known.Contains(n));
        return unknown is null
            ? names ?? known
            : throw new LabException($"there is no {what} '{unknown}'; known: {string.Join(' ', known)}", LabFault.Input);
    }
}
