using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/locks: advisory locks on the files that processes have open (fs/locks.c).</summary>
internal static class LockText
{
    internal static string All(TaskTable tasks, PidView view)
    {
        var text = new StringBuilder();
        int number = 1;
        IEnumerable<Inode> inodes = tasks.Groups.SelectMany(g => g.Threads).Select(t => t.Files).Distinct()
            .SelectMany(f => f.Numbers.Select(n => f[n]!.Inode)).Where(i => i.Locks is not null).Distinct().OrderBy(i => i.Ino);
        foreach (Inode inode in inodes)
        {
            string file = $"{inode.Fs.Device >> 8:x2}:{inode.Fs.Device & 0xFF:x2}:{inode.Ino}";
            foreach (FileLocks.RecordLock l in inode.Locks!.Records)
            {
                int pid = l.Owner is OpenFile ? -1 : view.Number(l.Pid);
                if (pid == 0)
                    continue;
                string kind = l.Owner is OpenFile ? "OFDLCK" : "POSIX ", end = l.End == long.MaxValue ? "EOF" : $"{l.End}";
                text.Append($"{number++}: {kind} ADVISORY  {(l.Exclusive ? "WRITE" : "READ ")} {pid} ")
                    .Append($"{file} {l.Start} {end}\n");
            }
            foreach (bool exclusive in inode.Locks.Flocks)
                text.Append($"{number++}: FLOCK  ADVISORY  {(exclusive ? "WRITE" : "READ ")} -1 {file} 0 EOF\n");
        }
        return text.ToString();
    }
}
