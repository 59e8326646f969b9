using System.Text.RegularExpressions;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.Tracing;

/// <summary>The sets of strace's -e: names, classes (%file), expressions (/^get), all but some (!).</summary>
public static class StraceFilter
{
    /// <summary>Results that -e status= can choose.</summary>
    public static IReadOnlyList<string> Statuses { get; } = ["successful", "failed", "unfinished", "unavailable", "detached"];

    private static readonly Dictionary<string, string[]> Classes = new()
    {
        ["process"] = ["clone", "clone3", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "kill", "tkill", "tgkill",
            "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"],
        ["network"] = ["socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "sendto",
            "recvfrom", "setsockopt", "getsockopt", "shutdown", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg"],
        ["signal"] = ["rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigqueueinfo",
            "rt_tgsigqueueinfo", "rt_sigsuspend", "sigaltstack", "kill", "tkill", "tgkill", "signalfd4", "pidfd_send_signal"],
        ["memory"] = ["brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall",
            "mincore", "msync", "mbind", "get_mempolicy", "set_mempolicy", "pkey_mprotect", "process_madvise", "shmat", "shmdt"],
        ["ipc"] = ["shmget", "shmat", "shmdt", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl"],
        ["creds"] = ["getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "setuid", "setgid", "setreuid",
            "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capget", "capset", "prctl"],
        ["clock"] = ["clock_gettime", "clock_settime", "clock_getres", "clock_adjtime", "gettimeofday", "settimeofday", "adjtimex"],
        ["pure"] = ["getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getpgid", "getsid"],
    };

    /// <summary>The calls of a set.</summary>
    /// <exception cref="ArgumentException">A word of it is not known.</exception>
    public static Func<string, bool> Calls(string text)
    {
        bool inverted = text.StartsWith('!');
        List<Func<string, bool>> words = [.. text.TrimStart('!').Split(',').Select(Word)];
        return name => inverted != words.Exists(w => w(name));
    }

    private static Func<string, bool> Word(string word)
    {
        if (word is "all")
            return _ => true;
        if (word is "none")
            return _ => false;
        if (word.StartsWith('/'))
        {
            var expression = new Regex(word[1..], RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            return expression.IsMatch;
        }
        bool optional = word.StartsWith('?');
        string name = word.TrimStart('?', '%');
        if (word.StartsWith('%') || Classes.ContainsKey(name) || name is "file" or "desc")
        {
            if (name is "file" or "desc")
                return call => Takes(call, name == "file");
            return Classes.TryGetValue(name, out string[]? calls)
                ? call => calls.Contains(call)
                : throw new ArgumentException($"there is no class '%{name}'; known: file, desc, {string.Join(", ", Classes.Keys)}");
        }
        if (!optional && !SyscallTable.All.Any(r => r.Name == name))
            throw new ArgumentException($"there is no system call '{name}'{Nearest.Hint(name, SyscallTable.All.Select(r => r.Name))}");
        return call => call == name;
    }

    private static bool Takes(string call, bool file) => StraceTables.Call(call) is { } format
        && (format.Arguments.Any(a => file ? a.Kind == "path" : a.Kind is "fd" or "dirfd") || (!file && format.Result is "fd"));

    /// <summary>The signals of a set: names with or without SIG, or numbers.</summary>
    /// <exception cref="ArgumentException">There is no such signal.</exception>
    public static Func<int, bool> Signals(string text)
    {
        bool inverted = text.StartsWith('!');
        string[] words = text.TrimStart('!').Split(',');
        if (words is ["all"] or ["none"])
            return _ => inverted != (words[0] == "all");
        int[] numbers = [.. words.Select(w => Enumerable.Range(1, Signal.Count).FirstOrDefault(n =>
            StraceText.SignalName(n) is var name && (name == w || name[3..] == w || w == StraceText.Number(n))) is > 0 and var n
            ? n : throw new ArgumentException($"there is no signal '{w}'"))];
        return signal => inverted != numbers.Contains(signal);
    }
}
