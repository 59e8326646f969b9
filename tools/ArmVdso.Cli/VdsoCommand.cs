using System.CommandLine;
using ArmVdso.Emulator.Isa;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>armvdso vdso: the designs and their images.</summary>
internal static class VdsoCommand
{
    internal static Command Make()
    {
        var list = new Command("list", "the designs");
        list.SetAction(_ =>
        {
            var table = new Table("design", "TPIDRRO_EL0", "what it is");
            foreach (string name in VdsoDesigns.Names)
            {
                VdsoDesign design = VdsoDesigns.Create(name);
                table.Add(name, design.RegisterMeaning, design.Description);
            }
            table.Add("stock:FILE", "0", "the unmodified vDSO of a stock kernel, from 'vdso extract'");
            table.Write(Console.Out);
            Console.Out.WriteLine();
            Console.Out.WriteLine("Defects of per-cpu that fix=NAME+NAME (or fix=all) mends:");
            var fixes = new Table("fix", "what becomes right");
            foreach ((string name, string text) in PerCpuDesign.Fixes)
                fixes.Add(name, text);
            fixes.Write(Console.Out);
            return 0;
        });
        Argument<string> design = new("DESIGN") { Description = "design, as 'vdso list' names them", DefaultValueFactory = _ => "per-cpu" };
        var info = new Command("info", "functions and data layout of a design's image") { design };
        info.SetAction(result =>
        {
            if (VdsoFiles.StockOf(result.GetValue(design)!) is { } stock)
            {
                VdsoFiles.Describe(stock);
                return 0;
            }
            VdsoImage image = ImageOf(result.GetValue(design)!);
            string slots = image.LayoutOr("vdso_vsys_data.cpu_data", -1) is >= 0 and var at
                ? $"slots at 0x{at:x} of {image.Layout("vdso_per_cpu_data.size")} bytes for {image.Layout("nr_cpus")} CPUs"
                : "no slots of CPUs";
            Console.Out.WriteLine($"design {image.Name}: {image.Bytes.Length} bytes, data pages {image.Layout("vvar_pages")}, {slots}");
            var table = new Table("function", "offset");
            foreach ((string name, ulong offset) in image.Symbols.OrderBy(s => s.Value))
                table.Add(name, $"0x{offset:x}");
            table.Write(Console.Out);
            return 0;
        });
        var disasm = new Command("disasm", "the code of a design's image") { design };
        disasm.SetAction(result =>
        {
            Disassemble(ImageOf(result.GetValue(design)!));
            return 0;
        });
        return new Command("vdso", "the vDSO designs and images") { list, info, disasm, WritablePageCommand.Make(), VdsoFiles.MakeExtract() };
    }

    private static VdsoImage ImageOf(string name)
    {
        try
        {
            return VdsoDesigns.Create(name).LoadImage() ?? throw new UserError($"design '{name}' has no image", ExitStatus.Usage);
        }
        catch (ArgumentException e)
        {
            throw new UserError(e.Message, ExitStatus.Usage);
        }
    }

    private static void Disassemble(VdsoImage image)
    {
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
}
