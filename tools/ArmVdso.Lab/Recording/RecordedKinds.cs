namespace ArmVdso.Lab.Recording;

/// <summary>Names of events and of their numbers: those of Linux's trace points where there are such.</summary>
public static class RecordedKinds
{
    private static readonly string[] s_duration = ["cycles"];

    /// <summary>All events.</summary>
    public static IReadOnlyList<RecordedKind> All { get; } = Enum.GetValues<RecordedKind>();

    /// <summary>The name of an event.</summary>
    public static string NameOf(RecordedKind kind) => kind switch
    {
        RecordedKind.Switch => "sched_switch",
        RecordedKind.Migration => "sched_migrate_task",
        RecordedKind.Offset => "tpidrro_write",
        RecordedKind.VdsoEnter => "vdso_enter",
        RecordedKind.VdsoExit => "vdso_exit",
        RecordedKind.SyscallEnter => "sys_enter",
        RecordedKind.SyscallExit => "sys_exit",
        RecordedKind.Signal => "signal_deliver",
        RecordedKind.FaultEnter => "fault_enter",
        RecordedKind.FaultExit => "fault_exit",
        RecordedKind.InterruptEnter => "irq_enter",
        RecordedKind.InterruptExit => "irq_exit",
        RecordedKind.Counters => "counters",
        RecordedKind.Exec => "sched_process_exec",
        _ => "sched_process_exit",
    };

    /// <summary>The set that an event belongs to.</summary>
    public static RecordedSet SetOf(RecordedKind kind) => kind switch
    {
        RecordedKind.Switch or RecordedKind.Migration => RecordedSet.Switches,
        RecordedKind.Offset => RecordedSet.Offsets,
        RecordedKind.VdsoEnter or RecordedKind.VdsoExit => RecordedSet.Vdso,
        RecordedKind.SyscallEnter or RecordedKind.SyscallExit => RecordedSet.Syscalls,
        RecordedKind.Signal => RecordedSet.Signals,
        RecordedKind.FaultEnter or RecordedKind.FaultExit => RecordedSet.Faults,
        RecordedKind.InterruptEnter or RecordedKind.InterruptExit => RecordedSet.Interrupts,
        RecordedKind.Counters => RecordedSet.Counters,
        _ => RecordedSet.Tasks,
    };

    /// <summary>The words for sets, as options take them.</summary>
    public static IReadOnlyList<(string Word, RecordedSet Set)> Words { get; } =
    [
        .. Enum.GetValues<RecordedSet>().Select(s => (s.ToString().ToLowerInvariant(), s)),
    ];

    /// <summary>The names of an event's numbers, in their order. Of a write of TPIDRRO_EL0 the fields of the slot follow, when it names
    /// one.</summary>
    /// <param name="kind">The event.</param>
    /// <param name="header">The recording's header, which names counters and fields.</param>
    public static IReadOnlyList<string> ValuesOf(RecordedKind kind, RecordingHeader header) => kind switch
    {
        RecordedKind.Switch => ["prev_state"],
        RecordedKind.Migration => ["orig_cpu", "left"],
        RecordedKind.Offset => ["old", "new", .. header.SlotFields],
        RecordedKind.VdsoEnter => ["x0", "x1", "x2", "x3", "x4", "x5"],
        RecordedKind.VdsoExit => ["ret", "cycles"],
        RecordedKind.SyscallEnter => ["nr", "x0", "x1", "x2", "x3", "x4", "x5"],
        RecordedKind.SyscallExit => ["nr", "ret", "cycles", "charged"],
        RecordedKind.Signal => ["sig", "code", "address"],
        RecordedKind.FaultEnter => ["address", "pc", "esr", "el"],
        RecordedKind.InterruptEnter => ["pc", "el"],
        RecordedKind.FaultExit or RecordedKind.InterruptExit => s_duration,
        RecordedKind.Counters => header.Counters,
        RecordedKind.Exit => ["status"],
        _ => [],
    };

    /// <summary>Whether a number is an address, a register or bits.</summary>
    internal static bool IsHex(string value) => value is "address" or "pc" or "esr" or "old" or "new" or ['x', >= '0' and <= '5'];

    /// <summary>The letters of ps for states in which a task was left, by their numbers in a recording.</summary>
    internal const string StateLetters = "RSTZXDtIP";

    /// <summary>The letter of ps for the state in which a task was left.</summary>
    internal static char StateLetter(long state) => state >= 0 && state < StateLetters.Length ? StateLetters[(int)state] : '?';
}
