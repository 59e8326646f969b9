using System.Diagnostics;
using System.Security.Cryptography;

namespace ArmVdso.Differential;

/// <summary>The oracle process: qemu-aarch64 running Guest/oracle.S. Batches are laid out in <see cref="Shared"/>, started
/// with <see cref="Start"/> and awaited with <see cref="Wait"/>.</summary>
public sealed class QemuOracle : IDisposable
{
    /// <summary>qemu's command.</summary>
    public const string Qemu = "qemu-aarch64";

    private const string Compiler = "aarch64-linux-gnu-gcc";

    // A batch takes milliseconds; a busy host must not be taken for a process that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly Lock BuildLock = new();
    private readonly string _program;
    private readonly byte[] _word = new byte[8];
    private Process? _process;

    /// <summary>The memory shared with the process.</summary>
    public SharedMemory Shared { get; } = new(OracleLayout.SharedBytes);

    /// <summary>Builds the program when needed and starts the process.</summary>
    public QemuOracle()
    {
        _program = Build();
        Launch();
    }

    /// <summary>Null when the oracle can run here, else what is missing.</summary>
    public static string? Missing
    {
        get
        {
            foreach (string tool in (string[])[Qemu, Compiler])
            {
                string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
                if (!path.Any(p => File.Exists(Path.Combine(p, tool))))
                    return $"{tool} is not installed";
            }
            return null;
        }
    }

    /// <summary>Address of slot_end in the program: every slot ends in a branch to it. The linker keeps it; the ELF symbol table has
    /// it.</summary>
    public ulong SlotEnd { get; private set; }

    private string Build()
    {
        byte[] source = Resources.Bytes("guest/oracle.S");
        string key = Convert.ToHexString(SHA256.HashData(source))[..16];
        string folder = Path.Combine(Path.GetTempPath(), "armvdso-differential");
        string elf = Path.Combine(folder, $"oracle-{key}");
        lock (BuildLock)
        {
            if (!File.Exists(elf))
            {
                Directory.CreateDirectory(folder);
                string unique = $"{elf}-{Environment.ProcessId}";
                File.WriteAllBytes(unique + ".S", source);
                using Process p = Process.Start(new ProcessStartInfo(Compiler)
                {
                    ArgumentList =
                    {
                        "-static", "-nostdlib", $"-Wl,-Ttext-segment=0x{OracleLayout.ProgramVa:x}", "-Wl,--build-id=none", "-o", unique,
                        unique + ".S",
                    },
                })!;
                p.WaitForExit();
                if (p.ExitCode != 0)
                    throw new InvalidOperationException($"{Compiler} cannot build oracle.S (exit code {p.ExitCode})");
                File.Move(unique, elf, true);
                File.Delete(unique + ".S");
            }
        }
        SlotEnd = ElfSymbols.Find(File.ReadAllBytes(elf), "slot_end");
        return elf;
    }

    private void Launch()
    {
        var start = new ProcessStartInfo(Qemu)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            // Addresses of guest and host coincide; without SVE signal frames are short; the seed fixes what qemu draws.
            ArgumentList = { "-B", "0", "-seed", "1", "-cpu", "max,sve=off,sme=off", _program, Shared.Path },
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"cannot start {Qemu}");
    }

    /// <summary>Starts the batch that <see cref="Shared"/> holds.</summary>
    public void Start()
    {
        Stream input = _process!.StandardInput.BaseStream;
        input.Write(_word);
        input.Flush();
    }

    /// <summary>Waits for the end of the batch.</summary>
    /// <returns>False when the process died or hung: the case that it was at is in the current word; the process has been started
    /// again.</returns>
    public bool Wait()
    {
        var reply = new byte[8];
        Task<int> read = _process!.StandardOutput.BaseStream.ReadAsync(reply, 0, 8);
        if (read.Wait(Patience) && read.Result == 8)
            return true;
        Stop();
        Launch();
        return false;
    }

    private void Stop()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
        _process = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        Shared.Dispose();
    }
}
