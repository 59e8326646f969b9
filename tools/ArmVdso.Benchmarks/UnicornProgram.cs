using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;

namespace ArmVdso.Benchmarks;

/// <summary>Runs a static program that only computes and prints on libunicorn, with the few system calls that its C library
/// makes.</summary>
internal static class UnicornProgram
{
    private const ulong Page = 4096, Stack = 0x7f00_0000_0000, StackSize = 8 << 20, Heap = 0x5000_0000, HeapSize = 64 << 20;

    /// <summary>Output, and the time inside the emulator in seconds.</summary>
    internal static (string Output, double Seconds) Run(string path, params string[] arguments)
    {
        byte[] file = File.ReadAllBytes(path);
        using var unicorn = new Unicorn();
        ulong entry = Load(unicorn, file, out ulong headers);
        unicorn.Map(Stack - StackSize, StackSize);
        unicorn.Map(Heap, HeapSize);
        unicorn.Write(Unicorn.Sp, MakeStack(unicorn, file, headers, [path, .. arguments]));
        var output = new StringBuilder();
        ulong end = Heap;
        bool exited = false;
        unicorn.OnInterrupt = u =>
        {
            ulong a0 = u.Read(Unicorn.X0), a1 = u.Read(Unicorn.X0 + 1), a2 = u.Read(Unicorn.X0 + 2);
            ulong result = unchecked((ulong)-38);
            switch (u.Read(Unicorn.X0 + 8))
            {
                case 64: // write
                    output.Append(Encoding.Latin1.GetString(u.Read(a1, (int)a2)));
                    result = a2;
                    break;
                case 93 or 94: // exit, exit_group
                    exited = true;
                    u.Stop();
                    return;
                case 96: // set_tid_address
                    result = 100;
                    break;
                case 99 or 226 or 134 or 135: // set_robust_list, mprotect, signal actions and masks
                    result = 0;
                    break;
                case 214: // brk
                    if (a0 >= Heap && a0 <= Heap + HeapSize)
                        end = a0;
                    result = end;
                    break;
            }
            u.Write(Unicorn.X0, result);
        };
        long start = Stopwatch.GetTimestamp();
        unicorn.Start(entry);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (!exited)
            throw new InvalidOperationException($"libunicorn stopped at {unicorn.Read(Unicorn.Pc):x} before the program's exit");
        return (output.ToString(), seconds);
    }

    /// <summary>Maps the loadable segments of an ELF file that is not relocated.</summary>
    private static ulong Load(Unicorn unicorn, byte[] file, out ulong headers)
    {
        ulong phoff = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(32));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56));
        ulong mapped = 0;
        headers = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.AsSpan((int)phoff + 56 * i, 56);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 1)
                continue;
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            ulong memory = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
            // Segments are in the order of their addresses; two may share a page.
            ulong first = Math.Max(address & ~(Page - 1), mapped), last = (address + memory + Page - 1) & ~(Page - 1);
            if (last > first)
                unicorn.Map(first, last - first);
            mapped = last;
            unicorn.Write(address, file.AsSpan((int)offset, (int)size));
            if (offset == 0)
                headers = address + phoff;
        }
        return BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(24));
    }

    /// <summary>argc, argv, no environment, auxiliary vector.</summary>
    private static ulong MakeStack(Unicorn unicorn, byte[] file, ulong headers, string[] arguments)
    {
        ulong at = Stack - 4096;
        var words = new List<ulong> { (ulong)arguments.Length };
        foreach (string argument in arguments)
        {
            words.Add(at);
            unicorn.Write(at, Encoding.UTF8.GetBytes(argument + "\0"));
            at += (ulong)Encoding.UTF8.GetByteCount(argument) + 1;
        }
        // AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_HWCAP (FP, ASIMD), AT_RANDOM.
        words.AddRange(
            [0, 0, 3, headers, 4, 56, 5, BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56)), 6, Page, 16, 3, 25, at, 0, 0]);
        unicorn.Write(at, new byte[16]);
        ulong sp = Stack - 8192;
        foreach ((ulong word, ulong i) in words.Select((w, i) => (w, (ulong)i)))
            unicorn.Write(sp + 8 * i, BitConverter.GetBytes(word));
        return sp;
    }
}
