using System.Runtime.InteropServices;

namespace ArmVdso.Kernel.Memory;

/// <summary>copy_from_user and copy_to_user: the kernel model's own accesses to user memory.</summary>
public sealed partial class MemoryMap
{
    /// <summary>Whether tags of the addresses that the running task gives are ignored (PR_SET_TAGGED_ADDR_CTRL); else an address with one
    /// is no user's (access_ok, arch/arm64/include/asm/uaccess.h).</summary>
    internal bool TagsIgnored { get; set; }

    /// <summary>An address of a system call without what of it is ignored.</summary>
    internal ulong Untag(ulong va) => TagsIgnored ? (ulong)((long)(va << 8) >> 8) & va : va;

    /// <summary>Whether a range lies where user memory may be, mapped or not (access_ok).</summary>
    internal bool IsUserRange(ulong va, ulong size) => size <= TaskSize && Untag(va) <= TaskSize - size;

    private bool Translate(ulong va, bool write, out ulong pa)
    {
        pa = 0;
        if (va >= TaskSize)
            return false;
        PagePermissions needed = write ? PagePermissions.UserWrite : PagePermissions.UserRead;
        if (!Space.Lookup(va, out ulong page, out PagePermissions permissions) || (permissions & needed) == 0)
        {
            if (!FaultIn(va, write, out _) || !Space.Lookup(va, out page, out permissions) || (permissions & needed) == 0)
                return false;
        }
        pa = page | (va & (Page - 1));
        return true;
    }

    /// <summary>Copies from user memory. False: EFAULT (the destination is undefined then).</summary>
    public bool Read(ulong va, Span<byte> destination)
    {
        va = Untag(va);
        while (destination.Length > 0)
        {
            if (!Translate(va, false, out ulong pa))
                return false;
            int n = (int)Math.Min(Page - (va & (Page - 1)), (ulong)destination.Length);
            _machine.Memory.Span(pa, n).CopyTo(destination);
            destination = destination[n..];
            va += (ulong)n;
        }
        return true;
    }

    /// <summary>Copies to user memory. False: EFAULT (earlier pages may have been written).</summary>
    public bool Write(ulong va, ReadOnlySpan<byte> source)
    {
        va = Untag(va);
        while (source.Length > 0)
        {
            int n = (int)Math.Min(Page - (va & (Page - 1)), (ulong)source.Length);
            if (!Translate(va, true, out ulong pa))
            {
                if (!Defer(va, source[..n]))
                    return false;
                source = source[n..];
                va += (ulong)n;
                continue;
            }
            source[..n].CopyTo(_machine.Memory.Span(pa, n));
            _machine.NotifyWrite(pa, n);
            source = source[n..];
            va += (ulong)n;
        }
        return true;
    }

    /// <summary>Reads a structure or number. False: EFAULT.</summary>
    public bool Read<T>(ulong va, out T value) where T : unmanaged
    {
        value = default;
        return Read(va, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    /// <summary>Writes a structure or number. False: EFAULT.</summary>
    public bool Write<T>(ulong va, T value) where T : unmanaged =>
        Write(va, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Reads a NUL terminated string as Latin-1 (one char a byte). 0, -EFAULT, or -ENAMETOOLONG when there is no NUL
    /// within <paramref name="max"/> bytes.</summary>
    public long ReadString(ulong va, int max, out string text)
    {
        text = "";
        va = Untag(va);
        var builder = new System.Text.StringBuilder();
        while (builder.Length < max)
        {
            if (!Translate(va, false, out ulong pa))
                return -Errno.EFAULT;
            int n = (int)Math.Min(Page - (va & (Page - 1)), (ulong)(max - builder.Length));
            Span<byte> bytes = _machine.Memory.Span(pa, n);
            int end = bytes.IndexOf((byte)0);
            builder.Append(System.Text.Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]));
            if (end >= 0)
            {
                text = builder.ToString();
                return 0;
            }
            va += (ulong)n;
        }
        return -Errno.ENAMETOOLONG;
    }

    /// <summary>Physical address of a user word for futexes, made present for writing when asked. False: EFAULT.</summary>
    public bool PhysicalAddress(ulong va, bool write, out ulong pa) => Translate(Untag(va), write, out pa);

    /// <summary>Bytes that may be accessed from <paramref name="va"/> on, up to <paramref name="length"/>; for calls that
    /// transfer as much as they can.</summary>
    public int Accessible(ulong va, int length, bool write)
    {
        va = Untag(va);
        int done = 0;
        while (done < length)
        {
            if (!Translate(va + (ulong)done, write, out _))
                break;
            done += (int)Math.Min(Page - ((va + (ulong)done) & (Page - 1)), (ulong)(length - done));
        }
        return done;
    }
}
