using System.Buffers.Binary;
using System.Security;
using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>The libraries of a process, as its dynamic linker lists them (struct r_debug and link_map, elf/link.h of glibc).</summary>
internal static class LibraryList
{
    private const ulong AT_PHDR = 3, AT_PHNUM = 5, PT_DYNAMIC = 2, PT_PHDR = 6, DT_DEBUG = 21, HeaderSize = 56;
    private const int Most = 1000, LongestName = 4096;

    /// <summary>library-list-svr4 of GDB.</summary>
    internal static string Xml(DebugTarget target, ThreadId thread)
    {
        var xml = new StringBuilder("<library-list-svr4 version=\"1.0\"");
        ulong Word(ulong address)
        {
            Span<byte> bytes = stackalloc byte[8];
            return target.ReadMemory(thread, address, bytes) == bytes.Length ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;
        }

        ulong debug = DebugStructure(target, thread, Word), map = debug == 0 ? 0 : Word(debug + 8);
        if (map == 0)
            return xml.Append("/>").ToString();
        xml.Append($" main-lm=\"0x{map:x}\">");
        for (int i = 0; (map = Word(map + 24)) != 0 && i < Most; i++)
        {
            string name = Name(target, thread, Word(map + 8));
            if (name.Length > 0)
            {
                xml.Append($"<library name=\"{SecurityElement.Escape(name)}\" lm=\"0x{map:x}\" l_addr=\"0x{Word(map):x}\" ");
                xml.Append($"l_ld=\"0x{Word(map + 16):x}\"/>");
            }
        }
        return xml.Append("</library-list-svr4>").ToString();
    }

    private static ulong DebugStructure(DebugTarget target, ThreadId thread, Func<ulong, ulong> word)
    {
        ReadOnlySpan<byte> auxv = target.AuxiliaryVector(thread.Pid);
        ulong headers = 0, count = 0;
        for (int i = 0; i + 16 <= auxv.Length; i += 16)
        {
            ulong type = BinaryPrimitives.ReadUInt64LittleEndian(auxv[i..]);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(auxv[(i + 8)..]);
            headers = type == AT_PHDR ? value : headers;
            count = type == AT_PHNUM ? value : count;
        }
        ulong bias = 0, dynamic = 0;
        for (ulong i = 0; i < Math.Min(count, Most); i++)
        {
            ulong at = headers + i * HeaderSize, type = word(at) & uint.MaxValue;
            bias = type == PT_PHDR ? headers - word(at + 16) : bias;
            dynamic = type == PT_DYNAMIC ? word(at + 16) : dynamic;
        }
        for (ulong at = dynamic + bias; dynamic != 0 && at < dynamic + bias + 16 * Most && word(at) != 0; at += 16)
        {
            if (word(at) == DT_DEBUG)
                return word(at + 8);
        }
        return 0;
    }

    private static string Name(DebugTarget target, ThreadId thread, ulong address)
    {
        var bytes = new List<byte>();
        Span<byte> one = stackalloc byte[1];
        while (bytes.Count < LongestName && target.ReadMemory(thread, address + (ulong)bytes.Count, one) == 1 && one[0] != 0)
            bytes.Add(one[0]);
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
