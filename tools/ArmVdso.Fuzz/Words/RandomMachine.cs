using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ArmVdso.Fuzz.Words;

/// <summary>A machine whose PEs run one random program at EL0, with exceptions and timer interrupts that EL1 code returns from, and a
/// host that changes code, mappings and FPCR between slices. The same seed gives the same on all engines.</summary>
internal sealed class RandomMachine : IDisposable
{
    private const ulong Code = 0x10000, Data = 0x20000;
    // The data are in four places, which are in each other's way in a TLB: of 4096 entries, each with another place 2048 entries away.
    private static readonly ulong[] s_data = [Data, Data + (8 << 20), Data + (16 << 20), Data + (32 << 20)];
    private const int CodePages = 3, DataPages = 4, CodeWords = CodePages * 1024;
    private const ulong CodePa = 0x4000, DataPa = 0x8000, VectorPa = 0x10000;
    private const ulong VectorVa = 0xFFFF_FFFF_F000_0000;
    private const PagePermissions ReadWrite = PagePermissions.UserRead | PagePermissions.UserWrite;

    // A synchronous exception goes on behind its instruction, or at the start of the code when that is nowhere.
    private static readonly uint[] s_synchronous =
    [
        0xD518D080, // msr tpidr_el1, x0
        0xD5384020, // mrs x0, elr_el1
        0x91001000, // add x0, x0, #4
        0xD2700000, // eor x0, x0, #0x10000
        0xD34DFC00, // lsr x0, x0, #13
        0xB4000060, // cbz x0, inside
        0xD2A00020, // mov x0, #0x10000
        0x14000003, // b set
        0xD5384020, // inside: mrs x0, elr_el1
        0x91001000, // add x0, x0, #4
        0xD5184020, // set: msr elr_el1, x0
        0xD538D080, // mrs x0, tpidr_el1
        0xD69F03E0, // eret
    ];

    // The timer rings again 37 ticks later.
    private static readonly uint[] s_interrupt =
    [
        0xD518D080, // msr tpidr_el1, x0
        0xD53BE340, // mrs x0, cntv_cval_el0
        0x91009400, // add x0, x0, #37
        0xD51BE340, // msr cntv_cval_el0, x0
        0xD538D080, // mrs x0, tpidr_el1
        0xD69F03E0, // eret
    ];

    private readonly Random _random;
    private readonly AddressSpace _low;

    internal RandomMachine(EngineKind engine, int seed)
    {
        _random = new Random(seed);
        int cpus = _random.Next(2) + 1;
        Machine = new Machine(cpus, 1 << 20, (_, _) => new TimingModel())
        {
            Engine = engine,
            NativeAfter = _random.Next(6),
            NativeCodeSize = 8 << 20,
            Quantum = (ulong)_random.Next(1, 500),
        };
        _low = Machine.CreateAddressSpace(39);
        AddressSpace high = Machine.CreateAddressSpace(39);
        for (int page = 0; page < CodePages; page++)
            MapCode(page);
        for (int page = 0; page < DataPages; page++)
        {
            foreach (ulong data in s_data)
                _low.Map(data + (ulong)page * 4096, DataPa + (ulong)page * 4096, ReadWrite);
        }
        high.Map(VectorVa, VectorPa, PagePermissions.KernelRead | PagePermissions.KernelExecute);
        Span<uint> vectors = MemoryMarshal.Cast<byte, uint>(Machine.Memory.Span(VectorPa, 4096));
        vectors.Fill(0x14000000); // b .
        s_synchronous.CopyTo(vectors[(0x400 / 4)..]);
        s_interrupt.CopyTo(vectors[(0x480 / 4)..]);
        _random.NextBytes(Machine.Memory.Span(DataPa, DataPages * 4096));
        RandomWords.Make(_random, Code, s_data, DataPages * 4096, CodeWords)
            .CopyTo(MemoryMarshal.Cast<byte, uint>(Machine.Memory.Span(CodePa, CodePages * 4096)));
        foreach (Cpu cpu in Machine.Cpus)
            Start(cpu, high);
    }

    internal Machine Machine { get; }

    private void MapCode(int page)
    {
        PagePermissions guarded = _random.Next(4) == 0 ? PagePermissions.Guarded : 0;
        _low.Map(Code + (ulong)page * 4096, CodePa + (ulong)page * 4096, ReadWrite | PagePermissions.UserExecute | guarded);
    }

    private void Start(Cpu cpu, AddressSpace high)
    {
        cpu.EL = 1;
        void System(int crn, int crm, int op2, ulong value)
        {
            cpu.SetX(0, value);
            cpu.WriteSystemRegister(3, 0, crn, crm, op2, 0);
        }
        System(2, 0, 0, _low.Handle);
        System(2, 0, 1, high.Handle);
        System(2, 0, 2, 25 | (25 << 16) | (1UL << 37));
        System(12, 0, 0, VectorVa);
        System(1, 0, 2, 3 << 20); // CPACR_EL1.FPEN
        System(1, 0, 0, (1UL << 26) | (1UL << 15) | (1UL << 14) | (1UL << 4)); // SCTLR_EL1: UCI, UCT, DZE, SA0
        for (int i = 0; i < 31; i++)
            cpu.SetX(i, i is >= 19 and <= 23 ? Data + (ulong)_random.Next(0x3000) : (ulong)_random.NextInt64());
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128((ulong)_random.NextInt64(), (ulong)_random.NextInt64()));
        cpu.SP_EL0 = Data + 0x1000;
        cpu.EL = 0;
        cpu.Daif = 0;
        cpu.PC = Code + 4 * (ulong)_random.Next(CodeWords);
        Machine.SetTimer(cpu, true, (ulong)_random.Next(1, 200));
    }

    /// <summary>Runs some cycles more, then changes something.</summary>
    internal void RunSlice()
    {
        Machine.Run(Machine.Cpus[0].Cycles + (ulong)_random.Next(1, 1500));
        int page = _random.Next(CodePages);
        ulong data = s_data[_random.Next(s_data.Length)], dataPage = (ulong)_random.Next(DataPages) * 4096;
        switch (_random.Next(7))
        {
            case 0:
                _low.Unmap(Code + (ulong)page * 4096);
                break;
            case 1:
                MapCode(page);
                break;
            case 2:
                PagePermissions permissions = _random.Next(2) == 0 ? PagePermissions.UserRead : ReadWrite;
                foreach (ulong place in s_data)
                    _low.Protect(place + dataPage, permissions);
                break;
            case 3:
                ulong pa = CodePa + 4 * (ulong)_random.Next(CodeWords);
                Machine.Memory.Write(pa, Machine.Memory.Read<uint>(CodePa + 4 * (ulong)_random.Next(CodeWords)));
                Machine.NotifyWrite(pa, 4);
                break;
            case 4:
                Machine.Cpus[0].FPCR = _random.Next(6) switch { 0 => 1u << 24, 1 => 3u << 22, _ => 0 };
                break;
            case 5:
                Machine.Cpus[0].FPSR |= 16; // IXC
                break;
            default:
                Machine.Cpus[0].SetX(_random.Next(19, 24), data + (ulong)_random.Next(0x4000));
                break;
        }
    }

    /// <summary>All that must be equal on all engines.</summary>
    internal string State()
    {
        string cpus = string.Join('\n', Machine.Cpus.Select(cpu =>
            $"{string.Join(' ', Enumerable.Range(0, 31).Select(n => $"{cpu.X(n):x}"))} sp {cpu.SP_EL0:x} pc {cpu.PC:x} el {cpu.EL} "
            + $"nzcv {cpu.NZCV:x} btype {cpu.BType} fpsr {cpu.FPSR:x} esr {cpu.ESR_EL1:x} elr {cpu.ELR_EL1:x} far {cpu.FAR_EL1:x} "
            + $"instructions {cpu.Instructions} cycles {cpu.Cycles} "
            + string.Join(' ', Enumerable.Range(0, 32).Select(n => cpu.V(n).ToString()))));
        return $"{cpus}\nmemory {Convert.ToHexString(SHA256.HashData(Machine.Memory.Span(CodePa, 0x8000)))}";
    }

    public void Dispose() => Machine.Dispose();
}
