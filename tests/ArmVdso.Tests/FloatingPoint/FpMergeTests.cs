using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>FPCR.NEP (FEAT_AFP; DDI0487, C5.2.7 and IsMerging of the shared pseudocode): a scalar result goes into the lowest
/// element of a copy of a source register, which each instruction's pseudocode in C7.2 names. qemu 7.2 has no FEAT_AFP.</summary>
public sealed class FpMergeTests
{
    private const uint Nep = 1 << 2;

    /// <summary>All with destination 0 and sources 1, 2, 3; <paramref name="from"/> is the register that the rest comes from, -1
    /// for zeros whatever FPCR says.</summary>
    [Theory]
    [InlineData(0x1E622820u, 1)] // C7.2, FADD (scalar): V[n]
    [InlineData(0x1E620820u, 1)] // FMUL (scalar): V[n]
    [InlineData(0x1E621820u, 1)] // FDIV (scalar): V[n]
    [InlineData(0x1E626820u, 1)] // FMAXNM (scalar): V[n]
    [InlineData(0x7EE2D420u, 1)] // FABD, scalar: V[n]
    [InlineData(0x5E62DC20u, 1)] // FMULX, scalar: V[n]
    [InlineData(0x5E62FC20u, 1)] // FRECPS, scalar: V[n]
    [InlineData(0x1F420C20u, 3)] // FMADD: V[a]
    [InlineData(0x1F428C20u, 3)] // FMSUB: V[a]
    [InlineData(0x5FC21020u, 0)] // FMLA (by element), scalar: V[d]
    [InlineData(0x1E61C020u, 0)] // FSQRT (scalar): V[d]
    [InlineData(0x1E614020u, 0)] // FNEG (scalar): V[d]
    [InlineData(0x1E60C020u, 0)] // FABS (scalar): V[d]
    [InlineData(0x1E644020u, 0)] // FRINTN (scalar): V[d]
    [InlineData(0x1E624020u, 0)] // FCVT to single: V[d]
    [InlineData(0x9E620020u, 0)] // SCVTF (scalar, integer): V[d]
    [InlineData(0x5EE1D820u, 0)] // FRECPE, scalar: V[d]
    [InlineData(0x1E604020u, -1)] // FMOV (register) does not merge
    [InlineData(0x1E621C20u, -1)] // FCSEL does not merge
    public void TheRestOfTheRegisterComesFromTheArchitectedSource(uint instruction, int from)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        var sources = new V128[4];
        for (int i = 0; i < 4; i++)
            sources[i] = new V128(BitConverter.DoubleToUInt64Bits(1.5 + i), 0x1111111111111111 * (ulong)(i + 1));
        ulong result = 0;
        foreach (uint fpcr in (uint[])[0, Nep])
        {
            for (int i = 0; i < 4; i++)
                cpu.SetV(i, sources[i]);
            cpu.SetX(1, 7);
            cpu.FPCR = fpcr;
            Dispatch.Execute(cpu, Decoder.Decode(instruction), instruction);
            Assert.False(cpu.ExceptionPending);
            bool merges = fpcr == Nep && from >= 0;
            Assert.Equal(merges ? sources[from].Hi : 0, cpu.V(0).Hi);
            if (instruction == 0x1E624020)
            {
                // Single precision: the upper half of the lowest doubleword belongs to the rest.
                Assert.Equal(merges ? sources[from].Lo >> 32 : 0, cpu.V(0).Lo >> 32);
                continue;
            }
            if (fpcr == 0)
                result = cpu.V(0).Lo;
            Assert.Equal(result, cpu.V(0).Lo);
        }
    }
}
