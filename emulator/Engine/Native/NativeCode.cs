using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Native code of a machine's blocks. Its memory is bounded: when it is full, all of it is dropped.</summary>
internal sealed class NativeCode : IDisposable
{
    private readonly CodeCache _blocks;
    private readonly CodeMemory _memory;
    private readonly Emitter _emitter;
    private readonly ReaderEmitter? _reader;
    private readonly List<Exit> _exits = [];
    private readonly ulong _first;
    private readonly ulong _end;
    private readonly ulong _firstRare;
    private readonly ulong _longestRare = Emitter.LongestCode;
    private readonly ulong[] _interpreted = new ulong[RowInfo.Count];
    private ulong _next;
    private ulong _nextRare;

    /// <param name="cpu">A PE of the machine.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="logged">Whether stores are logged, to be compared.</param>
    /// <param name="traced">Whether it is for blocks whose timing is memoised.</param>
    /// <param name="size">Bytes of code.</param>
    /// <exception cref="ArgumentOutOfRangeException">No room for a block: each would drop the one before it is executed.</exception>
    internal NativeCode(Cpu cpu, CodeCache blocks, bool logged, bool traced, int size)
    {
        Traced = traced ? new TracedBlocks() : null;
        _blocks = blocks;
        _memory = new CodeMemory(size);
        _emitter = new Emitter(cpu, blocks, _exits, logged, Traced);
        _emitter.EmitEntry(_memory.Origin);
        _memory.Put(_memory.Origin, _emitter.Bytes);
        _first = _next = Align(_memory.Origin + (ulong)_emitter.Bytes.Length);
        _end = _firstRare = _nextRare = Align(_memory.Origin + _memory.Size / 2);
        if (Traced is not null)
        {
            _reader = new ReaderEmitter(cpu.Timing.Memo!, Traced);
            _reader.EmitRoutines(_firstRare);
            _memory.Put(_firstRare, _reader.Bytes);
            _firstRare = _nextRare = Align(_firstRare + (ulong)_reader.Bytes.Length);
            _longestRare += ReaderEmitter.LongestCode;
        }
        if (IsFull)
            throw new ArgumentOutOfRangeException(nameof(size), size, "no room for the native code of one block");
    }

    private bool IsFull => _next + Emitter.LongestCode > _end || _nextRare + _longestRare > _memory.Origin + _memory.Size;

    /// <summary>Whether this host executes the code: x64 with AVX2, FMA, BMI2 and LZCNT, Linux.</summary>
    internal static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && System.Runtime.Intrinsics.X86.Avx2.X64.IsSupported && System.Runtime.Intrinsics.X86.Bmi2.X64.IsSupported
        && System.Runtime.Intrinsics.X86.Lzcnt.X64.IsSupported && System.Runtime.Intrinsics.X86.Fma.X64.IsSupported;

    /// <summary>Where native code is entered.</summary>
    internal ulong Entry => _memory.Origin;

    /// <summary>Where an indirect branch goes that the tables do not have.</summary>
    internal ulong Missed => _emitter.Missed;

    /// <summary>Blocks that leave a trace; null when none does.</summary>
    internal TracedBlocks? Traced { get; }

    private ulong _translated, _evictions;

    /// <summary>Makes the code.</summary>
    internal Emitter Emitter => _emitter;

    /// <summary>Makes the code that reads traces; null when there are none.</summary>
    internal ReaderEmitter? Reader => _reader;

    /// <summary>Loads and stores that the TLB did not have.</summary>
    internal ulong SlowAccesses { get; set; }

    /// <summary>Times that native code was entered.</summary>
    internal ulong Entries { get; set; }

    /// <summary>What happened so far.</summary>
    internal NativeCounts Counts() => new(
        _translated, Entries, SlowAccesses, _evictions, NativeCounts.Ordered(_interpreted), NativeCounts.Ordered(_blocks.BetweenBlocks()));

    /// <summary>The reference body of a row is about to execute an instruction.</summary>
    internal void CountInterpreted(Row row) => _interpreted[(int)row]++;

    /// <summary>Where code was left.</summary>
    internal Exit ExitOf(int number) => _exits[number];

    private static ulong Align(ulong address) => (address + 15) & ~15UL;

    /// <summary>Makes the code of a block. When there is no room, all blocks are dropped first, this one too.</summary>
    internal void Translate(Block block)
    {
        if (IsFull)
        {
            _evictions++;
            _blocks.Clear();
            _exits.Clear();
            Traced?.Clear();
            _next = _first;
            _nextRare = _firstRare;
        }
        _emitter.Emit(block, _next, _nextRare);
        _memory.Put(_next, _emitter.Bytes);
        _memory.Put(_nextRare, _emitter.RareBytes);
        block.Code = _next;
        _next = Align(_next + (ulong)_emitter.Bytes.Length);
        _nextRare += (ulong)_emitter.RareBytes.Length;
        _translated++;
        if (_reader is null || !_reader.Emit(_nextRare))
            return;
        _memory.Put(_nextRare, _reader.Bytes);
        _nextRare += (ulong)_reader.Bytes.Length;
    }

    /// <summary>A jump inside a page goes to code from now on.</summary>
    internal void Link(ulong jump, ulong code) => _memory.PutDistance(jump, Assembler.Distance(jump, code));

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _memory.Dispose();
}
