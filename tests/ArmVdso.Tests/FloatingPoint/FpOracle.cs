using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>One question to the oracle; the layout is that of fp/oracle.c.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct FpQuestion(ulong Fpcr, ulong A, ulong B, ulong C);

/// <summary>The oracle's answer: result (v3 or x10), upper half of v3, FPSR, NZCV.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct FpAnswer(ulong Result, ulong High, ulong Fpsr, ulong Nzcv);

/// <summary>An AArch64 CPU that answers floating-point questions: fp/oracle.c, built here, under qemu-aarch64.</summary>
public sealed class FpOracle : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("armvdso-fp-").FullName;
    private readonly Process _process;
    private readonly Dictionary<string, int> _numbers = [];

    /// <summary>Builds and starts the oracle. Throws with the name of a missing package.</summary>
    public FpOracle()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "FloatingPoint", "oracle.c");
        string program = Path.Combine(_directory, "oracle");
        using Process compiler = Start(
            "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "-static", "-O1", "-march=armv8.6-a+fp16+fp16fml+bf16", "-o", program,
                source);
        compiler.StandardInput.Close();
        compiler.WaitForExit();
        if (compiler.ExitCode != 0)
            throw new InvalidOperationException($"aarch64-linux-gnu-gcc failed on {source}");
        using (Process list = Start("qemu-aarch64", "qemu-user", "-cpu", "max", program, "list"))
        {
            while (list.StandardOutput.ReadLine() is { } name)
                _numbers.Add(name, _numbers.Count);
        }
        _process = Start("qemu-aarch64", "qemu-user", "-cpu", "max", program, "run");
    }

    /// <summary>Names of the operations that the oracle has.</summary>
    public IReadOnlyCollection<string> Operations => _numbers.Keys;

    /// <summary>Answers all questions for one operation.</summary>
    public void Ask(string operation, ReadOnlySpan<FpQuestion> questions, Span<FpAnswer> answers)
    {
        ReadOnlySpan<ulong> head = [(ulong)_numbers[operation], (ulong)questions.Length];
        Stream input = _process.StandardInput.BaseStream, output = _process.StandardOutput.BaseStream;
        input.Write(MemoryMarshal.AsBytes(head));
        const int Batch = 4096; // what the oracle reads before it answers
        for (int done = 0; done < questions.Length; done += Batch)
        {
            int count = Math.Min(Batch, questions.Length - done);
            input.Write(MemoryMarshal.AsBytes(questions.Slice(done, count)));
            input.Flush();
            output.ReadExactly(MemoryMarshal.AsBytes(answers.Slice(done, count)));
        }
    }

    private static Process Start(string program, string package, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException($"{program} not found: install the package {package}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
