using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ArmVdso.Emulator;
using ArmVdso.Kernel;
using ArmVdso.Kernel.El1;
using ArmVdso.Lab;
using ArmVdso.Lab.Explain;

namespace ArmVdso.Cli;

/// <summary>armvdso explain: a block of code cycle by cycle, with what each instruction waited for.</summary>
internal static class ExplainCommand
{
    private const int AuxvEntry = 9;
    private const int AuxvVdso = 33;

    internal static Command Make()
    {
        var options = new SessionOptions();
        var iterations = new Option<string>("--iterations") { Description = "rounds of a block that are shown", HelpName = "N", DefaultValueFactory = _ => "3" };
        var cold = new Option<bool>("--cold") { Description = "the first rounds of a block, not the steady state" };
        var call = new Option<string>("--call") { Description = "the Nth call of a function; 0: the first and the fastest of the first 64", HelpName = "N", DefaultValueFactory = _ => "0" };
        var longest = new Option<string>("--instructions") { Description = "instructions after which a call is cut off", HelpName = "N", DefaultValueFactory = _ => "400" };
        var target = new Argument<string>("TARGET") { Description = "FILE.s, a function of the vDSO, of EL1 code or of PROGRAM, or an address (0x...)" };
        var program = new Argument<string[]>("PROGRAM") { Description = "the program that runs, and its arguments; without, one that calls every function of the vDSO", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("explain", "shows code cycle by cycle, with the reason of every stall");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(iterations);
        command.Options.Add(cold);
        command.Options.Add(call);
        command.Options.Add(longest);
        command.Options.Add(options.Json);
        command.Arguments.Add(target);
        command.Arguments.Add(program);
        command.SetAction(result =>
        {
            SessionSettings settings = options.Read(result) with { Engine = EngineKind.Reference };
            string what = result.GetValue(target)!;
            string[] words = result.GetValue(program) ?? [];
            int rounds = (int)SessionOptions.Number("--iterations", result.GetValue(iterations)!, 1, 1000);
            int limit = (int)SessionOptions.Number("--instructions", result.GetValue(longest)!, 1, 100_000);
            int wanted = (int)SessionOptions.Number("--call", result.GetValue(call)!, 0, 1_000_000);
            bool json = result.GetValue(options.Json);
            if (words.Length == 0 && (what.EndsWith(".s", StringComparison.Ordinal) || what.EndsWith(".S", StringComparison.Ordinal) || what.Contains('/')))
                ExplainFile(settings.Core, what, rounds, result.GetValue(cold), json);
            else
                ExplainProgram(settings, what, words, limit, wanted, json);
            return 0;
        });
        return command;
    }

    private static void ExplainFile(string core, string file, int rounds, bool cold, bool json)
    {
        const int Warm = 4 * BlockRunner.Period;
        const int Counted = 4 * BlockRunner.Period;
        using var block = new BlockRunner(core, file);
        var records = new List<PipelineRecord>();
        double steady = 0;
        if (!cold)
        {
            block.Run(Warm);
            (int counted, ulong cycles) = block.Run(Counted);
            steady = (double)cycles / counted;
        }
        int wanted = rounds * block.Length;
        PipelineRecorder.Attach(block.Cpu, record =>
        {
            if (records.Count < wanted)
                records.Add(record);
        });
        block.Run(rounds);
        if (cold)
        {
            block.Run(Warm);
            (int counted, ulong cycles) = block.Run(Counted);
            steady = (double)cycles / counted;
        }
        // Branches inside of the block make rounds of other lengths.
        ulong start = records[0].Pc;
        bool regular = Enumerable.Range(0, records.Count / block.Length).All(i => (records[i * block.Length].Pc - start) / 4 % (ulong)block.Length == 0);
        int length = regular ? block.Length : 0;
        var writer = new TimelineWriter(Console.Out, _ => "");
        string state = cold ? "cold" : "steady state";
        string perRound = steady.ToString("0.00", CultureInfo.InvariantCulture);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { core, block = file, state, instructions = block.Length, rounds, cycles_per_round = steady, modelled = true }));
            writer.WriteJson(records, length, state);
            return;
        }
        Console.Out.WriteLine($"core {core}, {file}: {block.Length} instructions, {perRound} cycles a round in the steady state ({(block.Length / steady).ToString("0.00", CultureInfo.InvariantCulture)} instructions a cycle); cycles are modelled");
        Console.Out.WriteLine($"{rounds} rounds, {state}");
        Console.Out.WriteLine();
        writer.Write(records, length);
    }

    private static void ExplainProgram(SessionSettings settings, string target, string[] words, int longest, int wanted, bool json)
    {
        using EmbeddedGuest? guest = words.Length == 0 ? new EmbeddedGuest() : null;
        if (guest is not null)
        {
            settings = settings with { Binds = [.. settings.Binds, guest.Bind] };
            words = [EmbeddedGuest.GuestPath, "2"];
        }
        byte[] image = guest is not null ? File.ReadAllBytes(guest.Bind.HostPath) : ProgramBytes(settings, words[0]);
        Dictionary<string, ulong> symbols = ElfSymbols.Read(image);
        using Stream output = guest is null ? StandardStream.Open(2) : Stream.Null;
        CallRecorder? recorder = null;
        var names = new SortedList<ulong, string>();
        bool found = false;
        LinuxKernel? kernel = null;
        void Started(byte[] auxv)
        {
            if (kernel is not null && recorder is not null)
                found |= Locate(kernel, auxv, target, image, symbols, recorder.Starts, names);
        }
        using var session = new Session(settings, words[0], words[1..], new Session.Hooks
        {
            Output = output,
            Error = output,
            Log = Terminal.Log,
            Terminals = Terminal.Streams,
            Exec = task => Started(task.Group.Auxv),
        });
        using IDisposable interrupts = Terminal.Interrupts(session);
        kernel = session.Kernel;
        recorder = new CallRecorder(session.Machine, longest, wanted, 64);
        Started(kernel.Init!.Auxv);
        if (!found)
            throw new UserError($"{target}: no such function in the vDSO ({settings.Vdso}), in EL1 code or in {words[0]}, and not an address (0x...)", ExitStatus.Usage);
        ulong limit = settings.MaxCycles == 0 ? ulong.MaxValue : settings.MaxCycles;
        while (!recorder.Enough && session.Machine.Run(limit) && kernel.Panic is null && !kernel.Finished && !kernel.Deadlock)
        {
        }
        if (kernel.Panic is { } panic)
            throw new UserError(panic, ExitStatus.EmulatorError);
        if (recorder.First is null || (wanted > 0 && recorder.Chosen is null))
            throw new UserError($"{target}: {recorder.Calls} calls in this run", ExitStatus.Usage);
        var writer = new TimelineWriter(Console.Out, pc => Name(kernel, names, pc));
        if (wanted > 0)
        {
            Show(settings, writer, recorder.Chosen!, $"call {wanted}", target, json);
            return;
        }
        Show(settings, writer, recorder.First, "first call (cold)", target, json);
        if (recorder.FastestNumber > 1)
            Show(settings, writer, recorder.Fastest!, $"fastest call (warm), number {recorder.FastestNumber} of {recorder.Calls}", target, json);
    }

    private static void Show(SessionSettings settings, TimelineWriter writer, List<PipelineRecord> call, string which, string target, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { core = settings.Core, block = target, state = which, instructions = call.Count, cycles = CallRecorder.Cycles(call), cpu = call[0].Cpu, modelled = true }));
            writer.WriteJson(call, 0, which);
            return;
        }
        Console.Out.WriteLine($"core {settings.Core}, {target}, {which}: {call.Count} instructions, {CallRecorder.Cycles(call)} cycles from the first into the window to the last retired, CPU {call[0].Cpu}; cycles are modelled");
        Console.Out.WriteLine();
        writer.Write(call, 0);
        Console.Out.WriteLine();
    }

    private static byte[] ProgramBytes(SessionSettings settings, string program)
    {
        (string? hostPath, string guestPath, string? root) = ProgramFinder.Find(settings, program);
        string? path = hostPath ?? (root is null ? null : Path.Join(root, guestPath));
        try
        {
            return path is null ? [] : File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Works out where the target is in a program that has just started. Names of functions go to <paramref name="names"/>.</summary>
    private static bool Locate(
        LinuxKernel kernel, byte[] auxv, string target, byte[] image, Dictionary<string, ulong> symbols, HashSet<ulong> starts, SortedList<ulong, string> names)
    {
        ulong vdso = Auxiliary(auxv, AuxvVdso);
        ulong bias = image.Length >= 64 ? Auxiliary(auxv, AuxvEntry) - BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(24)) : 0;
        if (target.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            if (!ulong.TryParse(target.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong address))
                return false;
            starts.Add(address);
        }
        foreach ((string name, ulong value) in symbols)
            names[value + bias] = name;
        if (vdso != 0 && kernel.Vdso.Image is { } shared)
        {
            foreach ((string name, ulong offset) in shared.Symbols)
                names[vdso + offset] = name;
        }
        foreach ((ulong address, string name) in names)
        {
            if (name == target)
                starts.Add(address);
        }
        if (starts.Count == 0)
        {
            if (El1Image.AddressOf(target) is not { } address)
                return false;
            starts.Add(address);
        }
        return true;
    }

    private static ulong Auxiliary(byte[] vector, ulong type)
    {
        for (int i = 0; i + 16 <= vector.Length; i += 16)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(vector.AsSpan(i)) == type)
                return BinaryPrimitives.ReadUInt64LittleEndian(vector.AsSpan(i + 8));
        }
        return 0;
    }

    private static string Name(LinuxKernel kernel, SortedList<ulong, string> names, ulong pc)
    {
        if (pc >= El1Image.LinearBase)
            return kernel.El1FunctionAt(pc) ?? "";
        int low = 0, high = names.Count - 1, found = -1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (names.Keys[middle] <= pc)
            {
                found = middle;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return found < 0 || pc - names.Keys[found] > 65536 ? "" : names.Values[found];
    }
}
