using ArmVdso.Emulator.Processor;
using static System.Numerics.BitOperations;
using static ArmVdso.Emulator.Semantics.CryptoSha;

namespace ArmVdso.Emulator.Semantics;

/// <summary>The cryptographic extensions (Arm ARM, C7.2): AES, SHA-1, SHA-2, SHA-3, SM3 and SM4.</summary>
public static partial class A64
{
    public static void AESE(Cpu cpu, int rn, int rd) => cpu.SetV(rd, CryptoAes.Encrypt(Xor(cpu.V(rd), cpu.V(rn))));

    public static void AESD(Cpu cpu, int rn, int rd) => cpu.SetV(rd, CryptoAes.Decrypt(Xor(cpu.V(rd), cpu.V(rn))));

    public static void AESMC(Cpu cpu, int rn, int rd) => cpu.SetV(rd, CryptoAes.MixColumns(cpu.V(rn)));

    public static void AESIMC(Cpu cpu, int rn, int rd) => cpu.SetV(rd, CryptoAes.InverseMixColumns(cpu.V(rn)));

    private static V128 Xor(V128 a, V128 b) => new(a.Lo ^ b.Lo, a.Hi ^ b.Hi);

    // SHA-1
    public static void SHA1C(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha1Rounds(cpu.V(rd), (uint)cpu.V(rn).Lo, cpu.V(rm), Choose));

    public static void SHA1P(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha1Rounds(cpu.V(rd), (uint)cpu.V(rn).Lo, cpu.V(rm), Parity));

    public static void SHA1M(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha1Rounds(cpu.V(rd), (uint)cpu.V(rn).Lo, cpu.V(rm), Majority));

    public static void SHA1H(Cpu cpu, int rn, int rd) => cpu.SetVLow(rd, RotateLeft((uint)cpu.V(rn).Lo, 30));

    public static void SHA1SU0(Cpu cpu, int rm, int rn, int rd)
    {
        V128 d = cpu.V(rd), n = cpu.V(rn), m = cpu.V(rm);
        cpu.SetV(rd, new V128(d.Hi ^ d.Lo ^ m.Lo, n.Lo ^ d.Hi ^ m.Hi));
    }

    public static void SHA1SU1(Cpu cpu, int rn, int rd) => cpu.SetV(rd, Sha1Schedule1(cpu.V(rd), cpu.V(rn)));

    // SHA-256 and SHA-512
    public static void SHA256H(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha256Rounds(cpu.V(rd), cpu.V(rn), cpu.V(rm), part1: true));

    public static void SHA256H2(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha256Rounds(cpu.V(rn), cpu.V(rd), cpu.V(rm), part1: false));

    public static void SHA256SU0(Cpu cpu, int rn, int rd) => cpu.SetV(rd, Sha256Schedule0(cpu.V(rd), cpu.V(rn)));

    public static void SHA256SU1(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha256Schedule1(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    public static void SHA512H(Cpu cpu, int rm, int rn, int rd) => cpu.SetV(rd, Sha512Hash(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    public static void SHA512H2(Cpu cpu, int rm, int rn, int rd) => cpu.SetV(rd, Sha512Hash2(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    public static void SHA512SU0(Cpu cpu, int rn, int rd) => cpu.SetV(rd, Sha512Schedule0(cpu.V(rd), cpu.V(rn)));

    public static void SHA512SU1(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, Sha512Schedule1(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    // SHA-3
    public static void EOR3(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetV(rd, Xor(Xor(cpu.V(rn), cpu.V(rm)), cpu.V(ra)));

    public static void BCAX(Cpu cpu, int rm, int ra, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm), a = cpu.V(ra);
        cpu.SetV(rd, new V128(n.Lo ^ (m.Lo & ~a.Lo), n.Hi ^ (m.Hi & ~a.Hi)));
    }

    public static void RAX1(Cpu cpu, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        cpu.SetV(rd, new V128(n.Lo ^ RotateLeft(m.Lo, 1), n.Hi ^ RotateLeft(m.Hi, 1)));
    }

    public static void XAR(Cpu cpu, int rm, int imm6, int rn, int rd)
    {
        V128 x = Xor(cpu.V(rn), cpu.V(rm));
        cpu.SetV(rd, new V128(RotateRight(x.Lo, imm6), RotateRight(x.Hi, imm6)));
    }

    // SM3
    public static void SM3SS1(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3SS1(cpu.V(rn), cpu.V(rm), cpu.V(ra)));

    public static void SM3TT1A(Cpu cpu, int rm, int imm2, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3TT1(cpu.V(rd), cpu.V(rn), Word(cpu.V(rm), imm2), early: true));

    public static void SM3TT1B(Cpu cpu, int rm, int imm2, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3TT1(cpu.V(rd), cpu.V(rn), Word(cpu.V(rm), imm2), early: false));

    public static void SM3TT2A(Cpu cpu, int rm, int imm2, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3TT2(cpu.V(rd), cpu.V(rn), Word(cpu.V(rm), imm2), early: true));

    public static void SM3TT2B(Cpu cpu, int rm, int imm2, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3TT2(cpu.V(rd), cpu.V(rn), Word(cpu.V(rm), imm2), early: false));

    public static void SM3PARTW1(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3PartW1(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    public static void SM3PARTW2(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetV(rd, CryptoSm.Sm3PartW2(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    // SM4
    public static void SM4E(Cpu cpu, int rn, int rd) => cpu.SetV(rd, CryptoSm.Sm4Encrypt(cpu.V(rd), cpu.V(rn)));

    public static void SM4EKEY(Cpu cpu, int rm, int rn, int rd) => cpu.SetV(rd, CryptoSm.Sm4Key(cpu.V(rn), cpu.V(rm)));
}
