using System.Runtime.InteropServices;

namespace ArmVdso.Tests.Engines;

/// <summary>Another meaning of the translation registers than spaces held by the host: both engines ask it and believe it.</summary>
public sealed class TranslationSchemeTests
{
    private const ulong Code = 0x4000, Data = 0x8000, Hole = 0xC000;

    /// <summary>Physical addresses are virtual ones, moved by what TTBRn_EL1 holds. One page is missing at level 1.</summary>
    private sealed class Moved : ITranslationScheme
    {
        internal int Asked { get; private set; }

        public bool NeedsMaintenance => false;

        public Translation? Select(in TranslationRegisters registers, bool high) =>
            high ? null : new Half(this, registers.Ttbr0, 64 - (int)(registers.Tcr & 63));

        private sealed class Half(Moved scheme, ulong distance, int vaBits) : Translation(vaBits)
        {
            public override bool Translate(ulong va, PagePermissions needed, out PageTranslation page)
            {
                scheme.Asked++;
                page = default;
                page.Pa = (va & ~0xfffUL) + distance;
                page.Permissions = PagePermissions.KernelRead | PagePermissions.KernelWrite | PagePermissions.KernelExecute;
                page.Fault = (FaultStatus)0x05;
                return (va & ~0xfffUL) != Hole && (page.Permissions & needed) != 0;
            }
        }
    }

    [Theory]
    [InlineData(EngineKind.Reference, 0)]
    [InlineData(EngineKind.Reference, 0x10000)]
    [InlineData(EngineKind.Portable, 0x10000)]
    [InlineData(EngineKind.PortableChecked, 0x10000)]
    public void AnotherSchemeTranslates(EngineKind engine, ulong distance)
    {
        var scheme = new Moved();
        using var machine = new Machine(1, 1 << 20, (_, _) => new TimingModel()) { Engine = engine, Translation = scheme };
        // loop: ldr x1, [x2]; add x1, x1, #1; str x1, [x2]; sub x3, x3, #1; cbnz x3, loop; ldr x4, [x5]
        uint[] words = [0xF9400041, 0x91000421, 0xF9000041, 0xD1000463, 0xB5FFFF83, 0xF94000A4];
        words.CopyTo(MemoryMarshal.Cast<byte, uint>(machine.Memory.Span(Code + distance, 4096)));
        machine.Memory.Write(Code + distance + 0x200, 0x14000000U); // the vector of exceptions from EL1: b .
        machine.Memory.Write(Data + distance, 100UL);
        Cpu cpu = machine.Cpus[0];
        Write(cpu, 2, 0, 2, 64 - 48); // TCR_EL1
        Write(cpu, 2, 0, 0, distance); // TTBR0_EL1
        cpu.VBAR_EL1 = Code;
        cpu.PC = Code;
        cpu.SetX(2, Data);
        cpu.SetX(3, 1000);
        cpu.SetX(5, Hole);
        machine.Run(5 * 1000);
        Assert.Equal(1100UL, machine.Memory.Read<ulong>(Data + distance));
        machine.Run(5 * 1000 + 10);
        // ESR_EL1.EC: Data Abort from the same level; DFSC: what the scheme said.
        Assert.Equal(0x25UL, cpu.ESR_EL1 >> 26);
        Assert.Equal(0x05UL, cpu.ESR_EL1 & 0x3F);
        Assert.Equal(Hole, cpu.FAR_EL1);
        Assert.InRange(scheme.Asked, 3, 30);
    }

    private static void Write(Cpu cpu, int crn, int crm, int op2, ulong value)
    {
        cpu.SetX(0, value);
        cpu.WriteSystemRegister(3, 0, crn, crm, op2, 0);
    }
}
