using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>Calls that change memory of their caller, and what a caller leaves behind that dies in their middle.</summary>
internal sealed partial class Trial
{
    private const int Munmap = 215;

    /// <summary>The page as it was when the call began.</summary>
    private ulong[] _pageBefore = [];

    /// <summary>Makes the memory ready that the call changes.</summary>
    private void PrepareMemory()
    {
        if (_function.Own is not { ChangesMemory: true } own)
            return;
        ulong page = _rig.PageOf(Victim), buffer = Buffer(0);
        CheckRig.Write(Victim, page, new ulong[CheckRig.PageBytes / 8]);
        _rig.AskHooks(
            own.Invariant + "__before", Victim, KernelControl.RecordOf(Victim), _rig.Control.CpuRecordOf(Victim), buffer,
            KernelControl.InKernel(Victim, buffer), page, KernelControl.InKernel(Victim, page));
        _pageBefore = CheckRig.ReadPage(Victim, page);
        if (own.Before is { } before
            && _rig.SystemCall(Victim, Victim.Cpu, before.Number, [.. _rig.Given(before.Arguments, Victim, buffer)]) is < 0 and var failed)
            throw new LabException($"the system call before {_function.Name} gave {failed}", LabFault.Input);
    }

    /// <summary>The thread dies in the middle of the call.</summary>
    /// <param name="killed">Its process is killed; else a handler ends the thread alone.</param>
    /// <param name="reused">A sibling on another CPU has put other memory where the page was, if that was given up by then: each word
    /// is the thread's number.</param>
    internal void Dies(bool killed, bool reused)
    {
        OwnFunction own = _function.Own!;
        int at = HelperCpu, cpu = Victim.Cpu, tid = Victim.OwnTid;
        ulong page = _rig.PageOf(Victim), buffer = Buffer(0);
        bool free = _rig.AskHooks(
            own.Invariant + "__free", Victim, KernelControl.InKernel(Victim, buffer), KernelControl.InKernel(Victim, page)) != 0;
        if (reused && !free)
        {
            _happened = false;
            return;
        }
        ulong[] others = new ulong[CheckRig.PageBytes / 8];
        if (reused)
        {
            Array.Fill(others, (ulong)tid << 32 | (uint)tid);
            _rig.Observer?.Event($"the memory is given up: {_rig.Sibling} puts other memory there, whose words are {tid}");
            if (_rig.SystemCall(_rig.Sibling, at, Munmap, page, CheckRig.PageBytes) != 0)
                throw new LabException("munmap of the sibling failed", LabFault.Failed);
            _rig.MapPage(_rig.Sibling, at, page);
            CheckRig.Write(_rig.Sibling, page, others);
        }
        _gone = true;
        _rig.FamilyBroken = true;
        End(killed, at, cpu);
        KernelTask witness = killed ? _rig.Parent : _rig.Sibling;
        _rig.Switch(at, witness);
        if (reused)
            JudgeReused(page, others);
        else
            JudgeLeft(own, witness, (ulong)tid, free, buffer, page);
        _rig.Observer = null;
        _rig.Switch(at, null);
        if (killed)
            _rig.EndThreads(_rig.Leader.Group, cpu);
    }

    private void End(bool killed, int at, int cpu)
    {
        const ulong sigKill = 9;
        if (!killed)
            Script("script", StepSystemCall, Exit, 0, 0, 0, 0, 0, 0);
        _rig.Control.Prepare(cpu, null);
        if (killed && _rig.SystemCall(_rig.Parent, at, Tgkill, (ulong)Victim.Group.Pid, (ulong)Victim.Tid, sigKill) != 0)
            throw new LabException("tgkill of the parent failed", LabFault.Failed);
        if (!killed)
            SendSignal();
        _rig.RunToIdle(cpu);
        if (Victim.State is not (TaskState.Zombie or TaskState.Dead))
            throw new LabException($"{Victim} did not end", LabFault.Failed);
    }

    private void JudgeReused(ulong page, ulong[] others)
    {
        _telling = true;
        _further++;
        ulong[] now = CheckRig.ReadPage(_rig.Leader, page);
        int changed = now.AsSpan().CommonPrefixLength(others);
        bool right = changed == others.Length;
        _rig.Observer?.Event(
            right ? "the other memory is as it was: right"
            : $"the other memory has 0x{now[changed]:x} at +{changed * 8}, where 0x{others[changed]:x} was: WRONG");
        if (!right)
        {
            _failures.Add(
                $"the kernel wrote 0x{now[changed]:x} over 0x{others[changed]:x} in memory that has taken the place of what was given up");
        }
    }

    private void JudgeLeft(OwnFunction own, KernelTask witness, ulong tid, bool free, ulong buffer, ulong page)
    {
        _further++;
        ulong Ask() => _rig.AskHooks(
            own.Invariant + "__dead", witness, tid, free ? 1UL : 0, KernelControl.InKernel(_rig.Leader, buffer),
            KernelControl.InKernel(_rig.Leader, page));
        ulong says = Ask();
        _rig.Observer?.Event(
            $"0x{CheckRig.ReadPage(_rig.Leader, page).FirstOrDefault(w => w != 0):x} is the first word that it left; {own.Invariant}__dead "
            + $"says {(long)says}: {(says == 0 ? "right" : "WRONG")}");
        if (says != 0)
            _failures.Add($"what the dead thread left: {own.Invariant}__dead says {(long)says}");
        if (!AsksTelling || _telling)
            return;
        // With memory as it was when the call began, nobody would ever learn of the death.
        CheckRig.Write(_rig.Leader, page, _pageBefore);
        _telling = Ask() != 0;
    }
}
