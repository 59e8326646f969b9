using System.Runtime.CompilerServices;
using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Workloads;

/// <summary>Redirects system calls of a workload to the vDSO: the SVC instructions that an earlier run used become branches to
/// stubs (<see cref="RedirectCode"/>) when their page is read into a process. The patch itself costs the guest nothing; the stub's
/// instructions are executed like any other.</summary>
internal sealed class CallRedirector
{
    /// <summary>The page of stubs of one process that is being filled.</summary>
    private sealed class StubPage
    {
        internal ulong Address;
        internal ulong Used = PhysicalMemory.PageSize;
    }

    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<RedirectCode.Target>>> _sites = [];
    private readonly ConditionalWeakTable<MemoryMap, StubPage> _pages = [];

    /// <summary>SVC instructions patched, once for each process that loaded them.</summary>
    internal long Patched { get; private set; }

    /// <summary>SVC instructions that no stub could be placed near.</summary>
    internal long OutOfReach { get; private set; }

    /// <summary>Sites that are redirected.</summary>
    internal int Sites => _sites.Values.Sum(s => s.Count);

    /// <summary>Prepares the sites that call at least one of the functions.</summary>
    /// <param name="sites">Sites and the numbers that an earlier run called there.</param>
    /// <param name="targets">Functions by number.</param>
    internal CallRedirector(Dictionary<CallSite, SortedDictionary<int, long>> sites, Dictionary<int, RedirectCode.Target> targets)
    {
        foreach ((CallSite site, SortedDictionary<int, long> numbers) in sites)
        {
            RedirectCode.Target[] wanted = [.. numbers.Keys.Where(targets.ContainsKey).Select(n => targets[n])];
            if (wanted.Length == 0)
                continue;
            if (!_sites.TryGetValue(site.File, out SortedDictionary<ulong, IReadOnlyList<RedirectCode.Target>>? file))
                _sites[site.File] = file = [];
            file[site.Offset] = wanted;
        }
    }

    /// <summary>A page of code was read into a process: patches the sites in it.</summary>
    internal void PageLoaded(LinuxKernel kernel, MemoryMap memory, Vma vma, ulong page, ulong pa)
    {
        if (memory.VdsoBase == 0
            || !_sites.TryGetValue(vma.File!.Path, out SortedDictionary<ulong, IReadOnlyList<RedirectCode.Target>>? file))
            return;
        ulong start = vma.Offset + (page - vma.Start);
        foreach ((ulong offset, IReadOnlyList<RedirectCode.Target> targets) in file)
        {
            if (offset < start || offset >= start + PhysicalMemory.PageSize)
                continue;
            ulong site = page + (offset - start);
            ulong sitePa = pa + (offset - start);
            if ((kernel.Machine.Memory.Read<uint>(sitePa) & 0xFFE0001F) != 0xD4000001)
                continue;
            if (Place(kernel, memory, site, targets) is { } branch)
            {
                kernel.Machine.Memory.Write(sitePa, branch);
                Patched++;
            }
            else
            {
                OutOfReach++;
            }
        }
    }

    private uint? Place(LinuxKernel kernel, MemoryMap memory, ulong site, IReadOnlyList<RedirectCode.Target> targets)
    {
        StubPage stubs = _pages.GetOrCreateValue(memory);
        for (int attempt = 0; attempt < 2; attempt++)
        {
            ulong at = stubs.Address + stubs.Used;
            if (stubs.Used < PhysicalMemory.PageSize && RedirectCode.Stub(at, site + 4, memory.VdsoBase, targets) is { } code
                && stubs.Used + (ulong)code.Length * 4 <= PhysicalMemory.PageSize && RedirectCode.Branch(site, at) is { } branch)
            {
                memory.FaultIn(stubs.Address, false, out _);
                memory.Space.Lookup(stubs.Address, out ulong pa, out _);
                for (int i = 0; i < code.Length; i++)
                    kernel.Machine.Memory.Write(pa + stubs.Used + (ulong)i * 4, code[i]);
                kernel.Machine.InvalidateCode(pa, (int)PhysicalMemory.PageSize);
                stubs.Used += ((ulong)code.Length * 4 + 63) & ~63UL;
                return branch;
            }
            if (!NewPage(memory, site, stubs))
                return null;
        }
        return null;
    }

    /// <summary>Maps a page of stubs within reach of a site: 64 MiB away, where neither the heap nor a library soon comes.</summary>
    private static bool NewPage(MemoryMap memory, ulong site, StubPage stubs)
    {
        foreach (long megabytes in (ReadOnlySpan<long>)[64, 96, -64, -96, 32, -32])
        {
            ulong hint = (site + (ulong)(megabytes << 20)) & ~(PhysicalMemory.PageSize - 1UL);
            if (hint < 0x10000 || hint >= memory.TaskSize || memory.FindFree(PhysicalMemory.PageSize, hint) != hint)
                continue;
            ulong end = hint + PhysicalMemory.PageSize;
            memory.Add(new Vma { Start = hint, End = end, Prot = Mman.PROT_READ | Mman.PROT_EXEC, Name = "[redirect]" });
            stubs.Address = hint;
            stubs.Used = 0;
            return true;
        }
        return false;
    }
}
