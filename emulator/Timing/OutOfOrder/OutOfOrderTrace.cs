using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>One micro-op's way: where and when it issued, and what it waited for.</summary>
/// <param name="Ports">Ports that could take it.</param>
/// <param name="Port">Number of the port that took it.</param>
/// <param name="Ready">Cycle from which its operands were there.</param>
/// <param name="Issued">Cycle of issue.</param>
public readonly record struct MicroOpTrace(IssuePorts Ports, int Port, long Ready, long Issued);

/// <summary>One instruction's way through an out-of-order pipeline. Cycles are those of the PE.</summary>
public sealed class OutOfOrderTrace
{
    /// <summary>Its address.</summary>
    public ulong Pc;

    /// <summary>Exception level.</summary>
    public int EL;

    /// <summary>Its static timing.</summary>
    public required OutOfOrderInstruction Timing;

    /// <summary>Cycle in which it was fetched.</summary>
    public long Fetched;

    /// <summary>Why fetch was late, when it was.</summary>
    public CycleCause FetchCause;

    /// <summary>Cycle of rename.</summary>
    public long Renamed;

    /// <summary>Why it was renamed later than fetched.</summary>
    public RenameStall RenameStall;

    /// <summary>Micro-ops; empty for what is done at rename.</summary>
    public List<MicroOpTrace> Ops = [];

    /// <summary>First cycle in which all operands of the main micro-op were there.</summary>
    public long OperandsReady;

    /// <summary>The register that came last, or -1.</summary>
    public int LastRegister;

    /// <summary>Cycle of issue of the first micro-op.</summary>
    public long Issued;

    /// <summary>Cycle from which the result can be used.</summary>
    public long Done;

    /// <summary>Why the result took longer than its class says.</summary>
    public CycleCause ExecuteCause;

    /// <summary>What a load found in the store queue.</summary>
    public Forwarding Forwarding;

    /// <summary>Cycle of retirement.</summary>
    public long Retired;

    /// <summary>What fetch made of it when it is a branch.</summary>
    public Prediction Prediction;
}

/// <summary>Why an instruction was renamed later than it was fetched.</summary>
public enum RenameStall : byte
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>The rename slots of the cycle were full.</summary>
    Width,

    /// <summary>The reorder buffer was full.</summary>
    ReorderBuffer,

    /// <summary>The store queue was full.</summary>
    StoreQueue,

    /// <summary>An older system instruction held what follows.</summary>
    Hold,
}

/// <summary>Sees each instruction's way through an out-of-order pipeline.</summary>
public interface IOutOfOrderSink
{
    /// <summary>An instruction was timed. Calls arrive in program order; the record is not used again.</summary>
    void OnInstruction(OutOfOrderTrace trace);
}
