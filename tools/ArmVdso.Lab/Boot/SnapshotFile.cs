using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ArmVdso.Emulator.Board;
using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Lab.Boot;

/// <summary>What a snapshot is of: what a machine and its board must be made of to take it.</summary>
internal sealed record SnapshotHeader
{
    /// <summary>Settings of the run; see <see cref="SessionSettings"/>.</summary>
    public required int Cpus { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required string Core { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required string Profile { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required ulong MemoryBytes { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required ulong Quantum { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required ulong Seed { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required long Epoch { get; init; }

    /// <inheritdoc cref="Cpus"/>
    public required ulong ClockHz { get; init; }

    /// <summary>File of the kernel, for reports.</summary>
    public required string Kernel { get; init; }

    /// <summary>Where its Image begins in RAM, and what it takes there.</summary>
    public required ulong Entry { get; init; }

    /// <inheritdoc cref="Entry"/>
    public required ulong ImageSize { get; init; }

    /// <summary>Bytes of the disks.</summary>
    public required IReadOnlyList<long> Disks { get; init; }

    /// <summary>Digest of what the core's file and the profile's say.</summary>
    public required string Models { get; init; }

    /// <summary>Digest of the state that the emulator has; see <see cref="SmallBoard.StateShape"/>.</summary>
    public required string Shape { get; init; }

    /// <summary>Settings with what this says.</summary>
    internal SessionSettings Apply(SessionSettings settings) => settings with
    {
        Cpus = Cpus,
        Core = Core,
        Cpu = Profile,
        MemoryBytes = MemoryBytes,
        Quantum = Quantum,
        Seed = Seed,
        Epoch = Epoch,
        ClockHz = ClockHz,
    };

    /// <summary>A digest of the core model and the CPU profile of settings.</summary>
    internal static string DigestOf(SessionSettings settings)
    {
        CoreModel core = settings.Model();
        var text = new StringBuilder();
        foreach (CoreParameter parameter in core.Parameters)
            text.Append(parameter.Key).Append('=').Append(parameter.Value).Append('\n');
        foreach (CoreTiming timing in core.Timings)
            text.Append(timing).Append('\n');
        foreach (ProfileField field in CpuProfile.Load(settings.CpuProfileName).Fields)
            text.Append(field.Register).Append('.').Append(field.Field).Append('=').Append(field.Value).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

/// <summary>A snapshot of a booted machine: a line with the format, one with what it is of (JSON), the state, compressed, and a digest of
/// all that (SHA-256).</summary>
internal static class SnapshotFile
{
    private const string Start = "armvdso snapshot ";
    private const int Version = 1, LongestLine = 1 << 16;

    /// <summary>Writes one; the file is there when it is whole.</summary>
    /// <exception cref="LabException">It cannot be written.</exception>
    internal static void Write(string name, SnapshotHeader header, SmallBoard board)
    {
        string unfinished = name + ".new";
        try
        {
            using (var file = new FileStream(unfinished, FileMode.Create))
            {
                using (var sha = SHA256.Create())
                {
                    using (var digested = new CryptoStream(file, sha, CryptoStreamMode.Write, leaveOpen: true))
                    {
                        string said = JsonSerializer.Serialize(header, SnapshotContext.Default.SnapshotHeader);
                        digested.Write(Encoding.UTF8.GetBytes($"{Start}{Version}\n{said}\n"));
                        using (var packed = new ZLibStream(digested, CompressionLevel.Fastest, leaveOpen: true))
                        using (var buffered = new BufferedStream(packed, 1 << 16))
                            board.Save(buffered);
                        digested.FlushFinalBlock();
                    }
                    file.Write(sha.Hash!);
                }
            }
            File.Move(unfinished, name, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{name}: the snapshot cannot be written: {e.Message}", LabFault.Failed, e);
        }
    }

    /// <summary>Opens one, and checks that it is whole.</summary>
    /// <param name="name">File.</param>
    /// <param name="header">What it is of.</param>
    /// <returns>The state, compressed; the digest follows it.</returns>
    /// <exception cref="LabException">It is none, or not whole.</exception>
    internal static FileStream Open(string name, out SnapshotHeader header)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            string? start = ReadLine(file);
            if (start is null || !start.StartsWith(Start, StringComparison.Ordinal))
                throw new LabException($"{name}: it is no snapshot of armvdso", LabFault.NotExecutable);
            if (start != $"{Start}{Version}")
                throw new LabException(
                    $"{name}: it has format {start[Start.Length..]}; this armvdso knows {Version}", LabFault.NotExecutable);
            string? text = ReadLine(file);
            long state = file.Position;
            if (text is null || !IsWhole(file))
                throw new LabException($"{name}: it is truncated or damaged", LabFault.NotExecutable);
            header = JsonSerializer.Deserialize(text, SnapshotContext.Default.SnapshotHeader) ?? throw new JsonException("null");
            file.Position = state;
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or LabException)
        {
            file?.Dispose();
            throw e switch
            {
                LabException => e,
                JsonException => new LabException($"{name}: it is truncated or damaged", LabFault.NotExecutable, e),
                _ => new LabException($"{name}: {e.Message}", LabFault.NotFound, e),
            };
        }
    }

    /// <summary>Restores a board from what <see cref="Open"/> opened.</summary>
    /// <exception cref="LabException">It is of another machine.</exception>
    internal static void Restore(string name, FileStream file, SmallBoard board)
    {
        try
        {
            using var packed = new ZLibStream(file, CompressionMode.Decompress, leaveOpen: true);
            using var buffered = new BufferedStream(packed, 1 << 16);
            board.Restore(buffered);
        }
        catch (Exception e) when (e is StateException or EndOfStreamException or InvalidDataException)
        {
            throw new LabException($"{name}: it does not fit the machine: {e.Message}", LabFault.NotExecutable, e);
        }
    }

    private static string? ReadLine(FileStream file)
    {
        var bytes = new List<byte>();
        for (int b; (b = file.ReadByte()) != '\n';)
        {
            if (b < 0 || bytes.Count == LongestLine)
                return null;
            bytes.Add((byte)b);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static bool IsWhole(FileStream file)
    {
        if (file.Length < SHA256.HashSizeInBytes)
            return false;
        file.Position = 0;
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        for (long left = file.Length - SHA256.HashSizeInBytes; left > 0;)
        {
            int n = file.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (n == 0)
                return false;
            sha.AppendData(buffer, 0, n);
            left -= n;
        }
        Span<byte> digest = buffer.AsSpan(0, SHA256.HashSizeInBytes);
        return file.ReadAtLeast(digest, digest.Length, throwOnEndOfStream: false) == digest.Length
            && sha.GetHashAndReset().AsSpan().SequenceEqual(digest);
    }
}

/// <summary>Writes and reads the header without reflection, which a command compiled ahead does not have.</summary>
[JsonSerializable(typeof(SnapshotHeader))]
internal sealed partial class SnapshotContext : JsonSerializerContext;
