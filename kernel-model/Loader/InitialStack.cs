using System.Text;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Loader;

/// <summary>Numbers of the auxiliary vector (include/uapi/linux/auxvec.h).</summary>
internal static class Auxv
{
    internal const ulong Phdr = 3, Phent = 4, Phnum = 5, Pagesz = 6, Base = 7, Flags = 8, Entry = 9, Uid = 11, Euid = 12, Gid = 13,
        Egid = 14, Platform = 15, Hwcap = 16, Clktck = 17, Secure = 23, Random = 25, Hwcap2 = 26, RseqFeatureSize = 27, RseqAlign = 28,
        Hwcap3 = 29, Execfn = 31, SysinfoEhdr = 33, Minsigstksz = 51;
}

/// <summary>A program in memory, as its auxiliary vector describes it.</summary>
/// <param name="Elf">The program's file.</param>
/// <param name="Bias">What was added to its addresses.</param>
/// <param name="Headers">Address of the program headers.</param>
/// <param name="InterpreterBase">What was added to the interpreter's addresses; 0 without one.</param>
/// <param name="Vdso">Address of the vDSO image; 0 without one.</param>
/// <param name="RseqSize">Bytes of struct rseq that the kernel uses.</param>
internal readonly record struct ProgramImage(ElfImage Elf, ulong Bias, ulong Headers, ulong InterpreterBase, ulong Vdso, uint RseqSize);

/// <summary>What a new program finds on its stack: strings, argc, argv, envp, auxv (create_elf_tables).</summary>
internal static class InitialStack
{
    internal static bool Build(
        Machine machine, DeterministicRandom random, MemoryMap memory, ulong top, ProgramRequest request, in ProgramImage image,
        out ulong sp, out byte[] auxv)
    {
        (IReadOnlyList<string> argv, IReadOnlyList<string> envp) = (request.Arguments, request.Environment);
        Credentials credentials = request.Credentials;
        sp = top - 8;
        auxv = [];
        var argvAddresses = new ulong[argv.Count];
        var envpAddresses = new ulong[envp.Count];
        ulong execAddress = Push(request.ExecPath, ref sp), environmentEnd = sp;
        for (int i = envp.Count - 1; i >= 0; i--)
            envpAddresses[i] = Push(envp[i], ref sp);
        ulong environment = sp;
        for (int i = argv.Count - 1; i >= 0; i--)
            argvAddresses[i] = Push(argv[i], ref sp);
        ulong arguments = sp;
        sp &= ~15UL;
        ulong platform = Push("aarch64", ref sp);
        Span<byte> seed = stackalloc byte[16];
        random.Fill(seed);
        sp = (sp - 16) & ~15UL;
        ulong randomAddress = sp;
        (ulong hwcap, ulong hwcap2, ulong hwcap3) = HardwareCapabilities.Bits(machine);
        List<(ulong Key, ulong Value)> entries =
        [
            (Auxv.Minsigstksz, 4720), (Auxv.Hwcap, hwcap), (Auxv.Pagesz, 4096), (Auxv.Clktck, 100), (Auxv.Phdr, image.Headers),
            (Auxv.Phent, 56),
            (Auxv.Phnum, (ulong)image.Elf.Segments.Count), (Auxv.Base, image.InterpreterBase), (Auxv.Flags, 0),
            (Auxv.Entry, image.Elf.Entry + image.Bias),
            (Auxv.Uid, credentials.Uid), (Auxv.Euid, credentials.Euid), (Auxv.Gid, credentials.Gid), (Auxv.Egid, credentials.Egid),
            (Auxv.Secure, credentials.Uid != credentials.Euid || credentials.Gid != credentials.Egid ? 1UL : 0),
            (Auxv.Random, randomAddress), (Auxv.Hwcap2, hwcap2), (Auxv.Execfn, execAddress), (Auxv.Platform, platform),
            (Auxv.RseqFeatureSize, image.RseqSize), (Auxv.RseqAlign, 32),
        ];
        if (hwcap3 != 0)
            entries.Add((Auxv.Hwcap3, hwcap3));
        if (image.Vdso != 0)
            entries.Insert(0, (Auxv.SysinfoEhdr, image.Vdso));
        entries.Add((0, 0));
        int words = 1 + argv.Count + 1 + envp.Count + 1 + entries.Count * 2;
        sp = (sp - (ulong)words * 8) & ~15UL;
        if (top - sp > memory.StackLimit)
            return false;
        memory.Bounds = memory.Bounds with
        {
            StackStart = sp,
            ArgumentsStart = arguments,
            ArgumentsEnd = environment,
            EnvironmentStart = environment,
            EnvironmentEnd = environmentEnd,
        };
        var table = new ulong[words];
        int w = 0;
        table[w++] = (ulong)argv.Count;
        foreach (ulong a in argvAddresses)
            table[w++] = a;
        w++;
        foreach (ulong e in envpAddresses)
            table[w++] = e;
        w++;
        var vector = new List<byte>();
        foreach ((ulong key, ulong value) in entries)
        {
            table[w++] = key;
            table[w++] = value;
            vector.AddRange(BitConverter.GetBytes(key));
            vector.AddRange(BitConverter.GetBytes(value));
        }
        auxv = [.. vector];
        bool ok = memory.Write(execAddress, Bytes(request.ExecPath)) && memory.Write(platform, Bytes("aarch64"))
            && memory.Write(randomAddress, seed);
        for (int i = 0; i < argv.Count; i++)
            ok &= memory.Write(argvAddresses[i], Bytes(argv[i]));
        for (int i = 0; i < envp.Count; i++)
            ok &= memory.Write(envpAddresses[i], Bytes(envp[i]));
        return ok && memory.Write(sp, System.Runtime.InteropServices.MemoryMarshal.AsBytes<ulong>(table));
    }

    private static ulong Push(string text, ref ulong sp) => sp -= (ulong)text.Length + 1;

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text + "\0");
}
