namespace ArmVdso.Cli;

/// <summary>armvdso completion, armvdso setup: what a system that has armvdso may have beside it.</summary>
internal static class SetupCommand
{
    /// <summary>The name under which the kernel starts armvdso for a program of arm64: then all words are the program's.</summary>
    internal const string InterpreterName = "armvdso-binfmt";

    internal static Command MakeCompletion()
    {
        var shell = new Argument<string?>("SHELL") { Description = string.Join(", ", Completions.All.Select(c => c.Shell)) };
        return new CliCommand("completion", "prints what a shell needs to complete the command", [], [], [shell], input =>
        {
            string name = input.Operand(shell)!;
            (string Shell, Action<TextWriter, Command> Write)[] known = [.. Completions.All.Where(c => c.Shell == name)];
            if (known.Length == 0)
            {
                string names = string.Join(", ", Completions.All.Select(c => c.Shell));
                throw CommandInput.Error($"there are no completions for '{name}'; known: {names}");
            }
            return () => Print(output => known[0].Write(output, CommandTree.Make()));
        });
    }

    internal static Command Make() => new("setup", "prints what belongs on a system beside the command")
    {
        new CliCommand("man", "prints the manual page armvdso(1)", [], [], [], _ =>
            () => Print(output => ManPage.Write(output, CommandTree.Make(), CommandTree.Version))),
        new CliCommand("binfmt", "prints the line that has the kernel start arm64 programs with armvdso (binfmt_misc)", [], [], [], _ =>
            () => Print(output => output.Write(Binfmt + "\n"))),
        new CliCommand("containerfile", "prints an OCI Containerfile for an image that has the command", [], [], [], _ =>
            () => Print(output => output.Write(Containerfile))),
    };

    private static int Print(Action<TextWriter> write)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput()) { NewLine = "\n" };
        write(output);
        return 0;
    }

    /// <summary>ELF64, little-endian, ET_EXEC or ET_DYN, EM_AARCH64 (Linux, Documentation/admin-guide/binfmt-misc.rst).</summary>
    private const string Binfmt =
        @":armvdso:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
        + @"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/" + InterpreterName + ":";

    private const string Containerfile = """
        # podman build -t armvdso . , where armvdso_*_amd64.deb lies here
        FROM docker.io/library/debian:bookworm-slim
        COPY armvdso_*_amd64.deb /tmp/
        RUN apt-get update && apt-get install -y --no-install-recommends /tmp/armvdso_*_amd64.deb \
          && rm -rf /var/lib/apt/lists/* /tmp/armvdso_*_amd64.deb
        WORKDIR /work
        ENTRYPOINT ["/usr/bin/armvdso"]
        CMD ["--help"]

        """;
}
