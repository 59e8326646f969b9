using ArmVdso.Assembler;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Yardsticks.Sequences;

/// <summary>Runs a block as an endless loop and tells the cycles of one round in the steady state.</summary>
public static class LoopRunner
{
    private const int Warm = 100;
    private const ulong Area = 0x10000;

    /// <summary>Cycles a round.</summary>
    /// <param name="core">Core model.</param>
    /// <param name="asm">The block; a branch at its end, wherever it goes, closes the loop. A block without is repeated one copy after
    /// another.</param>
    /// <param name="rounds">Rounds that are counted, after 200 to warm up.</param>
    /// <param name="registers">Sets registers at the start and whenever the loop was left; each general register holds the address of
    /// memory of its own before.</param>
    /// <exception cref="AssemblerException">The block is not code.</exception>
    /// <exception cref="InvalidOperationException">It takes an exception.</exception>
    public static double Cycles(string core, string asm, int rounds, Action<Cpu> registers)
    {
        uint[] words = AssemblyProgram.Parse(asm.Replace(';', '\n')).Words;
        if (words.Length == 0)
            throw new InvalidOperationException("no instructions");
        using var timer = new SnippetTimer(core);
        uint indices = LoopBlock.Indices(words);
        Action<Cpu> given = registers;
        registers = cpu =>
        {
            for (int i = 0; i < 31; i++)
            {
                if (((indices >> i) & 1) != 0)
                    cpu.SetX(i, 0);
            }
            given(cpu);
        };
        int copies = LoopBlock.Place(timer, words, out bool loop, out ulong end);
        // The first pass brings the memory that the rounds touch into the caches.
        Rounds(timer, rounds + Warm, copies, end, loop, registers);
        Rounds(timer, Warm, copies, end, loop, registers);
        ulong start = timer.Cpu.Cycles;
        int counted = Rounds(timer, rounds, copies, end, loop, null);
        return (double)(timer.Cpu.Cycles - start) / counted;
    }

    /// <summary>Runs so many rounds and perhaps a few more. Without registers to set it goes on where it is.</summary>
    private static int Rounds(SnippetTimer timer, int rounds, int copies, ulong end, bool loop, Action<Cpu>? registers)
    {
        if (registers is not null)
            Prepare(timer, registers);
        int done = 0;
        for (; done < rounds; done += copies)
        {
            do
            {
                ulong exceptions = timer.Cpu.ExceptionEntries;
                ulong pc = timer.Cpu.PC;
                timer.Cpu.Step();
                if (timer.Cpu.ExceptionEntries != exceptions)
                    throw new InvalidOperationException(
                        $"exception {timer.Cpu.PendingClass} at instruction {(pc - SnippetTimer.Code) / 4}");
            }
            while (timer.Cpu.PC != SnippetTimer.Code && timer.Cpu.PC != end);
            if (timer.Cpu.PC == end && loop)
                Prepare(timer, registers ?? (_ => { }));
            else if (timer.Cpu.PC == end)
                timer.Cpu.PC = SnippetTimer.Code;
        }
        return done;
    }

    private static void Prepare(SnippetTimer timer, Action<Cpu> registers)
    {
        timer.Restart();
        for (int i = 0; i < 31; i++)
            timer.Cpu.SetX(i, SnippetTimer.Data + (Area * (ulong)i) + (0x840 * (ulong)(i & 15)));
        for (int i = 0; i < 32; i++)
            timer.Cpu.SetV(i, new V128(0x3FF0000000000000, 0x3FF0000000000000));
        registers(timer.Cpu);
    }
}
