using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks;

namespace ArmVdso.Lab.Explain;

/// <summary>Runs a block of assembly round after round on a bare core, as llvm-mca takes it: each round from its first instruction to its
/// last; a branch at its end goes back to the start. A block that returns is a function, and a round a call of it. At the start of every
/// 64th round, and of each call, general registers hold addresses of memory of their own again, SIMD&amp;FP registers 1.0, so that pointers
/// walk through memory that the caches hold; what depends on a result still waits for it.</summary>
internal sealed class BlockRunner : IDisposable
{
    /// <summary>Rounds between two settings of the registers.</summary>
    internal const int Period = 64;

    private const ulong Area = 0x10000;
    private readonly SnippetTimer _timer;
    private readonly ulong _first, _end;
    private readonly bool _loop;
    private readonly uint _indices;
    private int _round;

    /// <summary>Instructions in a round.</summary>
    internal int Length { get; }

    /// <summary>Rounds that are laid out one behind the other: 1 when a branch closes the loop, and of a function.</summary>
    internal int Copies { get; }

    /// <summary>Whether it is a function: a round is a call of it.</summary>
    internal bool IsFunction { get; }

    /// <summary>The CPU.</summary>
    internal Cpu Cpu => _timer.Cpu;

    /// <summary>Whether an address is one of the block's instructions, not of the call around a function.</summary>
    internal bool IsInside(ulong pc) => pc >= _first && pc < _first + ((ulong)Length * 4 * (ulong)Copies);

    /// <summary>Prepares a block.</summary>
    /// <exception cref="LabException">It is too long, or there is no such core.</exception>
    internal BlockRunner(SessionSettings settings, BlockCode code)
    {
        uint[] words = [.. code.Words];
        Length = words.Length;
        if (words.Length > 2048)
            throw new LabException($"{code.Name}: {words.Length} instructions; at most 2048", LabFault.Input);
        IsFunction = code.IsFunction;
        // What a function does not find memory with may be a count, on which its loops depend.
        _indices = IsFunction ? ~LoopBlock.Addresses(words) : LoopBlock.Indices(words);
        try
        {
            _timer = new SnippetTimer(settings.Core);
        }
        catch (CoreModelException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
        if (IsFunction)
        {
            Copies = 1;
            _first = SnippetTimer.Code + 8;
            PlaceFunction(words, code.Symbols);
            _end = _first + ((ulong)words.Length * 4) + 4;
        }
        else
        {
            _first = SnippetTimer.Code;
            Copies = LoopBlock.Place(_timer, words, out _loop, out _end);
        }
        Prepare();
    }

    /// <summary>A BL and a B around the function, and behind it a RET, which is all that functions have which it calls and which are not
    /// here. Addresses of symbols are those of a page of data that points to itself.</summary>
    private void PlaceFunction(uint[] words, IReadOnlyList<string?> symbols)
    {
        const uint Call = 0x94000002, Back = 0x17FFFFFF, Return = 0xD65F03C0;
        ulong stub = _first + ((ulong)words.Length * 4), data = SnippetTimer.Data + (Area * 31) + 0x8000;
        _timer.Ram.Write(SnippetTimer.Code, Call);
        _timer.Ram.Write(SnippetTimer.Code + 4, Back);
        for (int i = 0; i < words.Length; i++)
        {
            ulong at = _first + ((ulong)i * 4);
            uint word = words[i];
            if (symbols[i] is not null && (word & 0x7C000000) == 0x14000000)
                word |= (uint)((stub - at) / 4);
            else if (symbols[i] is not null && PcRelative.IsAdrp(word))
                word = PcRelative.WithAdrImmediate(word, (long)(data >> 12) - (long)(at >> 12));
            _timer.Ram.Write(at, word);
        }
        _timer.Ram.Write(stub, Return);
        for (ulong at = data; at < data + 0x1000; at += 8)
            _timer.Ram.Write(at, data);
    }

    private void Prepare()
    {
        Cpu cpu = _timer.Cpu;
        cpu.PC = SnippetTimer.Code;
        cpu.EL = 1;
        cpu.SPSel = true;
        cpu.Daif = 0xF;
        cpu.SP = SnippetTimer.Data + (Area * 31) + 0x800;
        Reset();
    }

    /// <summary>The pipeline does not see it: times do not depend on values but on addresses.</summary>
    private void Reset()
    {
        Cpu cpu = _timer.Cpu;
        for (int i = 0; i < 31; i++)
            cpu.SetX(i, ((_indices >> i) & 1) != 0 ? 8 : SnippetTimer.Data + (Area * (ulong)i) + 0x800);
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128(0x3FF0000000000000, 0x3FF0000000000000));
    }

    /// <summary>The number of the instruction at an address, from 0.</summary>
    internal int Number(ulong pc) => (int)((pc - _first) / 4 % (ulong)Length);

    /// <summary>Runs so many rounds (at least; a multiple of <see cref="Copies"/>).</summary>
    /// <returns>Rounds that were run, and the cycles they took.</returns>
    /// <exception cref="LabException">The block took an exception or does not come to its end.</exception>
    internal (int Rounds, ulong Cycles) Run(int rounds)
    {
        ulong start = _timer.Cpu.Cycles;
        int done = 0;
        while (done < rounds)
        {
            int steps = 0;
            // A function gets its arguments anew for each call.
            if (IsFunction)
                Reset();
            do
            {
                ulong exceptions = _timer.Cpu.ExceptionEntries;
                ulong pc = _timer.Cpu.PC;
                _timer.Cpu.Step();
                if (_timer.Cpu.ExceptionEntries != exceptions)
                    throw new LabException(
                        $"instruction {Number(pc)} of the block takes an exception ({_timer.Cpu.PendingClass})", LabFault.Input);
                if (_timer.Cpu.PC < SnippetTimer.Code || _timer.Cpu.PC > _end || ++steps > 100_000)
                    throw new LabException(
                        $"instruction {Number(pc)} of the block leaves it, or a round does not end", LabFault.Input);
            }
            while (_timer.Cpu.PC != SnippetTimer.Code && _timer.Cpu.PC != _end);
            done += Copies;
            _round += Copies;
            if (_round >= Period)
            {
                _round = 0;
                Reset();
            }
            if (_timer.Cpu.PC != _end)
                continue;
            if (_loop)
                Prepare();
            else
                _timer.Cpu.PC = SnippetTimer.Code;
        }
        return (done, _timer.Cpu.Cycles - start);
    }

    public void Dispose() => _timer.Dispose();
}
