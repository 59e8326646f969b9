namespace ArmVdso.Lab.Check;

/// <summary>Events that make a process or a program, whose call is examined too.</summary>
internal sealed partial class Trial
{
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
        int calls = _rig.CallsFromImage(child);
        bool ended = _rig.RunUntil(cpu, () => _rig.Parked(cpu, child));
        Sample();
        _windows.Remove(window);
        if (ended)
            JudgeFurther("the call in the forked child", window, child, cpu.X(0), Buffer(0), _rig.CallsFromImage(child) > calls);
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
        SendSignal();
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
        JudgeFurther(
            "the call in the vfork child", window, Victim, (ulong)ScriptResult("child_script", 0), Buffer(1),
            _rig.CallsFromImage(child) > 0);
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
            JudgeFurther(
                "the call in the new user namespace", window, child, CheckRig.Read(child, list + 64 + 56), Buffer(1),
                _rig.CallsFromImage(child) > 0);
        else
            _failures.Add("livelock: the call in the new user namespace does not finish");
        _rig.EndProcess(child, at);
    }

    /// <summary>A handler forks; its child makes a time namespace, and a child of that calls the function inside.</summary>
    /// <param name="before">Happens before that call, when the namespace is there; null: nothing.</param>
    internal void EnterTimeNamespace(Action? before = null)
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
        // With a key in use: a process that has one may enter by setns.
        PrepareRandomState(inside);
        before?.Invoke();
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
            JudgeFurther(
                "the call in the time namespace", window, inside, CheckRig.Read(inside, list + 4 * 64 + 56), Buffer(1),
                _rig.CallsFromImage(inside) > 0);
        else
            _failures.Add("livelock: the call in the time namespace does not finish");
        _rig.EndProcess(inside, at);
        _rig.EndProcess(child, at);
    }

    /// <summary>Writes what execve is given: where its path is, and its arguments, behind which there is an empty environment. At the
    /// beginning of the scratch area the kernel's answers are put down.</summary>
    private (ulong Path, ulong Arguments) ProgramWords()
    {
        ulong path = _rig.Symbol("scratch") + 320, arguments = path + 16;
        CheckRig.Write(Victim, path, [BitConverter.ToUInt64("/check\0\0"u8)]);
        CheckRig.Write(Victim, arguments, [path, 0]);
        return (path, arguments);
    }

    /// <summary>Sends the signal to the victim, whose handler starts another program: the call is gone.</summary>
    /// <returns>The memory that it leaves.</returns>
    private MemoryMap SendExec()
    {
        (ulong path, ulong words) = ProgramWords();
        Script("script", [StepSystemCall, Execve, path, words, words + 8, 0, 0, 0]);
        _rig.FamilyBroken = true;
        _gone = true;
        SendSignal();
        return Victim.Mm!;
    }

    internal void Exec()
    {
        Cpu cpu = VictimCpu;
        MemoryMap before = SendExec();
        if (!_rig.RunUntil(cpu, () => _rig.Parked(cpu, Victim)) || ReferenceEquals(Victim.Mm, before))
            throw new LabException("execve in the handler did not happen", LabFault.Failed);
        _windows.Clear();
        Enter();
        OpenWindow();
        bool fellBack = false;
        for (int i = 0; i < Bound && !_rig.Parked(cpu, Victim); i++)
            fellBack |= StepVictim();
        Sample();
        if (_rig.Parked(cpu, Victim))
            JudgeFurther("the new program's first call", _window!, Victim, cpu.X(0), Buffer(0), fellBack);
        else
            _failures.Add("livelock: the new program's first call does not finish");
    }
}
