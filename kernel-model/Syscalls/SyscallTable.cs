using ArmVdso.Kernel.Costs;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>How much of a system call is there.</summary>
public enum SyscallSupport
{
    /// <summary>Not known: ENOSYS.</summary>
    None,

    /// <summary>Accepted without effect, or always the same error; the note says which.</summary>
    Stub,

    /// <summary>What programs commonly use; the note says what is missing.</summary>
    Partial,

    /// <summary>All that the manual page describes and that this model can show.</summary>
    Full,
}

/// <summary>One system call.</summary>
/// <param name="Number">arm64 number.</param>
/// <param name="Name">Name in the UAPI.</param>
/// <param name="Body">What it does.</param>
/// <param name="Support">How much of it is there.</param>
/// <param name="Arguments">Argument names and strace types, separated by spaces.</param>
/// <param name="Note">What is missing, or nothing.</param>
/// <param name="Cost">Cost class.</param>
public sealed record SyscallRow(
    int Number, string Name, Func<SyscallContext, long> Body, SyscallSupport Support, string Arguments, string Note, CostClass Cost);

/// <summary>All system calls, declared once: dispatch, strace and the support document derive from it.</summary>
public static partial class SyscallTable
{
    private static readonly SyscallRow?[] Rows = Build();

    /// <summary>The row of a number, or null.</summary>
    public static SyscallRow? Find(int number) => (uint)number < (uint)Rows.Length ? Rows[number] : null;

    /// <summary>All rows in the order of their numbers.</summary>
    public static IEnumerable<SyscallRow> All => Rows.OfType<SyscallRow>();

    /// <summary>Name of a number, known or not.</summary>
    public static string NameOf(int number) => Find(number)?.Name ?? SyscallNames.Find(number) ?? $"syscall_{number}";

    private static SyscallRow?[] Build()
    {
        var rows = new SyscallRow?[512];
        foreach (SyscallRow row in FileRows().Concat(ProcessRows()).Concat(MemoryRows()).Concat(TimeRows()))
        {
            if (rows[row.Number] is { } other)
                throw new InvalidOperationException($"system call {row.Number} declared twice: {other.Name}, {row.Name}");
            rows[row.Number] = row;
        }
        return rows;
    }
}
