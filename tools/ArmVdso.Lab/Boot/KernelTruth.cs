using ArmVdso.Emulator.Board;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab.Boot;

/// <summary>One kind of call, fault or switch on the booted kernel and on the model.</summary>
/// <param name="Name">As Guests/truth.c names it.</param>
/// <param name="Booted">On the booted kernel: all executed.</param>
/// <param name="Model">On the kernel model.</param>
public sealed record TruthRow(string Name, TruthFigures Booted, TruthFigures Model);

/// <summary>The model against a booted kernel.</summary>
/// <param name="Settings">Core, profile, and the model's configuration.</param>
/// <param name="Release">What the booted kernel calls itself.</param>
/// <param name="Rows">The rows, in the order of the guest.</param>
/// <param name="Booted">What the booted kernel does for each reason, by loop of the guest and by reason.</param>
/// <param name="Model">What the model does, likewise.</param>
public sealed record KernelTruthResult(
    SessionSettings Settings, string Release, IReadOnlyList<TruthRow> Rows,
    IReadOnlyDictionary<(string Round, string Key), Activity> Booted, IReadOnlyDictionary<(string Round, string Key), Activity> Model);

/// <summary>Runs one program (Guests/truth.c) on a booted kernel, as its first process, and on the kernel model, on the same core with one
/// CPU.</summary>
public static class KernelTruth
{
    private const string Begin = "kernel-truth: begin";

    /// <summary>Measures.</summary>
    /// <param name="settings">Core, profile and limits; the model's configuration.</param>
    /// <param name="image">File of the kernel that is booted.</param>
    /// <param name="arguments">Its command line, before what the guest needs.</param>
    /// <exception cref="LabException">The kernel cannot be booted, or the guest did not do its work on one of them.</exception>
    public static KernelTruthResult Measure(SessionSettings settings, string image, string arguments)
    {
        // Who runs next is part of what is charged: the measurements of the charges were made so.
        settings = settings.OnCpus(1) with { Scheduler = settings.Scheduler ?? SchedulerKind.Arrival };
        using var guest = new EmbeddedGuest("truth");
        Dictionary<string, ulong> symbols = guest.Symbols();
        ActivitySampler? model = null;
        guest.Run(settings, [], session => session.Machine.Observer = model = new ActivitySampler(symbols));
        Dictionary<string, TruthFigures> modelled = model!.Figures();

        var sampler = new ActivitySampler(symbols);
        string release = Boot(settings, new BootFiles { Kernel = image, Arguments = arguments }, sampler);
        Dictionary<string, TruthFigures> booted = sampler.Figures();
        return new KernelTruthResult(
            settings, release, [.. booted.Select(b => new TruthRow(b.Key, b.Value, modelled[b.Key]))],
            sampler.Activities(), model.Activities());
    }

    private static string Boot(SessionSettings settings, BootFiles files, TruthSampler sampler)
    {
        using var guest = new BootedGuest(settings, files, "truth", "init");
        // Watching each instruction is slow: only the guest's part of the run is watched.
        guest.Session.PauseAfter(Begin, () => guest.Session.Machine.Observer = sampler);
        return guest.Session.Run() == BoardEnd.PowerOff && guest.Line.Text.Contains(Begin, StringComparison.Ordinal)
            ? guest.Release
            : throw guest.Failed("kernel-truth");
    }
}
