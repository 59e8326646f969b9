using ArmVdso.Kernel.Tasks;
using System.Globalization;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Lab.Designs;

/// <summary>Runs the guest of compare (Guests/compare.c), which calls each function by system call and through the vDSO.</summary>
internal static class Comparison
{
    /// <summary>Time slice in ns unless --slice says otherwise: short, so that preemption and migration happen often.</summary>
    internal const ulong SliceNs = 20_000;

    /// <summary>What can be compared: getrandom is not among it, since what it costs depends on the length.</summary>
    internal static IReadOnlyList<string> Functions { get; } =
        [.. VdsoCalls.All.Where(c => c.Answer != VdsoAnswer.Random).SelectMany(c => c.Cases.Select(k => k.Name))];

    /// <summary>Runs the guest with a design.</summary>
    internal static CallSampler Measure(SessionSettings settings, int threads) =>
        Measure(settings, [threads.ToString(CultureInfo.InvariantCulture), VdsoDesigns.Create(settings.Vdso).Name == "rseq" ? "r" : "-"], false);

    /// <summary>Runs the guest with its arguments.</summary>
    internal static CallSampler Measure(SessionSettings settings, string[] arguments, bool cold)
    {
        using var guest = new EmbeddedGuest();
        CallSampler? sampler = null;
        guest.Run(settings, arguments, session => session.Machine.Observer = sampler = new CallSampler(session.Kernel, guest.Symbols()) { Cold = cold });
        return sampler!;
    }

    /// <summary>Cycles of clock_gettime(CLOCK_MONOTONIC) by system call and by vDSO.</summary>
    internal static (ulong Syscall, ulong Vdso) Clock(SessionSettings settings)
    {
        CallSampler sampler = Measure(settings with { SliceNs = SliceNs }, 2);
        ulong empty = sampler.Samples[("empty", CallKind.Empty)].Cycles;
        const string clock = "clock_gettime_monotonic";
        return (Less(sampler.Samples[(clock, CallKind.Syscall)].Cycles, empty), Less(sampler.Samples[(clock, CallKind.Vdso)].Cycles, empty));
    }

    internal static ulong Median(List<ulong> values)
    {
        if (values.Count == 0)
            return 0;
        ulong[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    internal static ulong Less(ulong value, ulong loop) => value > loop ? value - loop : 0;
}
