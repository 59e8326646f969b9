using System.Numerics;
using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.InOrder;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Emulator.Timing.OutOfOrder;

namespace ArmVdso.Lab.Explain;

/// <summary>Turns what a core model reports of each instruction into <see cref="PipelineRecord"/>s, for in-order and out-of-order
/// cores.</summary>
internal sealed class PipelineRecorder : ITimingSink, IOutOfOrderSink
{
    private readonly Cpu _cpu;
    private readonly Action<PipelineRecord> _seen;
    private readonly long[] _ready = new long[InstructionTiming.RegisterCount];
    private long _renamed = -1;

    private PipelineRecorder(Cpu cpu, Action<PipelineRecord> seen)
    {
        _cpu = cpu;
        _seen = seen;
    }

    /// <summary>Reports every instruction of a CPU from now on.</summary>
    /// <exception cref="LabException">Its timing model has no pipeline (the core none).</exception>
    internal static void Attach(Cpu cpu, Action<PipelineRecord> seen)
    {
        var recorder = new PipelineRecorder(cpu, seen);
        switch (cpu.Timing)
        {
            case InOrderTiming inOrder:
                inOrder.Sink = recorder;
                break;
            case OutOfOrderTiming outOfOrder:
                outOfOrder.Pipeline.Sink = recorder;
                break;
            default:
                throw new LabException("the core none has no pipeline; known: " + string.Join(", ", CoreModel.Names), LabFault.Input);
        }
    }

    /// <inheritdoc/>
    public void OnInstruction(in InstructionTrace trace)
    {
        InstructionTiming t = trace.Timing;
        long done = Math.Max(trace.Done, trace.Retired + 1);
        PipelineRecord record = RecordOf(
            t, trace.Pc, _cpu.EL, trace.Fetched, trace.Earliest - 1 + trace.FetchStall, trace.Issued, done, done, trace.Paired ? "1" : "0");
        if (trace.FetchStall > 0)
            record.Stalls.Add(new Stall("front-end", trace.FetchStall, Text(trace.FetchCause)));
        // What could have issued with the instruction before it, and did not, waits a cycle that no count has.
        long alone = Math.Max(0, trace.Issued - trace.Earliest - trace.FetchStall - trace.OperandStall - trace.UnitStall - trace.WaitStall);
        bool operand = trace.OperandStall > 0 || trace.OperandsReady > trace.Earliest;
        if (operand && trace.OperandStall + alone > 0)
        {
            int last = -1;
            foreach (byte register in t.Sources)
            {
                if (last < 0 || _ready[register] > _ready[last])
                    last = register;
            }
            record.Stalls.Add(new Stall("operand", trace.OperandStall + alone, Text(trace.OperandCause), last));
        }
        long unit = trace.UnitStall + (operand ? 0 : alone);
        if (unit > 0)
            record.Stalls.Add(
                new Stall("port", unit, t.Units == Units.None ? "results in order" : $"{t.Units.ToString().ToLowerInvariant()} busy"));
        if (trace.WaitStall > 0)
            record.Stalls.Add(new Stall("memory", trace.WaitStall, Text(trace.WaitCause)));
        if (trace.Prediction == Prediction.Mispredicted)
            record.Stalls.Add(new Stall("mispredict", 0, "mispredicted"));
        foreach (byte register in t.Destinations)
            _ready[register] = trace.Done;
        _seen(record);
    }

    /// <inheritdoc/>
    public void OnInstruction(OutOfOrderTrace trace)
    {
        OutOfOrderInstruction t = trace.Timing;
        PipelineRecord record = RecordOf(
            t, trace.Pc, trace.EL, trace.Fetched, trace.Renamed, trace.Issued, trace.Done, trace.Retired,
            string.Join('+', trace.Ops.Select(o => MicroOp.PortName(o.Port))));
        long late = trace.Fetched - Math.Max(_renamed, 0);
        if (_renamed >= 0 && (late > 1 || (late == 1 && trace.FetchCause != CycleCause.FrontEnd)))
            record.Stalls.Add(new Stall("front-end", late, Text(trace.FetchCause)));
        long held = trace.Renamed - Math.Max(trace.Fetched, _renamed);
        if (held > 0 && trace.RenameStall is not (RenameStall.None or RenameStall.Width))
        {
            record.Stalls.Add(new Stall("rename", held, trace.RenameStall switch
            {
                RenameStall.ReorderBuffer => "reorder buffer full",
                RenameStall.StoreQueue => "store queue full",
                _ => "held by an older system instruction",
            }));
        }
        if (trace.OperandsReady > trace.Renamed + 1)
        {
            record.Stalls.Add(trace.LastRegister >= 0
                ? new Stall("operand", trace.OperandsReady - trace.Renamed - 1, "", trace.LastRegister)
                : new Stall("operand", trace.OperandsReady - trace.Renamed - 1, "until everything older is complete"));
        }
        MicroOpTrace first = trace.Ops.FirstOrDefault(o => o.Issued == trace.Issued);
        if (trace.Issued > trace.OperandsReady && trace.Ops.Count > 0)
            record.Stalls.Add(new Stall("port", trace.Issued - trace.OperandsReady, $"{Ports(first.Ports)} busy"));
        long slow = trace.Done - trace.Issued - t.Latency;
        if (slow > 0 && t.Ops.Length > 0)
        {
            string why = trace.Forwarding switch
            {
                Forwarding.Forwarded => "data of an older store",
                Forwarding.Blocked => "an older store with a part of the data has to be written first",
                _ when trace.ExecuteCause is CycleCause.LoadUse or CycleCause.Dependency =>
                    t.Kind == TimingKind.Memory ? "alignment or ports" : "ports or operand values",
                _ => Text(trace.ExecuteCause),
            };
            record.Stalls.Add(new Stall("execute", slow, why));
        }
        if (trace.Prediction == Prediction.Mispredicted)
            record.Stalls.Add(new Stall("mispredict", 0, "mispredicted"));
        _renamed = trace.Renamed;
        _seen(record);
    }

    private static string Ports(IssuePorts ports)
    {
        var names = new List<string>();
        for (uint set = (uint)ports; set != 0; set &= set - 1)
            names.Add(MicroOp.PortName(BitOperations.TrailingZeroCount(set)));
        return string.Join('/', names);
    }

    private PipelineRecord RecordOf(
        EncodingTiming timing, ulong pc, int el, long fetched, long entered, long issued, long done, long retired, string pipe) => new()
        {
            Cpu = _cpu.Index,
            Pc = pc,
            Word = timing.Encoding,
            Class = timing.Class,
            EL = el,
            Fetched = fetched,
            Entered = entered,
            Issued = issued,
            Done = done,
            Retired = retired,
            Pipe = pipe,
            Sources = timing.Sources,
            Destinations = timing.Destinations,
        };

    private static string Text(CycleCause cause) => cause switch
    {
        CycleCause.FrontEnd => "taken branch or fetch group",
        CycleCause.InstructionCache => "L1I miss",
        CycleCause.InstructionTlb => "instruction TLB miss",
        CycleCause.Mispredict => "mispredicted branch before it",
        CycleCause.LoadUse => "load",
        CycleCause.L2 => "L2",
        CycleCause.L3 => "last-level cache",
        CycleCause.Dram => "memory",
        CycleCause.Coherence => "line of another CPU",
        CycleCause.DataTlb => "data TLB miss",
        CycleCause.System => "system instruction",
        CycleCause.Exception => "exception entry or return",
        CycleCause.Unit => "unit busy",
        CycleCause.Dependency => "latency",
        _ => cause.ToString().ToLowerInvariant(),
    };
}
