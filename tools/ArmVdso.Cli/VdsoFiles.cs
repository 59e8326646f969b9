using System.CommandLine;
using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using ArmVdso.Emulator.Isa;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>vDSO images of stock kernels: taking one out of a kernel package, and what is in one.</summary>
internal static class VdsoFiles
{
    internal static Command MakeExtract()
    {
        var source = new Argument<string>("FILE") { Description = "a Debian kernel package (.deb), a kernel (vmlinuz, Image) or an image (.so)" };
        var output = new Option<string?>("-o") { Description = "file to write; without it a name from the kernel's version", HelpName = "FILE" };
        var command = new Command("extract", "takes the vDSO image out of an arm64 kernel, unchanged") { source, output };
        command.SetAction(result =>
        {
            string from = result.GetValue(source)!;
            byte[] image = Read(from);
            VdsoObject parsed = Parse(from, image);
            string to = result.GetValue(output) ?? $"vdso-{parsed.LinuxVersion}.so";
            try
            {
                File.WriteAllBytes(to, image);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UserError($"{to}: {e.Message}", ExitStatus.EmulatorError);
            }
            Console.Out.WriteLine($"{to}: {image.Length} bytes, Linux {parsed.LinuxVersion}, {parsed.Symbols.Count} functions, {parsed.Alternatives.Count} alternatives");
            return 0;
        });
        return command;
    }

    /// <summary>The stock image that a design's name means, or null.</summary>
    /// <exception cref="UserError">The file cannot be used.</exception>
    internal static StockVdso? StockOf(string design)
    {
        try
        {
            return (VdsoDesigns.Create(design) as StockDesign)?.Stock;
        }
        catch (ArgumentException e)
        {
            throw new UserError(e.Message, ExitStatus.Usage);
        }
    }

    /// <summary>Prints what is in a stock image.</summary>
    internal static void Describe(StockVdso stock)
    {
        VvarLayout layout = stock.Layout;
        Console.Out.WriteLine($"Linux {stock.File.LinuxVersion}: {stock.Bytes.Length} bytes; data laid out as in {layout.Name} ({layout.Pages} pages; known from {(layout.Evidence == "image" ? "an image that was run" : "headers only")}: {layout.Source})");
        var functions = new Table("function", "offset");
        foreach ((string name, ulong offset) in stock.File.Symbols.OrderBy(s => s.Value))
            functions.Add(name, $"0x{offset:x}");
        functions.Write(Console.Out);
        Console.Out.WriteLine();
        var alternatives = new Table("alternative", "bytes", "capability", "applied with");
        foreach (AlternativeRecord record in stock.File.Alternatives)
            alternatives.Add($"0x{record.Offset:x}", Number(record.Length), Number(record.Capability), stock.FeatureOf(record) is { } feature ? $"FEAT_{feature}" : "never: not known");
        alternatives.Write(Console.Out);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static VdsoObject Parse(string path, byte[] image)
    {
        try
        {
            return VdsoObject.Parse(image);
        }
        catch (VdsoImageException e)
        {
            throw new UserError($"{path}: {e.Message}", ExitStatus.NotExecutable);
        }
    }

    /// <summary>The bytes of an image: of a file that is one, of a kernel or of a package that has one.</summary>
    /// <exception cref="UserError">There is none.</exception>
    internal static byte[] Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserError($"{path}: not found", ExitStatus.NotFound);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{path}: {e.Message}", ExitStatus.NotFound);
        }
        if (file.AsSpan().StartsWith("!<arch>\n"u8))
            file = KernelOfPackage(path);
        try
        {
            return KernelImage.FindVdso(file);
        }
        catch (VdsoImageException e)
        {
            throw new UserError($"{path}: {e.Message}", ExitStatus.NotExecutable);
        }
    }

    /// <summary>boot/vmlinuz-* of a Debian package. dpkg-deb unpacks it: .NET has no xz and no zstd.</summary>
    private static byte[] KernelOfPackage(string path)
    {
        var start = new ProcessStartInfo("dpkg-deb") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--fsys-tarfile");
        start.ArgumentList.Add(Path.GetFullPath(path));
        using Process? process = Launch(start);
        if (process is null)
            throw new UserError($"{path}: a package needs dpkg-deb, which is not installed", ExitStatus.EmulatorError);
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            using var tar = new TarReader(process.StandardOutput.BaseStream);
            while (tar.GetNextEntry() is { } entry)
            {
                string name = entry.Name.TrimStart('.', '/');
                if (!name.StartsWith("boot/vmlinu", StringComparison.Ordinal) || entry.DataStream is not { } data)
                    continue;
                using var kernel = new MemoryStream();
                data.CopyTo(kernel);
                return kernel.ToArray();
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new UserError($"{path}: not a Debian package that dpkg-deb can read", ExitStatus.NotExecutable);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
        throw new UserError($"{path}: the package has no boot/vmlinuz-*", ExitStatus.NotFound);
    }

    private static Process? Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
