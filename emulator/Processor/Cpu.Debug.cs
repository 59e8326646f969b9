using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>What debuggers outside of the machine need of a PE.</summary>
public sealed partial class Cpu
{
    private const PagePermissions Reads = PagePermissions.UserRead | PagePermissions.KernelRead;
    private const PagePermissions Writes = PagePermissions.UserWrite | PagePermissions.KernelWrite;

    private bool _held;

    /// <summary>Whether watchpoints are not looked at: it has been decided about the instruction.</summary>
    [field: NotState("only inside of an instruction")]
    internal bool Unwatched { get; set; }

    /// <summary>Whether what is pending is no exception: the instruction has not been executed, and is executed when the machine goes
    /// on.</summary>
    internal bool Held => _held;

    /// <summary>Called while an HVC is served: it changes nothing, and is executed again when the machine goes on after the stop that was
    /// requested.</summary>
    public void RepeatCall()
    {
        RaiseException(ExceptionClass.Hvc64, 0);
        _held = true;
    }

    /// <summary>Forgets what is held.</summary>
    internal void LetGo() => _pending = _held = false;

    /// <summary>Watched bytes are accessed: the instruction is held, and looked at as a whole.</summary>
    private bool HoldsWatched(ulong va, int size, bool write)
    {
        if (Unwatched || Machine.Debug is not { } debug || !debug.Covers(va, (ulong)size, write))
            return false;
        RaiseException(EL == 0 ? ExceptionClass.WatchpointLower : ExceptionClass.WatchpointSame, 0);
        return _held = true;
    }

    /// <summary>Permissions that the TLB may keep: none for accesses that are looked at in a page that holds watched bytes.</summary>
    private PagePermissions WithoutWatched(ulong va, PagePermissions permissions)
    {
        WatchKind kinds = Machine.Debug?.WatchedIn(va) ?? 0;
        return permissions & ~((kinds & WatchKind.Read) != 0 ? Reads : 0) & ~((kinds & WatchKind.Write) != 0 ? Writes : 0);
    }
}
