using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/sysvipc: System V objects as ipcs reads them (ipc/shm.c, sem.c, msg.c).</summary>
internal static class IpcText
{
    internal static void Fill(Func<IpcTables> ipc, DynamicDirectory directory)
    {
        directory.AddText("shm", () =>
        {
            var text = new StringBuilder("       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
                + "cuid  cgid      atime      dtime      ctime                   rss                  swap\n");
            foreach (SharedSegment s in ipc().Segments.All)
            {
                text.Append(CultureInfo.InvariantCulture, $"{s.Key,10} {s.Id,10}  {Octal(s.Mode),4} {s.Size,21} ")
                    .Append(CultureInfo.InvariantCulture, $"{s.CreatorPid,5} {s.LastPid,5}  {s.Pages.Users - 1,5} {Owners(s)} ")
                    .Append(CultureInfo.InvariantCulture, $"{s.AttachTime,10} {s.DetachTime,10} {s.ChangeTime,10} ")
                    .Append(CultureInfo.InvariantCulture, $"{s.Pages.Count * 4096L,21} {0,21}\n");
            }
            return text.ToString();
        });
        directory.AddText("sem", () =>
        {
            var text = new StringBuilder("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
            foreach (SemaphoreSet s in ipc().Semaphores.All)
            {
                text.Append(CultureInfo.InvariantCulture, $"{s.Key,10} {s.Id,10}  {Octal(s.Mode),4} {s.Values.Length,10} {Owners(s)} ")
                    .Append(CultureInfo.InvariantCulture, $"{s.OperationTime,10} {s.ChangeTime,10}\n");
            }
            return text.ToString();
        });
        directory.AddText("msg", () =>
        {
            var text = new StringBuilder("       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
                + "cgid      stime      rtime      ctime\n");
            foreach (MessageQueue q in ipc().Queues.All)
            {
                text.Append(CultureInfo.InvariantCulture, $"{q.Key,10} {q.Id,10}  {Octal(q.Mode),4}  {q.Bytes,10} {q.Messages.Count,10} ")
                    .Append(CultureInfo.InvariantCulture, $"{q.LastSender,5} {q.LastReceiver,5} {Owners(q)} ")
                    .Append(CultureInfo.InvariantCulture, $"{q.SendTime,10} {q.ReceiveTime,10} {q.ChangeTime,10}\n");
            }
            return text.ToString();
        });
    }

    private static string Octal(uint mode) => Convert.ToString(mode, 8);

    private static string Owners(IpcObject item) =>
        string.Create(CultureInfo.InvariantCulture, $"{item.Uid,5} {item.Gid,5} {item.CreatorUid,5} {item.CreatorGid,5}");

    /// <summary>/proc/keys: what the reader may view (security/keys/proc.c).</summary>
    public static string Keys(KeyTable table, Credentials? who, ulong now) => string.Concat(
        table.Keys.Where(k => who == null || k.Check(who, false, Key.View) == 0).Select(k =>
        {
            string flags = "I" + (k.Revoked ? "R" : "-") + "-Q-" + (k.Negative != 0 ? "N" : "-") + (k.Invalidated ? "i" : "-");
            string left = k.Expiry == ulong.MaxValue ? "perm" : now >= k.Expiry ? "expd" : $"{(k.Expiry - now) / 1_000_000_000}s";
            string contents = k.Negative != 0 ? "" : k.IsKeyring ? $": {(k.Links!.Count == 0 ? "empty" : k.Links.Count)}"
                : $": {k.Payload.Length}";
            return $"{k.Serial:x8} {flags} {1,5} {left,4} {k.Permissions:x8} {(int)k.Uid,5} {(int)k.Gid,5} "
                + $"{k.Type,-9} {k.Description}{contents}\n";
        }));

    /// <summary>/proc/key-users: keys and quotas by user.</summary>
    public static string KeyUsers(KeyTable table)
    {
        table.Collect();
        return string.Concat(table.Keys.Select(k => k.Uid).Distinct().Order().Select(uid =>
        {
            (int count, int bytes) = table.UsedBy(uid);
            (int most, int mostBytes) = table.QuotaOf(uid);
            return $"{uid,5}: {count,5} {count}/{count} {count}/{most} {bytes}/{mostBytes}\n";
        }));
    }
}
