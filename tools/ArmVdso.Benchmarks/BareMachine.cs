using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Benchmarks;

/// <summary>A machine of one PE at EL0 with 64 MiB of RAM at the same virtual address, and no system software: an exception
/// would leave the loop, and <see cref="Run"/> says so.</summary>
public sealed class BareMachine : IDisposable
{
    /// <summary>Where loops are placed.</summary>
    public const ulong Code = 0x10000;

    /// <summary>First byte of data.</summary>
    public const ulong Data = 0x100000;

    private const ulong Size = 64 << 20;
    private readonly Machine _machine;

    /// <summary>The PE.</summary>
    public Cpu Cpu { get; }

    /// <summary>A machine with an engine and a timing model by name, or "none".</summary>
    public BareMachine(EngineKind engine, string core)
    {
        _machine = new Machine(1, Size, CoreTimings.Of(core)) { Engine = engine };
        Cpu = _machine.Cpus[0];
        AddressSpace space = _machine.CreateAddressSpace(39);
        for (ulong page = 0; page < Size; page += 4096)
            space.Map(page, page, PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute);
        Cpu.SetX(0, space.Handle);
        Cpu.WriteSystemRegister(3, 0, 2, 0, 0, 0); // TTBR0_EL1
        Cpu.SetX(0, 25 | (25 << 16));
        Cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0); // TCR_EL1
        Cpu.CPACR_EL1 = 3UL << 20;
        Cpu.EL = 0;
        Cpu.PC = Code;
    }

    /// <summary>Places <paramref name="words"/>, repeated to fill <paramref name="length"/> instructions, and a branch back to the
    /// first.</summary>
    public void Loop(ReadOnlySpan<uint> words, int length)
    {
        length = length / words.Length * words.Length;
        for (int i = 0; i < length; i++)
            _machine.Memory.Write(Code + 4 * (ulong)i, words[i % words.Length]);
        _machine.Memory.Write(Code + 4 * (ulong)length, 0x14000000u | ((uint)-length & 0x3ffffff));
        _machine.InvalidateCode(Code, 4 * ((ulong)length + 1));
        Cpu.PC = Code;
    }

    /// <summary>Executes at least <paramref name="instructions"/> (one cycle each without a timing model).</summary>
    /// <exception cref="InvalidOperationException">An exception was taken.</exception>
    public ulong Run(ulong instructions)
    {
        ulong end = Cpu.Instructions + instructions, exceptions = Cpu.ExceptionEntries;
        while (Cpu.Instructions < end)
            _machine.Run(Cpu.Cycles + (end - Cpu.Instructions));
        if (Cpu.ExceptionEntries != exceptions)
            throw new InvalidOperationException($"the loop took an exception at {Cpu.ELR_EL1:x}");
        return Cpu.Instructions;
    }

    /// <inheritdoc/>
    public void Dispose() => _machine.Dispose();
}
