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
    private const int ScriptWords = 64;

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

    internal void Reseed()
    {
        _rig.Control.Reseed();
        _clocks.RandomGeneration++;
    }

    internal void SingleStep() => _singleStep = true;

    private void Script(string list, params ReadOnlySpan<ulong> words)
    {
        Span<ulong> all = stackalloc ulong[ScriptWords];
        all.Clear();
        words.CopyTo(all);
        CheckRig.Write(Victim, _rig.Symbol(list), all);
    }

    private ulong[] CallAgain(int buffer)
    {
        return [StepFunction, _function.Address(_rig, Victim), .. _function.Arguments(Buffer(buffer), _rig.RandomState), 0];
    }

    private long ScriptResult(string list, int step) => (long)CheckRig.Read(Victim, _rig.Symbol(list) + (ulong)step * 64 + 56);

    /// <summary>Delivers the signal to the victim and follows its handler to the end.</summary>
    /// <param name="sender">A thread of the process that sends it with tgkill; null: the kernel does.</param>
    /// <param name="inHandler">Happens before the handler's first instruction.</param>
    private void RunHandler(KernelTask? sender = null, Action? inHandler = null)
    {
        if (sender is null)
        {
            _rig.Observer?.Event($"SIGUSR1 for {Victim}");
            _rig.Kernel.SignalDelivery.Send(Victim, CheckRig.Sigusr1);
        }
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
        ulong function = _function.Address(_rig, Victim);
        TruthWindow? nested = null;
        bool ended = _rig.RunUntil(cpu, () =>
        {
            if (cpu.EL != 0)
                return false;
            if (cpu.PC == function && cpu.SP_EL0 != sp && nested is null)
            {
                nested = new TruthWindow(_function, Victim);
                _windows.Add(nested);
                nested.Sample(_rig, _clocks);
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
        int step = (int)CheckRig.Read(Victim, _rig.Symbol("script")) == (int)StepFunction ? 0 : 1;
        Judge("the handler's call", nested, Victim, (ulong)ScriptResult("script", step), Buffer(1));
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
            return;
        _rig.FamilyBroken = true;
        _rig.EndProcess(_rig.Parent, HelperCpu);
    }

    /// <summary>The parent process, on another CPU, puts the victim's process into a group of its own, or back into its own
    /// group.</summary>
    internal void Regroup()
    {
        if (_rig.Parent.State != TaskState.Runnable)
            return;
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
        _rig.Observer?.Event($"SIGUSR1 for {Victim}");
        _rig.Kernel.SignalDelivery.Send(Victim, CheckRig.Sigusr1);
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
        _lateInterrupts |= VictimCpu.PendingSgi;
        VictimCpu.PendingSgi = 0;
    }

    internal void Fork() => Fork(SigChld);

    internal void ForkIntoNamespaces() => Fork(SigChld | NewUser | NewPid);

    private void Fork(ulong flags)
    {
        Script("script", [StepSystemCall, Clone, flags, 0, 0, 0, 0, 0]);
        RunHandler();
        int pid = (int)ScriptResult("script", 0);
        KernelTask child = _rig.Kernel.Tasks.Find(pid) ?? throw new LabException($"fork in the handler gave {pid}", LabFault.Failed);
        var window = new TruthWindow(_function, child);
        if (_function.Kind == AnswerKind.Random)
            _atFork = CheckedFunction.Words(child, Buffer(0));
        if (_window is not null)
            window.Inherit(_window);
        _windows.Add(window);
        window.Sample(_rig, _clocks);
        int at = HelperCpu;
        _rig.Switch(at, child);
        Cpu cpu = _rig.Machine.Cpus[at];
        bool ended = _rig.RunUntil(cpu, () => _rig.Parked(cpu, child));
        Sample();
        _windows.Remove(window);
        if (ended)
            Judge("the call in the forked child", window, child, cpu.X(0), Buffer(0));
        else
            _failures.Add("livelock: the call does not finish in the forked child");
        _rig.EndProcess(child, at);
    }

    internal void Vfork()
    {
        Script("script", [StepFork, Clone, VforkFlags, 0, 0, 0, 0, 0]);
        Script("child_script", [.. CallAgain(1), StepSystemCall, Exit, 0, 0, 0, 0, 0, 0]);
        int cpu = Victim.Cpu, at = HelperCpu;
        Cpu victimCpu = VictimCpu;
        ulong sp = victimCpu.SP_EL0;
        _rig.Observer?.Event($"SIGUSR1 for {Victim}");
        _rig.Kernel.SignalDelivery.Send(Victim, CheckRig.Sigusr1);
        _rig.Control.Prepare(cpu, Victim);
        // The victim sleeps until the child has ended.
        _rig.RunToIdle(cpu);
        KernelTask child = _rig.Kernel.Tasks.Groups.Last(g => ReferenceEquals(g.Parent, Victim.Group)).Leader;
        var window = new TruthWindow(_function, child);
        ulong function = _function.Address(_rig, Victim);
        _rig.Switch(at, child);
        Cpu childCpu = _rig.Machine.Cpus[at];
        bool ended = _rig.RunUntil(childCpu, () =>
        {
            if (childCpu.EL == 0 && childCpu.PC == function)
            {
                _windows.Add(window);
                window.Sample(_rig, _clocks);
            }
            return child.State != TaskState.Runnable;
        });
        _windows.RemoveAll(w => ReferenceEquals(w, window));
        window.Sample(_rig, _clocks);
        if (!ended)
            throw new LabException("the child of vfork did not end", LabFault.Failed);
        _rig.RunToIdle(at);
        Judge("the call in the vfork child", window, Victim, (ulong)ScriptResult("child_script", 0), Buffer(1));
        _rig.Switch(cpu, Victim);
        if (!_rig.RunUntil(victimCpu, () => victimCpu.EL == 0 && victimCpu.SP_EL0 == sp && _rig.Runs(Victim)))
            throw new LabException("the parent of vfork did not go on", LabFault.Failed);
    }

    internal void EnterUserNamespace()
    {
        Script("script", [StepFork, Clone, SigChld, 0, 0, 0, 0, 0]);
        Script("child_script",
            [StepSystemCall, Unshare, NewUser, 0, 0, 0, 0, 0, .. CallAgain(1), StepFunction, _rig.Symbol("park"), 0, 0, 0, 0, 0, 0]);
        RunHandler();
        int pid = (int)ScriptResult("script", 0);
        KernelTask child = _rig.Kernel.Tasks.Find(pid) ?? throw new LabException($"fork in the handler gave {pid}", LabFault.Failed);
        var window = new TruthWindow(_function, child);
        ulong function = _function.Address(_rig, child);
        int at = HelperCpu;
        _rig.Switch(at, child);
        Cpu cpu = _rig.Machine.Cpus[at];
        bool ended = _rig.RunUntil(cpu, () =>
        {
            if (cpu.EL == 0 && cpu.PC == function)
            {
                _windows.Add(window);
                window.Sample(_rig, _clocks);
            }
            return _rig.Parked(cpu, child);
        });
        Sample();
        _windows.RemoveAll(w => ReferenceEquals(w, window));
        ulong list = _rig.Symbol("child_script");
        if (CheckRig.Read(child, list + 56) != 0)
            throw new LabException($"unshare in the child gave {(long)CheckRig.Read(child, list + 56)}", LabFault.Failed);
        if (ended)
            Judge("the call in the new user namespace", window, child, CheckRig.Read(child, list + 64 + 56), Buffer(1));
        else
            _failures.Add("livelock: the call in the new user namespace does not finish");
        _rig.EndProcess(child, at);
    }

    internal void EnterTimeNamespace()
    {
        const ulong here = unchecked((ulong)-100), writeOnly = 1, firstFree = 3;
        ulong path = _rig.Symbol("scratch") + 128, text = path + 64;
        CheckRig.WriteText(Victim, path, "/proc/self/timens_offsets");
        int length = CheckRig.WriteText(Victim, text, "monotonic 1000 5\nboottime 2000 7\n");
        Script("script", [StepFork, Clone, SigChld, 0, 0, 0, 0, 0]);
        Script(
            "child_script",
            [
                StepSystemCall, Unshare, NewUser | NewTime, 0, 0, 0, 0, 0,
                StepSystemCall, OpenAt, here, path, writeOnly, 0, 0, 0,
                StepSystemCall, WriteFile, firstFree, text, (ulong)length, 0, 0, 0,
                StepSystemCall, Clone, SigChld, 0, 0, 0, 0, 0,
                .. CallAgain(1),
                StepFunction, _rig.Symbol("park"), 0, 0, 0, 0, 0, 0,
            ]);
        RunHandler();
        KernelTask child = _rig.Kernel.Tasks.Find((int)ScriptResult("script", 0))!;
        int at = HelperCpu;
        Cpu cpu = _rig.Machine.Cpus[at];
        _rig.Switch(at, child);
        if (!_rig.RunUntil(cpu, () => _rig.Parked(cpu, child)))
            throw new LabException("the child did not make its time namespace", LabFault.Failed);
        ulong list = _rig.Symbol("child_script");
        long[] results = [.. Enumerable.Range(0, 4).Select(i => (long)CheckRig.Read(child, list + (ulong)i * 64 + 56))];
        if (results[0] != 0 || results[1] != (long)firstFree || results[2] != length || results[3] <= 0)
            throw new LabException($"unshare, open, write and clone in the child gave {string.Join(' ', results)}", LabFault.Failed);
        KernelTask inside = _rig.Kernel.Tasks.Find((int)results[3])!;
        var window = new TruthWindow(_function, inside);
        ulong function = _function.Address(_rig, inside);
        _rig.Switch(at, inside);
        bool ended = _rig.RunUntil(cpu, () =>
        {
            if (cpu.EL == 0 && cpu.PC == function)
            {
                _windows.Add(window);
                window.Sample(_rig, _clocks);
            }
            return _rig.Parked(cpu, inside);
        });
        Sample();
        _windows.RemoveAll(w => ReferenceEquals(w, window));
        if (ended)
            Judge("the call in the time namespace", window, inside, CheckRig.Read(inside, list + 4 * 64 + 56), Buffer(1));
        else
            _failures.Add("livelock: the call in the time namespace does not finish");
        _rig.EndProcess(inside, at);
        _rig.EndProcess(child, at);
    }

    internal void Exec()
    {
        ulong scratch = _rig.Symbol("scratch");
        ulong path = scratch + 64;
        CheckRig.Write(Victim, path, [BitConverter.ToUInt64("/check\0\0"u8)]);
        CheckRig.Write(Victim, scratch, [path, 0]);
        Script("script", [StepSystemCall, Execve, path, scratch, scratch + 8, 0, 0, 0]);
        _rig.FamilyBroken = true;
        _gone = true;
        Cpu cpu = VictimCpu;
        _rig.Observer?.Event($"SIGUSR1 for {Victim}");
        _rig.Kernel.SignalDelivery.Send(Victim, CheckRig.Sigusr1);
        if (!_rig.RunUntil(cpu, () => _rig.Parked(cpu, Victim)))
            throw new LabException("execve in the handler did not happen", LabFault.Failed);
        _windows.Clear();
        Enter();
        OpenWindow();
        for (int i = 0; i < Bound && !_rig.Parked(cpu, Victim); i++)
            StepVictim();
        Sample();
        if (_rig.Parked(cpu, Victim))
            Judge("the new program's first call", _window!, Victim, cpu.X(0), Buffer(0));
        else
            _failures.Add("livelock: the new program's first call does not finish");
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
