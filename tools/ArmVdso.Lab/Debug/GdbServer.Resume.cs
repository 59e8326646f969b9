namespace ArmVdso.Lab.Debug;

/// <summary>Going on, and what is said about stops.</summary>
public sealed partial class GdbServer
{
    /// <summary>c, s, C and S: the thread that is looked at moves, all others go on.</summary>
    private List<ResumeAction> Single(bool steps, int signal)
    {
        var actions = new List<ResumeAction>();
        if (steps || signal != 0)
            actions.Add(new ResumeAction(_general.Pid, _general.Tid, steps, signal, default));
        actions.Add(new ResumeAction(-1, -1, false, 0, default));
        return actions;
    }

    private string Move(List<ResumeAction> actions, string address)
    {
        if (address.Length > 0)
        {
            byte[] pc = BitConverter.GetBytes(Number(address));
            if (!_target.WriteRegister(_general, DebugTarget.Pc, pc))
                return Failed;
        }
        return Stopped(() => _target.Resume(actions, _line.TakeBreak));
    }

    /// <summary>vCont: actions, each with the threads that it is for.</summary>
    private string Continue(string text)
    {
        var actions = new List<ResumeAction>();
        foreach (string part in text.Split(';'))
        {
            string[] words = part.Split(':', 2);
            ThreadId thread = words.Length > 1 ? Thread(words[1]) : new ThreadId(-1, -1);
            string what = words[0];
            if (what.Length == 0)
                return Malformed;
            (ulong From, ulong To) range = what[0] == 'r' ? Pair(what[1..]) : default;
            int signal = what[0] is 'C' or 'S' ? GdbSignals.ToLinux((int)Number(what[1..])) : 0;
            if (what[0] is not ('c' or 'C' or 's' or 'S' or 'r'))
                return Malformed;
            actions.Add(new ResumeAction(thread.Pid, thread.Tid, what[0] is 's' or 'S' or 'r', signal, range));
        }
        return Stopped(() => _target.Resume(actions, _line.TakeBreak));
    }

    // GDB names a thread here only where the scheduler is locked; else it means the one that stopped.
    private ThreadId Moving => _target.Threads.Contains(_moving) ? _moving
        : _target.Threads.Contains(_stop.Thread) ? _stop.Thread : _general;

    private string Back(bool steps) => _target.CanReverse
        ? Stopped(() => _target.Reverse(steps ? Moving : null, _line.TakeBreak))
        : "";

    private string Stopped(Func<DebugStop> move)
    {
        _line.Running = true;
        try
        {
            _stop = move();
        }
        finally
        {
            _line.Running = false;
        }
        _flush();
        if (_stop.Kind is not (StopKind.Exited or StopKind.Killed))
            _general = _stop.Thread;
        else if (_target.Threads is [var other, ..])
            _general = other;
        else
            _over = true;
        if (_stop.Kind == StopKind.Stuck)
            _line.Send("O" + Hex("every task of the guest waits for something that cannot happen any more\n"));
        return StopText(_stop);
    }

    private string StopText(DebugStop stop)
    {
        string of = _multiprocess ? $";process:{stop.Thread.Pid:x}" : "";
        switch (stop.Kind)
        {
            case StopKind.Exited:
                return $"W{stop.Value:x2}{of}";
            case StopKind.Killed:
                return $"X{GdbSignals.Of((int)stop.Value):x2}{of}";
        }
        int signal = stop.Kind switch
        {
            StopKind.Signal => GdbSignals.Of((int)stop.Value),
            StopKind.Interrupt or StopKind.Stuck => Interrupted,
            _ => Trap,
        };
        string why = stop.Kind switch
        {
            StopKind.Breakpoint => "swbreak:;",
            StopKind.Watchpoint when stop.Watch == WatchKind.Write => $"watch:{stop.Value:x};",
            StopKind.Watchpoint => $"{(stop.Watch == WatchKind.Read ? "rwatch" : "awatch")}:{stop.Value:x};",
            StopKind.SyscallEntry => $"syscall_entry:{stop.Value:x};",
            StopKind.SyscallReturn => $"syscall_return:{stop.Value:x};",
            StopKind.Fork => $"fork:p{stop.Value:x}.{stop.Value:x};",
            StopKind.Vfork => $"vfork:p{stop.Value:x}.{stop.Value:x};",
            StopKind.VforkDone => "vforkdone:;",
            StopKind.Exec => $"exec:{Hex(stop.Text)};",
            StopKind.NoHistory => "replaylog:begin;",
            _ => "",
        };
        // SP, PC and X29 spare the debugger a question.
        ThreadId looked = _general;
        _general = stop.Thread;
        string registers = string.Concat(((int[])[29, DebugTarget.Sp, DebugTarget.Pc]).Select(r => $"{r:x2}:{Registers(r)};"));
        _general = looked;
        return $"T{signal:x2}{why}thread:{Text(stop.Thread)};{registers}";
    }

    private const int Interrupted = 2, Trap = 5;
}
