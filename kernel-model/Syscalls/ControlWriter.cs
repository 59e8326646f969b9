using System.Buffers.Binary;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Writes control messages (struct cmsghdr) into a guest's buffer as put_cmsg does (net/core/scm.c): what does not fit is cut,
/// and the caller is told.</summary>
/// <param name="c">The call.</param>
/// <param name="buffer">Where they go.</param>
/// <param name="room">Bytes there.</param>
internal sealed class ControlWriter(SyscallContext c, ulong buffer, ulong room)
{
    /// <summary>Bytes of struct cmsghdr.</summary>
    internal const int HeaderSize = 16;

    /// <summary>Bytes written, as msg_controllen is to be.</summary>
    internal ulong Used { get; private set; }

    /// <summary>MSG_CTRUNC: not all of it was there room for.</summary>
    internal bool IsCut { get; private set; }

    /// <summary>Bytes of data that would still fit.</summary>
    internal int Room => room - Used <= HeaderSize ? 0 : (int)Math.Min(room - Used - HeaderSize, int.MaxValue);

    /// <summary>A message with its data.</summary>
    internal void Put(int level, int type, ReadOnlySpan<byte> data)
    {
        if (room - Used < HeaderSize)
        {
            IsCut = true;
            return;
        }
        int length = HeaderSize + data.Length;
        if (room - Used < (ulong)length)
            (IsCut, length) = (true, (int)(room - Used));
        Span<byte> message = stackalloc byte[length];
        BinaryPrimitives.WriteInt64LittleEndian(message, length);
        BinaryPrimitives.WriteInt32LittleEndian(message[8..], level);
        BinaryPrimitives.WriteInt32LittleEndian(message[12..], type);
        data[..(length - HeaderSize)].CopyTo(message[HeaderSize..]);
        c.Memory.Write(buffer + Used, message);
        Used = Math.Min(room, Used + (ulong)((HeaderSize + data.Length + 7) & ~7));
    }

    /// <summary>A message with a number.</summary>
    internal void Put(int level, int type, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Put(level, type, bytes);
    }

    /// <summary>Something did not fit that is not cut but left out.</summary>
    internal void Cut() => IsCut = true;
}
