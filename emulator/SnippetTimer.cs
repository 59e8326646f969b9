using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator;

/// <summary>Times short instruction sequences on a bare one-core machine at EL1, with caches, TLBs and predictors warm: what hardware
/// micro-benchmarks measure. Memory is identity mapped; see the constants for what lies where.</summary>
public sealed class SnippetTimer : IDisposable
{
    /// <summary>Where the sequence is placed.</summary>
    public const ulong Code = 0x100000;

    /// <summary>A page of RET instructions, one page behind the sequence: the target of calls 0x1000 bytes ahead.</summary>
    public const ulong Returns = Code + 0x1000;

    /// <summary>First byte of memory for data.</summary>
    public const ulong Data = 0x200000;

    private const uint Nop = 0xD503201F;
    private const uint Ret = 0xD65F03C0;
    private const uint ReadCycles = 0xD53B9D14;
    private const ulong DefaultMemory = 16UL << 20;
    private const int WarmRuns = 40;
    private readonly Machine _machine;

    /// <summary>The core.</summary>
    public Cpu Cpu { get; }

    /// <summary>RAM.</summary>
    public PhysicalMemory Ram => _machine.Memory;

    /// <summary>A machine of one core with the given model ("none" or as <see cref="CoreModel.Load"/>).</summary>
    /// <param name="core">The model.</param>
    /// <param name="memory">Bytes of RAM.</param>
    /// <exception cref="CoreModelException">No such model, or it is not well formed.</exception>
    public SnippetTimer(string core, ulong memory = DefaultMemory)
    {
        _machine = new Machine(1, memory, CoreTimings.Of(core)) { ClockFrequency = CoreModel.Load(core).ClockFrequency };
        Cpu = _machine.Cpus[0];
        AddressSpace space = _machine.CreateAddressSpace(39);
        space.MapLinear(0, memory, PagePermissions.KernelRead | PagePermissions.KernelWrite | PagePermissions.KernelExecute);
        Cpu.WriteTtbr0(space.Handle);
        Cpu.CPACR_EL1 = 3UL << 20;
        for (ulong pa = Returns; pa < Returns + 0x1000; pa += 4)
            _machine.Memory.Write(pa, Ret);
    }

    /// <summary>Cycles of a sequence as a single shot: 32 NOPs, a read of the cycle counter, the sequence, another read; the
    /// difference minus 1 (so an empty sequence takes 0). The sequence has been executed often before.</summary>
    /// <param name="words">Encodings; branches stay inside the sequence.</param>
    /// <param name="prepare">Sets registers before each run.</param>
    /// <exception cref="InvalidOperationException">The sequence took an exception.</exception>
    public ulong SingleShot(ReadOnlySpan<uint> words, Action<Cpu> prepare)
    {
        ulong first = Code + 32 * 4;
        ulong last = first + 4 + 4 * (ulong)words.Length;
        for (ulong pa = Code; pa < first; pa += 4)
            Ram.Write(pa, Nop);
        Ram.Write(first, ReadCycles);
        for (int i = 0; i < words.Length; i++)
            Ram.Write(first + 4 + 4 * (ulong)i, words[i]);
        Ram.Write(last, ReadCycles);
        ulong cycles = 0;
        for (int run = 0; run <= WarmRuns; run++)
        {
            Restart();
            prepare(Cpu);
            RunTo(first);
            ulong start = Cpu.Cycles;
            RunTo(last);
            cycles = Cpu.Cycles - start - 1;
            RunTo(last + 4);
        }
        return cycles;
    }

    /// <summary>Cycles of one sequence in a long run of copies of it, one after another.</summary>
    /// <param name="words">Encodings; calls go 0x1000 bytes ahead.</param>
    /// <param name="prepare">Sets registers before each run over the copies.</param>
    /// <exception cref="InvalidOperationException">The sequence took an exception.</exception>
    public double PerCopy(ReadOnlySpan<uint> words, Action<Cpu> prepare)
    {
        int copies = Math.Max(1, 144 / words.Length);
        for (int i = 0; i < copies * words.Length; i++)
            Ram.Write(Code + 4 * (ulong)i, words[i % words.Length]);
        ulong end = Code + 4 * (ulong)(copies * words.Length);
        Restart();
        ulong start = 0;
        const int Warm = 4;
        const int Counted = 8;
        for (int run = 0; run < Warm + Counted; run++)
        {
            if (run == Warm)
                start = Cpu.Cycles;
            Cpu.PC = Code;
            prepare(Cpu);
            RunTo(end);
        }
        return (double)(Cpu.Cycles - start) / (Counted * copies);
    }

    /// <summary>Goes to the start of the sequence at EL1 with interrupts masked.</summary>
    public void Restart()
    {
        Cpu.PC = Code;
        Cpu.EL = 1;
        Cpu.SPSel = true;
        Cpu.Daif = 0xF;
    }

    /// <summary>Executes until the PC is there.</summary>
    /// <exception cref="InvalidOperationException">The sequence took an exception.</exception>
    public void RunTo(ulong pc)
    {
        ulong exceptions = Cpu.ExceptionEntries;
        while (Cpu.PC != pc)
        {
            ulong at = Cpu.PC;
            Cpu.Step();
            if (Cpu.ExceptionEntries != exceptions)
                throw new InvalidOperationException($"exception {Cpu.PendingClass} at 0x{at:x}, instruction {Ram.Read<uint>(at):x8}");
        }
    }

    /// <summary>Gives the machine's memory back.</summary>
    public void Dispose() => _machine.Dispose();
}
