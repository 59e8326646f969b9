using System.Text.Json.Nodes;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>armvdso vdso: the designs and their images.</summary>
internal static class VdsoCommand
{
    internal static Command Make() => new("vdso", "the vDSO designs and images")
    {
        new CliCommand("list", "the designs", [], [], [], _ => List),
        OfDesign("info", "functions and data layout of a design's image", Describe),
        OfDesign("disasm", "the code of a design's image", Disassemble),
        MakeWritable(),
        MakeExtract(),
        MakeInit(),
        MakeBuild(),
    };

    private static int List()
    {
        var table = new Table("design", "TPIDRRO_EL0", "what it is");
        foreach (string name in VdsoDesigns.Names)
        {
            VdsoDesign design = VdsoDesigns.Create(name);
            table.Add(name, design.RegisterMeaning, design.Description);
        }
        table.Add("stock:FILE", "0", "the unmodified vDSO of a stock kernel, from 'vdso extract'");
        table.Add("DIR", "what its hooks say", "a design of your own in a folder, from 'vdso init'");
        table.Write(Console.Out);
        Console.Out.WriteLine();
        Console.Out.WriteLine("Defects of per-cpu that fix=NAME+NAME (or fix=all) mends:");
        var fixes = new Table("fix", "what becomes right");
        foreach ((string name, string text) in FolderDesign.OfOurs("per-cpu", []).File.Fixes)
            fixes.Add(name, text);
        fixes.Write(Console.Out);
        return 0;
    }

    private static CliCommand OfDesign(string name, string description, Action<VdsoDesign> print)
    {
        var design = new Argument<string?>(
            "DESIGN")
        { Description = "design, as 'vdso list' names them", DefaultValueFactory = _ => "per-cpu" };
        return new CliCommand(name, description, [], [], [design], input =>
        {
            string text = input.Operand(design)!;
            DesignOptions.Check("DESIGN", text);
            return () =>
            {
                print(VdsoDesigns.Create(text));
                return 0;
            };
        });
    }

    private static VdsoImage ImageOf(VdsoDesign design) =>
        design.LoadImage() ?? throw CommandInput.Error($"design '{design.Name}' has no image");

    private static void Describe(VdsoDesign design)
    {
        if (design is StockDesign { Stock: { } stock })
        {
            Describe(stock);
            return;
        }
        VdsoImage image = ImageOf(design);
        string slots = image.LayoutOr("vdso_vsys_data.cpu_data", -1) is >= 0 and var at
            ? $"slots at 0x{at:x} of {image.Layout("vdso_per_cpu_data.size")} bytes for {image.Layout("nr_cpus")} CPUs"
            : "no slots of CPUs";
        Console.Out.WriteLine($"design {image.Name}: {image.Bytes.Length} bytes, data pages {image.Layout("vvar_pages")}, {slots}");
        WriteFunctions(image.Symbols);
    }

    /// <summary>Prints what is in a stock image.</summary>
    private static void Describe(StockVdso stock)
    {
        VvarLayout layout = stock.Layout;
        string evidence = layout.Evidence == "image" ? "an image that was run" : "headers only";
        Console.Out.WriteLine(
            $"Linux {stock.File.LinuxVersion}: {stock.Bytes.Length} bytes; data laid out as in {layout.Name} ({layout.Pages} pages; "
            + $"known from {evidence}: {layout.Source})");
        WriteFunctions(stock.File.Symbols);
        Console.Out.WriteLine();
        var alternatives = new Table("alternative", "bytes", "capability", "applied with");
        foreach (AlternativeRecord record in stock.File.Alternatives)
        {
            alternatives.Add(
                $"0x{record.Offset:x}", Text.Plain(record.Length), Text.Plain(record.Capability),
                stock.FeatureOf(record) is { } feature ? $"FEAT_{feature}" : "never: not known");
        }
        alternatives.Write(Console.Out);
    }

    private static void WriteFunctions(IEnumerable<KeyValuePair<string, ulong>> symbols)
    {
        var functions = new Table("function", "offset");
        foreach ((string name, ulong offset) in symbols.OrderBy(s => s.Value))
            functions.Add(name, $"0x{offset:x}");
        functions.Write(Console.Out);
    }

    private static void Disassemble(VdsoDesign design)
    {
        VdsoImage image = ImageOf(design);
        Dictionary<ulong, string> names = image.Symbols.GroupBy(s => s.Value).ToDictionary(g => g.Key, g => g.First().Key);
        ulong first = names.Keys.Min() & ~3UL;
        for (ulong at = first; at + 4 <= image.TextEnd; at += 4)
        {
            if (names.TryGetValue(at, out string? name))
                Console.Out.WriteLine($"\n{at:x8} <{name}>:");
            uint word = BitConverter.ToUInt32(image.Bytes, (int)at);
            Console.Out.WriteLine($"{at,8:x}: {word:x8}    {Disassembler.Disassemble(word, at)}");
        }
    }

    private static CliCommand MakeWritable()
    {
        Option<bool> json = CliCommand.Json();
        return new CliCommand(
            "writable", "attacks a kernel that trusts a writable data page (time of check, time of use)", [], [json], [], input =>
        {
            bool asJson = input.Value(json);
            return () => Attack(asJson);
        });
    }

    private static int Attack(bool json)
    {
        var table = new Table("kernel", "attempts", "opened", "refused", "forged words", "what it does");
        SessionSettings? settings = null;
        foreach (WritablePageResult r in ArmVdsoLab.AttackWritablePage())
        {
            settings = r.Settings;
            if (json)
            {
                JsonObject line = Text.MachineJson(
                    r.Settings, ("page", r.Kernel), ("attempts", r.Opened + r.Refused), ("opened", r.Opened), ("refused", r.Refused),
                    ("forged_words", r.ForgedWords));
                Console.Out.WriteLine(line.ToJsonString());
            }
            table.Add(
                r.Kernel, Text.Plain(r.Opened + r.Refused), Text.Plain(r.Opened), Text.Plain(r.Refused), Text.Plain(r.ForgedWords),
                r.Meaning);
        }
        if (json)
            return 0;
        Console.Out.WriteLine($"{Text.Machine(settings!)}, kernel {settings!.KernelConfiguration}");
        Console.Out.WriteLine(
            "User 1000 opens a file of root's, mode 600. Its other thread, on another CPU, writes 0 and 1000 in turn into the word of the");
        Console.Out.WriteLine(
            "first one's slot (design per-thread, page writable) by which a thread asks for its file system user; own users are granted.");
        Console.Out.WriteLine();
        table.Write(Console.Out);
        return 0;
    }

    private static Argument<string?> Folder() => new("DIR") { Description = "folder of a design", Arity = ArgumentArity.ExactlyOne };

    private static CliCommand MakeInit()
    {
        Argument<string?> folder = Folder();
        var from = new Option<string?>("--from")
        {
            Description = "design to copy; without it one that serves getpid alone",
            HelpName = "DESIGN",
        };
        return new CliCommand("init", "begins a design of your own in a folder", [], [from], [folder], input =>
        {
            string at = input.Operand(folder)!;
            string? original = input.Value(from);
            return () =>
            {
                foreach (string name in ArmVdsoLab.InitDesign(at, original))
                    Console.Out.WriteLine(Path.Join(at, name));
                return 0;
            };
        });
    }

    private static CliCommand MakeBuild()
    {
        Argument<string?> folder = Folder();
        return new CliCommand("build", "compiles a design in a folder (clang-19, ld.lld-19)", [], [], [folder], input =>
        {
            string at = input.Operand(folder)!;
            return () =>
            {
                foreach (string line in ArmVdsoLab.BuildDesign(at))
                    Console.Out.WriteLine(line);
                return 0;
            };
        });
    }

    private static CliCommand MakeExtract()
    {
        var source = new Argument<string?>("FILE")
        {
            Description = "a Debian kernel package (.deb), a kernel (vmlinuz, Image) or an image (.so)",
            Arity = ArgumentArity.ExactlyOne,
        };
        var output = new Option<string?>(
            "-o")
        { Description = "file to write; without it a name from the kernel's version", HelpName = "FILE" };
        return new CliCommand("extract", "takes the vDSO image out of an arm64 kernel, unchanged", [], [output], [source], input =>
        {
            string from = input.Operand(source)!;
            string? to = input.Value(output);
            return () => Extract(from, to);
        });
    }

    private static int Extract(string from, string? output)
    {
        byte[] image = StockImageFile.Read(from);
        VdsoObject parsed;
        try
        {
            parsed = VdsoObject.Parse(image);
        }
        catch (VdsoImageException e)
        {
            throw new UserError($"{from}: {e.Message}", ExitStatus.NotExecutable);
        }
        string to = output ?? $"vdso-{parsed.LinuxVersion}.so";
        try
        {
            File.WriteAllBytes(to, image);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{to}: {e.Message}", ExitStatus.EmulatorError);
        }
        Console.Out.WriteLine(
            $"{to}: {image.Length} bytes, Linux {parsed.LinuxVersion}, {parsed.Symbols.Count} functions, {parsed.Alternatives.Count} "
            + $"alternatives");
        return 0;
    }
}
