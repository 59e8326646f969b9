using System.Globalization;

namespace ArmVdso.Fuzz;

/// <summary>Files that others made, changed at random: each is used, or refused with a message.</summary>
public abstract class FileFuzzer : Fuzzer
{
    /// <inheritdoc/>
    public override string Unit => "mutants";

    /// <inheritdoc/>
    public override ulong Batch => 100;

    /// <summary>Files that are good, by name.</summary>
    protected abstract IReadOnlyList<(string Name, byte[] Bytes)> Seeds { get; }

    /// <summary>Changes a file, in place or into another.</summary>
    protected abstract byte[] Mutate(byte[] bytes, Random random);

    /// <summary>Uses a file.</summary>
    /// <param name="name">The seed's name.</param>
    /// <param name="path">Where the mutant is.</param>
    /// <param name="watch">Told of the case.</param>
    /// <returns>What became of it, for the tally.</returns>
    /// <exception cref="FindingException">Something was found.</exception>
    protected abstract string Use(string name, string path, HangWatch watch);

    /// <inheritdoc/>
    public override ulong Run(ulong seed, ulong count, HangWatch watch)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-fuzz-").FullName;
        var random = new Random((int)(seed & int.MaxValue));
        try
        {
            for (ulong i = 0; i < count; i++)
            {
                (string name, byte[] bytes) = Seeds[random.Next(Seeds.Count)];
                string path = Path.Combine(folder, name);
                // The first of a batch is as it was: what is refused is refused for what was changed.
                File.WriteAllBytes(path, i == 0 ? bytes : Mutate([.. bytes], random));
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                try
                {
                    string outcome = Use(name, path, watch);
                    if (i == 0 && outcome == "refused")
                        throw new FindingException("a good file was refused");
                    Outcomes.Add(outcome);
                }
                catch (FindingException e)
                {
                    string kept = Path.Combine(Path.GetTempPath(), $"armvdso-fuzz-{Name}-{seed}-{i}-{name}");
                    File.Copy(path, kept, overwrite: true);
                    throw new FindingException(string.Create(CultureInfo.InvariantCulture, $"case {i}, kept as {kept}: {e.Message}"), e);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return count;
    }

    /// <summary>Changes some bytes: of the first <paramref name="head"/> mostly, which say what the rest is.</summary>
    protected static byte[] MutateBytes(byte[] bytes, Random random, int head)
    {
        for (int k = random.Next(1, 4); k > 0; k--)
        {
            int at = random.Next(random.Next(4) == 0 ? bytes.Length : Math.Min(head, bytes.Length));
            Span<byte> word = bytes.AsSpan(Math.Min(at & ~7, bytes.Length - 8), 8);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    BitConverter.TryWriteBytes(word, Odd(random));
                    break;
                case 3:
                    BitConverter.TryWriteBytes(word, BitConverter.ToInt64(word) + random.Next(-16, 17) * (random.Next(2) == 0 ? 1 : 4096));
                    break;
                case 4:
                    bytes.AsSpan(random.Next(bytes.Length - 8), 8).CopyTo(word);
                    break;
                default:
                    if (random.Next(8) == 0)
                        return bytes[..random.Next(8, bytes.Length)];
                    break;
            }
        }
        return bytes;
    }

    private static long Odd(Random random) => random.Next(6) switch
    {
        0 => 0,
        1 => -1,
        2 => 1L << random.Next(64),
        3 => long.MaxValue - random.Next(4096),
        4 => random.Next(65536),
        _ => random.NextInt64(),
    };
}
