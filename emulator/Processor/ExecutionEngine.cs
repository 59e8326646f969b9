using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>Executes the instructions of one PE. The PE's state and rules are in <see cref="Cpu"/>; how instructions are found, decoded
/// and run is the engine's, with whatever it remembers of translations and code. The PE tells it what it may no longer remember.</summary>
[NotState("decoded code and translations, which are made anew")]
public abstract class ExecutionEngine
{
    /// <summary>Executes until the PE's clock reaches <paramref name="limit"/> (a cycle), it waits, or a stop is requested.</summary>
    public abstract void Run(ulong limit);

    /// <summary>Executes one instruction, or takes one interrupt.</summary>
    public abstract void Step();

    /// <summary>The translation of one page may have changed, in every context.</summary>
    /// <param name="page">Its virtual address.</param>
    public abstract void TranslationChanged(ulong page);

    /// <summary>All translations may have changed.</summary>
    public abstract void TranslationsChanged();

    /// <summary>Another context is selected (TTBRn_EL1 and what else selects translations): another of <see cref="Cpu.Contexts"/> sets of
    /// translations holds, and what is remembered of the others stays. It never happens inside a block. An engine that keeps one set
    /// forgets it.</summary>
    /// <param name="context">Number of the context, from 0.</param>
    /// <param name="forget">What is remembered under this number belongs to other translations.</param>
    public virtual void TranslationsSelected(int context, bool forget) => TranslationsChanged();

    /// <summary>Instructions in memory may have changed: each is looked for again where the PE's translation says it is.</summary>
    public abstract void CodeChanged();

    /// <summary>What the engine has made of instructions in RAM; null when it remembers none of them.</summary>
    public virtual ITranslatedCode? Code => null;
}

/// <summary>What the engines of a machine's PEs have made of instructions in RAM. It is valid as long as the instructions are: every
/// store to a page that it holds, by a PE or from outside, must reach <see cref="Invalidate"/>.</summary>
public interface ITranslatedCode
{
    /// <summary>Whether something was made of instructions in the page of a physical address.</summary>
    bool Holds(ulong pa);

    /// <summary>Drops what was made of the pages that [<paramref name="pa"/>, +<paramref name="size"/>) touches.</summary>
    /// <returns>Whether there was anything.</returns>
    bool Invalidate(ulong pa, ulong size);
}
