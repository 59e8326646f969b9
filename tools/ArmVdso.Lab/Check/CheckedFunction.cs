using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Check;

/// <summary>What a function answers.</summary>
internal enum AnswerKind
{
    /// <summary>An ID in W0.</summary>
    Id,

    /// <summary>CPU and node.</summary>
    Cpu,

    /// <summary>A clock that is computed from the counter, in ns.</summary>
    Clock,

    /// <summary>A clock that stands still between updates, in ns.</summary>
    CoarseClock,

    /// <summary>Resolution of a clock, in ns.</summary>
    Resolution,

    /// <summary>CLOCK_REALTIME in us.</summary>
    TimeOfDay,

    /// <summary>The same for ever, in W0.</summary>
    Constant,

    /// <summary>Bytes of the task in the buffer.</summary>
    Bytes,

    /// <summary>What an invariant of the design accepts.</summary>
    Invariant,

    /// <summary>Random bytes: right is whatever was never given out before.</summary>
    Random,
}

/// <summary>A function of the vDSO with its arguments, and the system call that it stands for.</summary>
/// <param name="Name">As compare names it.</param>
/// <param name="Symbol">In the image.</param>
/// <param name="Number">arm64 system call.</param>
/// <param name="Kind">What it answers.</param>
/// <param name="First">First argument where that is no pointer: a clock, a policy.</param>
internal sealed record CheckedFunction(string Name, string Symbol, int Number, AnswerKind Kind, int First)
{
    /// <summary>All that can be checked; an image has those whose symbol it exports.</summary>
    internal static IReadOnlyList<CheckedFunction> All { get; } = [.. VdsoCalls.All.SelectMany(c => c.Cases.SelectMany(k => Of(c, k)))];

    /// <summary>Those of a design: a function that it brings itself stands for one of the same name.</summary>
    internal static IReadOnlyList<CheckedFunction> Of(VdsoDesign design) =>
    [
        .. All.Where(f => design.OwnFunctions.All(o => o.Name != f.Name)),
        .. design.OwnFunctions.Select(o => new CheckedFunction(o.Name, o.Symbol, o.Number, KindOf(o.Answer), o.First) { Own = o }),
        .. HasAuxiliary(design) ? Auxiliary : [],
    ];

    /// <summary>Whether a design's data has auxiliary clocks, which the kernel then has, too.</summary>
    internal static bool HasAuxiliary(VdsoDesign design) => design is StockDesign { Stock.Layout.Clock.Auxiliary: > 0 };

    /// <summary>The same functions for CLOCK_AUX.</summary>
    private static IEnumerable<CheckedFunction> Auxiliary => All.Where(f => f.Name is "clock_gettime_realtime" or "clock_getres")
        .Select(f => f with { Name = f.Kind == AnswerKind.Clock ? "clock_gettime_aux" : "clock_getres_aux", First = Clocks.Auxiliary });

    /// <summary>Whether it reads an auxiliary clock.</summary>
    internal bool IsAuxiliary => Kind == AnswerKind.Clock && First == Clocks.Auxiliary;

    private static AnswerKind KindOf(OwnAnswer answer) => answer switch
    {
        OwnAnswer.Constant => AnswerKind.Constant,
        OwnAnswer.Bytes => AnswerKind.Bytes,
        OwnAnswer.Invariant => AnswerKind.Invariant,
        _ => AnswerKind.Id,
    };

    /// <summary>What a design's own file says of it; null: it is one of ours.</summary>
    internal OwnFunction? Own { get; init; }

    /// <summary>Whether its answer is the task's.</summary>
    internal bool IsOfTask => Kind is AnswerKind.Id or AnswerKind.Bytes or AnswerKind.Invariant;

    private static IEnumerable<CheckedFunction> Of(VdsoCall call, VdsoCase of)
    {
        AnswerKind kind = call.Answer switch
        {
            VdsoAnswer.Id => AnswerKind.Id,
            VdsoAnswer.Cpu => AnswerKind.Cpu,
            VdsoAnswer.Clock => of.First is Clocks.RealtimeCoarse or Clocks.MonotonicCoarse ? AnswerKind.CoarseClock : AnswerKind.Clock,
            VdsoAnswer.Resolution => AnswerKind.Resolution,
            VdsoAnswer.Timeofday => AnswerKind.TimeOfDay,
            VdsoAnswer.Random => AnswerKind.Random,
            _ => AnswerKind.Constant,
        };
        var function = new CheckedFunction(of.Name, call.Symbol, call.Number, kind, of.First);
        yield return function;
        if (kind == AnswerKind.Random)
            yield return function with { Name = $"{of.Name}_new_key", FreshState = true };
    }

    /// <summary>For getrandom: the state is all zero before the call, so that it takes a key; otherwise it has one and a full
    /// batch, as after an earlier call.</summary>
    internal bool FreshState { get; init; }

    /// <summary>Bytes that a call of getrandom asks for.</summary>
    internal const int RandomBytes = 32;

    /// <summary>Bytes of getrandom's opaque state (struct vgetrandom_state of Linux 6.11).</summary>
    internal const int RandomState = 144;

    /// <summary>Where in it the generation of the key is, in bytes.</summary>
    internal const ulong RandomGeneration = 128;

    /// <summary>Whether it reads the clocks.</summary>
    internal bool IsTime => Kind is AnswerKind.Clock or AnswerKind.CoarseClock or AnswerKind.TimeOfDay;

    /// <summary>Address of the function in a task's memory.</summary>
    internal ulong Address(CheckRig rig, KernelTask task) => task.Mm!.VdsoBase + rig.Kernel.Vdso.Image!.Symbols[Symbol];

    /// <summary>Whether the image of a rig has it.</summary>
    internal bool IsIn(CheckRig rig) => rig.Kernel.Vdso.Image is { } image && image.Symbols.ContainsKey(Symbol);

    /// <summary>Whether a call changes memory that is made ready for it, and for no other call.</summary>
    internal bool ChangesMemory => Own is { ChangesMemory: true };

    /// <summary>Arguments of a task's call that writes to the given buffer.</summary>
    internal ulong[] Arguments(CheckRig rig, KernelTask task, ulong buffer) => Kind switch
    {
        _ when Own is not null => [.. rig.Given(Own.Arguments, task, buffer), .. new ulong[5 - Own.Arguments.Count]],
        AnswerKind.Id or AnswerKind.Constant => [(ulong)First, 0, 0, 0, 0],
        AnswerKind.Cpu => [buffer, buffer + 4, 0, 0, 0],
        AnswerKind.TimeOfDay => [buffer, 0, 0, 0, 0],
        AnswerKind.Random => [buffer, RandomBytes, 0, rig.RandomState, RandomState],
        _ => [(ulong)First, buffer, 0, 0, 0],
    };

    /// <summary>The answer of a call that has returned; null: the call failed or the answer is malformed. An auxiliary clock may be off:
    /// then the error, which is negative, is the answer.</summary>
    internal long? Result(KernelTask task, ulong x0, ulong buffer)
    {
        if (Kind is AnswerKind.Id or AnswerKind.Constant)
            return (uint)x0;
        if (Kind == AnswerKind.Invariant)
            return (long)x0;
        if (Kind == AnswerKind.Random)
            return x0 == RandomBytes ? (long)Words(task, buffer)[0] : null;
        if (x0 != 0)
            return IsAuxiliary ? (int)x0 : null;
        if (Kind == AnswerKind.Bytes)
            return (long)(CheckRig.Read(task, buffer) & (ulong.MaxValue >> (64 - 8 * Own!.Bytes)));
        long first = (long)CheckRig.Read(task, buffer), second = (long)CheckRig.Read(task, buffer + 8);
        long unit = Kind == AnswerKind.TimeOfDay ? 1_000_000 : 1_000_000_000;
        if (Kind == AnswerKind.Cpu)
            return first;
        return second < 0 || second >= unit || first < 0 ? null : first * unit + second;
    }

    /// <summary>Random bytes as words.</summary>
    internal static ulong[] Words(KernelTask task, ulong buffer) =>
        [.. Enumerable.Range(0, RandomBytes / 8).Select(i => CheckRig.Read(task, buffer + (ulong)i * 8))];

    /// <summary>What the kernel says now, from its own objects. Clocks are read at the present counter.</summary>
    internal long Truth(CheckRig rig, KernelTask task)
    {
        ulong scratch = rig.Symbol("scratch");
        switch (Kind)
        {
            case AnswerKind.Id or AnswerKind.Constant:
                return (uint)rig.Control.Answer(task, Number, (ulong)First);
            case AnswerKind.Cpu:
                return rig.Place(task.Cpu);
            case AnswerKind.Bytes:
                if (rig.Control.Answer(task, Number, Own!.Arguments.Select(a => a.In(scratch)).ToArray()) is not 0 and var failed)
                    throw new LabException($"the system call that says what {Name} is gave {failed}", LabFault.Input);
                break;
            case AnswerKind.TimeOfDay:
                rig.Control.Answer(task, Number, scratch, 0);
                break;
            default:
                return Result(task, (ulong)rig.Control.Answer(task, Number, (ulong)First, scratch), scratch)
                    ?? throw new InvalidOperationException($"the kernel's own {Name} failed");
        }
        return Result(task, 0, scratch) ?? throw new InvalidOperationException($"the kernel's own {Name} failed");
    }

    /// <summary>An answer for people.</summary>
    internal string Show(long? value) => value is not { } v ? "an error"
        : Kind switch
        {
            AnswerKind.Id or AnswerKind.Constant => $"{(int)v}",
            AnswerKind.Random => $"bytes that begin with {System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ulong)v):x16}",
            AnswerKind.Bytes or AnswerKind.Invariant => $"0x{v:x}",
            AnswerKind.Cpu => $"cpu {v & 0xffffffff} node {v >> 32}",
            _ when v < 0 => $"error {-v}",
            AnswerKind.TimeOfDay => $"{v / 1_000_000}.{v % 1_000_000:d6}",
            _ => $"{v / 1_000_000_000}.{v % 1_000_000_000:d9}",
        };
}
