using System.Buffers.Binary;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Board;

/// <summary>Block device (Virtual I/O Device 1.2, 5.2). Its contents are a stream, which is only read: what is written stays in memory and
/// ends with the board, so that a run can be repeated.</summary>
internal sealed class VirtioBlock : VirtioFunction
{
    private const int Sector = 512;
    private const uint Read = 0, Write = 1, Flush = 4, Identify = 8;
    private const byte Good = 0, Failed = 1, Unsupported = 2;
    [NotState("the disk's file, which is only read")]
    private readonly Stream _contents;
    private readonly ulong _sectors;
    private readonly Dictionary<ulong, byte[]> _written = [];
    private readonly byte[] _configuration = new byte[60];

    /// <summary>A disk of a stream that can be read anywhere; a part of a sector at its end is left out.</summary>
    internal VirtioBlock(Stream contents)
    {
        _contents = contents;
        _sectors = (ulong)contents.Length / Sector;
        BinaryPrimitives.WriteUInt64LittleEndian(_configuration, _sectors);
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(20), Sector);
    }

    /// <inheritdoc/>
    internal override uint Id => 2;

    /// <summary>BLK_SIZE and FLUSH.</summary>
    internal override ulong Features => 1 << 6 | 1 << 9;

    /// <inheritdoc/>
    internal override ReadOnlySpan<byte> Configuration => _configuration;

    /// <inheritdoc/>
    internal override int Request(GuestMemory memory, IReadOnlyList<VirtioBuffer> buffers)
    {
        if (buffers.Count < 2 || buffers[0].Length < 16 || buffers[^1] is not { Writable: true, Length: > 0 } status)
            return 0;
        ReadOnlySpan<byte> header = memory.Read(buffers[0].Address, 16);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        int written = 0;
        byte result = type is Read or Write or Flush or Identify ? Good : Unsupported;
        for (int i = 1; i < buffers.Count - 1 && result == Good; i++)
        {
            VirtioBuffer buffer = buffers[i];
            if (type == Identify && buffer.Writable)
                memory.Write(buffer.Address, "armvdso\0"u8[..Math.Min(8, buffer.Length)]);
            else if (type is Read or Write && !Transfer(memory, buffer, type == Write, ref sector))
                result = Failed;
            if (buffer.Writable)
                written += buffer.Length;
        }
        memory.Write(status.Address, [result]);
        return written + 1;
    }

    private bool Transfer(GuestMemory memory, VirtioBuffer buffer, bool write, ref ulong sector)
    {
        ulong count = (ulong)buffer.Length / Sector;
        if (buffer.Length % Sector != 0 || buffer.Writable == write || sector > _sectors || count > _sectors - sector)
            return false;
        for (ulong i = 0; i < count; i++, sector++)
        {
            ulong at = buffer.Address + i * Sector;
            if (write)
                _written[sector] = memory.Read(at, Sector).ToArray();
            else
                memory.Write(at, Find(sector));
        }
        return true;
    }

    private byte[] Find(ulong sector)
    {
        if (_written.TryGetValue(sector, out byte[]? known))
            return known;
        var bytes = new byte[Sector];
        _contents.Position = (long)sector * Sector;
        _contents.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>Entropy device (Virtual I/O Device 1.2, 5.4): SplitMix64 from the machine's seed.</summary>
internal sealed class VirtioEntropy(ulong seed) : VirtioFunction
{
    private const int MostBytes = 4096;
    private ulong _state = seed;

    /// <inheritdoc/>
    internal override uint Id => 4;

    /// <inheritdoc/>
    internal override ulong Features => 0;

    /// <inheritdoc/>
    internal override int Request(GuestMemory memory, IReadOnlyList<VirtioBuffer> buffers)
    {
        // A device may write less than there is room for; a guest must not make the host fill gigabytes.
        VirtioBuffer buffer = buffers.FirstOrDefault(b => b.Writable);
        var bytes = new byte[Math.Min(buffer.Length, MostBytes)];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (i % 8 == 0)
                _state += 0x9E3779B97F4A7C15;
            bytes[i] = (byte)(SplitMix.Mix(_state) >> (8 * (i % 8)));
        }
        memory.Write(buffer.Address, bytes);
        return bytes.Length;
    }
}

/// <summary>The mixing function of SplitMix64.</summary>
internal static class SplitMix
{
    /// <summary>A number that looks random, for each number.</summary>
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
