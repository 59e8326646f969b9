using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Lab.Crash;
using ArmVdso.Lab.Explain;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Debug;

/// <summary>What only this machine can say or do: GDB's "monitor".</summary>
public sealed partial class ProgramTarget
{
    private const int MostOffsets = 256, UsualOffsets = 10, MostExplained = 1000, UsualExplained = 16;

    private sealed record MonitorCommand(
        string Name, string Arguments, string Meaning, Func<ProgramTarget, KernelTask?, string[], string> Do);

    private static readonly MonitorCommand[] s_commands =
    [
        new("help", "", "this list", (_, _, _) => Help()),
        new("cycles", "", "cycles and instructions of each CPU, and whom it runs", (t, _, _) => t.Cycles()),
        new("schedule", "", "who runs where, who waits for a CPU, who sleeps for what", (t, _, _) => t.Schedule()),
        new("slots", "", "the vDSO's slots: what each says, and whether TPIDRRO_EL0 names it", (t, _, _) => t.Slots()),
        new("vvar", "", "the vDSO's clock data", (t, _, _) => t.ClockData()),
        new("offsets", "[N]", "the last N writes of TPIDRRO_EL0 (10): when, who, why, and the slot", (t, _, w) => t.Offsets(w)),
        new("explain", "[N]", "the next N instructions of this CPU (16) in the pipeline; the run stays here", (t, k, w) => t.Explain(k, w)),
        new("interrupt", "", "this thread's CPU is interrupted before its next instruction", (t, k, _) => t.Preempt(k)),
        new("migrate", "CPU|any", "this thread runs on that CPU alone from its next instruction on", (t, k, w) => t.Migrate(k, w)),
    ];

    /// <inheritdoc/>
    public override string Monitor(ThreadId thread, string[] words)
    {
        string name = words.Length == 0 ? "help" : words[0];
        foreach (MonitorCommand command in s_commands)
        {
            if (command.Name == name)
                return command.Do(this, Find(thread), words[Math.Min(1, words.Length)..]);
        }
        return $"there is no monitor command '{name}'{Nearest.Hint(name, s_commands.Select(c => c.Name))}; 'monitor help' lists them\n";
    }

    private static string Help()
    {
        var text = new StringBuilder();
        foreach (MonitorCommand command in s_commands)
            text.Append($"monitor {$"{command.Name} {command.Arguments}",-18} {command.Meaning}\n");
        return text.ToString();
    }

    /// <summary>The number that a command is given.</summary>
    private static int? Number(string[] words, int usual, int most) => words.Length == 0 ? usual
        : int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 && n <= most ? n : null;

    private static string NoNumber(string[] words, int most) => $"'{words[0]}' is not a number from 1 to {most}\n";

    private string Cycles()
    {
        var text = new StringBuilder();
        foreach (Cpu cpu in Machine.Cpus)
        {
            string place = cpu.EL == 0 ? $"EL0 0x{cpu.PC:x}" : $"EL1 {Kernel.El1.FunctionAt(cpu.PC)}";
            text.Append(CultureInfo.InvariantCulture, $"cpu{cpu.Index}  {cpu.Cycles} cycles  {cpu.Instructions} instructions  ");
            text.Append($"{Kernel.Scheduler.Current(cpu.Index)}  {(cpu.Waiting ? "waits" : place)}\n");
        }
        return text.ToString();
    }

    private string Schedule()
    {
        var text = new StringBuilder(Cycles());
        foreach (KernelTask task in Kernel.Scheduler.Queue)
            text.Append($"ready  {task}, last on cpu{task.Cpu}\n");
        foreach (string wait in Kernel.Waits())
            text.Append(wait).Append('\n');
        return text.Append(CultureInfo.InvariantCulture, $"{Kernel.Scheduler.Switches} switches so far\n").ToString();
    }

    private static string Words(IReadOnlyDictionary<string, int>? slot) =>
        slot is null ? "" : string.Join(' ', slot.Select(f => $"{f.Key}={f.Value.ToString(CultureInfo.InvariantCulture)}"));

    private Dictionary<string, int> SlotAt(ulong pa)
    {
        var slot = new Dictionary<string, int>();
        foreach (string field in OffsetTrace.FieldsOf(Kernel.Vdso.Image))
            slot[field] = Machine.Memory.Read<int>(pa + (ulong)Kernel.Vdso.Image!.Layout($"vdso_per_cpu_data.{field}"));
        return slot;
    }

    private string Slots()
    {
        VdsoDesign design = Kernel.Vdso.Design;
        var text = new StringBuilder($"design {design.Name}; TPIDRRO_EL0: {design.RegisterMeaning}\n");
        foreach (Cpu cpu in Machine.Cpus)
        {
            KernelTask task = Kernel.Scheduler.Current(cpu.Index);
            ulong pa = Kernel.Vdso.Image is null ? 0 : design.SlotPa(task);
            text.Append($"cpu{cpu.Index}  TPIDRRO_EL0=0x{cpu.TPIDRRO_EL0:x}  runs {task}  {(pa == 0 ? "no slot" : Words(SlotAt(pa)))}\n");
        }
        return text.ToString();
    }

    private string ClockData()
    {
        if (Kernel.Vdso.Image is not { } image || Kernel.Vdso.TimePages is not [var page, ..])
            return "this design has no clock data of its own\n";
        var text = new StringBuilder();
        foreach (long clock in (long[])[image.Layout("cs_hres_coarse"), image.Layout("cs_raw")])
        {
            ulong at = page + (ulong)(image.Layout("vdso_vsys_data.data") + clock * image.Layout("vdso_data.size"));
            uint Word(string name) => Machine.Memory.Read<uint>(at + (ulong)image.Layout($"vdso_data.{name}"));
            ulong Long(string name) => Machine.Memory.Read<ulong>(at + (ulong)image.Layout($"vdso_data.{name}"));
            text.Append(CultureInfo.InvariantCulture, $"{(clock == 0 ? "hres and coarse" : "raw")}: seq {Word("seq")} ");
            text.Append(CultureInfo.InvariantCulture, $"clock_mode {(int)Word("clock_mode")} cycle_last {Long("cycle_last")} ");
            text.Append(CultureInfo.InvariantCulture, $"mask 0x{Long("mask"):x} mult {Word("mult")} shift {Word("shift")}\n");
            for (long i = 0; i < image.Layout("vdso_data.basetime.count"); i++)
            {
                ulong basis = at + (ulong)(image.Layout("vdso_data.basetime") + i * image.Layout("vdso_timestamp.size"));
                ulong seconds = Machine.Memory.Read<ulong>(basis), ns = Machine.Memory.Read<ulong>(basis + 8);
                if ((seconds | ns) != 0)
                    text.Append(CultureInfo.InvariantCulture, $"  basetime[{i}] sec {seconds} nsec {ns}\n");
            }
        }
        return text.ToString();
    }

    private void NoteOffset(OffsetWrite write)
    {
        _known.Offsets.Enqueue(write);
        if (_known.Offsets.Count > MostOffsets)
            _known.Offsets.Dequeue();
    }

    private string Offsets(string[] words)
    {
        if (Number(words, UsualOffsets, MostOffsets) is not { } count)
            return NoNumber(words, MostOffsets);
        if (Machine.Observer is not OffsetTrace)
            return "another option of the command looks at TPIDRRO_EL0 in this run\n";
        var text = new StringBuilder();
        foreach (OffsetWrite w in _known.Offsets.TakeLast(count))
        {
            string who = w.Previous == w.Next ? w.Next : $"{w.Previous} -> {w.Next}";
            text.Append(CultureInfo.InvariantCulture, $"cycle {w.Cycle}  cpu{w.Cpu}  {w.Cause}  {who}  0x{w.Old:x} -> 0x{w.New:x}");
            text.Append(w.Slot is null ? "\n" : $"  {Words(w.Slot)}\n");
        }
        return text.Length == 0 ? "none yet\n" : text.ToString();
    }

    private string Explain(KernelTask? task, string[] words)
    {
        if (Number(words, UsualExplained, MostExplained) is not { } count)
            return NoNumber(words, MostExplained);
        if (!CanReverse)
            return "this run cannot go back to here\n";
        if (task is null || CpuOf(task) is not { } cpu)
            return "no CPU runs this thread now\n";
        Moment here = Make();
        var records = new List<PipelineRecord>();
        try
        {
            PipelineRecorder.Attach(cpu, records.Add);
            _unit.RunTo(cpu, cpu.Instructions + (ulong)count);
            Replay(() => false);
        }
        catch (LabException e)
        {
            return e.Message + "\n";
        }
        finally
        {
            Restore(here);
        }
        return Table(task, records);
    }

    private string Table(KernelTask task, List<PipelineRecord> records)
    {
        var walker = new StackWalker(Kernel, task.Mm!, new CodeMap(Kernel));
        var text = new StringBuilder("fetch issue  done  where                                  instruction\n");
        long first = records.Count == 0 ? 0 : records[0].Fetched;
        foreach (PipelineRecord r in records)
        {
            string where = r.EL == 0 ? walker.Name(r.Pc).Name : $"EL1 {Kernel.El1.FunctionAt(r.Pc)}";
            string stalls = string.Join("; ", r.Stalls.Select(s => $"{s.Kind} {s.Cycles}: {s.Text}"));
            text.Append(CultureInfo.InvariantCulture, $"{r.Fetched - first,5} {r.Issued - first,5} {r.Done - first,5}  {where,-38} ");
            text.Append($"{Disassembler.Disassemble(r.Word, r.Pc),-32} {stalls}".TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    private string Preempt(KernelTask? task)
    {
        if (task is null || CpuOf(task) is not { } cpu)
            return "no CPU runs this thread now\n";
        _changed = true;
        Kernel.Scheduler.Preempt(cpu.Index);
        return $"cpu{cpu.Index} is interrupted before its next instruction at EL0\n";
    }

    private string Migrate(KernelTask? task, string[] words)
    {
        if (task is null)
            return "there is no such thread any more\n";
        bool any = words is ["any"];
        int cpu = 0;
        if (!any && (words.Length != 1 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out cpu)
            || cpu >= Machine.Cpus.Count))
            return $"which CPU? 0 to {Machine.Cpus.Count - 1}, or any\n";
        _changed = true;
        Kernel.Scheduler.Restrict(task, any ? ulong.MaxValue : 1UL << cpu);
        return any ? $"{task} may run anywhere\n" : $"{task} runs on cpu{cpu} alone from now on\n";
    }
}
