using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>armvdso models: the timing models, each parameter with its evidence and source.</summary>
internal static class ModelsCommand
{
    internal static Command Make()
    {
        var name = new Argument<string?>("MODEL") { Description = "a model's name or file: its parameters; the list of models without", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "output for programs" };
        var command = new Command("models", "the timing models and where their numbers come from") { name, json };
        command.SetAction(result =>
        {
            try
            {
                if (result.GetValue(name) is { } wanted)
                    Explain(CoreModel.Load(wanted), result.GetValue(json));
                else
                    List(result.GetValue(json));
            }
            catch (CoreModelException e)
            {
                throw new UserError(e.Message, ExitStatus.Usage);
            }
            return 0;
        });
        return command;
    }

    private static void List(bool json)
    {
        var table = new Table("model", "clock MHz", "parameters", "CPU profile", "kernel", "description");
        foreach (CoreModel model in CoreModel.Names.Select(CoreModel.Load).Append(CoreModel.None))
        {
            string kernel = KernelConfiguration.ForCore(model).ToString();
            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new
                {
                    name = model.Name,
                    clock_hz = model.ClockFrequency,
                    parameters = model.Parameters.Count,
                    profile = model.Profile,
                    kernel,
                    description = model.Description,
                }));
            }
            table.Add(
                model.Name, (model.ClockFrequency / 1e6).ToString(CultureInfo.InvariantCulture), model.Parameters.Count.ToString(CultureInfo.InvariantCulture),
                model.Profile, kernel, model.Description);
        }
        if (!json)
            table.Write(Console.Out);
    }

    private static void Explain(CoreModel model, bool json)
    {
        var table = new Table("parameter", "value", "unit", "evidence", "range", "source");
        foreach (CoreParameter p in model.Parameters)
        {
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(new { key = p.Key, value = p.Value, unit = p.Unit, evidence = p.Evidence, low = p.Range?.Low, high = p.Range?.High, source = p.Source }));
            table.Add(p.Key, p.Value.ToString(CultureInfo.InvariantCulture), p.Unit, p.Evidence, p.Range is { } r ? $"{r.Low}..{r.High}" : "", p.Source);
        }
        var timings = new Table("instructions", "timing", "evidence", "range", "source");
        foreach (CoreTiming t in model.Timings)
        {
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(new { instructions = t.Names, timing = t.Values, evidence = t.Evidence, low = t.Range?.Low, high = t.Range?.High, source = t.Source }));
            timings.Add(t.Names, t.Values, t.Evidence, t.Range is { } r ? $"{r.Low}..{r.High}" : "", t.Source);
        }
        string source = model.Software.FirstOrDefault(s => s.Key == KernelConfiguration.CoreKey)?.Source ?? "the file names none: the default";
        string kernel = KernelConfiguration.ForCore(model).ToString();
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { profile = model.Profile, kernel, source }));
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
}
