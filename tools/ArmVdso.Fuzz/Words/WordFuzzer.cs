using ArmVdso.Emulator.Engine.Lockstep;

namespace ArmVdso.Fuzz.Words;

/// <summary>Random instructions on all engines: programs with branches, faults, stores to code and interrupts, of which the state is
/// compared after each slice; and blocks of each row in lockstep, compared after each instruction.</summary>
public sealed class WordFuzzer : Fuzzer
{
    private const int Slices = 12, BlocksOfARow = 40;
    private static readonly Row[] s_rows =
        [.. Enum.GetValues<Row>().Where(r => r != Row.Unallocated && RowInfo.HasSemantics(r))];

    /// <inheritdoc/>
    public override string Name => "words";

    /// <inheritdoc/>
    public override string Unit => "states";

    /// <inheritdoc/>
    public override ulong Batch => 100_000;

    /// <inheritdoc/>
    public override ulong UsualBudget => 400_000;

    /// <inheritdoc/>
    public override ulong Run(ulong seed, ulong count, HangWatch watch)
    {
        watch.Begin(null);
        ulong done = 0;
        var random = new Random((int)(seed & int.MaxValue));
        using var plain = new EngineMachine(EngineMachine.AllChecked);
        using var timed = new EngineMachine(EngineMachine.AllChecked, "cortex-a53");
        try
        {
            while (done < count)
            {
                int program = random.Next();
                ulong states = Compare(program).Instructions;
                Outcomes.Add("programs");
                watch.Alive();
                states += Lockstep(random, plain, BlocksOfARow * 4);
                states += Lockstep(random, timed, BlocksOfARow);
                watch.Alive();
                if (watch.Hangs)
                    throw new FindingException("a hang: no sign of life");
                done += states;
            }
        }
        catch (EngineMismatchException e)
        {
            throw new FindingException(e.Message, e);
        }
        catch (Exception e) when (e is not FindingException)
        {
            throw new FindingException($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}", e);
        }
        return done;
    }

    /// <summary>One program on each engine.</summary>
    /// <returns>Instructions that it executed, and blocks that became native code.</returns>
    /// <exception cref="FindingException">The engines differ.</exception>
    internal static (ulong Instructions, ulong NativeBlocks) Compare(int seed)
    {
        using var reference = new RandomMachine(EngineKind.Reference, seed);
        RandomMachine[] others = [.. Engines().Select(kind => new RandomMachine(kind, seed))];
        try
        {
            for (int slice = 0; slice < Slices; slice++)
            {
                reference.RunSlice();
                string expected = reference.State();
                foreach (RandomMachine machine in others)
                {
                    machine.RunSlice();
                    if (machine.State() is var state && state != expected)
                        throw new FindingException($"program {seed}, slice {slice}, {machine.Machine.Engine}\n{expected}\n{state}");
                }
            }
            ulong instructions = reference.Machine.Cpus.Aggregate(0UL, (sum, cpu) => sum + cpu.Instructions);
            return (instructions, others[^1].Machine.NativeCounts?.Blocks ?? 0);
        }
        finally
        {
            foreach (RandomMachine machine in others)
                machine.Dispose();
        }
    }

    private static IEnumerable<EngineKind> Engines()
    {
        yield return EngineKind.Portable;
        if (Machine.HasNativeEngine)
            yield return EngineKind.Native;
    }

    private static ulong Lockstep(Random random, EngineMachine machine, int blocks)
    {
        ulong before = machine.Machine.Check?.Compared ?? 0;
        for (int i = 0; i < blocks; i++)
            RandomBlocks.RunRow(machine, s_rows[random.Next(s_rows.Length)], random);
        return machine.Machine.Check!.Compared - before;
    }
}
