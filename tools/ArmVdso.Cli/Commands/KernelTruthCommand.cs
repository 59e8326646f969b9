using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Boot;

namespace ArmVdso.Cli;

/// <summary>armvdso kernel-truth: what calls, faults and switches cost on a booted kernel and on the kernel model.</summary>
internal static class KernelTruthCommand
{
    internal static Command Make()
    {
        var image = new Option<string>("--kernel-image")
        {
            Description = "the kernel that is booted: an arm64 Image, plain, compressed by gzip, or in EFI zboot form",
            HelpName = "FILE",
        };
        var append = new Option<string>("--append")
        {
            Description = "its command line",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "",
        };
        var charges = new Option<string>("--charges")
        {
            Description = "also write what bodies in C# are to be charged on this core (kernel-model/Costs/measured.CORE.tsv)",
            HelpName = "FILE",
            DefaultValueFactory = _ => "",
        };
        Option<bool> json = CliCommand.Json();
        OptionGroup[] groups = [new CpuOptions(cpus: 1), new CoreOptions(), new KernelOptions(), new LimitOptions()];
        return new CliCommand(
            "kernel-truth", "what calls, faults and switches cost on a booted kernel, and on the kernel model", groups,
            [image, append, charges, json], [], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                if (settings.Cpus != 1)
                    throw CommandInput.Error("--cpus: the guest of kernel-truth is measured on one CPU");
                string file = input.Text(image), arguments = input.Text(append);
                if (file.Length == 0)
                    throw CommandInput.Error($"{image.Name} FILE is missing");
                bool asJson = input.Value(json);
                string table = input.Text(charges);
                return () =>
                {
                    // Opened first: a boot takes a minute.
                    using TextWriter? written = table.Length == 0 ? null : Terminal.Open(charges.Name, table);
                    KernelTruthResult result = KernelTruth.Measure(settings, file, arguments);
                    if (written is not null)
                        new KernelCosts(result).Write(written);
                    if (asJson)
                        WriteJson(Console.Out, result);
                    else
                        Write(Console.Out, result);
                    return 0;
                };
            });
    }

    private static void Write(TextWriter output, KernelTruthResult result)
    {
        output.WriteLine($"{Text.Machine(result.Settings)}, booted Linux {Text.Printable(result.Release)}, "
            + $"model {result.Settings.KernelConfiguration}");
        output.WriteLine("Median of the warm rounds, the loop taken off. What the model is charged was measured on a booted kernel on "
            + $"{result.Settings.KernelConfiguration.Charges}, with this program (docs/kernel-truth.md).");
        output.WriteLine();
        var table = new Table(
            "booted cycles", "insns", "L1I", "L1D", "L2", "model cycles", "insns", "charged", "L1I", "L1D", "L2", "model/booted", "what",
            "most of the difference");
        foreach (TruthRow row in result.Rows)
        {
            (TruthFigures b, TruthFigures m) = (row.Booted, row.Model);
            table.Add(
                Text.Number(b.Cycles), Text.Number(b.Instructions), Text.Number(b.L1IMisses), Text.Number(b.L1DMisses),
                Text.Number(b.L2Misses), Text.Number(m.Cycles), Text.Number(m.Instructions), Text.Percent(m.Charged, m.Cycles),
                Text.Number(m.L1IMisses), Text.Number(m.L1DMisses), Text.Number(m.L2Misses),
                b.Cycles == 0 ? "-" : Text.Fixed((double)m.Cycles / b.Cycles, 2), row.Name, Difference(b, m));
        }
        table.Write(output);
    }

    /// <summary>The causes of which the model has most cycles less or more.</summary>
    private static string Difference(TruthFigures booted, TruthFigures model)
    {
        const int shown = 3;
        var causes = booted.Causes.Keys.Select(c => (Cause: c, By: (long)model.Causes[c] - (long)booted.Causes[c]))
            .Where(c => c.By != 0).OrderByDescending(c => Math.Abs(c.By)).Take(shown);
        return string.Join(", ", causes.Select(c => $"{CycleCauses.Describe(c.Cause)} {(c.By > 0 ? "+" : "")}{Text.Number(c.By)}"));
    }

    private static void WriteJson(TextWriter output, KernelTruthResult result)
    {
        output.WriteLine(Text.MachineJson(result.Settings, ("booted", result.Release)).ToJsonString());
        foreach (TruthRow row in result.Rows)
        {
            output.WriteLine(new JsonObject
            {
                ["name"] = row.Name,
                ["booted"] = ToJson(row.Booted),
                ["model"] = ToJson(row.Model),
            }.ToJsonString());
        }
        foreach (((string round, string key), Activity booted) in result.Booted)
        {
            var line = new JsonObject { ["round"] = round, ["activity"] = key, ["booted"] = ToJson(booted) };
            if (result.Model.TryGetValue((round, key), out Activity? model))
                line["model"] = ToJson(model);
            output.WriteLine(line.ToJsonString());
        }
    }

    private static JsonObject ToJson(Activity activity)
    {
        JsonObject figures = ToJson(activity.Figures);
        figures["count"] = activity.Count;
        figures["instruction_lines"] = activity.InstructionLines;
        figures["data_lines"] = activity.DataLines;
        return figures;
    }

    private static JsonObject ToJson(TruthFigures figures) => new()
    {
        ["cycles"] = figures.Cycles,
        ["instructions"] = figures.Instructions,
        ["charged"] = figures.Charged,
        ["l1i_misses"] = figures.L1IMisses,
        ["l1d_misses"] = figures.L1DMisses,
        ["l2_misses"] = figures.L2Misses,
        ["walks"] = figures.Walks,
        ["causes"] = new JsonObject(figures.Causes.Where(c => c.Value != 0).Select(
            c => KeyValuePair.Create(c.Key.ToString(), (JsonNode?)JsonValue.Create(c.Value)))),
    };
}
