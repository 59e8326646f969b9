using System.Text.Json.Nodes;
using ArmVdso.Lab.Explain;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>armvdso explain: a block of code cycle by cycle, with what each instruction waited for.</summary>
internal static class ExplainCommand
{
    internal static Command Make()
    {
        Option<string> iterations = Number("--iterations", "rounds of a block that are shown", "3");
        var cold = new Option<bool>("--cold") { Description = "the first rounds of a block, not the steady state" };
        Option<string> call = Number("--call", "the Nth call of a function; 0: the first and the fastest of the first 64", "0");
        Option<string> longest = Number("--instructions", "instructions after which a call is cut off", "400");
        Option<bool> json = CliCommand.Json();
        var target = new Argument<string?>("TARGET")
        {
            Arity = ArgumentArity.ExactlyOne,
            Description =
                "FILE.s, a function of the vDSO (also by its system call's name), of EL1 code or of PROGRAM, or an address (0x...)",
        };
        var program = new Argument<string[]>("PROGRAM")
        {
            Description = "the program that runs, and its arguments; without, one that calls every function of the vDSO",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var guest = new GuestOptions();
        var core = new CoreOptions(several: true);
        // The reference engine runs: it alone reports each instruction.
        OptionGroup[] groups =
        [
            new CpuOptions(), core, new DesignOptions(), new KernelOptions(), guest, new MachineOptions(), new TimeOptions(),
            new LimitOptions(),
        ];
        return new CliCommand(
            "explain", "shows code cycle by cycle, with the reason of every stall", groups, [iterations, cold, call, longest, json],
                [target, program], input =>
            {
                SessionSettings[] several = [.. core.Cores(input).Select(
                    name => CliCommand.Settings(input, groups.Where(g => g != core), new SessionSettings { Core = name }))];
                string what = input.Operand(target)!;
                string[] words = input.Value(program) ?? [];
                int rounds = (int)input.Number(iterations, 1, 1000);
                int limit = (int)input.Number(longest, 1, 100_000);
                int wanted = (int)input.Number(call, 0, 1_000_000);
                bool asJson = input.Value(json), fromStart = input.Value(cold);
                if (several.Any(s => s.Core == "none"))
                    throw CommandInput.Error("--core: none has no pipeline");
                if (words.Length == 0 && (what.EndsWith(".s", StringComparison.OrdinalIgnoreCase) || what.Contains('/')))
                {
                    input.Refuse("for a block", [call, longest, .. groups.Where(g => g != core).SelectMany(g => g.Options)]);
                    return () => ShowBlocks(
                        [.. several.Select(s => (s, new ArmVdsoLab(s).ExplainBlocks(what, rounds, fromStart)))], asJson);
                }
                input.Refuse("for a function", iterations, cold);
                if (words.Length == 0)
                    input.Refuse("without PROGRAM", guest.Options);
                return () =>
                {
                    using Stream output = words.Length > 0 ? StandardStream.Open(2) : Stream.Null;
                    SessionHooks hooks = Terminal.Hooks(Stream.Null, output, output);
                    foreach (SessionSettings settings in several)
                    {
                        foreach (ExplainedCall c in new ArmVdsoLab(settings)
                            .ExplainCalls(what, words.Length > 0 ? words : null, limit, wanted, hooks))
                            ShowCall(settings, what, c, asJson);
                    }
                    return 0;
                };
            })
        {
            OperandsBeforeProgram = 1,
        };
    }

    private static Option<string> Number(string name, string description, string fallback) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => fallback,
    };

    /// <summary>Shows blocks; on several cores their cycles side by side first.</summary>
    private static int ShowBlocks((SessionSettings Settings, IReadOnlyList<ExplainedBlock> Blocks)[] all, bool json)
    {
        if (!json && all.Length > 1)
        {
            var table = new Table(["cycles a round", .. all.Select(a => a.Settings.Core)]);
            for (int i = 0; i < all[0].Blocks.Count; i++)
                table.Add([all[0].Blocks[i].File, .. all.Select(a => Text.Fixed(a.Blocks[i].CyclesPerRound, 2))]);
            table.Write(Console.Out);
            Console.Out.WriteLine();
        }
        foreach ((SessionSettings settings, IReadOnlyList<ExplainedBlock> blocks) in all)
        {
            foreach (ExplainedBlock block in blocks)
                ShowBlock(settings, block, json);
        }
        return 0;
    }

    private static void ShowBlock(SessionSettings settings, ExplainedBlock block, bool json)
    {
        var writer = new TimelineWriter(Console.Out);
        string state = block.Cold ? "cold" : "steady state";
        if (json)
        {
            Console.Out.WriteLine(new JsonObject
            {
                ["core"] = settings.Core,
                ["cpu_profile"] = settings.CpuProfileName,
                ["block"] = block.File,
                ["state"] = state,
                ["instructions"] = block.Instructions,
                ["rounds"] = block.Rounds,
                ["cycles_per_round"] = block.CyclesPerRound,
                ["modelled"] = true,
            }.ToJsonString());
            writer.WriteJson(block.Records, block.RoundLength, state);
            return;
        }
        Console.Out.WriteLine(
            $"core {settings.Core}, profile {settings.CpuProfileName}, {block.File}: {block.Instructions} instructions, "
            + $"{Text.Fixed(block.CyclesPerRound, 2)} cycles a round in the steady state "
            + $"({Text.Fixed(block.Instructions / block.CyclesPerRound, 2)} instructions a cycle); cycles are modelled");
        Console.Out.WriteLine($"{block.Rounds} rounds, {state}");
        if (block.IsFunction)
            Console.Out.WriteLine("A round is a call of it: the BL and a B around it are in its cycles.");
        if (block.Missing.Count > 0)
            Console.Out.WriteLine($"Not here, so that a call of it returns at once: {string.Join(' ', block.Missing)}");
        Console.Out.WriteLine();
        writer.Write(block.Records, block.RoundLength);
        Console.Out.WriteLine();
    }

    private static void ShowCall(SessionSettings settings, string target, ExplainedCall call, bool json)
    {
        var writer = new TimelineWriter(Console.Out);
        if (json)
        {
            Console.Out.WriteLine(new JsonObject
            {
                ["core"] = settings.Core,
                ["cpu_profile"] = settings.CpuProfileName,
                ["block"] = target,
                ["state"] = call.Which,
                ["instructions"] = call.Records.Count,
                ["cycles"] = call.Cycles,
                ["cpu"] = call.Records[0].Cpu,
                ["modelled"] = true,
            }.ToJsonString());
            writer.WriteJson(call.Records, 0, call.Which);
            return;
        }
        Console.Out.WriteLine(
            $"core {settings.Core}, profile {settings.CpuProfileName}, {target}, {call.Which}: {call.Records.Count} instructions, "
            + $"{call.Cycles} cycles from the first into the window to the last retired, CPU {call.Records[0].Cpu}; cycles are modelled");
        Console.Out.WriteLine();
        writer.Write(call.Records, 0);
        Console.Out.WriteLine();
    }
}
