using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Assembler;

namespace ArmVdso.Lab.Explain;

/// <summary>A block of code.</summary>
/// <param name="Name">Its file, and the region's name when it has one.</param>
/// <param name="Words">The instructions.</param>
/// <param name="Symbols">For each, the symbol that it refers to and that is not there; null: none.</param>
/// <param name="Labels">For each, the label that it is behind; empty: none.</param>
internal sealed partial record BlockCode(
    string Name, IReadOnlyList<uint> Words, IReadOnlyList<string?> Symbols, IReadOnlyList<string> Labels)
{
    private const uint Return = 0xD65F03C0;

    private const string MarkerLabel = "armvdso.marker.";

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
        AssemblyProgram program;
        try
        {
            program = AssemblyProgram.Parse(text, open: true);
        }
        catch (AssemblerException e)
        {
            // Macros and expressions: what only a whole assembler knows.
            program = Expanded(file, text, e.Message);
        }
        AssembledRegion[] regions = program.Regions.Count > 0
            ? [.. program.Regions] : [new AssembledRegion("", 0, program.Instructions.Count)];
        BlockCode[] blocks = [.. regions.Select(r => new BlockCode(
            r.Name.Length > 0 ? $"{file}: {r.Name}" : file, [.. program.Words[r.From..r.To]],
            [.. program.Instructions.Take(r.From..r.To).Select(i => i.Symbol)],
            [.. Enumerable.Range(r.From, r.To - r.From).Select(i => LabelOf(program, i))]))];
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

    /// <summary>The text that LLVM's assembler writes a file out to, without macros, repetitions and conditions; labels, symbols and
    /// the markers of llvm-mca are still in it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="text">What is in it.</param>
    /// <param name="fault">Why it is not taken as it is.</param>
    /// <exception cref="LabException">LLVM's assembler is missing or does not take it, or what it writes cannot be had.</exception>
    private static AssemblyProgram Expanded(string file, string text, string fault)
    {
        // It prints comments where it likes, and twice those of a macro's call: as labels, markers stay where they are.
        var markers = new List<string>();
        int depth = 0;
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            depth += Opens().IsMatch(lines[i]) ? 1 : Closes().IsMatch(lines[i]) ? -1 : 0;
            if (Marker().Match(lines[i]) is not { Success: true } marker)
                continue;
            if (depth > 0)
                throw new LabException($"{file}: line {i + 1}: a marker of llvm-mca in a macro or repetition", LabFault.Input);
            lines[i] = $"{lines[i][..marker.Index]};{MarkerLabel}{markers.Count}:";
            markers.Add($"// {marker.Groups[1].Value}");
        }
        (int status, string output, string errors) result;
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
            result = Filter(string.Join('\n', lines), "llvm-mc-19", "-triple=aarch64-linux-gnu", "-mattr=+all", "-I", folder);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new LabException($"{file}: {fault} (llvm-mc-19, which knows more, is not there: package llvm-19)", LabFault.Input);
        }
        if (result.status != 0)
        {
            string first = result.errors.Split('\n').FirstOrDefault(l => l.Contains("error:", StringComparison.Ordinal))
                ?? $"status {result.status}";
            throw new LabException($"{file}: {fault} (llvm-mc-19: {first.Trim()})", LabFault.Input);
        }
        try
        {
            return AssemblyProgram.Parse(
                MarkerPlace().Replace(result.output, m => markers[int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)]),
                open: true, expanded: true);
        }
        catch (AssemblerException e)
        {
            throw new LabException($"{file}: as llvm-mc-19 writes it out: {e.Message}", LabFault.Input);
        }
    }

    /// <summary>The status of a program, and what it printed.</summary>
    private static (int Status, string Output, string Errors) Filter(string input, string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(info)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all: its status says why.
        }
        process.WaitForExit();
        return (process.ExitCode, output.Result, errors.Result);
    }

    [GeneratedRegex(@"(?:^\s*[#@]|//|/\*)\s*(LLVM-MCA-(?:BEGIN|END)\b.*?)\s*(?:\*/\s*)?$")]
    private static partial Regex Marker();

    [GeneratedRegex(@$"^{MarkerLabel}(\d+):$", RegexOptions.Multiline)]
    private static partial Regex MarkerPlace();

    [GeneratedRegex(@"^\s*\.(macro|rept?|irpc?)\b")]
    private static partial Regex Opens();

    [GeneratedRegex(@"^\s*\.(endm|endmacro|endr)\b")]
    private static partial Regex Closes();
}
