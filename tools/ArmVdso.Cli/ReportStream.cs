using System.Text;

namespace ArmVdso.Cli;

/// <summary>What a report, or our own output, is written to. A host that takes no more of it (no space, an input or output error) is told
/// of in one line with the name of what was asked for.</summary>
/// <param name="under">Where the bytes go.</param>
/// <param name="name">What the line begins with; null: nobody could read it, and what fails is dropped.</param>
internal sealed class ReportStream(Stream under, string? name) : Stream
{
    private const int EPIPE = 32;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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

    /// <summary>Standard output or error as a writer of our own messages.</summary>
    internal static StreamWriter Standard(int descriptor) =>
        new(new ReportStream(StandardStream.Open(descriptor), descriptor == 1 ? "standard output" : null), new UTF8Encoding(false))
        {
            AutoFlush = true,
        };

    private static UserError Failed(string name, Exception e) => new($"{name}: {e.Message.Split(" : '")[0]}", ExitStatus.EmulatorError);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            under.Write(buffer);
        }
        catch (IOException e) when (name is null)
        {
            // Standard error itself: there is no other place to say it.
            _ = e;
        }
        catch (IOException e) when (e.HResult != EPIPE)
        {
            throw Failed(name!, e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            under.Dispose();
        base.Dispose(disposing);
    }
}
