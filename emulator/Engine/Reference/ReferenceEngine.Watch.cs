using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Emulator.Engine.Reference;

/// <summary>Instructions that are held for a debugger.</summary>
public sealed partial class ReferenceEngine
{
    /// <summary>An instruction was held: it has changed nothing. A call that will be repeated stays where it is; an access to a watched
    /// page is looked at, and executed unless a debugger wants to stop before it.</summary>
    private void Hold(Row row, uint instruction)
    {
        bool access = _cpu.PendingClass != ExceptionClass.Hvc64;
        _cpu.LetGo();
        if (!access || Watched(row, instruction))
            return;
        _cpu.Unwatched = true;
        try
        {
            Step();
        }
        finally
        {
            _cpu.Unwatched = false;
        }
    }

    /// <summary>Whether a debugger stops before an instruction for what it would access: it is executed and undone.</summary>
    private bool Watched(Row row, uint instruction)
    {
        DebugUnit debug = _machine.Debug!;
        Cpu.Snapshot before = _cpu.Save();
        var journal = new WriteJournal(_ram);
        (_cpu.Journal, _cpu.Unwatched, _cpu.AccessCount) = (journal, true, 0);
        Dispatch.Execute(_cpu, row, instruction);
        (_cpu.Journal, _cpu.Unwatched) = (null, false);
        bool faulted = _cpu.ExceptionPending;
        _cpu.DropPendingException();
        journal.Undo();
        _cpu.Restore(before);
        for (int i = 0; !faulted && i < _cpu.AccessCount; i++)
        {
            ulong va = _cpu.Accesses[i].Va;
            ulong size = _cpu.Accesses[i].Size;
            bool write = _cpu.Accesses[i].Write;
            foreach (Watchpoint watchpoint in debug.Watchpoints)
            {
                if (watchpoint.Covers(va, size, write) && debug.Accesses(_cpu, watchpoint, va))
                    return true;
            }
        }
        return false;
    }
}
