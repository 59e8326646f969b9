using System.Globalization;
using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Lab.Boot;

/// <summary>What bodies in C# are to be charged on a core, from a measurement: for each piece of work, what the booted kernel needs for it
/// on that core less what the model executes for it. kernel-model/Costs/measured.CORE.tsv is written by this.</summary>
public sealed class KernelCosts
{
    /// <summary>Pages of anonymous memory that the guest has touched when it forks, and as many more as it has for its loop fork_of_many
    /// (Guests/truth.c: ROUNDS, MORE).</summary>
    private const int PagesAtFork = 96, MorePages = 256;

    /// <summary>Pages of a large mapping (MANY), and of those that a file's fault maps around the one that faults.</summary>
    private const int Many = 16;

    /// <summary>Lines of a page, which a fault that gives one writes.</summary>
    private const int PageLines = 4096 / 64;

    /// <summary>Cycles; those of them that wait for lines; what the lines that miss cost one by one; instructions.</summary>
    private readonly record struct Work(long Cycles, long Stall, long Lines, long Instructions)
    {
        public static Work operator +(Work a, Work b) =>
            new(a.Cycles + b.Cycles, a.Stall + b.Stall, a.Lines + b.Lines, a.Instructions + b.Instructions);

        public static Work operator -(Work a, Work b) =>
            new(a.Cycles - b.Cycles, a.Stall - b.Stall, a.Lines - b.Lines, a.Instructions - b.Instructions);

        public static Work operator *(Work a, int n) => new(a.Cycles * n, a.Stall * n, a.Lines * n, a.Instructions * n);

        public static Work operator /(Work a, int n) => new(a.Cycles / n, a.Stall / n, a.Lines / n, a.Instructions / n);
    }

    /// <summary>A row: the work, and the lines that the booted kernel touches for it beside those of its way in and out.</summary>
    private sealed record Row(string Name, Work Work, IReadOnlySet<ulong> Code, IReadOnlySet<ulong> Data, int Pages = 0);

    /// <summary>Rows that are one activity of one loop.</summary>
    private static readonly (string Row, string Round, string Key)[] s_simple =
    [
        ("times", "times", "call 153"), ("umask", "umask", "call 166"), ("uname", "uname", "call 160"),
        ("prlimit64", "prlimit64", "call 261"), ("getrusage", "getrusage", "call 165"), ("cpu_clock", "cpu_clock", "call 113"),
        ("sched_yield", "sched_yield", "call 124"), ("sched_getaffinity", "sched_getaffinity", "call 123"),
        ("set_tid_address", "set_tid_address", "call 96"), ("getrandom", "getrandom", "call 278"),
        ("rt_sigprocmask", "rt_sigprocmask", "call 135"), ("rt_sigaction", "rt_sigaction", "call 134"),
        ("fcntl", "fcntl_getfl", "call 25"), ("lseek", "lseek", "call 62"), ("ioctl_bad", "ioctl_bad", "call 29"),
        ("dup", "dup_close", "call 23"), ("close_again", "dup_close", "call 57"), ("close", "open_close", "call 57"),
        ("openat", "open_close", "call 56"), ("fstat", "fstat", "call 80"), ("newfstatat", "newfstatat", "call 79"),
        ("read_zero", "read_zero", "call 63"), ("write_null", "write_null", "call 64"),
        ("pread", "pread_file", "call 67"), ("pread_page", "pread_page", "call 67"),
        ("pwrite", "pwrite_file", "call 68"), ("pwrite_page", "pwrite_page", "call 68"),
        ("read_pipe", "pipe_write_read", "call 63"), ("read_pipe_block", "pipe_write_read_block", "call 63"),
        ("write_pipe", "pipe_write_read", "call 64"), ("write_pipe_block", "pipe_write_read_block", "call 64"),
        ("epoll_create", "epoll_create_close", "call 20"), ("epoll_close", "epoll_create_close", "call 57"), ("ppoll", "ppoll", "call 73"),
        ("futex_wake", "futex_wake", "call 98 1"), ("futex_wait", "futex_changed", "call 98 0"), ("brk", "brk", "call 214"),
        ("mmap", "mmap_munmap", "call 222"), ("mmap_file", "map_file_read", "call 222"), ("munmap", "mmap_munmap", "call 215"),
        ("mprotect", "mprotect", "call 226"), ("kill", "signal_ignored", "call 131"), ("sigreturn", "signal", "call 139"),
        ("fault_read", "fault_read", "read"), ("fault_write", "fault_write", "write"), ("fault_file", "map_file_read", "read"),
        ("fault_file_write", "map_file_write", "write"), ("fault_copy", "copy_on_write", "protected write"),
    ];

    private static readonly CycleCause[] s_stalls =
        [CycleCause.InstructionCache, CycleCause.L2, CycleCause.L3, CycleCause.Dram, CycleCause.Coherence];

    private static readonly HashSet<ulong> s_none = [];
    private readonly KernelTruthResult _result;
    private readonly long _l2Cycles, _memoryCycles;
    private readonly List<Row> _rows = [];

    /// <summary>Makes the rows.</summary>
    /// <exception cref="LabException">The booted kernel did not do something that is charged.</exception>
    public KernelCosts(KernelTruthResult result)
    {
        _result = result;
        Dictionary<string, int> core = result.Settings.Model().Parameters.ToDictionary(p => p.Key, p => p.Value);
        const int nsPerMicrosecond = 1000;
        _l2Cycles = core["l2_latency"];
        _memoryCycles = core["l3_latency"] + (long)core["dram_latency"] * core["clock"] / nsPerMicrosecond;
        foreach ((string row, string round, string key) in s_simple)
        {
            // Pages that a fault writes or copies are lines of their own each time: the model fills those.
            int pages = row switch { "fault_write" => 1, "fault_copy" or "fault_file_write" => 2, _ => 0 };
            _rows.Add(Single(row, round, key, Body(round, key)) with { Pages = pages });
        }
        Work change = Body("pipe_two_switches", "call 63") - Body("pipe_write_read", "call 63");
        Work forked = (Body("fork_of_many", "call 220") - Body("fork_exit_wait", "call 220")) / MorePages;
        Work unmapped = (Body("fork_of_many", "call 94") - Body("fork_exit_wait", "call 94")) / MorePages;
        Work dropped = (Body("fork_touch_exit", "call 94") - Body("fork_of_many", "call 94")) / MorePages + unmapped;
        Work start = Body("fork_exit_wait", "start"), startThread = Body("thread_exit_wait", "start");
        Work wake = Body("pipe_two_switches", "call 64") - Body("pipe_write_read", "call 64");
        Work changeThread = Body("futex_two_switches", "call 98 0") - Body("futex_changed", "call 98 0");
        Work wakeFutex = Body("futex_two_switches", "call 98 1") - Body("futex_wake", "call 98 1");
        Work freed = (Body("map_touch_many", "call 215") - Body("map_touch", "call 215")) / (Many - 1);
        Work filePage = (Body("map_file_read_many", "call 215") - Body("map_file_read", "call 215")) / (Many - 1);
        _rows.AddRange([
            More("switch", ("pipe_two_switches", "call 63"), ("pipe_write_read", "call 63")),
            More("wake", ("pipe_two_switches", "call 64"), ("pipe_write_read", "call 64")),
            More("switch_thread", ("futex_two_switches", "call 98 0"), ("futex_changed", "call 98 0")),
            More("wake_futex", ("futex_two_switches", "call 98 1"), ("futex_wake", "call 98 1")),
            More("deliver", ("signal", "call 131"), ("signal_ignored", "call 131")),
            new("page_forked", forked, s_none, s_none), new("page_unmapped", unmapped, s_none, s_none),
            new("page_dropped", dropped, s_none, s_none),
            new("page_freed", freed, s_none, s_none), new("page_file", filePage, s_none, s_none),
            new("page_around", (Body("map_file_read_many", "read") - Body("map_file_read", "read")) / (Many - 1), s_none, s_none),
            Single("munmap_used", "map_touch", "call 215", Body("map_touch", "call 215") - freed),
            Single("munmap_file", "map_file_read", "call 215", Body("map_file_read", "call 215") - filePage),
            Single("fork", "fork_exit_wait", "call 220", Body("fork_exit_wait", "call 220") + start - forked * PagesAtFork),
            Single("thread", "thread_exit_wait", "call 220", Body("thread_exit_wait", "call 220") + startThread),
            Single("execve", "fork_exec_exit_wait", "call 221", Body("fork_exec_exit_wait", "call 221") - unmapped * PagesAtFork),
            Single("exit", "fork_exit_wait", "call 94", Body("fork_exit_wait", "call 94") - change - wake - unmapped * PagesAtFork),
            // What is left of a thread is taken away later, by threads of the kernel.
            Single("thread_exit", "thread_exit_wait", "call 93", Body("thread_exit_wait", "call 93") - changeThread - wakeFutex
                + Body("thread_exit_wait", ActivitySampler.KernelThreads)),
            Single("wait4", "fork_exit_wait", "call 260", Body("fork_exit_wait", "call 260") - change),
        ]);
    }

    private Row Single(string row, string round, string key, Work work) =>
        Make(row, work, Booted(round, key), Booted("enosys", "call 999"));

    private Row More(string row, (string Round, string Key) with, (string Round, string Key) less) => Make(
        row, Body(with.Round, with.Key) - Body(less.Round, less.Key), Booted(with.Round, with.Key), Booted(less.Round, less.Key));

    private static Row Make(string row, Work work, Activity activity, Activity less) =>
        new(row, work, activity.Code.Except(less.Code).ToHashSet(), activity.Data.Except(less.Data).ToHashSet());

    private Activity Booted(string round, string key) => _result.Booted.TryGetValue((round, key), out Activity? booted)
        ? booted : throw new LabException($"the booted kernel did no '{key}' in the loop {round} of kernel-truth", LabFault.Failed);

    /// <summary>What the booted kernel does beyond what the model executes.</summary>
    private Work Body(string round, string key)
    {
        Activity? model = _result.Model.GetValueOrDefault((round, key));
        return Of(Booted(round, key), 0) - (model is null ? default : Of(model, model.Figures.Charged));
    }

    private Work Of(Activity activity, ulong charged)
    {
        TruthFigures f = activity.Figures;
        ulong stall = s_stalls.Aggregate(0UL, (sum, cause) => sum + f.Causes.GetValueOrDefault(cause));
        long lines = (long)(f.L1IMisses + f.L1DMisses) * _l2Cycles + (long)f.L2Misses * _memoryCycles;
        return new Work((long)(f.Cycles - charged), (long)stall, lines, (long)f.Instructions);
    }

    /// <summary>Writes the table.</summary>
    public void Write(TextWriter output)
    {
        SessionSettings s = _result.Settings;
        output.Write(
            $"# Work of the kernel that is charged on the core {s.Core}: what Linux {_result.Release} needs for it, booted on "
            + $"that core, less what the model executes ({s.KernelConfiguration}).\n"
            + "# Written by kernel-truth --charges. Cycles of warm rounds, modelled; stall: those of them that wait for lines; misses: "
            + "what the lines that miss would cost one by one; common: of the lines, those that other rows touch too.\n"
            + "row\tcycles\tstall\tmisses\tinstructions\tinstruction_lines\tcommon\tdata_lines\tcommon\n");
        HashSet<ulong> code = Common(_rows.Select(r => r.Code)), data = Common(_rows.Select(r => r.Data));
        foreach (Row row in _rows)
        {
            Work w = row.Work;
            long[] values =
            [
                w.Cycles, w.Stall, w.Lines, w.Instructions, row.Code.Count, row.Code.Count(code.Contains),
                row.Data.Count - row.Pages * PageLines, row.Data.Count(data.Contains),
            ];
            output.Write($"{row.Name}\t{string.Join('\t', values.Select(v => Math.Max(0, v).ToString(CultureInfo.InvariantCulture)))}\n");
        }
    }

    private static HashSet<ulong> Common(IEnumerable<IReadOnlySet<ulong>> rows) =>
        rows.SelectMany(r => r).GroupBy(l => l).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet();
}
