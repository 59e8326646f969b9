using System.Text;

namespace ArmVdso.Cli;

/// <summary>What a report, or our own output, is written to. A host that takes no more of it (no space, an input or output error) is told
/// of in one line with the name of what was asked for.</summary>
/// <param name="under">Where the bytes go.</param>
/// <param name="name">What the line begins with; null: nobody could read it, and what fails is dropped.</param>
internal sealed class ReportStream(Stream under, string? name) : SequentialStream
{
    private const int EPIPE = 32;

    public override bool CanWrite => true;

    /// <summary>A file that an option names.</summary>
    /// <exception cref="UserError">It cannot be made.</exception>
    internal static ReportStream Create(string option, string file)
    {
        try
        {
            return new ReportStream(new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read, 1), $"{option} {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed($"{option} {file}", e);
        }
    }

    /// <summary>Standard output or error as a writer of our own messages. It stays open when a report in it ends.</summary>
    internal static StreamWriter Standard(int descriptor) =>
        new StandardWriter(new ReportStream(StandardStream.Open(descriptor), descriptor == 1 ? "standard output" : null));

    private sealed class StandardWriter : StreamWriter
    {
        internal StandardWriter(ReportStream stream)
            : base(stream, new UTF8Encoding(false)) => AutoFlush = true;

        protected override void Dispose(bool disposing) => Flush();
    }

    private static UserError Failed(string name, Exception e) => new($"{name}: {LabException.ReasonOf(e)}", ExitStatus.EmulatorError);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            under.Write(buffer);
        }
        catch (IOException) when (name is null)
        {
            // Standard error itself: there is no other place to say it.
        }
        catch (IOException e) when (e.HResult != EPIPE)
        {
            throw Failed(name!, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            under.Dispose();
        base.Dispose(disposing);
    }
}
