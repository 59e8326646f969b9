using ArmVdso.Emulator.Board;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Lab.Boot;

/// <summary>What a function costs on a booted kernel: everything was executed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Syscall">By SVC.</param>
/// <param name="Vdso">Through the kernel's own vDSO; null: it does not export the function.</param>
public sealed record BootedFigures(string Name, CallFigures Syscall, CallFigures? Vdso);

/// <summary>System calls beside the vDSO of a booted kernel.</summary>
/// <param name="Settings">Core, profile and CPUs.</param>
/// <param name="Release">What the kernel calls itself.</param>
/// <param name="Functions">The functions.</param>
public sealed record BootedComparisonResult(SessionSettings Settings, string Release, IReadOnlyList<BootedFigures> Functions);

/// <summary>Runs the guest of compare as the first process of a booted kernel.</summary>
public static class BootedComparison
{
    private const string Begin = "compare: begin";

    /// <summary>Measures.</summary>
    /// <param name="settings">Core, profile, CPUs and limits.</param>
    /// <param name="files">The kernel.</param>
    /// <param name="functions">Names of <see cref="ArmVdsoLab.ComparedFunctions"/>; null: those that the kernel's vDSO exports.</param>
    /// <exception cref="LabException">The kernel cannot be booted, or the guest did not do its work.</exception>
    public static BootedComparisonResult Measure(SessionSettings settings, BootFiles files, IReadOnlyList<string>? functions = null)
    {
        using var guest = new BootedGuest(settings, files, "booted", "armvdso-guest");
        var sampler = new Sampler(guest.Symbols);
        // Watching each instruction is slow: only the guest's part of the run is watched.
        guest.Session.PauseAfter(Begin, () => guest.Session.Machine.Observer = sampler);
        if (guest.Session.Run() != BoardEnd.PowerOff || !guest.Line.Text.Contains(Begin, StringComparison.Ordinal))
            throw guest.Failed("compare");
        CallTable table = sampler.Table;
        IEnumerable<string> wanted = functions ?? [.. Comparison.Functions.Where(f => table.Figures(f, CallKind.Vdso) is not null)];
        return new BootedComparisonResult(settings, guest.Release, [.. wanted.Select(name => new BootedFigures(
            name, table.Figures(name, CallKind.Syscall) ?? throw guest.Failed("compare"), table.Figures(name, CallKind.Vdso)))]);
    }

    /// <summary>Watches the labels of the guest's loops. It is on one CPU and has no other thread.</summary>
    private sealed class Sampler(IReadOnlyDictionary<string, ulong> symbols) : IMachineObserver
    {
        private readonly Dictionary<ulong, (string Name, CallKind Kind)> _labels = CallTable.Labels(symbols);
        private (ulong Pc, ulong Cycles, ulong Instructions) _last;
        private bool _disturbed;
        private int _calls;

        internal CallTable Table { get; } = new();

        public bool WantsInstructions => true;

        public void OnInstruction(Cpu cpu, uint instruction)
        {
            if (cpu.EL != 0 || !_labels.TryGetValue(cpu.PC, out (string Name, CallKind Kind) label))
                return;
            CallSamples samples = Table.Of(label.Name, label.Kind);
            samples.Calls++;
            if (label.Kind == CallKind.Vdso && _calls > 0)
                samples.Fallbacks++;
            if (_last.Pc == cpu.PC && !_disturbed)
                samples.Rounds.Add((cpu.Cycles - _last.Cycles, cpu.Instructions - _last.Instructions));
            else
                samples.Disturbed++;
            _last = (cpu.PC, cpu.Cycles, cpu.Instructions);
            (_disturbed, _calls) = (false, 0);
        }

        public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
        {
            if (fromEL != 0)
                return;
            if (offset == 0 && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64)
                _calls++;
            else
                _disturbed = true;
        }

        public void OnExceptionReturn(Cpu cpu)
        {
        }

        public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
        {
        }
    }
}
