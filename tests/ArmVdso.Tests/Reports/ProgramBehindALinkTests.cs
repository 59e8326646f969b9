namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until 50aeabf: a program given by its name alone was looked for in a root without following the root's links as the
/// guest does, so that whatever lay in a folder behind a link (bin on Debian) counted as found in the first such folder of PATH.</summary>
public sealed class ProgramBehindALinkTests
{
    [Fact]
    public void IsFoundInTheFolderThatHasIt()
    {
        string root = Directory.CreateTempSubdirectory("armvdso-root-").FullName;
        try
        {
            foreach (string folder in (string[])["usr/bin", "usr/sbin"])
                Directory.CreateDirectory(Path.Join(root, folder));
            // /sbin comes before /bin in PATH, and both are links; an absolute one starts at the guest's root.
            File.CreateSymbolicLink(Path.Join(root, "sbin"), "usr/sbin");
            File.CreateSymbolicLink(Path.Join(root, "bin"), "/usr/bin");
            File.Copy(GuestPrograms.Path("hello"), Path.Join(root, "usr/bin/greeting"));
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
                "run", "--core", "none", "--root", root, "-E", "PATH=/sbin:/bin", "greeting");
            Assert.StartsWith("hello, arm64 world\n", result.Output, StringComparison.Ordinal);
            Assert.Equal(0, result.Status);
        }
        finally
        {
            Directory.Delete(root, true);
        }
    }
}
