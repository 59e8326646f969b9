using ArmVdso.Emulator.Processor;
using BenchmarkDotNet.Attributes;

namespace ArmVdso.Benchmarks;

/// <summary>Time of one instruction in loops of loads and stores: aligned, unaligned, across pages, over more pages than any TLB
/// has.</summary>
public class MemoryBenchmarks : LoopBenchmark
{
    private const uint LoadWord = 0xF9400281;      // ldr x1, [x20]
    private const uint StoreWord = 0xF9000281;     // str x1, [x20]
    private const uint LoadVector = 0x3DC00281;    // ldr q1, [x20]
    private const uint NextPage = 0x91400694;      // add x20, x20, #1, lsl #12
    private const uint SamePages = 0x92405E94;     // and x20, x20, #0xffffff: 16 MiB

    /// <summary>What a loop does.</summary>
    public enum Path
    {
        AlignedLoad,
        AlignedStore,
        UnalignedLoad,
        UnalignedStore,
        LineCrossingLoad,
        PageCrossingLoad,
        PageCrossingStore,
        PageCrossingVectorLoad,
        NewPageEachLoad,
    }

    [ParamsAllValues]
    public Path Kind { get; set; }

    /// <inheritdoc/>
    protected override void Load(BareMachine machine)
    {
        ulong at = BareMachine.Data + Kind switch
        {
            Path.UnalignedLoad or Path.UnalignedStore => 3,
            Path.LineCrossingLoad => 60,
            Path.PageCrossingLoad or Path.PageCrossingStore => 4092,
            Path.PageCrossingVectorLoad => 4088,
            _ => 0UL,
        };
        uint[] words = Kind switch
        {
            Path.AlignedStore or Path.UnalignedStore or Path.PageCrossingStore => [StoreWord],
            Path.PageCrossingVectorLoad => [LoadVector],
            Path.NewPageEachLoad => [LoadWord, NextPage, SamePages],
            _ => [LoadWord],
        };
        machine.Loop(words, 66);
        machine.Cpu.SetX(20, at);
    }
}
