using System.Globalization;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Loader;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>New programs (fs/exec.c).</summary>
internal static class SysExec
{
    /// <summary>MAX_ARG_STRLEN.</summary>
    private const int MaxString = 131072;

    private static long ReadStrings(SyscallContext c, ulong at, List<string> strings)
    {
        if (at == 0)
            return 0;
        for (int total = 0; ; at += 8)
        {
            if (!c.Memory.Read(at, out ulong address))
                return -Errno.EFAULT;
            if (address == 0)
                return 0;
            long result = c.Memory.ReadString(address, MaxString, out string text);
            if (result < 0)
                return result == -Errno.ENAMETOOLONG ? -Errno.E2BIG : result;
            strings.Add(text);
            total += text.Length + 9;
            if (total > 6 << 20)
                return -Errno.E2BIG;
        }
    }

    /// <summary>execve(path, argv, envp).</summary>
    public static long Execve(SyscallContext c) => Start(c, OpenFlags.AT_FDCWD, c.Arg(0), c.Arg(1), c.Arg(2), 0);

    /// <summary>execveat(dirfd, path, argv, envp, flags).</summary>
    public static long ExecveAt(SyscallContext c) => Start(c, c.Int(0), c.Arg(1), c.Arg(2), c.Arg(3), c.Int(4));

    private static long Start(SyscallContext c, int dirfd, ulong pathAddress, ulong argvAddress, ulong envpAddress, int flags)
    {
        if ((flags & ~(OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0)
            return -Errno.EINVAL;
        long result = c.Memory.ReadString(pathAddress, 4096, out string path);
        if (result < 0)
            return result;
        if (path.Length == 0 && (flags & OpenFlags.AT_EMPTY_PATH) == 0)
            return -Errno.ENOENT;
        var argv = new List<string>();
        var envp = new List<string>();
        if ((result = ReadStrings(c, argvAddress, argv)) < 0 || (result = ReadStrings(c, envpAddress, envp)) < 0)
            return result;
        // Since 5.18 a program always gets an argv[0].
        if (argv.Count == 0)
            argv.Add("");
        var caller = new Caller(c.Task.Credentials, c.Task.Fs);
        Inode start = c.Task.Fs.Cwd;
        if (dirfd != OpenFlags.AT_FDCWD && !path.StartsWith('/'))
        {
            if (c.Files[dirfd] is not { } directory)
                return -Errno.EBADF;
            start = directory.Inode;
        }
        Inode inode = start;
        if (path.Length != 0)
        {
            result = c.Vfs.Find(caller, start, path, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, out Inode? found);
            if (result < 0)
                return result;
            inode = found!;
        }
        if ((c.Vfs.Fanotify.Any || c.State is not null) && AskForAll(c, caller, inode) is not 0 and long answer)
            return answer;
        result = c.Vfs.OpenExecutable(caller, inode, c.Task, out OpenFile? file);
        if (result < 0)
            return result;
        string comm = path.Length == 0 ? dirfd.ToString(CultureInfo.InvariantCulture) : path[(path.LastIndexOf('/') + 1)..];
        result = c.Exec.Start(c, file!, path.Length == 0 ? $"/dev/fd/{dirfd}" : path, comm, argv, envp);
        file!.Release();
        return result;
    }

    /// <summary>Asks those who want to be asked about each file that the program needs: itself, the interpreters of scripts, that of its
    /// ELF file. Of what cannot be found or executed nobody is asked; opening it says why.</summary>
    private static long AskForAll(SyscallContext c, in Caller caller, Inode inode)
    {
        bool isLast = false;
        for (int number = 0; Vfs.MayExecute(caller, inode) == 0; number++)
        {
            if (SysFanotify.AskToExecute(c, number, inode) is not 0 and long answer)
                return answer;
            if (isLast || ProgramLoader.InterpreterOf(inode, number) is not { } interpreter
                || c.Vfs.Find(caller, caller.Fs.Cwd, interpreter.Path, true, out Inode? next) < 0)
                return 0;
            (inode, isLast) = (next!, interpreter.IsLast);
        }
        return 0;
    }
}
