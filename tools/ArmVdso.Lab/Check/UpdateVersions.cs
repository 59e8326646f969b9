namespace ArmVdso.Lab.Check;

/// <summary>The stores of one update as a reader on another CPU may see them. Stores between the same two write barriers may
/// become visible in any order. Time: 2n is before segment n of the update began to be visible, 2n + 1 while it does.</summary>
internal sealed class UpdateVersions
{
    private readonly List<(ulong Pa, byte[] Data, int Segment)> _stores = [];

    /// <summary>Adds the next store of the writer.</summary>
    internal void Add(ulong pa, ReadOnlySpan<byte> data, int segment) => _stores.Add((pa, data.ToArray(), segment));

    /// <summary>Stores of the update.</summary>
    internal int Count => _stores.Count;

    /// <summary>What a load may see, oldest first.</summary>
    /// <param name="Content">The bytes.</param>
    /// <param name="First">First time at which it can.</param>
    /// <param name="Last">Last time at which it can.</param>
    internal readonly record struct Version(byte[] Content, int First, int Last);

    /// <summary>The versions of [<paramref name="pa"/>, + the length of <paramref name="initial"/>).</summary>
    internal List<Version> Of(ulong pa, ReadOnlySpan<byte> initial)
    {
        var versions = new List<Version> { new(initial.ToArray(), 0, int.MaxValue) };
        foreach ((ulong at, byte[] data, int segment) in _stores)
        {
            ulong end = pa + (ulong)initial.Length;
            if (at >= end || at + (ulong)data.Length <= pa)
                continue;
            Version last = versions[^1];
            byte[] content = [.. last.Content];
            for (int i = 0; i < data.Length; i++)
            {
                ulong byteAt = at + (ulong)i;
                if (byteAt >= pa && byteAt < end)
                    content[byteAt - pa] = data[i];
            }
            if (content.AsSpan().SequenceEqual(last.Content))
                continue;
            int time = 2 * segment + 1;
            versions[^1] = last with { Last = time };
            versions.Add(new Version(content, time, int.MaxValue));
        }
        return versions;
    }
}
