using ArmVdso.Emulator.Semantics;
using Xunit;

namespace ArmVdso.Tests.Instructions;

/// <summary>Corners of the integer vector instructions, with results worked out by hand from the Arm ARM (C7.2).</summary>
public sealed class SimdEdgeTests : IDisposable
{
    private const uint QC = 1u << 27;
    private readonly Machine _machine = new(1, 1 << 20, static (_, _) => new TimingModel());

    private Cpu Cpu => _machine.Cpus[0];

    public void Dispose() => _machine.Dispose();

    private void Set(int n, ulong lo, ulong hi = 0) => Cpu.SetV(n, new V128(lo, hi));

    private void Expect(ulong lo, ulong hi, bool saturated)
    {
        Assert.Equal(new V128(lo, hi), Cpu.V(0));
        Assert.Equal(saturated ? QC : 0, Cpu.FPSR);
    }

    [Fact]
    public void UnsignedShiftBeyondTheElementSaturates()
    {
        Set(1, ulong.MaxValue, 0);
        Set(2, 64, 127);
        A64.UQSHL_v(Cpu, q: 1, size: 3, rm: 2, rn: 1, rd: 0);
        Expect(ulong.MaxValue, 0, saturated: true);
    }

    [Fact]
    public void RoundingShiftByTheWidthKeepsTheTopBit()
    {
        Set(1, 0x8000000000000000, 0x7FFFFFFFFFFFFFFF);
        Set(2, unchecked((ulong)-64), unchecked((ulong)-64));
        A64.URSHL_v(Cpu, q: 1, size: 3, rm: 2, rn: 1, rd: 0);
        Expect(1, 0, saturated: false);
        A64.SRSHL_v(Cpu, q: 1, size: 3, rm: 2, rn: 1, rd: 0);
        Expect(0, 0, saturated: false);
        A64.URSHR_v(Cpu, q: 1, immh: 8, immb: 0, rn: 1, rd: 0);
        Expect(1, 0, saturated: false);
    }

    [Fact]
    public void RightShiftByTheWidthLeavesTheSign()
    {
        Set(1, 0x80FF7F0180FF7F01, 0x8000000000000000);
        A64.SSHR_v(Cpu, q: 1, immh: 1, immb: 0, rn: 1, rd: 0);
        Expect(0xFFFF0000FFFF0000, 0xFF00000000000000, saturated: false);
        A64.USHR_v(Cpu, q: 1, immh: 1, immb: 0, rn: 1, rd: 0);
        Expect(0, 0, saturated: false);
    }

    [Fact]
    public void DoublingHighHalfSaturatesOnlyForTheMostNegativeSquare()
    {
        Set(1, 0x8000_8000_7FFF_4000);
        Set(2, 0x8000_7FFF_7FFF_4000);
        A64.SQDMULH_v(Cpu, q: 0, size: 1, rm: 2, rn: 1, rd: 0);
        Expect(0x7FFF_8001_7FFE_2000, 0, saturated: true);
    }

    [Fact]
    public void SaturationIsCumulative()
    {
        Set(1, 0x7F);
        Set(2, 1);
        A64.SQADD_s(Cpu, size: 0, rm: 2, rn: 1, rd: 0);
        Expect(0x7F, 0, saturated: true);
        Set(1, 0);
        A64.SQADD_s(Cpu, size: 0, rm: 2, rn: 1, rd: 0);
        Expect(1, 0, saturated: true);
    }

    [Fact]
    public void SaturationLooksOnlyAtTheActiveElements()
    {
        Set(1, 0x01, 0xFF);
        Set(2, 0x01, 0xFF);
        A64.UQADD_v(Cpu, q: 0, size: 0, rm: 2, rn: 1, rd: 0);
        Expect(2, 0, saturated: false);
    }

    [Fact]
    public void AbsoluteValueOfTheMostNegativeNumber()
    {
        Set(1, 0x80FF01807F00FE81);
        A64.ABS_v(Cpu, q: 0, size: 0, rn: 1, rd: 0);
        Expect(0x800101807F00027F, 0, saturated: false);
        A64.SQABS_v(Cpu, q: 0, size: 0, rn: 1, rd: 0);
        Expect(0x7F01017F7F00027F, 0, saturated: true);
    }

    [Fact]
    public void NarrowingToTheUpperHalfKeepsTheLower()
    {
        Set(0, 0x1111111111111111, 0x2222222222222222);
        Set(1, 0x0001_FFFF_0100_00FF, 0x7FFF_8000_0080_FF80);
        A64.XTN_v(Cpu, q: 1, size: 0, rn: 1, rd: 0);
        Expect(0x1111111111111111, 0xFF008080_01FF00FF, saturated: false);
        A64.SQXTUN_v(Cpu, q: 0, size: 0, rn: 1, rd: 0);
        Expect(0xFF008000_0100FFFF, 0, saturated: true);
    }

    [Fact]
    public void TableLookupOutOfRange()
    {
        Set(0, 0xAAAAAAAAAAAAAAAA, 0xAAAAAAAAAAAAAAAA);
        Set(31, 0x0706050403020100, 0x0F0E0D0C0B0A0908);
        Set(1, 0x20FF10_0F_1F_08_00_01);
        A64.TBX(Cpu, q: 0, rm: 1, len: 0, rn: 31, rd: 0);
        Expect(0xAAAAAA_0F_AA_08_00_01, 0, saturated: false);
        A64.TBL(Cpu, q: 0, rm: 1, len: 0, rn: 31, rd: 0);
        Expect(0x0000000F00080001, 0, saturated: false);
    }

    [Fact]
    public void TableRegistersWrapAround()
    {
        Set(31, 0x0706050403020100, 0x0F0E0D0C0B0A0908);
        Set(0, 0x1716151413121110, 0x1F1E1D1C1B1A1918);
        Set(5, 0x1F1E1D1C1B1A1900);
        A64.TBL(Cpu, q: 0, rm: 5, len: 1, rn: 31, rd: 0);
        Expect(0x1F1E1D1C1B1A1900, 0, saturated: false);
    }

    [Fact]
    public void IndexLookupReadsTheSelectedPart()
    {
        Set(30, 0x0003_0002_0001_0000, 0x0007_0006_0005_0004);
        Set(31, 0x000B_000A_0009_0008, 0x000F_000E_000D_000C);
        Set(1, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);
        A64.LUTI4_h(Cpu, rm: 1, index: 3, rn: 30, rd: 0);
        Expect(0x000B_000A_0009_0008, 0x000F_000E_000D_000C, saturated: false);
        A64.LUTI4_h(Cpu, rm: 1, index: 0, rn: 30, rd: 0);
        Expect(0x000C_000D_000E_000F, 0x0008_0009_000A_000B, saturated: false);
        A64.LUTI2_h(Cpu, rm: 1, index: 7, rn: 30, rd: 0);
        Expect(0x0003_0001_0003_0000, 0x0003_0003_0003_0002, saturated: false);
        Set(30, 0xA7A6_A5A4_A3A2_A1A0, 0xAFAE_ADAC_ABAA_A9A8);
        A64.LUTI4_b(Cpu, rm: 1, index: 1, rn: 30, rd: 0);
        Expect(0xA7A6_A5A4_A3A2_A1A0, 0xAFAE_ADAC_ABAA_A9A8, saturated: false);
        A64.LUTI2_b(Cpu, rm: 1, index: 0, rn: 30, rd: 0);
        Expect(0xA3A0_A3A1_A3A2_A3A3, 0xA2A0_A2A1_A2A2_A2A3, saturated: false);
    }

    [Fact]
    public void HalfwordElementUsesFourRegisterBits()
    {
        Set(1, 2);
        Set(3, 0, 0x0007_0000_0000_0000);
        A64.MUL_elt(Cpu, q: 0, size: 1, l: 1, m: 1, rm: 3, h: 1, rn: 1, rd: 0);
        Expect(14, 0, saturated: false);
    }

    [Theory]
    [InlineData(0x70, 0x3F800000UL, 0x3C00UL, 0x3FF0000000000000UL)]
    [InlineData(0x80, 0xC0000000UL, 0xC000UL, 0xC000000000000000UL)]
    [InlineData(0x3F, 0x41F80000UL, 0x4FC0UL, 0x403F000000000000UL)]
    [InlineData(0x40, 0x3E000000UL, 0x3000UL, 0x3FC0000000000000UL)]
    public void FloatingPointImmediates(int imm8, ulong single, ulong half, ulong wide)
    {
        int abc = imm8 >> 5, defgh = imm8 & 31;
        A64.FMOV_vimm_s(Cpu, q: 0, abc, defgh, rd: 0);
        Expect(single * 0x100000001, 0, saturated: false);
        A64.FMOV_vimm_h(Cpu, q: 0, abc, defgh, rd: 0);
        Expect(half * 0x1000100010001, 0, saturated: false);
        A64.FMOV_vimm_d(Cpu, abc, defgh, rd: 0);
        Expect(wide, wide, saturated: false);
    }
}
