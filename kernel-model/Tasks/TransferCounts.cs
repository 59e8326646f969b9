namespace ArmVdso.Kernel.Tasks;

/// <summary>What was read and written by system calls (struct task_io_accounting); nothing of it went to or came from a device.</summary>
/// <param name="BytesRead">rchar.</param>
/// <param name="BytesWritten">wchar.</param>
/// <param name="Reads">Calls (syscr).</param>
/// <param name="Writes">Calls (syscw).</param>
public readonly record struct TransferCounts(long BytesRead, long BytesWritten, long Reads, long Writes)
{
    /// <summary>Both together.</summary>
    public static TransferCounts operator +(TransferCounts a, TransferCounts b) =>
        new(a.BytesRead + b.BytesRead, a.BytesWritten + b.BytesWritten, a.Reads + b.Reads, a.Writes + b.Writes);
}
