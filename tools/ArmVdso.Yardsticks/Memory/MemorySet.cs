using ArmVdso.Assembler;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Memory;

/// <summary>Bandwidth and latency of memory on boards, by the inner loops of STREAM, lmbench (bw_mem, lat_mem_rd), tinymembench and ramlat
/// as compilers make them, on a bare core.</summary>
public static class MemorySet
{
    // x0: what is written or read, x1 and x2: what else is read, x3: end of x0, x4: offset, x5: size, v31: a factor.
    private static readonly Dictionary<string, Kernel> Kernels = new()
    {
        ["stream copy"] = Stream(2, "ldr q0, [x1, x4]; str q0, [x0, x4]"),
        ["stream scale"] = Stream(2, "ldr q0, [x1, x4]; fmul v0.2d, v0.2d, v31.2d; str q0, [x0, x4]"),
        ["stream add"] = Stream(3, "ldr q0, [x1, x4]; ldr q1, [x2, x4]; fadd v0.2d, v0.2d, v1.2d; str q0, [x0, x4]"),
        ["stream triad"] = Stream(3, "ldr q0, [x1, x4]; ldr q1, [x2, x4]; fmla v0.2d, v1.2d, v31.2d; str q0, [x0, x4]"),
        // Every fourth word of 512 bytes.
        ["bw_mem rd"] = new(1, 1, 512, Unrolled(i => $"ldr w6, [x0, #{i * 16}]; add w7, w7, w6") + Advance(512)),
        ["bw_mem wr"] = new(1, 1, 512, Unrolled(i => $"str w6, [x0, #{i * 16}]") + Advance(512)),
        // memset and memcpy of glibc for sizes beyond a page.
        ["bw_mem bzero"] = new(1, 1, 64, "dc zva, x0;" + Advance(64)),
        ["bw_mem bcopy"] = new(1, 2, 64, Copy),
        ["load"] = new(1, 1, 64, "ldp q0, q1, [x0]; ldp q2, q3, [x0, #32];" + Advance(64)),
        ["copy"] = new(1, 2, 64, Copy),
        ["fill"] = new(1, 1, 64, "stp q0, q1, [x0]; stp q2, q3, [x0, #32];" + Advance(64)),
    };

    private const string Copy = "ldp q0, q1, [x1]; ldp q2, q3, [x1, #32]; stp q0, q1, [x0]; stp q2, q3, [x0, #32]; add x1, x1, #64; "
        + "add x0, x0, #64; cmp x0, x3; b.ne 1b;";

    /// <summary>A loop over arrays.</summary>
    /// <param name="Counted">How often the program counts the bytes of an array.</param>
    /// <param name="Arrays">Arrays.</param>
    /// <param name="Bytes">Bytes of an array in a round.</param>
    /// <param name="Text">The loop; its label is 1.</param>
    private sealed record Kernel(int Counted, int Arrays, int Bytes, string Text);

    private static Kernel Stream(int arrays, string body) =>
        new(arrays, arrays, 16, body + "; add x4, x4, #16; cmp x4, x5; b.ne 1b;");

    private static string Unrolled(Func<int, string> one) => string.Concat(Enumerable.Range(0, 32).Select(i => one(i) + ";"));

    private static string Advance(int bytes) => $"add x0, x0, #{bytes}; cmp x0, x3; b.ne 1b;";

    /// <summary>What a row of the table comes to.</summary>
    /// <param name="core">Core with its board.</param>
    /// <param name="kernel">As in the table.</param>
    /// <param name="kilobytes">Size of an array.</param>
    /// <returns>MB/s, or ns a load; null when there is no such kernel.</returns>
    public static double? Measure(string core, string kernel, int kilobytes)
    {
        double clock = CoreModel.Load(core).ClockFrequency / 1e9;
        return kernel switch
        {
            "chase" => ChaseSet.Cycles(core, kilobytes, 1) / clock,
            "chase x8" => ChaseSet.Cycles(core, kilobytes, 8) / clock,
            "lat_mem_rd 128" => Stride(core, kilobytes) / clock,
            _ => Kernels.TryGetValue(kernel, out Kernel? known) ? Bandwidth(core, known, (ulong)kilobytes << 10, clock) : null,
        };
    }

    private static double Bandwidth(string core, Kernel kernel, ulong size, double clock)
    {
        ulong apart = size + 8192;
        using var timer = new SnippetTimer(core, (2UL << 20) + (apart * (ulong)kernel.Arrays) + (2UL << 20));
        uint[] words = AssemblyProgram.Parse("1: " + kernel.Text).Words;
        for (int i = 0; i < words.Length; i++)
            timer.Ram.Write(SnippetTimer.Code + (4 * (ulong)i), words[i]);
        ulong end = SnippetTimer.Code + (4 * (ulong)words.Length);
        ulong start = 0;
        // Once for the caches.
        for (int round = 0; round < 2; round++)
        {
            start = timer.Cpu.Cycles;
            timer.Restart();
            for (int i = 0; i < 3; i++)
                timer.Cpu.SetX(i, SnippetTimer.Data + (apart * (ulong)i));
            timer.Cpu.SetX(3, SnippetTimer.Data + size);
            timer.Cpu.SetX(4, 0);
            timer.Cpu.SetX(5, size);
            timer.RunTo(end);
        }
        return kernel.Counted * (double)size / ((timer.Cpu.Cycles - start) / clock * 1e-9) / 1e6;
    }

    /// <summary>lat_mem_rd: each pointer is 128 bytes behind the one before it.</summary>
    private static double Stride(string core, int kilobytes)
    {
        const int Step = 128;
        const int Copies = 32;
        int count = (kilobytes << 10) / Step / Copies * Copies;
        using var timer = new SnippetTimer(core, (4UL << 20) + ((ulong)kilobytes << 10 & ~4095UL));
        for (int i = 0; i < count; i++)
            timer.Ram.Write(SnippetTimer.Data + (ulong)(i * Step), SnippetTimer.Data + (ulong)((i + 1) % count * Step));
        for (int i = 0; i < Copies; i++)
            timer.Ram.Write(SnippetTimer.Code + (4 * (ulong)i), 0xF9400000u);
        timer.Cpu.SetX(0, SnippetTimer.Data);
        ulong start = 0;
        int rounds = count / Copies;
        for (int round = 0; round < 4 * rounds; round++)
        {
            if (round == 2 * rounds)
                start = timer.Cpu.Cycles;
            timer.Restart();
            timer.RunTo(SnippetTimer.Code + (4 * Copies));
        }
        return (double)(timer.Cpu.Cycles - start) / (2 * rounds * Copies);
    }

    /// <summary>Compares the rows of a board, by kind: bandwidth, and latency.</summary>
    /// <exception cref="YardstickException">The table is missing or not well formed.</exception>
    public static (List<YardstickRow> Bandwidth, List<YardstickRow> Latency, List<UnmappedRow> Unmapped) Compare(
        YardstickData data, string file, string board)
    {
        string core = CoreModel.LoadBoard(board).Core + "@" + board;
        var bandwidth = new List<YardstickRow>();
        var latency = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        foreach (TableRow row in data.Table(file, "board", "kernel", "sizeK", "value", "unit"))
        {
            if (row[0] != board)
                continue;
            string name = $"{row[1]}, {row[2]} KB";
            if (Measure(core, row[1], (int)row.Value(2)) is not { } model)
                unmapped.Add(new UnmappedRow(name, "no such kernel"));
            else
                (row[4] == "ns" ? latency : bandwidth).Add(new YardstickRow(name, row.Value(3), model, row[4]));
        }
        return (bandwidth, latency, unmapped);
    }
}
