using System.Text;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Proc;
using ArmVdso.Kernel.Signals;
using ArmVdso.Lab.Statistics;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Crash;

/// <summary>Makes the record of a crash while the process is still whole (<see cref="KernelHooks.Crash"/>).</summary>
public static class CrashRecorder
{
    private const int Around = 6, MostThreads = 64;

    /// <summary>Whether a signal's default means that the program did something wrong, rather than that somebody ended it.</summary>
    public static bool IsFault(int signal) => Signal.HasAddress(signal) || signal is Signal.SIGABRT or Signal.SIGSYS;

    /// <summary>Makes the record.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="task">The task that took the signal.</param>
    /// <param name="info">The signal.</param>
    /// <param name="core">The guest path of the core file; null: none.</param>
    public static CrashRecord Record(LinuxKernel kernel, KernelTask task, SignalInfo info, string? core)
    {
        MemoryMap memory = task.Mm ?? throw new ArgumentException("the task has no memory any more", nameof(task));
        var code = new CodeMap(kernel);
        var walker = new StackWalker(kernel, memory, code);
        ThreadContext registers = kernel.Records.Context(kernel.Machine, task);
        ThreadGroup group = task.Group;
        string[] maps = kernel.MapsOf(memory).TrimEnd('\n').Split('\n');
        ulong? address = info.Synchronous || info.Code > 0 && info.Code != Signal.SI_KERNEL ? info.Address : null;
        return new CrashRecord
        {
            Pid = group.Pid,
            Tid = task.Tid,
            Name = task.Comm,
            Command = Encoding.UTF8.GetString(ProgramStrings.Arguments(memory)).TrimEnd('\0').Replace('\0', ' '),
            Signal = Signal.NameOf(info.Number),
            Code = SignalCodes.NameOf(info.Number, info.Code),
            Meaning = Meaning(info, address),
            Address = address,
            Region = address is { } va ? Region(memory, maps, va) : "",
            Registers = registers,
            Instructions = Instructions(walker, registers.PC),
            Threads = [.. Threads(kernel, walker, task)],
            Calls = [.. group.RecentCalls.All().Select(c => Describe(group, c))],
            Maps = maps,
            Cycle = kernel.Clock.Now,
            Cpu = task.Cpu,
            Core = core,
        };
    }

    private static string Meaning(SignalInfo info, ulong? address) => (info.Number, info.Code) switch
    {
        (Signal.SIGSEGV, Signal.SEGV_MAPERR) => "nothing is mapped there",
        (Signal.SIGSEGV, Signal.SEGV_ACCERR) => "the mapping does not allow it",
        (Signal.SIGBUS, Signal.BUS_ADRALN) => "the address is not aligned",
        (Signal.SIGBUS, Signal.BUS_ADRERR) => "past the end of the file",
        (Signal.SIGTRAP, Signal.TRAP_BRKPT) => "BRK instruction",
        (Signal.SIGILL, Signal.ILL_ILLOPC) => "instruction that the CPU does not have",
        (Signal.SIGILL, Signal.ILL_ILLOPN) => "pointer authentication failed",
        (_, Signal.SI_USER or Signal.SI_QUEUE or Signal.SI_TKILL) when address is null => $"sent by process {info.Pid}",
        (_, Signal.SI_KERNEL) => "sent by the kernel",
        _ => "",
    };

    private static string Region(MemoryMap memory, string[] maps, ulong address)
    {
        ulong va = address & (memory.TaskSize - 1);
        IReadOnlyList<Vma> areas = memory.Vmas;
        Vma? below = null;
        for (int i = 0; i < areas.Count && areas[i].Start <= va; i++)
        {
            below = areas[i];
            if (va < below.End)
                return string.Join(' ', maps[i].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        Vma? above = memory.FindAtOrAbove(va);
        string under = below is null ? "" : $"0x{va - below.End:x} above {NameOf(below)}";
        string over = above is null ? "" : $"0x{above.Start - va:x} below {NameOf(above)}";
        return under.Length == 0 || over.Length == 0 ? under + over : $"{under}, {over}";
    }

    private static string NameOf(Vma area) => $"{area.Start:x}-{area.End:x} {area.Name ?? area.File?.Path ?? "anonymous"}";

    private static List<CrashInstruction> Instructions(StackWalker walker, ulong pc)
    {
        var list = new List<CrashInstruction>();
        for (ulong at = pc - 4 * Around; at <= pc + 4 * Around; at += 4)
        {
            if ((pc & 3) == 0 && walker.Read(at, out uint word))
                list.Add(new CrashInstruction(at, walker.Name(at).Name, word, Disassembler.Disassemble(word, at)));
        }
        return list;
    }

    private static IEnumerable<CrashThread> Threads(LinuxKernel kernel, StackWalker walker, KernelTask task)
    {
        foreach (KernelTask thread in task.Group.Threads.OrderBy(t => ReferenceEquals(t, task) ? 0 : 1).Take(MostThreads))
        {
            string state = ReferenceEquals(thread, task) ? "took the signal" : thread.Syscall is { } call
                ? $"in {Strace.NameAndRegisters(call)}" : thread.OnCpu ? "running" : "ready to run";
            yield return new CrashThread(thread.Tid, thread.Comm, state, walker.Walk(kernel.Records.Context(kernel.Machine, thread)));
        }
    }

    private static string Describe(ThreadGroup group, RecentCall call) =>
        (group.Threads.Count > 1 ? $"[pid {call.Tid}] " : "") + Strace.Short(call);
}
