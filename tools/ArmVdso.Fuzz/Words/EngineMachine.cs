using System.Runtime.InteropServices;

namespace ArmVdso.Fuzz.Words;

/// <summary>A machine of one PE with code and data pages at EL0 and exception vectors that loop at EL1.</summary>
internal sealed class EngineMachine : IDisposable
{
    /// <summary>Virtual address of the code; two pages, writable.</summary>
    public const ulong Code = 0x10000;

    /// <summary>Virtual address of the data; four pages.</summary>
    public const ulong Data = 0x20000;

    private const ulong CodePa = 0x4000, DataPa = 0x8000, VectorPa = 0x10000;
    private const ulong VectorVa = 0xFFFF_FFFF_F000_0000;

    /// <summary>All engines that this host has, in lockstep.</summary>
    public static EngineKind AllChecked => Machine.HasNativeEngine ? EngineKind.NativeChecked : EngineKind.PortableChecked;

    public Machine Machine { get; }

    public Cpu Cpu => Machine.Cpus[0];

    /// <summary>Translation of the low half.</summary>
    public AddressSpace Low { get; }

    public EngineMachine(EngineKind engine, string core = "none", bool memoisedTiming = true, int nativeSize = 8 << 20)
    {
        Func<Machine, int, TimingModel> timing = core == "none" ? (_, _) => new TimingModel() : CoreTimings.Of(core);
        Machine = new Machine(1, 1 << 20, timing)
        {
            Engine = engine,
            MemoisedTiming = memoisedTiming,
            NativeAfter = 0,
            NativeCodeSize = nativeSize,
        };
        AddressSpace low = Low = Machine.CreateAddressSpace(39), high = Machine.CreateAddressSpace(39);
        const PagePermissions all = PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute;
        for (ulong page = 0; page < 0x2000; page += 4096)
            low.Map(Code + page, CodePa + page, all);
        for (ulong page = 0; page < 0x4000; page += 4096)
            low.Map(Data + page, DataPa + page, PagePermissions.UserRead | PagePermissions.UserWrite);
        high.Map(VectorVa, VectorPa, PagePermissions.KernelRead | PagePermissions.KernelExecute);
        foreach (ref uint word in MemoryMarshal.Cast<byte, uint>(Machine.Memory.Span(VectorPa, 4096)))
            word = 0x14000000; // b .
        Cpu.EL = 1;
        System(2, 0, 0, low.Handle);
        System(2, 0, 1, high.Handle);
        System(2, 0, 2, 25 | (25 << 16) | (1UL << 37));
        System(12, 0, 0, VectorVa);
        System(1, 0, 2, 3 << 20); // CPACR_EL1.FPEN
        const ulong pauth = (1UL << 31) | (1UL << 30) | (1UL << 27) | (1UL << 13); // EnIA, EnIB, EnDA, EnDB
        System(1, 0, 0, pauth | (1UL << 26) | (1UL << 15) | (1UL << 14) | (1UL << 4)); // SCTLR_EL1: UCI, UCT, DZE, SA0
        for (int i = 0; i < Cpu.PauthKey.Length; i++)
            Cpu.PauthKey[i] = 0x9E3779B97F4A7C15 * (ulong)(i + 1);
        Start();
    }

    private void System(int crn, int crm, int op2, ulong value)
    {
        Cpu.SetX(0, value);
        Cpu.WriteSystemRegister(3, 0, crn, crm, op2, 0);
    }

    /// <summary>Back to the start of the code at EL0, interrupts masked.</summary>
    public void Start()
    {
        Cpu.EL = 0;
        Cpu.Daif = 0xF;
        Cpu.PC = Code;
        Cpu.BType = Cpu.BTypeNext = 0;
        Cpu.IL = Cpu.PAN = Cpu.TCO = false;
    }

    /// <summary>Puts instructions where the program starts, as system software would.</summary>
    public void Load(params uint[] words)
    {
        words.CopyTo(MemoryMarshal.Cast<byte, uint>(Machine.Memory.Span(CodePa, 0x2000)));
        Machine.InvalidateCode(CodePa, 0x2000);
    }

    /// <summary>The data pages.</summary>
    public Span<byte> DataBytes => Machine.Memory.Span(DataPa, 0x4000);

    /// <summary>Runs so many cycles more.</summary>
    public void Run(ulong cycles) => Machine.Run(Cpu.Cycles + cycles);

    /// <summary>Everything that must be equal on all engines.</summary>
    public string State() =>
        $"{string.Join(' ', Enumerable.Range(0, 31).Select(n => $"{Cpu.X(n):x}"))} "
            + $"sp {Cpu.SP_EL0:x} pc {Cpu.PC:x} el {Cpu.EL} nzcv {Cpu.NZCV:x} "
        + $"esr {Cpu.ESR_EL1:x} elr {Cpu.ELR_EL1:x} far {Cpu.FAR_EL1:x} instructions {Cpu.Instructions} cycles {Cpu.Cycles} "
        + $"data {Convert.ToHexString(global::System.Security.Cryptography.SHA256.HashData(DataBytes))}";

    public void Dispose() => Machine.Dispose();
}
