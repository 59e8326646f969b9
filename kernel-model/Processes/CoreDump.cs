using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Processes;

/// <summary>How core files are named (/proc/sys/kernel/core_pattern, core_uses_pid, /proc/sys/fs/suid_dumpable).</summary>
internal sealed class CoreSettings
{
    /// <summary>The name, with % for what it depends on.</summary>
    internal string Pattern { get; set; } = "core";

    /// <summary>Not 0: .PID is added where the pattern does not say it.</summary>
    internal int UsesPid { get; set; }

    /// <summary>What processes get that changed their user: 0 no core file, 1 as others, 2 readable by root alone.</summary>
    internal int Privileged { get; set; }
}

/// <summary>Writes the core file of a process into the guest's files (do_coredump in fs/coredump.c).</summary>
internal sealed class CoreDump(
    Machine machine, Vfs vfs, TaskRecords records, Timekeeper timekeeper, CoreSettings settings, Action<string> log)
{
    /// <summary>ELF_EXEC_PAGESIZE: what RLIMIT_CORE has to allow at least.</summary>
    private const ulong LeastLimit = 4096;

    private const int NotDumpable = 0, DumpableByRoot = 2;

    /// <summary>Writes the core file of a process whose threads are still there.</summary>
    /// <param name="task">The task that took the signal.</param>
    /// <param name="info">The signal.</param>
    /// <returns>The file's path in the guest; null: none was written, as limits, permissions or space had it.</returns>
    internal string? Write(KernelTask task, SignalInfo info)
    {
        ThreadGroup group = task.Group;
        ulong limit = group.Rlimits[Rlimits.Core].Soft;
        if (limit < LeastLimit || group.Dumpable == NotDumpable || task.Mm is null)
            return null;
        bool safe = group.Dumpable == DumpableByRoot;
        if (settings.Pattern.StartsWith('|'))
        {
            log($"{task}: no core file: core_pattern names a program, which is not run");
            return null;
        }
        string name = NameOf(task, info);
        if (name.Length == 0 || (safe && name[0] != '/'))
            return null;
        vfs.Enter(task);
        var caller = new Caller(safe ? Credentials.For(0, 0) : task.Credentials, task.Fs);
        if (safe)
            vfs.Unlink(caller, task.Fs.Cwd, name);
        int flags = OpenFlags.O_CREAT | OpenFlags.O_WRONLY | OpenFlags.O_NOFOLLOW | OpenFlags.O_LARGEFILE | (safe ? OpenFlags.O_EXCL : 0);
        if (vfs.Open(caller, task.Fs.Cwd, name, flags, 0x180, task, out OpenFile? file) < 0 || file is null)
            return null;
        try
        {
            Inode inode = file.Inode;
            if ((inode.Mode & Modes.S_IFMT) != Modes.S_IFREG || inode.Nlink != 1 || inode.Uid != caller.Credentials.Fsuid
                || inode.Truncate(0) < 0)
                return null;
            new CoreFile(machine, records, task, info, new CoreSink(file, limit)).Write();
            return file.Path;
        }
        finally
        {
            file.Release();
        }
    }

    /// <summary>format_corename.</summary>
    private string NameOf(KernelTask task, SignalInfo info)
    {
        var name = new StringBuilder();
        string pattern = settings.Pattern;
        bool withPid = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%')
            {
                name.Append(pattern[i]);
                continue;
            }
            if (++i == pattern.Length)
                break;
            withPid |= pattern[i] is 'p';
            name.Append(Specifier(pattern[i], task, info));
        }
        if (!withPid && settings.UsesPid != 0)
            name.Append('.').Append(task.OwnPid);
        return name.ToString();
    }

    private string Specifier(char letter, KernelTask task, SignalInfo info) => letter switch
    {
        '%' => "%",
        'p' => Text(task.OwnPid),
        'P' => Text(task.Group.Pid),
        'i' => Text(task.OwnTid),
        'I' => Text(task.Tid),
        'u' => Text(task.Credentials.Uid),
        'g' => Text(task.Credentials.Gid),
        'd' => Text(task.Group.Dumpable),
        's' => Text(info.Number),
        't' => Text(timekeeper.RealtimeNs / 1_000_000_000),
        'h' => Part(task.Uts.Host),
        'e' => Part(task.Comm),
        'f' => Part(PathOf(task).Split('/')[^1]),
        'E' => Part(PathOf(task)),
        'c' => Text(task.Group.Rlimits[Rlimits.Core].Soft),
        'C' => Text(task.Cpu),
        _ => "",
    };

    private static string PathOf(KernelTask task) => task.Mm?.Executable?.Path ?? task.Comm;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a guest chose stays one part of a path (cn_esc_printf).</summary>
    private static string Part(string text) => text is "." or ".." ? "!" + text[1..] : text.Length == 0 ? "!" : text.Replace('/', '!');
}
