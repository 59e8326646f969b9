namespace ArmVdso.Lab.Debug;

/// <summary>What it decides while the machine runs.</summary>
public sealed partial class ProgramTarget
{
    /// <summary>Decides on behalf of the machine.</summary>
    private sealed class Unit(ProgramTarget target) : DebugUnit(target.Machine)
    {
        // By CPU: registers as they were when it last left EL0, and the vector it went to.
        private readonly ulong[][] _entries = [.. target.Machine.Cpus.Select(_ => new ulong[Cpsr + 1])];
        private readonly ulong[] _vectors = new ulong[target.Machine.Cpus.Count];

        internal ulong[] Entry(Cpu cpu) => _entries[cpu.Index];

        /// <summary>Changes a register of a thread that has just entered the kernel. False: it is too late.</summary>
        internal bool WriteEntry(Cpu cpu, int register, ulong value)
        {
            if (cpu.PC != _vectors[cpu.Index])
                return false;
            switch (register)
            {
                case Sp:
                    cpu.SP_EL0 = value;
                    break;
                case Pc:
                    cpu.ELR_EL1 = value;
                    break;
                case Cpsr:
                    cpu.SPSR_EL1 = (cpu.SPSR_EL1 & 0xfffffff) | (value & 0xf0000000);
                    break;
                default:
                    cpu.SetX(register, value);
                    break;
            }
            _entries[cpu.Index][register] = value;
            return true;
        }

        private KernelTask? Task(Cpu cpu) =>
            cpu.EL == 0 && target.Kernel.Scheduler.Current(cpu.Index) is var task && target.IsAttached(task) ? task : null;

        /// <summary>Whether the place of <see cref="DebugUnit.RunTo"/> was reached.</summary>
        internal bool IsThere { get; set; }

        public override void Reached()
        {
            IsThere = true;
            target.Machine.StopRequested = true;
        }

        public override bool Singly(Cpu cpu) => !target._replays && (target._steps.Count > 0 || target._known.Returning.Count > 0)
            && Task(cpu) is { } task && (target._steps.ContainsKey(task) || target._known.Returning.Contains(task));

        public override bool Stops(Cpu cpu)
        {
            if (Task(cpu) is not { } task)
                return false;
            ThreadId id = IdOf(task);
            if (target._replays)
            {
                if (IsBreakpoint(cpu.PC) && target.Breakpoints.Code.Contains((id.Pid, cpu.PC)))
                    target.Pass(new DebugStop(StopKind.Breakpoint, id, cpu.PC), new Place(cpu.Index, cpu.Instructions));
                return false;
            }
            if (target._known.Returning.Remove(task) && target.CaughtCalls is not null)
            {
                target.Report(new DebugStop(StopKind.SyscallReturn, id, _entries[cpu.Index][8]), cpu.Index);
                return true;
            }
            if (IsBreakpoint(cpu.PC)
                && (target.ActionFor(id) is null ? target._standing : target.Breakpoints.Code).Contains((id.Pid, cpu.PC)))
            {
                target.Report(new DebugStop(StopKind.Breakpoint, id, cpu.PC), cpu.Index);
                return true;
            }
            if (!target._steps.TryGetValue(task, out Stepping? step))
                return false;
            bool inside = cpu.PC >= step.Range.From && cpu.PC < step.Range.To;
            if ((step.Fresh && step.Pc == cpu.PC) || inside)
            {
                step.Fresh = false;
                return false;
            }
            target.Report(new DebugStop(StopKind.Step, id), cpu.Index);
            return true;
        }

        public override bool Accesses(Cpu cpu, in Watchpoint watchpoint, ulong va)
        {
            if (Task(cpu) is not { } task || !target.Breakpoints.Data.Contains((task.Group.Pid, watchpoint)))
                return false;
            // As hardware reports it: an address of the access, inside of what is watched.
            ulong at = Math.Clamp(va, watchpoint.Address, watchpoint.Address + watchpoint.Length - 1);
            var stop = new DebugStop(StopKind.Watchpoint, IdOf(task), at, "", watchpoint.Kind);
            if (target._replays)
            {
                // Backwards, the place is behind the access.
                target.Pass(stop, new Place(cpu.Index, cpu.Instructions + 1));
                return false;
            }
            target.Report(stop, cpu.Index);
            return true;
        }

        public override void Entered(Cpu cpu, int fromEL)
        {
            if (fromEL != 0)
                return;
            ulong[] entry = _entries[cpu.Index];
            for (int i = 0; i < 31; i++)
                entry[i] = cpu.X(i);
            (entry[Sp], entry[Pc], entry[Cpsr]) = (cpu.SP_EL0, cpu.ELR_EL1, cpu.SPSR_EL1);
            _vectors[cpu.Index] = cpu.PC;
            KernelTask task = target.Kernel.Scheduler.Current(cpu.Index);
            bool interrupt = (cpu.PC & 0x80) != 0, calls = !interrupt && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64;
            if (target._steps.TryGetValue(task, out Stepping? step) && !calls && !interrupt)
            {
                // What faulted is executed again, unless a signal comes of it.
                (step.Fresh, step.Pc) = (true, cpu.ELR_EL1);
            }
            if (target.IsAttached(task))
            {
                target._known.Departures[task] = calls
                    ? new Departure(new Place(cpu.Index, cpu.Instructions - 1), cpu.ELR_EL1 - 4)
                    : new Departure(new Place(cpu.Index, cpu.Instructions), cpu.ELR_EL1);
            }
            if (!calls || target._replays || !target.IsAttached(task) || target.CaughtCalls is not { } caught)
                return;
            if (caught.Count > 0 && !caught.Contains((int)entry[8]))
                return;
            target._known.Returning.Add(task);
            target.Report(new DebugStop(StopKind.SyscallEntry, IdOf(task), entry[8]), cpu.Index);
        }
    }
}
