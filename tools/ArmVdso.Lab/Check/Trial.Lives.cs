namespace ArmVdso.Lab.Check;

/// <summary>Events in which tasks begin and end: threads, a sibling's execve, death, chains of parents.</summary>
internal sealed partial class Trial
{
    private const int Clone3 = 435;
    private const ulong ThreadFlags = 0x50f00, StackOfOne = 2048;

    /// <summary>A call by another task that nothing disturbs, judged as one that the event led to.</summary>
    private void CallBy(KernelTask task, int at, string who)
    {
        _rig.Switch(at, task);
        Cpu cpu = _rig.Machine.Cpus[at];
        ulong buffer = Buffer(2);
        ulong[] arguments = _function.Arguments(_rig, task, buffer);
        for (int i = 0; i < arguments.Length; i++)
            cpu.SetX(i, arguments[i]);
        cpu.SetX(30, _rig.Symbol("park"));
        CheckRig.JumpTo(cpu, _function.Address(_rig, task));
        _rig.Observer?.Event($"cpu{at}: {task} calls {_function.Name}");
        var window = new TruthWindow(_function, task);
        _windows.Add(window);
        window.Sample(_rig, _clocks);
        int calls = _rig.CallsFromImage(task);
        bool ended = _rig.RunUntil(cpu, () => _rig.Parked(cpu, task));
        Sample();
        _windows.Remove(window);
        if (ended)
            JudgeFurther(who, window, task, cpu.X(0), buffer, _rig.CallsFromImage(task) > calls);
        else
            _failures.Add($"livelock: {who} does not finish");
    }

    private KernelTask NewThread(int at, ulong number) => _rig.Kernel.Tasks.Find(
        (int)_rig.SystemCall(_rig.Sibling, at, Clone, ThreadFlags, _rig.Symbol("sibling_stack") - number * StackOfOne))
        ?? throw new LabException("a thread could not be made", LabFault.Failed);

    /// <summary>Threads of the process begin and end on another CPU; one begins after another has ended, and all are asked.</summary>
    internal void Threads()
    {
        int at = HelperCpu;
        KernelTask first = NewThread(at, 1), second = NewThread(at, 2);
        CallBy(second, at, "a new thread's call");
        _rig.EndThread(first, at);
        KernelTask third = NewThread(at, 3);
        CallBy(third, at, "the call of a thread that began after another's end");
        CallBy(second, at, "the call of a thread beside it");
        CallBy(_rig.Sibling, at, "the sibling's call");
        _rig.EndThread(second, at);
        _rig.EndThread(third, at);
    }

    /// <summary>A sibling on another CPU starts another program: this thread ends in the middle of its call.</summary>
    internal void SiblingExec()
    {
        (ulong path, ulong words) = ProgramWords();
        int at = HelperCpu, cpu = Victim.Cpu;
        _gone = true;
        _rig.FamilyBroken = true;
        _rig.Control.Prepare(cpu, null);
        MemoryMap before = Victim.Mm!;
        _rig.SystemCall(_rig.Sibling, at, Execve, path, words, words + 8);
        if (ReferenceEquals(_rig.Sibling.Mm, before))
            throw new LabException("execve of the sibling did not happen", LabFault.Failed);
        _rig.RunToIdle(cpu);
        CallBy(_rig.Sibling, at, "the new program's first call");
    }

    /// <summary>A handler starts another program. While EL1 code starts it, an interrupt asks for another process on this CPU: where the
    /// kernel is preemptible it runs at once, else before the program's first instruction. The program goes on on another CPU; both are
    /// asked.</summary>
    /// <param name="part">After how many instructions behind execve's body that touch shared data; -1: none.</param>
    internal void MidExec(int part)
    {
        int from = Victim.Cpu, to = Elsewhere;
        KernelTask between = FreeStranger();
        Cpu cpu = VictimCpu;
        MemoryMap before = SendExec();
        if (!_rig.RunUntil(cpu, () => !ReferenceEquals(Victim.Mm, before)))
            throw new LabException("execve in the handler did not happen", LabFault.Failed);
        StepShared(cpu, part, () => cpu.EL == 0, between);
        _rig.Switch(from, between);
        _rig.Switch(to, Victim);
        if (!_rig.RunUntil(VictimCpu, () => _rig.Parked(VictimCpu, Victim)) || !_rig.RunUntil(cpu, () => _rig.Parked(cpu, between)))
            throw new LabException("the new program did not start", LabFault.Failed);
        _windows.Clear();
        CallBy(Victim, to, "the new program's first call");
        CallBy(between, from, "the call of the process that runs where execve was");
    }

    /// <summary>The process is killed in the middle of the call; a new one gets its number and calls on the same CPU.</summary>
    internal void Killed()
    {
        if (_function.ChangesMemory)
        {
            Dies(true, false);
            return;
        }
        const ulong sigKill = 9;
        int at = HelperCpu, cpu = Victim.Cpu, pid = Victim.Group.Pid, thread = Victim.Tid;
        ThreadGroup group = Victim.Group;
        _gone = true;
        _rig.FamilyBroken = true;
        _rig.Control.Prepare(cpu, null);
        if (_rig.SystemCall(_rig.Parent, at, Tgkill, (ulong)pid, (ulong)thread, sigKill) != 0)
            throw new LabException("tgkill of the parent failed", LabFault.Failed);
        _rig.RunToIdle(cpu);
        _rig.EndThreads(group, cpu);
        ulong arguments = _rig.Symbol("scratch"), number = arguments + 128;
        CheckRig.Write(_rig.Init, number, [(ulong)pid]);
        CheckRig.Write(_rig.Init, arguments, [0, 0, 0, 0, SigChld, 0, 0, 0, number, 1, 0]);
        const ulong size = 88;
        if (_rig.SystemCall(_rig.Init, at, Clone3, arguments, size) != pid)
            throw new LabException("clone3 with the number of the dead process failed", LabFault.Failed);
        KernelTask heir = _rig.Kernel.Tasks.Find(pid)!;
        CallBy(heir, cpu, "the call of the process with the dead one's number");
        _rig.EndProcess(heir, cpu);
    }

    /// <summary>The parent ends, then the subreaper that became the parent.</summary>
    internal void ReparentTwice()
    {
        Reparent();
        if (_rig.Reaper.State == TaskState.Runnable)
            _rig.EndProcess(_rig.Reaper, HelperCpu);
    }

    /// <summary>A signal interrupts the call; another one interrupts the handler's call of the same function.</summary>
    internal void NestedSignal()
    {
        Script("script", CallAgain(1));
        Cpu cpu = VictimCpu;
        ulong sp = cpu.SP_EL0, handler = _rig.Symbol("handler"), function = _function.Address(_rig, Victim), inner = 0;
        bool User(ulong pc, Func<ulong, bool> stack) => cpu.EL == 0 && cpu.PC == pc && stack(cpu.SP_EL0);
        TruthWindow Begin()
        {
            var window = new TruthWindow(_function, Victim);
            _windows.Add(window);
            window.Sample(_rig, _clocks);
            return window;
        }

        void End(string who, TruthWindow window, int calls)
        {
            Sample();
            _windows.Remove(window);
            JudgeFurther(who, window, Victim, (ulong)ScriptResult("script", 0), Buffer(1), _rig.CallsFromImage(Victim) > calls);
        }

        SendSignal();
        bool going = _rig.RunUntil(cpu, () => User(function, s => s != sp));
        TruthWindow outer = Begin();
        int outerCalls = _rig.CallsFromImage(Victim);
        going = going && _rig.RunUntil(cpu, () => User(function + 4, s => s != sp));
        inner = cpu.SP_EL0;
        SendSignal();
        going = going && _rig.RunUntil(cpu, () => User(function, s => s < inner));
        TruthWindow nested = Begin();
        int nestedCalls = _rig.CallsFromImage(Victim);
        if (going && _rig.RunUntil(cpu, () => cpu.EL == 0 && cpu.SP_EL0 == inner && cpu.PC != handler))
        {
            End("the call of the handler's handler", nested, nestedCalls);
            if (_rig.RunUntil(cpu, () => cpu.EL == 0 && cpu.SP_EL0 == sp && cpu.PC != handler))
            {
                End("the handler's call", outer, outerCalls);
                return;
            }
        }
        _failures.Add("livelock: a signal within a signal does not come to its end");
        CheckRig.JumpTo(cpu, _rig.Symbol("park"));
        _gone = true;
        _rig.FamilyBroken = true;
    }
}
