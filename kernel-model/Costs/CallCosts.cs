using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Kernel.Costs;

/// <summary>What a body in C# is charged.</summary>
/// <param name="Instructions">Instructions of the stock kernel's body, entry and exit left out (those are executed here).</param>
/// <param name="InstructionLines">64-byte lines of instructions that it touches beyond entry and exit.</param>
/// <param name="DataLines">64-byte lines of data, likewise.</param>
/// <param name="PerKilobyte">Further instructions for 1024 bytes that the call moves.</param>
/// <param name="Row">Row of the traces.</param>
/// <param name="Estimated">The nearest traced call stands for this one.</param>
/// <param name="Region">Which lines of its own it touches.</param>
public sealed record CallCost(
    int Instructions, int InstructionLines, int DataLines, int PerKilobyte, string Row, bool Estimated, int Region);

/// <summary>Costs of bodies in C#: Costs/calls.tsv names the row of the stock kernel's traces for each call, in the configuration
/// of the run (cores with LSE atomics have other counts).</summary>
public sealed class CallCosts
{
    private static readonly Dictionary<string, string[]> s_calls = Load();
    private readonly IReadOnlyDictionary<string, StockTrace> _traces;
    private readonly Dictionary<string, CallCost?> _known = [];

    /// <summary>The costs for a kernel configuration.</summary>
    public CallCosts(KernelConfiguration configuration) =>
        _traces = StockTrace.Table(configuration.SsbdFirmware ? "a53_nokpti" : "n1_nomit");

    private static Dictionary<string, string[]> Load()
    {
        var calls = new Dictionary<string, string[]>();
        using Stream stream = typeof(CallCosts).Assembly.GetManifestResourceStream("costs/calls.tsv")
            ?? throw new FileNotFoundException("embedded resource costs/calls.tsv is missing");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split('\t');
            if (line[0] != '#' && cells[0] != "call")
                calls.Add(cells[0], cells);
        }
        return calls;
    }

    /// <summary>The cost of a system call: of its kind, its name or its class, in this order.</summary>
    /// <param name="name">Name of the call.</param>
    /// <param name="cost">Its class.</param>
    /// <param name="kind">What it works on (pipe, file, zero, null, again), or nothing.</param>
    public CallCost Of(string name, CostClass cost, string kind = "") =>
        (kind.Length > 0 ? Find($"{name}:{kind}") : null) ?? Find(name) ?? Find($"class:{cost}")
        ?? throw new KeyNotFoundException($"Costs/calls.tsv has no line for class {cost}");

    /// <summary>The cost of a fault that gives a page.</summary>
    public CallCost Fault(bool file) => Find(file ? "fault:file" : "fault:anonymous")!;

    /// <summary>schedule() with a switch, without what is executed at EL1: a pipe read that sleeps less one that does not.</summary>
    public CallCost Switch => _switch ??= MakeSwitch();

    private CallCost? _switch;

    /// <summary>Instructions of __switch_to, cpu_switch_to and their like that EL1 code executes here.</summary>
    private const int ExecutedInSwitch = 190;

    private CallCost MakeSwitch()
    {
        StockTrace with = _traces["T_ctx_read"], without = _traces["T_pipe_read1"];
        return new CallCost(
            with.Mix.Instructions - without.Mix.Instructions - ExecutedInSwitch, with.InstructionLines - without.InstructionLines,
            with.DataLines - without.DataLines, 0, "T_ctx_read - T_pipe_read1", false, 0);
    }

    /// <summary>getrandom of one batch (96 bytes): the stock trace's generator without the call around it.</summary>
    public CallCost RandomBatch => _batch ??= new CallCost(
        (int)(_traces["T_getrandom8"].Functions.GetValueOrDefault("chacha_permute") * 2.0)
        + _traces["T_getrandom8"].Functions.GetValueOrDefault("crng_make_state"),
        20, 10, 0, "T_getrandom8", true, 1);

    private CallCost? _batch;

    private CallCost? Find(string key)
    {
        if (_known.TryGetValue(key, out CallCost? cost))
            return cost;
        if (s_calls.TryGetValue(key, out string[]? cells) && _traces.TryGetValue(cells[1], out StockTrace? trace))
        {
            StockTrace bad = _traces["T_bad"];
            int factor = key == "class:Exec" ? 5 : 1;
            int body = Body(trace);
            int perKilobyte = _traces.TryGetValue(cells[2], out StockTrace? longer)
                ? Math.Max(0, (Body(longer) - body) * 1024 / (int.Parse(cells[3], CultureInfo.InvariantCulture) - 1)) : 0;
            cost = new CallCost(
                body * factor, Math.Max(0, trace.InstructionLines - bad.InstructionLines) * factor,
                Math.Max(0, trace.DataLines - bad.DataLines) * factor, perKilobyte, cells[1], cells[4] != "traced", 2 + _known.Count);
        }
        _known[key] = cost;
        return cost;
    }

    /// <summary>Instructions of a body: what surrounds it is that of an unknown call, but for sys_ni_syscall (6) and the way of
    /// invoke_syscall through the table (3 more); of a fault, its own vector, entry and handler.</summary>
    private int Body(StockTrace trace)
    {
        StockTrace bad = _traces["T_bad"];
        if (trace.Functions.TryGetValue("el0_da", out int handler))
        {
            return trace.Mix.Instructions - handler - bad.Functions["ret_to_user"]
                - trace.Functions["vectors"] - trace.Functions["el0t_64_sync"] - trace.Functions["el0t_64_sync_handler"];
        }
        return trace.Mix.Instructions - bad.Mix.Instructions + bad.Functions["sys_ni_syscall"] - 3;
    }

    /// <summary>Charges a body to the CPU that runs it.</summary>
    public static void Charge(Cpu cpu, CallCost cost) =>
        cpu.Timing.ChargeInstructions(cost.Instructions, cost.InstructionLines, cost.DataLines, cost.Region);

    /// <summary>Charges what a call costs for the bytes that it moved.</summary>
    public static void ChargeBytes(Cpu cpu, CallCost cost, long bytes)
    {
        if (bytes > 1 && cost.PerKilobyte > 0)
            cpu.Timing.ChargeInstructions(
                (int)Math.Min(int.MaxValue / 4, (bytes - 1) * cost.PerKilobyte / 1024), 0, (int)Math.Min(4096, bytes / 64), cost.Region);
    }
}
