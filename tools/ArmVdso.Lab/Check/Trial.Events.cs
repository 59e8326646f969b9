using ArmVdso.Kernel.Explore;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Lab.Check;

/// <summary>The events, made of the kernel's own mechanisms.</summary>
internal sealed partial class Trial
{
    private const int Clone = 220, Execve = 221, Exit = 93, SetResuid = 147, SetResgid = 149, Tgkill = 131, SetPgid = 154, SetSid = 157;
    private const int Unshare = 97, OpenAt = 56, WriteFile = 64;
    private const ulong SigChld = 17, VforkFlags = 0x4111, NewUser = 0x10000000, NewPid = 0x20000000, NewTime = 0x80;
    private const ulong StepSystemCall = 1, StepFunction = 2, StepFork = 3;

    /// <summary>Words of a script in the guest: steps of eight, and the end.</summary>
    private const int ScriptWords = 128;

    private KernelTask FreeStranger() => _rig.Runs(_rig.Other) ? _rig.Another : _rig.Other;

    private int Elsewhere => (Victim.Cpu + 1) % _rig.Machine.Cpus.Count;

    /// <summary>A CPU for a helper: not the victim's, and empty if there is one.</summary>
    private int HelperCpu
    {
        get
        {
            for (int i = 0; i < _rig.Machine.Cpus.Count; i++)
            {
                if (i != Victim.Cpu && _rig.Kernel.Scheduler.IsIdle(i))
                    return i;
            }
            return Elsewhere;
        }
    }

    /// <summary>An interrupt of the victim's CPU after which the same thread goes on.</summary>
    internal void Interrupt()
    {
        Cpu cpu = VictimCpu;
        _rig.Machine.SendSgi(cpu, 0, cpu.Cycles);
        _rig.Step(cpu);
        BackToUser(cpu, "the end of an interrupt");
    }

    /// <summary>Another process runs where the victim ran, then the victim again.</summary>
    internal void Preempt()
    {
        int cpu = Victim.Cpu;
        _rig.Switch(cpu, FreeStranger());
        _rig.Step(_rig.Machine.Cpus[cpu]);
        _rig.Switch(cpu, Victim);
    }

    /// <summary>The same with a process that lives in a PID namespace of its own.</summary>
    internal void PreemptByInhabitant()
    {
        int cpu = Victim.Cpu;
        _rig.Switch(cpu, _rig.Inhabitant);
        _rig.Step(_rig.Machine.Cpus[cpu]);
        _rig.Switch(cpu, Victim);
    }

    /// <summary>The victim goes on on the next CPU.</summary>
    internal void Migrate()
    {
        int from = Victim.Cpu, to = Elsewhere;
        _rig.Switch(from, FreeStranger());
        _rig.Step(_rig.Machine.Cpus[from]);
        _rig.Switch(to, Victim);
    }

    /// <summary>The victim's CPU loses its tasks.</summary>
    internal void Offline()
    {
        int from = Victim.Cpu, to = Elsewhere;
        KernelControl.Restrict(Victim, 1UL << to);
        _rig.Switch(from, null);
        _rig.Switch(to, Victim);
    }

    internal void Reseed() => _rig.Control.Reseed();

    private void Script(string list, params ReadOnlySpan<ulong> words)
    {
        Span<ulong> all = stackalloc ulong[ScriptWords];
        all.Clear();
        words.CopyTo(all);
        CheckRig.Write(Victim, _rig.Symbol(list), all);
    }

    private ulong[] CallAgain(int buffer)
    {
        return [StepFunction, _function.Address(_rig, Victim), .. _function.Arguments(_rig, Victim, Buffer(buffer)), 0];
    }

    private long ScriptResult(string list, int step) => (long)CheckRig.Read(Victim, _rig.Symbol(list) + (ulong)step * 64 + 56);

    /// <summary>The kernel sends the victim the signal that it has a handler for.</summary>
    private void SendSignal()
    {
        _rig.Observer?.Event($"SIGUSR1 for {Victim}");
        _rig.Kernel.SignalDelivery.Send(Victim, CheckRig.Sigusr1);
    }

    /// <summary>What interrupts the victim's CPU now does so after the call.</summary>
    private void HoldInterrupts()
    {
        _lateInterrupts |= VictimCpu.PendingSgi;
        VictimCpu.PendingSgi = 0;
    }

    /// <summary>Delivers the signal to the victim and follows its handler to the end.</summary>
    /// <param name="sender">A thread of the process that sends it with tgkill; null: the kernel does.</param>
    /// <param name="inHandler">Happens before the handler's first instruction.</param>
    /// <param name="call">Where the handler calls the function, and by which step of its script; null: where it is, by the first or the
    /// second step.</param>
    private void RunHandler(KernelTask? sender = null, Action? inHandler = null, (ulong Address, int Step)? call = null)
    {
        if (sender is null)
            SendSignal();
        else
        {
            _rig.SystemCall(sender, sender.Cpu, Tgkill, (ulong)Victim.Group.Pid, (ulong)Victim.Tid, CheckRig.Sigusr1);
        }
        Cpu cpu = VictimCpu;
        ulong sp = cpu.SP_EL0;
        ulong handler = _rig.Symbol("handler");
        if (!_rig.RunUntil(cpu, () => cpu.EL == 0 && cpu.PC == handler))
            throw new LabException($"the signal handler was not entered ({cpu})", LabFault.Failed);
        inHandler?.Invoke();
        cpu = VictimCpu;
        ulong function = call?.Address ?? _function.Address(_rig, Victim);
        TruthWindow? nested = null;
        int calls = 0;
        bool ended = _rig.RunUntil(cpu, () =>
        {
            if (cpu.EL != 0)
                return false;
            if (cpu.PC == function && cpu.SP_EL0 != sp && nested is null)
            {
                nested = new TruthWindow(_function, Victim);
                _windows.Add(nested);
                nested.Sample(_rig, _clocks);
                calls = _rig.CallsFromImage(Victim);
            }
            return (cpu.SP_EL0 == sp && cpu.PC != handler) || (cpu.PC == _rig.Symbol("park") && _gone);
        });
        if (!ended)
        {
            _failures.Add("livelock: the function, called by the handler, does not finish");
            CheckRig.JumpTo(cpu, _rig.Symbol("park"));
            _gone = true;
            _rig.FamilyBroken = true;
            return;
        }
        if (nested is null)
            return;
        Sample();
        _windows.Remove(nested);
        int step = call?.Step ?? (CheckRig.Read(Victim, _rig.Symbol("script")) == StepFunction ? 0 : 1);
        JudgeFurther(
            "the handler's call", nested, Victim, (ulong)ScriptResult("script", step), Buffer(1), _rig.CallsFromImage(Victim) > calls);
    }

    internal void HandlerMoves()
    {
        Script("script");
        RunHandler(inHandler: Migrate);
    }

    internal void Signal()
    {
        Script("script", CallAgain(1));
        RunHandler();
    }

    /// <summary>The step that makes the effective ID the real one, the saved one the effective one: allowed to anybody.</summary>
    private ulong[] RotateUsers()
    {
        Credentials c = Victim.Credentials;
        return [StepSystemCall, SetResuid, c.Euid, c.Suid, c.Uid, 0, 0, 0];
    }

    private ulong[] RotateGroups()
    {
        Credentials c = Victim.Credentials;
        return [StepSystemCall, SetResgid, c.Egid, c.Sgid, c.Gid, 0, 0, 0];
    }

    internal void ChangeUser()
    {
        Script("script", [.. RotateUsers(), .. CallAgain(1)]);
        RunHandler();
    }

    internal void ChangeGroup()
    {
        Script("script", [.. RotateGroups(), .. CallAgain(1)]);
        RunHandler();
    }

    internal void SetXid()
    {
        ulong[] rotate = RotateUsers();
        Script("script", [.. rotate, .. CallAgain(1)]);
        _rig.SystemCall(_rig.Sibling, HelperCpu, SetResuid, rotate[2], rotate[3], rotate[4]);
        RunHandler(_rig.Sibling);
    }

    internal void Reparent()
    {
        if (_rig.Parent.State != TaskState.Runnable)
        {
            _happened = false;
            return;
        }
        _rig.FamilyBroken = true;
        _rig.EndProcess(_rig.Parent, HelperCpu);
    }

    /// <summary>The parent process, on another CPU, puts the victim's process into a group of its own, or back into its own
    /// group.</summary>
    internal void Regroup()
    {
        if (_rig.Parent.State != TaskState.Runnable)
        {
            _happened = false;
            return;
        }
        int process = Victim.Group.Pid;
        int group = Victim.Group.Pgid == process ? _rig.Parent.Group.Pgid : process;
        if (_rig.SystemCall(_rig.Parent, HelperCpu, SetPgid, (ulong)process, (ulong)group) != 0)
            throw new LabException("setpgid of the parent failed", LabFault.Failed);
    }

    /// <summary>A sibling thread, on another CPU, makes the process the leader of a session.</summary>
    internal void NewSession()
    {
        _rig.FamilyBroken = true;
        if (_rig.SystemCall(_rig.Sibling, HelperCpu, SetSid) != Victim.Group.Pid)
            throw new LabException("setsid of the sibling failed", LabFault.Failed);
    }

    /// <summary>Another process runs, then the victim; in the middle of the switch back a parent exits on another CPU.</summary>
    /// <param name="part">After how many instructions of the switch that touch shared data; -1: none.</param>
    /// <param name="previous">Whose parent: the process' that ran, or the victim's.</param>
    internal void MidSwitch(int part, bool previous)
    {
        int at = HelperCpu;
        KernelTask between = FreeStranger(), dying = _rig.Parent;
        if (previous)
            (dying, between) = _rig.MakePair(at);
        SwitchBack(part, between, () =>
        {
            _rig.FamilyBroken |= !previous;
            _rig.EndProcess(dying, at);
        });
        if (previous)
            _atEnd = () => _rig.EndProcess(between, HelperCpu);
    }

    /// <summary>The same; in the middle of the switch back the victim's process gets another group.</summary>
    /// <param name="part">After how many instructions of the switch that touch shared data; -1: none.</param>
    internal void MidRegroup(int part) => SwitchBack(part, FreeStranger(), Regroup);

    private void SwitchBack(int part, KernelTask between, Action inTheMiddle)
    {
        int cpu = Victim.Cpu;
        _rig.Switch(cpu, between);
        _rig.Observer?.Event($"cpu{cpu} begins to switch to {Victim}");
        _rig.Control.Switch(cpu, Victim);
        Cpu c = _rig.Machine.Cpus[cpu];
        StepShared(c, part, () => c.EL == 0 && _rig.Runs(Victim), between);
        inTheMiddle();
        BackToUser(c, "the rest of the switch");
    }

    /// <summary>A handler changes the user IDs; in the middle of the return from that system call the parent exits.</summary>
    internal void MidSystemCall(int part)
    {
        Script("script", RotateUsers());
        int at = HelperCpu;
        Cpu cpu = VictimCpu;
        ulong sp = cpu.SP_EL0;
        uint before = Victim.Credentials.Uid;
        SendSignal();
        if (!_rig.RunUntil(cpu, () => Victim.Credentials.Uid != before))
            throw new LabException("the handler did not change the IDs", LabFault.Failed);
        StepShared(cpu, part, () => cpu.EL == 0, Victim);
        _rig.FamilyBroken = true;
        _rig.EndProcess(_rig.Parent, at);
        if (!_rig.RunUntil(cpu, () => cpu.EL == 0 && cpu.SP_EL0 == sp))
            throw new LabException("the handler did not end", LabFault.Failed);
    }

    /// <summary>Steps EL1 code over so many instructions that touch what CPUs share: the data pages, the records of the victim
    /// and of another task, and calls into the model.</summary>
    private void StepShared(Cpu cpu, int part, Func<bool> end, KernelTask other)
    {
        for (int touched = 0; touched < part;)
        {
            if (end())
            {
                _exhausted = true;
                return;
            }
            ulong executed = cpu.Instructions;
            _rig.Step(cpu);
            if (cpu.Instructions != executed && _rig.TouchedShared(cpu, Victim, other))
                touched++;
        }
    }

    /// <summary>An interrupt takes time from one CPU to another: here, longer than the call.</summary>
    internal void ReparentLate()
    {
        Reparent();
        HoldInterrupts();
    }

    internal void Tick(int part) => ByStores(() => new ClockStores(_rig, _clocks, () => _rig.Control.Tick()), part);

    internal void SetTime(int part) => ByStores(
        () => new ClockStores(_rig, _clocks, SetRealtime), part);

    private void SetRealtime() => _rig.Kernel.Timekeeper.SetRealtime((long)_rig.Kernel.Timekeeper.RealtimeNs + 5_000_000_000);

    internal void Race(int part) => ByStores(
        () =>
        {
            int from = Victim.Cpu, to = Elsewhere;
            _rig.Switch(from, null);
            _rig.Switch(to, Victim);
            return new SwitchStores(_rig, from, FreeStranger());
        },
        part);

    private void ByStores(Func<IStoreByStore> start, int part)
    {
        _writer ??= start();
        if (part >= 0)
            _writer.Advance(part);
        else
            FinishWriter();
    }
}
