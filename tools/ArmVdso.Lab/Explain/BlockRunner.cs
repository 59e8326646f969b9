using System.Diagnostics;
using ArmVdso.Assembler;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks;

namespace ArmVdso.Lab.Explain;

/// <summary>Runs a block of assembly round after round on a bare core, as llvm-mca takes it: each round from its first instruction to its
/// last; a branch at its end goes back to the start. At the start of every 64th round general registers hold addresses of memory of their
/// own again, SIMD&amp;FP registers 1.0, so that pointers walk through memory that the caches hold; what depends on a result still waits
/// for it.</summary>
internal sealed class BlockRunner : IDisposable
{
    /// <summary>Rounds between two settings of the registers.</summary>
    internal const int Period = 64;

    private const ulong Area = 0x10000;
    private readonly SnippetTimer _timer;
    private readonly uint[] _words;
    private readonly ulong _end;
    private readonly bool _loop;
    private readonly uint _indices;
    private int _round;

    /// <summary>Instructions in a round.</summary>
    internal int Length => _words.Length;

    /// <summary>Rounds that are laid out one behind the other: 1 when a branch closes the loop.</summary>
    internal int Copies { get; }

    /// <summary>The CPU.</summary>
    internal Cpu Cpu => _timer.Cpu;

    /// <summary>Prepares a block.</summary>
    /// <exception cref="LabException">It is not code, or it is too long.</exception>
    internal BlockRunner(SessionSettings settings, string file)
    {
        _words = Assemble(file);
        if (_words.Length == 0)
            throw new LabException($"{file}: no instructions", LabFault.Input);
        if (_words.Length > 2048)
            throw new LabException($"{file}: {_words.Length} instructions; at most 2048", LabFault.Input);
        _indices = LoopBlock.Indices(_words);
        try
        {
            _timer = new SnippetTimer(settings.Core);
        }
        catch (CoreModelException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
        Copies = LoopBlock.Place(_timer, _words, out _loop, out _end);
        Prepare();
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
            do
            {
                ulong exceptions = _timer.Cpu.ExceptionEntries;
                ulong pc = _timer.Cpu.PC;
                _timer.Cpu.Step();
                if (_timer.Cpu.ExceptionEntries != exceptions)
                    throw new LabException(
                        $"instruction {(pc - SnippetTimer.Code) / 4 % (ulong)_words.Length} of the block takes an exception "
                        + $"({_timer.Cpu.PendingClass})", LabFault.Input);
                if (_timer.Cpu.PC < SnippetTimer.Code || _timer.Cpu.PC > _end || ++steps > 100_000)
                    throw new LabException(
                        $"instruction {(pc - SnippetTimer.Code) / 4 % (ulong)_words.Length} of the block leaves it, or a round does not "
                        + $"end", LabFault.Input);
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

    private static uint[] Assemble(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file}: {e.Message}", LabFault.NotFound);
        }
        try
        {
            return AssemblyProgram.Parse(text).Words;
        }
        catch (AssemblerException e)
        {
            // Macros, sections, expressions: what only a whole assembler knows.
            return Clang(file)
                ?? throw new LabException($"{file}: {e.Message} (clang-19 is not there, or does not take it either)", LabFault.Input);
        }
    }

    private static uint[]? Clang(string file)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        try
        {
            string outputFile = Path.Join(folder, "block.o");
            if (!Start(
                "clang-19", "--target=aarch64-linux-gnu", "-march=armv8.5-a+fp16+lse+sha2+aes+crc+dotprod", "-c", file, "-o", outputFile))
                return null;
            string binary = Path.Join(folder, "block.bin");
            if (!Start("llvm-objcopy-19", "-O", "binary", "-j", ".text", outputFile, binary))
                return null;
            byte[] bytes = File.ReadAllBytes(binary);
            var words = new uint[bytes.Length / 4];
            for (int i = 0; i < words.Length; i++)
                words[i] = BitConverter.ToUInt32(bytes, 4 * i);
            return words;
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static bool Start(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program) { RedirectStandardError = true };
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        using Process process = Process.Start(info)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    public void Dispose() => _timer.Dispose();
}
