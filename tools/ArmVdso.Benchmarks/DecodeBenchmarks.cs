using ArmVdso.Emulator.Isa;
using BenchmarkDotNet.Attributes;

namespace ArmVdso.Benchmarks;

/// <summary>Time of one decode: any 32 bits, and words in the mixture of compiled code.</summary>
public class DecodeBenchmarks
{
    private const int Words = 4096;
    private readonly uint[] _random = new uint[Words];
    private readonly uint[] _typical = new uint[Words];

    // Loads and stores, moves, additions, compares and branches, as in a C library; operand fields are filled in at random.
    private static readonly (uint Bits, uint Free, int Weight)[] s_typical =
    [
        (0xF9400000, 0x003fffff, 18), (0xB9400000, 0x003fffff, 8), (0x39400000, 0x003fffff, 6), (0xF9000000, 0x003fffff, 10),
        (0xA9400000, 0x003fffff, 6),
        (0xA9000000, 0x003fffff, 6), (0xAA0003E0, 0x001f001f, 10), (0x52800000, 0x001fffff, 6), (0x91000000, 0x003fffff, 10),
        (0x8B000000, 0x001f03ff, 5),
        (0xF1000000, 0x003fffff, 5), (0x6B00001F, 0x001f03e0, 4), (0x54000000, 0x00ffffef, 8), (0x34000000, 0x00ffffff, 6),
        (0x94000000, 0x03ffffff, 5),
        (0xD65F03C0, 0, 2), (0x90000000, 0x00ffffff, 4), (0xD3400000, 0x003f03ff, 3), (0x9A800000, 0x001ff3ff, 3),
        (0x1E602800, 0x001f03ff, 1), (0x4E208400, 0x001f03ff, 1),
    ];

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        int total = s_typical.Sum(t => t.Weight);
        for (int i = 0; i < Words; i++)
        {
            _random[i] = (uint)random.NextInt64(1L << 32);
            int pick = random.Next(total), row = 0;
            while ((pick -= s_typical[row].Weight) >= 0)
                row++;
            _typical[i] = s_typical[row].Bits | ((uint)random.NextInt64(1L << 32) & s_typical[row].Free);
        }
    }

    [Benchmark(OperationsPerInvoke = Words)]
    public int RandomWords() => Sum(_random);

    [Benchmark(OperationsPerInvoke = Words)]
    public int TypicalWords() => Sum(_typical);

    private static int Sum(uint[] words)
    {
        int sum = 0;
        foreach (uint word in words)
            sum += (int)Decoder.Decode(word);
        return sum;
    }
}
