using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Cli;

/// <summary>armvdso cpus: the CPU profiles, or one of them with its ID registers and the source of each.</summary>
internal static class CpusCommand
{
    internal static Command Make()
    {
        Option<bool> json = CliCommand.Json();
        var name = new Argument<string?>("NAME|FILE") { Description = "explains this profile", Arity = ArgumentArity.ZeroOrOne };
        return new CliCommand(
            "cpus", "the CPU profiles (--cpu), or what one of them has and where that is written", [], [json], [name], input =>
            {
                string? one = input.Operand(name);
                bool asJson = input.Value(json);
                CpuProfile[] profiles;
                try
                {
                    profiles = one is null ? [.. CpuProfile.Names.Select(CpuProfile.Load)] : [CpuProfile.Load(one)];
                }
                catch (CpuProfileException e)
                {
                    throw CommandInput.Error(e.Message);
                }
                return () =>
                {
                    if (asJson)
                        WriteJson(profiles);
                    else if (one is null)
                        List(profiles);
                    else
                        Explain(profiles[0]);
                    return 0;
                };
            });
    }

    private static void List(CpuProfile[] profiles)
    {
        var table = new Table("profile", "MIDR_EL1", "description");
        foreach (CpuProfile profile in profiles)
            table.Add(profile.Name, Hex(profile.Midr), profile.Description);
        table.Write(Console.Out);
    }

    private static void Explain(CpuProfile profile)
    {
        Console.Out.WriteLine($"{profile.Name}: {profile.Description}");
        Console.Out.WriteLine($"source: {profile.Source}");
        if (profile.Notes.Length > 0)
            Console.Out.WriteLine($"notes: {profile.Notes}");
        Console.Out.WriteLine();
        Console.Out.WriteLine(
            $"MIDR_EL1 {Hex(profile.Midr)}  CTR_EL0 {Hex(profile.Ctr)}  DCZID_EL0 {Hex(profile.Dczid)}  FPCR bits {Hex(profile.Fpcr)}");
        Console.Out.WriteLine($"features: {string.Join(' ', profile.Features.Order(StringComparer.Ordinal))}");
        Console.Out.WriteLine();
        var table = new Table("register", "field", "value", "source");
        foreach (ProfileField field in profile.Fields)
            table.Add(field.Register, field.Field, field.Value.ToString(CultureInfo.InvariantCulture), field.Source);
        table.Write(Console.Out);
    }

    private static void WriteJson(CpuProfile[] profiles)
    {
        foreach (CpuProfile profile in profiles)
        {
            Console.Out.WriteLine(new JsonObject
            {
                ["name"] = profile.Name,
                ["description"] = profile.Description,
                ["source"] = profile.Source,
                ["midr"] = profile.Midr,
                ["features"] = new JsonArray([.. profile.Features.Order(StringComparer.Ordinal).Select(n => JsonValue.Create(n))]),
                ["fields"] = new JsonArray([.. profile.Fields.Select(f => new JsonObject
                {
                    ["register"] = f.Register,
                    ["field"] = f.Field,
                    ["value"] = f.Value,
                    ["source"] = f.Source,
                })]),
            }.ToJsonString());
        }
    }

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
