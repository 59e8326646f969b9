namespace ArmVdso.Emulator.Processor;

/// <summary>Calls of EL1 code by system software outside: a function is run in the middle of an HVC, or before the first
/// instruction.</summary>
public sealed partial class Cpu
{
    /// <summary>What a PE was at before a call from outside.</summary>
    public readonly struct OutsideCall
    {
        internal readonly Snapshot Before;
        internal readonly int AccessCount;
        internal readonly bool BranchTaken, Waiting;

        internal OutsideCall(in Snapshot before, Cpu cpu)
        {
            Before = before;
            AccessCount = cpu.AccessCount;
            BranchTaken = cpu.BranchTaken;
            Waiting = cpu.Waiting;
        }
    }

    /// <summary>Puts the PE at the start of a function of EL1, interrupts masked. The caller then steps it until it is at
    /// <paramref name="returnTo"/>: what it executes is retired and timed as everything else.</summary>
    /// <param name="function">Address of the function.</param>
    /// <param name="returnTo">What LR is; nothing need be there.</param>
    /// <param name="stack">What SP is, a multiple of 16.</param>
    /// <param name="arguments">X0 and on, up to eight.</param>
    public OutsideCall BeginCall(ulong function, ulong returnTo, ulong stack, params ReadOnlySpan<ulong> arguments)
    {
        var call = new OutsideCall(Save(), this);
        EL = 1;
        SPSel = true;
        Daif = 0xF;
        BType = BTypeNext = 0;
        SP = stack;
        for (int i = 0; i < arguments.Length; i++)
            SetX(i, arguments[i]);
        SetX(30, returnTo);
        PC = NextPC = function;
        return call;
    }

    /// <summary>Puts the PE back to where it was; instructions and cycles stay counted.</summary>
    public void EndCall(in OutsideCall call)
    {
        Snapshot before = call.Before;
        before.Instructions = Instructions;
        // What the function stored, other PEs' monitors have seen.
        before.Monitors = Monitors.Save();
        Restore(before);
        AccessCount = call.AccessCount;
        BranchTaken = call.BranchTaken;
        Waiting = call.Waiting;
    }
}
