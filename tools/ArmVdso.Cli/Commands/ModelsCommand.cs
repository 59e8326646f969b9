using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Cli;

/// <summary>armvdso models: the timing models, each parameter with its evidence and source.</summary>
internal static class ModelsCommand
{
    internal static Command Make()
    {
        var name = new Argument<string?>("MODEL")
        {
            Description = "a model's name or file, with @BOARD on a board: its parameters; the lists of models and boards without",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = CliCommand.Json();
        return new CliCommand("models", "the timing models and where their numbers come from", [], [json], [name], input =>
        {
            string? wanted = input.Operand(name);
            bool asJson = input.Value(json);
            CoreModel[] models;
            try
            {
                models = wanted is null ? [.. CoreModel.Names.Select(CoreModel.Load), CoreModel.None] : [CoreModel.Load(wanted)];
                foreach (CoreModel model in models)
                    KernelConfiguration.ForCore(model);
            }
            catch (CoreModelException e)
            {
                throw CommandInput.Error(e.Message);
            }
            return () =>
            {
                if (wanted is null)
                    List(models, asJson);
                else
                    Explain(models[0], asJson);
                return 0;
            };
        });
    }

    private static void List(CoreModel[] models, bool json)
    {
        var table = new Table("model", "clock MHz", "parameters", "CPU profile", "kernel", "description");
        foreach (CoreModel model in models)
        {
            string kernel = KernelConfiguration.ForCore(model).ToString();
            if (json)
            {
                Write(new JsonObject
                {
                    ["name"] = model.Name,
                    ["clock_hz"] = model.ClockFrequency,
                    ["parameters"] = model.Parameters.Count,
                    ["profile"] = model.Profile,
                    ["kernel"] = kernel,
                    ["description"] = model.Description,
                });
            }
            table.Add(
                model.Name, (model.ClockFrequency / 1e6).ToString(CultureInfo.InvariantCulture), Text.Plain(model.Parameters.Count),
                model.Profile, kernel,
                model.Description);
        }
        if (json)
            return;
        table.Write(Console.Out);
        var boards = new Table("board", "core", "parameters", "description");
        foreach (BoardModel board in CoreModel.BoardNames.Select(CoreModel.LoadBoard))
            boards.Add(board.Name, board.Core, Text.Plain(board.Parameters.Count), board.Description);
        Console.Out.WriteLine();
        boards.Write(Console.Out);
        Console.Out.WriteLine();
        Console.Out.WriteLine("MODEL@BOARD is a core on a board, here and in the library; --board elsewhere.");
    }

    private static void Explain(CoreModel model, bool json)
    {
        var table = new Table("parameter", "value", "unit", "evidence", "range", "source");
        foreach (CoreParameter p in model.Parameters)
        {
            if (json)
                Write(new JsonObject
                {
                    ["key"] = p.Key,
                    ["value"] = p.Value,
                    ["unit"] = p.Unit,
                    ["evidence"] = p.Evidence,
                    ["low"] = p.Range?.Low,
                    ["high"] = p.Range?.High,
                    ["source"] = p.Source
                });
            table.Add(p.Key, Text.Plain(p.Value), p.Unit, p.Evidence, p.Range is { } r ? $"{r.Low}..{r.High}" : "", p.Source);
        }
        var timings = new Table("instructions", "timing", "evidence", "range", "source");
        foreach (CoreTiming t in model.Timings)
        {
            if (json)
                Write(new JsonObject
                {
                    ["instructions"] = t.Names,
                    ["timing"] = t.Values,
                    ["evidence"] = t.Evidence,
                    ["low"] = t.Range?.Low,
                    ["high"] = t.Range?.High,
                    ["source"] = t.Source
                });
            timings.Add(t.Names, t.Values, t.Evidence, t.Range is { } r ? $"{r.Low}..{r.High}" : "", t.Source);
        }
        string source = model.Software.FirstOrDefault(s => s.Key == KernelConfiguration.CoreKey)?.Source
            ?? "the file names none: the default";
        string kernel = KernelConfiguration.ForCore(model).ToString();
        if (json)
        {
            Write(new JsonObject { ["profile"] = model.Profile, ["kernel"] = kernel, ["source"] = source });
            return;
        }
        Console.Out.WriteLine($"CPU profile {model.Profile}");
        Console.Out.WriteLine($"kernel {kernel} ({source})");
        Console.Out.WriteLine();
        table.Write(Console.Out);
        Console.Out.WriteLine();
        Console.Out.WriteLine("Classes of instructions (small letters) and mnemonics or rows of the instruction table (capitals); cycles:");
        timings.Write(Console.Out);
    }

    private static void Write(JsonObject line) => Console.Out.WriteLine(line.ToJsonString());
}
