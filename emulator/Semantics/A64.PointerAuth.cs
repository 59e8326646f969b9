using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Pointer authentication.</summary>
public static partial class A64
{
    public static void PACIA(Cpu cpu, int rn, int rd) => cpu.SetX(rd, cpu.AddPacIA(cpu.X(rd), cpu.XSP(rn)));

    public static void PACIZA(Cpu cpu, int rd) => cpu.SetX(rd, cpu.AddPacIA(cpu.X(rd), 0));

    public static void AUTIA(Cpu cpu, int rn, int rd) =>
        Authenticated(cpu, rd, cpu.AuthIA(cpu.X(rd), cpu.XSP(rn), out ulong pointer), pointer);

    public static void AUTIZA(Cpu cpu, int rd) => Authenticated(cpu, rd, cpu.AuthIA(cpu.X(rd), 0, out ulong pointer), pointer);

    public static void PACIB(Cpu cpu, int rn, int rd) => cpu.SetX(rd, cpu.AddPacIB(cpu.X(rd), cpu.XSP(rn)));

    public static void PACIZB(Cpu cpu, int rd) => cpu.SetX(rd, cpu.AddPacIB(cpu.X(rd), 0));

    public static void AUTIB(Cpu cpu, int rn, int rd) =>
        Authenticated(cpu, rd, cpu.AuthIB(cpu.X(rd), cpu.XSP(rn), out ulong pointer), pointer);

    public static void AUTIZB(Cpu cpu, int rd) => Authenticated(cpu, rd, cpu.AuthIB(cpu.X(rd), 0, out ulong pointer), pointer);

    public static void PACDA(Cpu cpu, int rn, int rd) => cpu.SetX(rd, cpu.AddPacDA(cpu.X(rd), cpu.XSP(rn)));

    public static void PACDZA(Cpu cpu, int rd) => cpu.SetX(rd, cpu.AddPacDA(cpu.X(rd), 0));

    public static void AUTDA(Cpu cpu, int rn, int rd) =>
        Authenticated(cpu, rd, cpu.AuthDA(cpu.X(rd), cpu.XSP(rn), out ulong pointer), pointer);

    public static void AUTDZA(Cpu cpu, int rd) => Authenticated(cpu, rd, cpu.AuthDA(cpu.X(rd), 0, out ulong pointer), pointer);

    public static void PACDB(Cpu cpu, int rn, int rd) => cpu.SetX(rd, cpu.AddPacDB(cpu.X(rd), cpu.XSP(rn)));

    public static void PACDZB(Cpu cpu, int rd) => cpu.SetX(rd, cpu.AddPacDB(cpu.X(rd), 0));

    public static void AUTDB(Cpu cpu, int rn, int rd) =>
        Authenticated(cpu, rd, cpu.AuthDB(cpu.X(rd), cpu.XSP(rn), out ulong pointer), pointer);

    public static void AUTDZB(Cpu cpu, int rd) => Authenticated(cpu, rd, cpu.AuthDB(cpu.X(rd), 0, out ulong pointer), pointer);

    public static void PACIA1716(Cpu cpu) => cpu.SetX(17, cpu.AddPacIA(cpu.X(17), cpu.X(16)));

    public static void AUTIA1716(Cpu cpu) => Authenticated(cpu, 17, cpu.AuthIA(cpu.X(17), cpu.X(16), out ulong pointer), pointer);

    public static void PACIASP(Cpu cpu) => cpu.SetX(30, cpu.AddPacIA(cpu.X(30), cpu.SP));

    public static void AUTIASP(Cpu cpu) => Authenticated(cpu, 30, cpu.AuthIA(cpu.X(30), cpu.SP, out ulong pointer), pointer);

    public static void PACIAZ(Cpu cpu) => cpu.SetX(30, cpu.AddPacIA(cpu.X(30), 0));

    public static void AUTIAZ(Cpu cpu) => Authenticated(cpu, 30, cpu.AuthIA(cpu.X(30), 0, out ulong pointer), pointer);

    public static void PACIB1716(Cpu cpu) => cpu.SetX(17, cpu.AddPacIB(cpu.X(17), cpu.X(16)));

    public static void AUTIB1716(Cpu cpu) => Authenticated(cpu, 17, cpu.AuthIB(cpu.X(17), cpu.X(16), out ulong pointer), pointer);

    public static void PACIBSP(Cpu cpu) => cpu.SetX(30, cpu.AddPacIB(cpu.X(30), cpu.SP));

    public static void AUTIBSP(Cpu cpu) => Authenticated(cpu, 30, cpu.AuthIB(cpu.X(30), cpu.SP, out ulong pointer), pointer);

    public static void PACIBZ(Cpu cpu) => cpu.SetX(30, cpu.AddPacIB(cpu.X(30), 0));

    public static void AUTIBZ(Cpu cpu) => Authenticated(cpu, 30, cpu.AuthIB(cpu.X(30), 0, out ulong pointer), pointer);

    private static void Authenticated(Cpu cpu, int rd, bool ok, ulong pointer)
    {
        if (ok)
            cpu.SetX(rd, pointer);
    }

    public static void XPACI(Cpu cpu, int rd) => cpu.SetX(rd, cpu.Strip(cpu.X(rd), false));

    public static void XPACD(Cpu cpu, int rd) => cpu.SetX(rd, cpu.Strip(cpu.X(rd), true));

    public static void XPACLRI(Cpu cpu)
    {
        if (cpu.HasPauth)
            cpu.SetX(30, cpu.Strip(cpu.X(30), false));
    }

    /// <summary>Without FEAT_PAuth_LR it is a NOP.</summary>
    public static void PACM(Cpu cpu) => _ = cpu;

    public static void PACGA(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, cpu.ComputePac(cpu.X(rn), cpu.XSP(rm), 4) & 0xFFFFFFFF00000000);

    public static void LDRAA(Cpu cpu, int s, int imm9, int w, int rn, int rt)
    {
        if (cpu.CheckSPAlignment(rn) && cpu.AuthDA(cpu.XSP(rn), 0, out ulong pointer))
            LoadAuthenticated(cpu, pointer, s, imm9, w, rn, rt);
    }

    public static void LDRAB(Cpu cpu, int s, int imm9, int w, int rn, int rt)
    {
        if (cpu.CheckSPAlignment(rn) && cpu.AuthDB(cpu.XSP(rn), 0, out ulong pointer))
            LoadAuthenticated(cpu, pointer, s, imm9, w, rn, rt);
    }

    private static void LoadAuthenticated(Cpu cpu, ulong pointer, int s, int imm9, int w, int rn, int rt)
    {
        ulong address = pointer + (ulong)(SignExtend((s << 9) | imm9, 10) << 3);
        if (!cpu.Load(address, out ulong value))
            return;
        cpu.SetX(rt, value);
        if (w != 0)
            cpu.SetXSP(rn, address);
    }
}
