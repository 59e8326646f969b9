using System.Diagnostics;
using System.Formats.Tar;

namespace ArmVdso.Lab.Designs;

/// <summary>Takes the vDSO image of a stock kernel out of the file that has it.</summary>
public static class StockImageFile
{
    /// <summary>The bytes of an image: of a file that is one, of a kernel or of a package that has one.</summary>
    /// <exception cref="LabException">There is none.</exception>
    public static byte[] Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LabException($"{path}: not found", LabFault.NotFound);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{path}: {e.Message}", LabFault.NotFound);
        }
        if (file.AsSpan().StartsWith("!<arch>\n"u8))
            file = KernelOfPackage(path);
        try
        {
            return KernelImage.FindVdso(file);
        }
        catch (VdsoImageException e)
        {
            throw new LabException($"{path}: {e.Message}", LabFault.NotExecutable);
        }
    }

    /// <summary>Whether a file of a package is its kernel: boot/vmlinuz-*, or since Linux 7.2 usr/lib/modules/RELEASE/vmlinuz.</summary>
    private static bool IsKernel(string name) => name.StartsWith("boot/vmlinu", StringComparison.Ordinal)
        || (name.StartsWith("usr/lib/modules/", StringComparison.Ordinal) && name.EndsWith("/vmlinuz", StringComparison.Ordinal));

    /// <summary>The kernel of a Debian package. dpkg-deb unpacks it: .NET has no xz and no zstd.</summary>
    private static byte[] KernelOfPackage(string path)
    {
        var start = new ProcessStartInfo("dpkg-deb") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--fsys-tarfile");
        start.ArgumentList.Add(Path.GetFullPath(path));
        using Process? process = Launch(start);
        if (process is null)
            throw new LabException($"{path}: a package needs dpkg-deb, which is not installed", LabFault.Failed);
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            using var tar = new TarReader(process.StandardOutput.BaseStream);
            while (tar.GetNextEntry() is { } entry)
            {
                string name = entry.Name.TrimStart('.', '/');
                if (!IsKernel(name) || entry.DataStream is not { } data)
                    continue;
                using var kernel = new MemoryStream();
                data.CopyTo(kernel);
                return kernel.ToArray();
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new LabException($"{path}: not a Debian package that dpkg-deb can read", LabFault.NotExecutable);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
        throw new LabException($"{path}: the package has no kernel (boot/vmlinuz-*, usr/lib/modules/*/vmlinuz)", LabFault.NotFound);
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
