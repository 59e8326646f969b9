namespace ArmVdso.Kernel.Tasks;

/// <summary>A system call that a process made.</summary>
/// <param name="Tid">The thread.</param>
/// <param name="Number">System call number.</param>
/// <param name="Arguments">Its six arguments as the registers held them.</param>
/// <param name="Result">What it gave; null: the thread is in it.</param>
public readonly record struct RecentCall(int Tid, int Number, IReadOnlyList<ulong> Arguments, long? Result);

/// <summary>The last system calls of a process, for the report of its end. Calls that EL1 code answers by itself are not among
/// them.</summary>
public sealed class RecentCalls
{
    private const int Kept = 16;
    private readonly SystemCall?[] _calls = new SystemCall?[Kept];
    private int _count;

    /// <summary>A call begins.</summary>
    internal void Add(SystemCall call) => _calls[_count++ % Kept] = call;

    /// <summary>The calls, the oldest first.</summary>
    public IEnumerable<RecentCall> All()
    {
        for (int i = Math.Max(0, _count - Kept); i < _count; i++)
        {
            SystemCall c = _calls[i % Kept]!;
            yield return new RecentCall(c.Task.Tid, c.Number, [c.Arg(0), c.Arg(1), c.Arg(2), c.Arg(3), c.Arg(4), c.Arg(5)], c.Result);
        }
    }
}
