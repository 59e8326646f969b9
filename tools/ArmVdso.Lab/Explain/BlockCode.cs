using System.Diagnostics;
using ArmVdso.Assembler;

namespace ArmVdso.Lab.Explain;

/// <summary>A block of code.</summary>
/// <param name="Name">Its file, and the region's name when it has one.</param>
/// <param name="Words">The instructions.</param>
/// <param name="Symbols">For each, the symbol that it refers to and that is not there; null: none.</param>
/// <param name="Labels">For each, the label that it is behind; empty: none.</param>
internal sealed record BlockCode(string Name, IReadOnlyList<uint> Words, IReadOnlyList<string?> Symbols, IReadOnlyList<string> Labels)
{
    private const uint Return = 0xD65F03C0;

    /// <summary>Whether it returns: then it is a function that is called.</summary>
    internal bool IsFunction => Words.Contains(Return);

    /// <summary>The functions that it calls, and the data that it refers to, which are not there.</summary>
    internal IReadOnlyList<string> Missing => [.. Symbols.OfType<string>().Distinct()];

    /// <summary>The blocks of a file: the regions between markers of llvm-mca, or the whole.</summary>
    /// <exception cref="LabException">It cannot be read, or is not code.</exception>
    internal static IReadOnlyList<BlockCode> Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file}: {e.Message}", LabFault.NotFound);
        }
        IReadOnlyList<BlockCode> blocks;
        try
        {
            AssemblyProgram program = AssemblyProgram.Parse(text, open: true);
            AssembledRegion[] regions = program.Regions.Count > 0
                ? [.. program.Regions] : [new AssembledRegion("", 0, program.Instructions.Count)];
            blocks = [.. regions.Select(r => new BlockCode(
                r.Name.Length > 0 ? $"{file}: {r.Name}" : file, [.. program.Words[r.From..r.To]],
                [.. program.Instructions.Take(r.From..r.To).Select(i => i.Symbol)],
                [.. Enumerable.Range(r.From, r.To - r.From).Select(i => LabelOf(program, i))]))];
        }
        catch (AssemblerException e)
        {
            // Macros and expressions: what only a whole assembler knows.
            blocks = Clang(file, text)
                ?? throw new LabException($"{file}: {e.Message} (clang-19 is not there, or does not take it either)", LabFault.Input);
        }
        foreach (BlockCode block in blocks)
        {
            if (block.Words.Count == 0)
                throw new LabException($"{block.Name}: no instructions", LabFault.Input);
            if (!block.IsFunction && block.Missing is [var missing, ..])
                throw new LabException($"{block.Name}: refers to {missing}, which is not in it, and is no function (ret)", LabFault.Input);
        }
        return blocks;
    }

    /// <summary>The last label at or before an instruction.</summary>
    private static string LabelOf(AssemblyProgram program, int at) => program.Labels.LastOrDefault(l => l.At <= at).Name ?? "";

    /// <summary>The code of a file by clang; null: it does not take it, or is not there.</summary>
    /// <exception cref="LabException">What it makes of it cannot be run as it is.</exception>
    private static IReadOnlyList<BlockCode>? Clang(string file, string text)
    {
        if (text.Contains("LLVM-MCA-BEGIN", StringComparison.Ordinal))
            return null;
        string folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        try
        {
            string outputFile = Path.Join(folder, "block.o");
            if (Start(
                "clang-19", "--target=aarch64-linux-gnu", "-march=armv8.5-a+fp16+lse+sha2+aes+crc+dotprod", "-c", file, "-o",
                outputFile) is null)
                return null;
            string? relocations = Start("llvm-objdump-19", "-r", outputFile);
            if (relocations?.Split('\n').FirstOrDefault(l => l.Contains(" R_AARCH64_", StringComparison.Ordinal)) is { } first)
            {
                string symbol = first.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1];
                throw new LabException($"{file}: refers to {symbol}, which is not in it, and has what only clang-19 takes", LabFault.Input);
            }
            string binary = Path.Join(folder, "block.bin");
            if (Start("llvm-objcopy-19", "-O", "binary", "-j", ".text", outputFile, binary) is null)
                return null;
            byte[] bytes = File.ReadAllBytes(binary);
            var words = new uint[bytes.Length / 4];
            for (int i = 0; i < words.Length; i++)
                words[i] = BitConverter.ToUInt32(bytes, 4 * i);
            return [new BlockCode(file, words, new string?[words.Length], [.. words.Select(_ => "")])];
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What a program printed; null: it failed.</summary>
    private static string? Start(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(info)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        _ = errors.Result;
        return process.ExitCode == 0 ? output : null;
    }
}
