using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ArmVdso.Benchmarks;

/// <summary>A process of the host that was run to its end.</summary>
/// <param name="Status">Its exit status.</param>
/// <param name="Output">Digest of its standard output.</param>
/// <param name="Errors">Its standard error.</param>
/// <param name="UserSeconds">User CPU time of it and its children.</param>
/// <param name="PeakBytes">Most resident memory, as seen every 10 ms.</param>
internal sealed record MeasuredProcess(int Status, string Output, string Errors, double UserSeconds, long PeakBytes)
{
    private const int Children = -1, UsageWords = 18;

    /// <summary>Runs a program with an input. One at a time: the time is that of all children that ended meanwhile.</summary>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    internal static MeasuredProcess Run(string program, IEnumerable<string> arguments, byte[] input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        double before = UserTime();
        try
        {
            using Process process = Process.Start(start)!;
            Task<byte[]> output = SHA256.HashDataAsync(process.StandardOutput.BaseStream).AsTask();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Task written = Write(process, input);
            long peak = 0;
            do
                peak = Math.Max(peak, Peak(process.Id));
            while (!process.WaitForExit(10));
            process.WaitForExit();
            written.Wait();
            return new MeasuredProcess(
                process.ExitCode, Convert.ToHexString(output.Result), errors.Result, UserTime() - before, peak);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{program}: {e.Message}", e);
        }
    }

    private static async Task Write(Process process, byte[] input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all; its status and output tell.
        }
    }

    private static long Peak(int process)
    {
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/status"))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                    return 1024 * long.Parse(line[6..^3].Trim(), CultureInfo.InvariantCulture);
            }
        }
        catch (IOException)
        {
            // It has ended.
        }
        return 0;
    }

    /// <summary>User CPU time of the children that have ended, in seconds.</summary>
    private static double UserTime()
    {
        var usage = new long[UsageWords];
        return getrusage(Children, usage) == 0 ? usage[0] + usage[1] / 1e6 : throw new InvalidOperationException("getrusage failed");
    }

    [DllImport("libc")] private static extern int getrusage(int who, long[] usage);
}
