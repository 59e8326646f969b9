using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Signals of files to their owners (send_sigio in fs/fcntl.c).</summary>
internal sealed class FileOwners(TaskTable tasks, SignalDelivery signals) : IFileOwners
{
    /// <summary>poll bits that go with each reason (band_table).</summary>
    private static readonly long[] Bands = [0, 0x41, 0x304, 0x441, 0x8, 0x82, 0x18];

    /// <inheritdoc/>
    public void Tell(OpenFile file, int descriptor, IoEvent what)
    {
        int number = file.SignalNumber;
        var info = new SignalInfo { Number = Signal.SIGIO, Code = Signal.SI_KERNEL };
        if (number != 0)
        {
            // A code that means something else with its signal is not used (sig_specific_sicodes).
            const int SI_SIGIO = -5;
            bool taken = number is Signal.SIGILL or Signal.SIGFPE or Signal.SIGSEGV or Signal.SIGBUS or Signal.SIGTRAP or Signal.SIGCHLD
                or Signal.SIGSYS;
            info = new SignalInfo { Number = number, Code = taken ? SI_SIGIO : (int)what, Poll = (Bands[(int)what], descriptor) };
        }
        Send(file, info);
    }

    /// <inheritdoc/>
    public void TellUrgent(OpenFile file) => Send(file, new SignalInfo { Number = Signal.SIGURG, Code = Signal.SI_KERNEL });

    private void Send(OpenFile file, in SignalInfo info)
    {
        if (file.Owner < 0)
        {
            foreach (ThreadGroup member in tasks.Groups.Where(g => g.Pgid == -file.Owner).ToList())
                Send(file, info, member.Leader, false);
        }
        else if (tasks.Find(file.Owner) is { } owner)
        {
            Send(file, info, owner, file.OwnerIsThread);
        }
    }

    /// <summary>Sends a signal that who made the owner may send it (sigio_perm).</summary>
    private void Send(OpenFile file, in SignalInfo info, KernelTask owner, bool thread)
    {
        (uint uid, uint euid) = file.OwnerMaker;
        if (euid != 0 && euid != owner.Credentials.Suid && euid != owner.Credentials.Uid && uid != owner.Credentials.Suid
            && uid != owner.Credentials.Uid)
            return;
        if (thread)
            signals.Send(owner, info);
        else
            signals.Send(owner.Group, info);
    }
}
