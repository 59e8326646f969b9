using ArmVdso.Emulator.Isa;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.KernelPath;

/// <summary>Watches system calls from the SVC to the next instruction of EL0: instructions by class and function, cycles by part.
/// Calls that an interrupt or a switch disturbed are left out.</summary>
internal sealed class KernelPathSampler(LinuxKernel kernel) : OffsetTrace(kernel, _ => { })
{
    /// <summary>A call that a CPU is in.</summary>
    private sealed class Open
    {
        internal required PathSample Sample { get; init; }

        internal required string Name { get; init; }

        internal required ulong Began { get; init; }

        internal required ulong Charged { get; init; }

        internal required ulong Last { get; set; }

        internal PathPart Part { get; set; } = PathPart.Entry;
    }

    /// <summary>Samples of a call beyond which the oldest are dropped: the warm ones are the last.</summary>
    private const int MostSamples = 4096;

    private const int Getres = 114, Gettime = 113;
    private readonly LinuxKernel _kernel = kernel;
    private readonly Dictionary<ulong, (string Function, PathPart Part)> _functions = [];
    private readonly Open?[] _open = new Open?[kernel.Machine.Cpus.Count];

    /// <summary>Samples by call, in the order of their first appearance.</summary>
    internal Dictionary<string, List<PathSample>> Samples { get; } = [];

    public override bool WantsInstructions => true;

    /// <summary>A CPU goes to another task: the call that it was in is disturbed.</summary>
    internal void Switched(Cpu cpu) => _open[cpu.Index] = null;

    public override void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL != 0 || offset != 0)
            _open[cpu.Index] = null;
    }

    public override void OnInstruction(Cpu cpu, uint instruction)
    {
        Open? open = _open[cpu.Index];
        if (open is not null)
        {
            open.Sample.CyclesByPart[(int)open.Part] += cpu.Cycles - open.Last;
            open.Last = cpu.Cycles;
        }
        if (cpu.EL == 0)
        {
            if (open is not null)
                Finish(cpu, open);
            _open[cpu.Index] = (instruction & 0xFFE0001F) != 0xD4000001 ? null : new Open
            {
                Sample = new PathSample(),
                Name = NameOf(cpu),
                Began = cpu.Cycles,
                Charged = cpu.Timing.ChargedCycles,
                Last = cpu.Cycles,
            };
            return;
        }
        if (open is null)
            return;
        ulong pc = cpu.PC;
        if (!_functions.TryGetValue(pc, out (string Function, PathPart Part) where))
            _functions[pc] = where = Find(pc);
        open.Part = where.Part;
        open.Sample.InstructionsByPart[(int)where.Part]++;
        open.Sample.Classes[(int)ClassOf(instruction)]++;
        open.Sample.InstructionsByFunction[where.Function] = open.Sample.InstructionsByFunction.GetValueOrDefault(where.Function) + 1;
    }

    private void Finish(Cpu cpu, Open open)
    {
        open.Sample.Cycles = cpu.Cycles - open.Began;
        open.Sample.ChargedCycles = cpu.Timing.ChargedCycles - open.Charged;
        if (!Samples.TryGetValue(open.Name, out List<PathSample>? list))
            Samples[open.Name] = list = [];
        if (list.Count == MostSamples)
            list.RemoveRange(0, MostSamples / 2);
        list.Add(open.Sample);
    }

    /// <summary>Names of the rows of the stock tables where there is one.</summary>
    private static string NameOf(Cpu cpu)
    {
        int number = (int)cpu.W(8);
        string name = SyscallTable.Find(number) is { } row ? row.Name : "bad";
        return (number, cpu.W(0)) switch
        {
            (Gettime, 1) => "clock_gettime",
            (Gettime, 6) => "clock_gettime_coarse",
            (Gettime, var clock) => $"clock_gettime:{clock}",
            (Getres, _) => "clock_getres",
            _ => name,
        };
    }

    private (string Function, PathPart Part) Find(ulong pc)
    {
        string name = _kernel.El1.FunctionAt(pc) ?? "?";
        if (name.StartsWith("tramp_", StringComparison.Ordinal) || name.StartsWith("bhb_loop_kpti", StringComparison.Ordinal))
            return ("kpti_trampoline", PathPart.Trampoline);
        if (name.StartsWith("bhb_loop", StringComparison.Ordinal) || name == "__bp_harden_el1_vectors")
            return ("__bp_harden_el1_vectors", PathPart.Trampoline);
        return (name, name switch
        {
            "vectors" or "el0t_64_sync" => PathPart.Entry,
            "ret_to_user" => PathPart.Exit,
            "el0t_64_sync_handler" or "el0_svc" or "cortex_a76_erratum_1463225_svc_handler" or "do_el0_svc" or "el0_svc_common"
                or "invoke_syscall" or "get_random_u16" or "arch_local_irq_save" => PathPart.Dispatch,
            _ => PathPart.Body,
        });
    }

    /// <summary>The class of an encoding.</summary>
    internal static PathClass ClassOf(uint instruction)
    {
        if (instruction == 0xD503201F)
            return PathClass.Nop;
        if (instruction == 0xD503229F)
            return PathClass.Barrier;
        if ((instruction & 0xFFF8F01F) == 0xD500401F)
            return PathClass.Write;
        return RowInfo.Class(Decoder.Decode(instruction)) switch
        {
            TimingClass.Load or TimingClass.LoadPair or TimingClass.LoadLiteral or TimingClass.LoadAcquire or TimingClass.LoadFp
                or TimingClass.LoadSimd => PathClass.Load,
            TimingClass.Store or TimingClass.StorePair or TimingClass.StoreRelease or TimingClass.StoreFp or TimingClass.StoreSimd =>
                PathClass.Store,
            TimingClass.Branch or TimingClass.BranchCond or TimingClass.BranchCmp or TimingClass.BranchReg or TimingClass.Call
                or TimingClass.CallReg or TimingClass.Ret => PathClass.Branch,
            TimingClass.Mrs => PathClass.Read,
            TimingClass.Msr => PathClass.Write,
            TimingClass.Barrier or TimingClass.Isb => PathClass.Barrier,
            TimingClass.Atomic or TimingClass.LoadExcl or TimingClass.StoreExcl => PathClass.Atomic,
            _ => PathClass.Other,
        };
    }

    /// <summary>The call that stands for the warm ones: the one with the median cycles of the second half.</summary>
    internal static PathSample Typical(List<PathSample> samples)
    {
        PathSample[] warm = [.. samples.Skip(samples.Count / 2).OrderBy(s => s.Cycles)];
        return warm[warm.Length / 2];
    }

    /// <summary>Runs our guest of short system calls and returns the typical call of each name.</summary>
    internal static Dictionary<string, PathSample> Measure(SessionSettings settings)
    {
        using var guest = new EmbeddedGuest("kernelpath");
        KernelPathSampler? sampler = null;
        guest.Run(settings, [], session => session.Machine.Observer = sampler = new KernelPathSampler(session.Kernel));
        return sampler!.TypicalCalls();
    }

    /// <summary>The typical call of each name.</summary>
    internal Dictionary<string, PathSample> TypicalCalls() => Samples.ToDictionary(p => p.Key, p => Typical(p.Value));
}
