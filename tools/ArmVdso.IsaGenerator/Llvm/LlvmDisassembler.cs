using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ArmVdso.IsaGenerator.Llvm;

/// <summary>The disassembler of libLLVM 19 for A64 with the features of Armv8.9 and none of SVE or SME.</summary>
public sealed class LlvmDisassembler
{
    private const string Armv89 =
        "+v8.9a,+crypto,+aes,+sha2,+sha3,+sm4,+neon,+fp-armv8,+fullfp16,+fp16fml,+bf16,+i8mm,+dotprod,+complxnum,+jsconv,+rdm," +
        "+crc,+lse,+lse2,+mte,+rand,+ls64,+flagm,+altnzcv,+fptoint,+sb,+ssbs,+predres,+specres2,+pauth,+rcpc,+rcpc-immo,+ras," +
        "+rasv2,+perfmon,+spe,+spe-eef,+tracev8.4,+am,+amvs,+mpam,+brbe,+bti,+dit,+nmi,+mops,+hbc,+cssc,+chk,+clrbhb,+xs,+wfxt," +
        "+ecv,+fgt,+hcx,+lor,+pan,+pan-rwv,+uaops,+vh,+nv,+sel2,+el2vmsa,+el3,+tlb-rmi,+ccpp,+ccdp,+ccidx,+CONTEXTIDREL2,+rme," +
        "+mec,+tlbiw";

    // Later than Armv8.9: asked for only if the table has rows of them.
    private static readonly Dictionary<string, string> Later = new(StringComparer.OrdinalIgnoreCase)
    {
        ["RCPC3"] = "rcpc3",
        ["LSE128"] = "lse128",
        ["GCS"] = "gcs",
        ["THE"] = "the,+d128",
        ["D128"] = "d128",
        ["ITE"] = "ite",
        ["TME"] = "tme",
        ["FAMINMAX"] = "faminmax",
        ["LUT"] = "lut",
        ["FP8"] = "fp8",
        ["CPA"] = "cpa",
        ["PAUTH_LR"] = "pauth-lr",
    };

    private static readonly string[] Names =
        ["libLLVM.so.19.1", "libLLVM-19.so.1", "/usr/lib/llvm-19/lib/libLLVM.so.19.1", "/usr/lib/llvm-19/lib/libLLVM.so.1",
            "/usr/lib/llvm-19/lib/libLLVM-19.so.1"];

    private readonly DisasmInstruction _disassemble;
    private readonly IntPtr _context;
    private readonly byte[] _bytes = new byte[4];
    private readonly byte[] _text = new byte[256];

    /// <summary>Loads the library. The table's feature names switch on what is later than Armv8.9.</summary>
    /// <exception cref="DllNotFoundException">libLLVM 19 is not installed.</exception>
    public LlvmDisassembler(IEnumerable<string> features)
    {
        IntPtr library = IntPtr.Zero;
        if (!Names.Any(n => NativeLibrary.TryLoad(n, out library)))
            throw new DllNotFoundException("libLLVM 19 not found; install the package libllvm19");
        foreach (string part in (string[])["TargetInfo", "TargetMC", "Disassembler"])
            Function<Initialize>(library, $"LLVMInitializeAArch64{part}")();
        _context = Function<CreateDisasm>(library, "LLVMCreateDisasmCPUFeatures")("aarch64", "generic", Features(features), IntPtr.Zero, 0,
            IntPtr.Zero, IntPtr.Zero);
        if (_context == IntPtr.Zero)
            throw new DllNotFoundException("libLLVM 19 has no AArch64 disassembler");
        _disassemble = Function<DisasmInstruction>(library, "LLVMDisasmInstruction");
    }

    /// <summary>LLVM's feature string for the table's feature names.</summary>
    public static string Features(IEnumerable<string> features) =>
        Armv89 + string.Concat(features.Distinct().Select(f => Later.GetValueOrDefault(f)).OfType<string>().Select(f => ",+" + f));

    private delegate void Initialize();

    private delegate IntPtr CreateDisasm(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string triple, [MarshalAs(UnmanagedType.LPUTF8Str)] string cpu,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string features, IntPtr info, int tag, IntPtr getOpInfo, IntPtr symbolLookUp);

    private delegate nuint DisasmInstruction(IntPtr context, [In] byte[] bytes, ulong size, ulong pc, [Out] byte[] text, nuint textSize);

    /// <summary>The text with single spaces and no comment, or null if the word is not allocated.</summary>
    public string? Disassemble(uint instruction, ulong pc)
    {
        ReadOnlySpan<byte> text = Text(instruction, pc);
        return text.IsEmpty ? null : Encoding.ASCII.GetString(text);
    }

    /// <summary>The text in ASCII with single spaces and no comment, valid until the next call; empty if the word is not
    /// allocated.</summary>
    public ReadOnlySpan<byte> Text(uint instruction, ulong pc)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, instruction);
        if (_disassemble(_context, _bytes, 4, pc, _text, (nuint)_text.Length) == 0)
            return default;
        Span<byte> text = _text.AsSpan(0, Array.IndexOf(_text, (byte)0));
        text.Replace((byte)'\t', (byte)' ');
        int comment = text.IndexOf("//"u8);
        if (comment >= 0)
            text = text[..comment];
        return text.Trim((byte)' ');
    }

    private static T Function<T>(IntPtr library, string name) where T : Delegate =>
        Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(library, name));
}
