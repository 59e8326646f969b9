using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ArmVdso.Lab.Designs;

/// <summary>Builds a design in a folder with clang-19 and ld.lld-19: its image, the layout of its data as the compiler finds it, and its
/// hooks, linked for EL1. The results are in the folder's built/.</summary>
internal static partial class DesignBuilder
{
    private const string Compiler = "clang-19", Linker = "ld.lld-19";
    private const int PageSize = 4096;

    // As vdso-image/build.sh has them: the same sources give the same bytes.
    private static readonly string[] Target = ["--target=aarch64-linux-gnu", "-march=armv8-a", "-nostdinc"];

    private static readonly string[] Common =
    [
        "-std=gnu11", "-O2", "-ffreestanding", "-fno-builtin", "-mgeneral-regs-only", "-ffixed-x18",
        "-fno-stack-protector", "-fno-strict-aliasing", "-fno-common", "-fno-ident", "-fno-addrsig",
    ];

    // Of both kinds of sources: an assembler source sees in it whether its functions need landing pads.
    private static string Protection(bool landingPads) => $"-mbranch-protection={(landingPads ? "bti" : "none")}";

    private static readonly string[] ImageCode = ["-fPIC", "-mcmodel=tiny", "-fvisibility=hidden", "-fasynchronous-unwind-tables"];

    private static readonly string[] HookCode = ["-fno-pic", "-mno-outline-atomics", "-fno-asynchronous-unwind-tables"];

    [GeneratedRegex("""\.ascii\s*"->(\S+) (-?\d+)"?""", RegexOptions.CultureInvariant)]
    private static partial Regex LayoutLine { get; }

    /// <summary>Builds a folder's design.</summary>
    /// <returns>What there is now, for people.</returns>
    /// <exception cref="LabException">A tool is missing, or something is wrong in the folder.</exception>
    internal static IReadOnlyList<string> Build(string folder)
    {
        DesignFile file = Read(folder);
        string temporary = Directory.CreateTempSubdirectory("armvdso-").FullName;
        try
        {
            Sdk.Write(temporary);
            string output = Directory.CreateDirectory(Path.Join(temporary, "out")).FullName;
            string layout = MakeLayout(file, temporary);
            File.WriteAllText(Path.Join(output, "layout.tsv"), layout);
            if (file.ImageSources.Count > 0)
                MakeImage(file, temporary, Path.Join(output, "vdso.so"), layout);
            WriteImageHeader(
                Path.Join(temporary, "armvdso", "image.h"),
                file.ImageSources.Count > 0 ? Path.Join(output, "vdso.so") : Path.Join(file.Folder, file.Image));
            if (file.Hooks.Count > 0)
                MakeHooks(file, temporary, Path.Join(output, "hooks.elf"));
            string built = Directory.CreateDirectory(Path.Join(file.Folder, DesignFile.Built)).FullName;
            foreach (string made in Directory.GetFiles(output))
                File.Copy(made, Path.Join(built, Path.GetFileName(made)), true);
            File.WriteAllText(Path.Join(built, DesignFile.Sums), file.SumOfFiles());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException(e.Message, LabFault.Failed, e);
        }
        finally
        {
            Directory.Delete(temporary, true);
        }
        try
        {
            return Describe(FolderDesign.Open(folder));
        }
        catch (ArgumentException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
    }

    private static DesignFile Read(string folder)
    {
        try
        {
            return DesignFile.Read(folder);
        }
        catch (ArgumentException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
    }

    private static List<string> Describe(FolderDesign design)
    {
        VdsoImage image = design.LoadImage()!;
        var lines = new List<string>
        {
            $"image: {image.Bytes.Length} bytes, {image.Symbols.Keys.Count(s => s.StartsWith("__", StringComparison.Ordinal))} functions, "
            + $"{image.FixupRanges.Count} ranges",
            $"data: {image.Layout("vvar_pages") - image.Layout("thread_pages")} shared pages, at most {image.Layout("thread_pages")} a "
            + "process",
        };
        if (design.File.CpuSlots.Length > 0)
            lines.Add($"slots: {image.Layout("vdso_per_cpu_data.size")} bytes, {image.Layout("nr_cpus")} CPUs");
        else if (design.File.PrivateType.Length > 0)
        {
            string whose = design.File.ThreadSlots.Length > 0 ? "thread" : "process";
            lines.Add($"slots: {image.Layout("vdso_per_cpu_data.size")} bytes a {whose}");
        }
        lines.Add($"hooks: {(design.HookNames.Count == 0 ? "none" : string.Join(' ', design.HookNames))}");
        return lines;
    }

    /// <summary>The layout of the data, by the compiler: each line of the program names the line of design.ini that it is from, so that
    /// the compiler's errors do.</summary>
    private static string MakeLayout(DesignFile file, string temporary)
    {
        var fixedPart = new SortedDictionary<string, long>(StringComparer.Ordinal)
        {
            ["page_size"] = PageSize,
            ["thread_pages"] = file.PrivatePages,
        };
        if (file.DataHeaders.Count > 0)
        {
            string source = Path.Join(temporary, "layout.c"), assembly = Path.Join(temporary, "layout.s");
            File.WriteAllText(source, LayoutProgram(file));
            Run(file, Compiler, [.. Target, .. Includes(file, temporary), .. Defines(file), .. Common, .. ImageCode, "-w", "-S", "-o",
                assembly, source]);
            foreach (Match match in LayoutLine.Matches(File.ReadAllText(assembly)))
                fixedPart[match.Groups[1].Value] = long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        }
        long shared = (fixedPart.GetValueOrDefault("data.size") + PageSize - 1) / PageSize;
        fixedPart["vvar_pages"] = shared + file.PrivatePages;
        fixedPart["vvar_size"] = (shared + file.PrivatePages) * PageSize;
        if (file.Clock == "data")
            fixedPart["vvar_front_pages"] = 2;
        try
        {
            file.CheckLayout(fixedPart, file.Path);
        }
        catch (ArgumentException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
        return string.Concat(fixedPart.Select(p => $"{p.Key}\t{p.Value.ToString(CultureInfo.InvariantCulture)}\n"));
    }

    private static string LayoutProgram(DesignFile file)
    {
        var text = new StringBuilder();
        string name = file.Path.Replace("\\", "\\\\").Replace("\"", "\\\"");
        void At(string field) => text.Append(CultureInfo.InvariantCulture, $"#line {Math.Max(1, file.LineOf(field))} \"{name}\"\n");
        foreach (string header in file.DataHeaders)
        {
            At("data-header");
            text.Append(CultureInfo.InvariantCulture, $"#include \"{Path.GetFullPath(Path.Join(file.Folder, header))}\"\n");
        }
        text.Append("#define LAYOUT(name, value) __asm__ volatile(\"\\n.ascii \\\"->\" name \" %c0\\\"\" : : \"i\"(value))\n");
        text.Append("void layout(void);\nvoid layout(void)\n{\n");
        void Value(string field, string key, string value)
        {
            At(field);
            text.Append(CultureInfo.InvariantCulture, $"\tLAYOUT(\"{key}\", (long)({value}));\n");
        }
        string slot = file.PrivateType;
        if (file.Data.Length > 0 && file.CpuCount.Length == 0)
            Value("data", "data.size", $"sizeof({file.Data})");
        if (file.CpuNodes.Length > 0)
        {
            string element = $"(({file.Data} *)0)->{file.CpuNodes}[0]";
            Value(
                "cpu-nodes", "vdso_nodes.first",
                $"__builtin_offsetof({file.Data}, {file.CpuNodes}) + __builtin_offsetof(__typeof__({element}), node)");
            Value("cpu-nodes", "vdso_nodes.stride", $"sizeof({element})");
        }
        if (file.CpuSlots.Length > 0)
        {
            string array = $"(({file.Data} *)0)->{file.CpuSlots}";
            slot = $"__typeof__({array}[0])";
            Value("cpu-slots", "vdso_vsys_data.cpu_data", $"__builtin_offsetof({file.Data}, {file.CpuSlots})");
            Value(
                file.CpuCount.Length > 0 ? "cpu-count" : "cpu-slots", "nr_cpus",
                file.CpuCount.Length > 0 ? file.CpuCount : $"sizeof({array}) / sizeof({array}[0])");
            // An array without an end is as long as its count says.
            if (file.CpuCount.Length > 0)
            {
                Value(
                    "data", "data.size", $"__builtin_offsetof({file.Data}, {file.CpuSlots}) + ({file.CpuCount}) * sizeof({array}[0])");
            }
        }
        if (slot.Length > 0)
            Value(file.SlotField, "vdso_per_cpu_data.size", $"sizeof({slot})");
        foreach ((string word, string member) in file.SlotWords)
            Value("words", $"vdso_per_cpu_data.{word}", $"__builtin_offsetof({slot}, {member})");
        if (file.Clock == "data")
        {
            foreach (string field in (ReadOnlySpan<string>)["generation", "is_ready"])
                Value("clock", $"vdso_rng_data.{field}", $"__builtin_offsetof(struct vdso_rng_data, {field})");
            Value("clock", "vdso_data.size", "sizeof(struct vdso_data)");
            foreach (string field in (ReadOnlySpan<string>)
                ["seq", "clock_mode", "cycle_last", "mask", "mult", "shift", "basetime", "tz_minuteswest", "tz_dsttime", "hrtimer_res"])
                Value("clock", $"vdso_data.{field}", $"__builtin_offsetof(struct vdso_data, {field})");
        }
        return text.Append("}\n").ToString();
    }

    private static void MakeImage(DesignFile file, string temporary, string output, string layout)
    {
        var objects = new List<string>();
        foreach (string source in file.ImageSources)
        {
            string made = Path.Join(temporary, $"image{objects.Count}.o");
            bool assembly = source.EndsWith(".S", StringComparison.Ordinal);
            Run(file, Compiler, [.. Target, .. Includes(file, temporary), .. Defines(file), "-Wall", "-Wextra",
                Protection(file.LandingPads), .. (assembly ? (string[])[] : [.. Common, .. ImageCode]), "-c", "-o", made, source]);
            objects.Add(made);
        }
        string size = layout.Split('\n').First(l => l.StartsWith("vvar_size\t", StringComparison.Ordinal)).Split('\t')[1];
        if (file.ClockAbove)
        {
            if (file.Clock == "auto")
                throw new LabException(
                    file.Error("clock", "with image-sources and pages = data clock it must name a layout").Message, LabFault.Input);
            size = (long.Parse(size, CultureInfo.InvariantCulture) + VvarLayout.Find(file.Clock).Pages * PageSize)
                .ToString(CultureInfo.InvariantCulture);
        }
        Run(file, Linker, ["-shared", "-soname", "linux-vdso.so.1", "--hash-style=both", "--build-id=sha1", "--eh-frame-hdr", "-Bsymbolic",
            "--no-undefined", "--undefined-version", "--strip-all", "--fatal-warnings", "--orphan-handling=error", "-z",
            "max-page-size=4096", "-z", "rodynamic", $"--defsym=VDSO_PAGES_SIZE={size}",
            $"--version-script={Given(file.VersionScript, "vdso.map")}", "-T", Given(file.LinkerScript, "vdso.lds"), "-o", output,
            .. objects]);
        ExtendSegment(output);

        string Given(string name, string ours) => name.Length > 0 ? name : Path.Join(temporary, "armvdso", ours);
    }

    /// <summary>The loaded segment ends where the file ends, so that the section headers are in the mapped pages, where debuggers look for
    /// them: p_filesz and p_memsz of the first program header.</summary>
    private static void ExtendSegment(string path)
    {
        byte[] image = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(image.AsSpan(64 + 32), (long)image.Length);
        BitConverter.TryWriteBytes(image.AsSpan(64 + 40), (long)image.Length);
        File.WriteAllBytes(path, image);
    }

    /// <summary>Where in the image its symbols are, for hooks.</summary>
    private static void WriteImageHeader(string header, string image)
    {
        IReadOnlyDictionary<string, ulong> symbols;
        try
        {
            symbols = VdsoObject.Parse(File.ReadAllBytes(image)).Symbols;
        }
        catch (Exception e) when (e is VdsoImageException or OverflowException)
        {
            throw new LabException($"{image}: {e.Message}", LabFault.Input, e);
        }
        File.WriteAllLines(header, symbols.OrderBy(s => s.Value).ThenBy(s => s.Key, StringComparer.Ordinal)
            .Select(s => string.Create(CultureInfo.InvariantCulture, $"#define VDSO_IMAGE_{s.Key} 0x{s.Value:x}UL")));
    }

    private static void MakeHooks(DesignFile file, string temporary, string output)
    {
        var objects = new List<string>();
        foreach (string source in (IEnumerable<string>)[.. file.Hooks, Path.Join(temporary, "armvdso", "support.S")])
        {
            string made = Path.Join(temporary, $"hook{objects.Count}.o");
            bool assembly = source.EndsWith(".S", StringComparison.Ordinal);
            Run(file, Compiler, [.. Target, .. Includes(file, temporary), .. Defines(file), "-Wall", "-Wextra",
                Protection(false), .. (assembly ? (string[])[] : [.. Common, .. HookCode]), "-c", "-o", made, source]);
            objects.Add(made);
        }
        Run(file, Linker, ["-static", "-nostdlib", "--build-id=none", "--orphan-handling=error", "--fatal-warnings", "-z",
            "max-page-size=4096", "-T", Path.Join(temporary, "armvdso", "hooks.lds"), "-o", output, .. objects]);
    }

    private static IEnumerable<string> Includes(DesignFile file, string temporary) =>
        [$"-I{temporary}", .. file.Include.Select(i => $"-I{i}"), "-I."];

    private static IEnumerable<string> Defines(DesignFile file) => file.Defines.Select(d => $"-D{d}");

    /// <summary>Runs a tool in the folder.</summary>
    /// <exception cref="LabException">It is missing or says no; the message is the first error that it tells.</exception>
    private static void Run(DesignFile file, string tool, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(tool)
        {
            WorkingDirectory = Path.GetFullPath(file.Folder),
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        if (tool == Compiler)
        {
            start.ArgumentList.Add("-fno-caret-diagnostics");
            start.ArgumentList.Add("-fno-color-diagnostics");
        }
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            using Process process = Process.Start(start) ?? throw new Win32Exception();
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string said = process.StandardError.ReadToEnd() + output.Result;
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new LabException(First(file, tool, said), LabFault.Input);
        }
        catch (Win32Exception e)
        {
            string package = tool == Compiler ? "clang-19" : "lld-19";
            throw new LabException(
                $"{tool} is not installed; 'armvdso vdso build' needs it (Debian package {package})", LabFault.NotFound, e);
        }
    }

    /// <summary>What a tool says first of an error; of the linker also where.</summary>
    private static string First(DesignFile file, string tool, string said)
    {
        string[] lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int at = Array.FindIndex(lines, l => l.Contains("error:", StringComparison.Ordinal));
        if (at < 0)
            return $"{file.Folder}: {tool} failed{(lines.Length > 0 ? $": {lines[0]}" : "")}";
        string where = at + 1 < lines.Length && lines[at + 1].StartsWith(">>>", StringComparison.Ordinal)
            ? $" ({lines[at + 1][3..].Trim()})"
            : "";
        string line = lines[at].StartsWith("./", StringComparison.Ordinal) ? lines[at][2..] : lines[at];
        // A column of what was made of design.ini is none of design.ini's.
        if (line.StartsWith(file.Path + ":", StringComparison.Ordinal) && line.IndexOf(": ", StringComparison.Ordinal) is var end && end > 0
            && line.LastIndexOf(':', end - 1) is var column && column > file.Path.Length)
            line = line[..column] + line[end..];
        return line.StartsWith(file.Folder, StringComparison.Ordinal) || line.StartsWith('/') || tool == Linker
            ? $"{(tool == Linker ? $"{file.Folder}: " : "")}{line}{where}"
            : $"{file.Folder}/{line}";
    }
}
