using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ArmVdso.Tests.Instructions;

/// <summary>What libLLVM says to a word.</summary>
public enum LlvmStatus : byte
{
    /// <summary>The word is not allocated.</summary>
    Fail = 0,

    /// <summary>An instruction whose operands are CONSTRAINED UNPREDICTABLE or whose fixed fields are not as they should be.</summary>
    SoftFail = 1,

    /// <summary>An instruction.</summary>
    Success = 3,
}

/// <summary>libLLVM 19 over blocks of words by llvm/blocks.cpp, which is compiled on first use with clang++-19 against llvm-19-dev.
/// An instance belongs to one thread.</summary>
public sealed class LlvmBlocks
{
    /// <summary>Most words of one call of <see cref="Run"/>.</summary>
    public const int MostWords = 4096;

    private const int MostBytes = 256;
    private static readonly Lazy<IntPtr> s_library = new(Build);
    private readonly RunDelegate _run;
    private readonly IntPtr _context;
    private readonly byte[] _buffer = new byte[MostWords * MostBytes];

    /// <summary>A disassembler with the given features of libLLVM.</summary>
    /// <exception cref="InvalidOperationException">A package is missing, or the source does not compile.</exception>
    public LlvmBlocks(string features)
    {
        _run = Function<RunDelegate>("blocks_run");
        _context = Function<OpenDelegate>("blocks_open")(features);
        if (_context == IntPtr.Zero)
            throw new InvalidOperationException("libLLVM 19 has no AArch64 disassembler");
    }

    private delegate IntPtr OpenDelegate([MarshalAs(UnmanagedType.LPUTF8Str)] string features);

    private delegate nuint RunDelegate(IntPtr context, uint first, uint count, [Out] byte[] output);

    /// <summary>The records of <paramref name="count"/> words from <paramref name="first"/>: a status, a length, that many bytes of
    /// text. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Run(uint first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostWords);
        return _buffer.AsSpan(0, (int)_run(_context, first, (uint)count, _buffer));
    }

    private static T Function<T>(string name) where T : Delegate =>
        Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(s_library.Value, name));

    private static IntPtr Build()
    {
        const string headers = "/usr/lib/llvm-19/include";
        if (!File.Exists(headers + "/llvm/MC/MCInst.h"))
            throw new InvalidOperationException("the headers of libLLVM 19 are missing: install the package llvm-19-dev");
        string source = Path.Combine(AppContext.BaseDirectory, "Instructions", "llvm", "blocks.cpp");
        string directory = Directory.CreateTempSubdirectory("armvdso-llvm-").FullName;
        string library = Path.Combine(directory, "libblocks.so");
        try
        {
            using Process compiler = Process.Start("clang++-19", [
                "-O2", "-std=c++17", "-fno-rtti", "-fPIC", "-shared", "-I" + headers, "-o", library, source, "-L/usr/lib/llvm-19/lib",
                    "-lLLVM-19"]);
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new InvalidOperationException($"clang++-19 failed on {source}");
            return NativeLibrary.Load(library);
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException("clang++-19 not found: install the package clang-19");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
