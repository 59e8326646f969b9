namespace ArmVdso.Kernel.Memory;

/// <summary>How much memory may be promised beyond what there is (vm.overcommit_memory, Documentation/mm/overcommit-accounting.rst;
/// __vm_enough_memory in mm/util.c).</summary>
/// <param name="total">Pages of RAM; there is no swap.</param>
public sealed class Commitment(long total)
{
    /// <summary>OVERCOMMIT_GUESS, _ALWAYS, _NEVER.</summary>
    internal const int Guess = 0, Always = 1, Never = 2;

    private const int KibPerPage = (int)(PhysicalMemory.PageSize / 1024);

    private int _ratio = 50, _kib;

    /// <summary>vm.overcommit_memory.</summary>
    internal int Policy { get; set; }

    /// <summary>vm.overcommit_ratio in percent of RAM; writing it takes <see cref="Kib"/> back.</summary>
    internal int Ratio
    {
        get => _ratio;
        set => (_ratio, _kib) = (value, 0);
    }

    /// <summary>vm.overcommit_kbytes in KiB, 0: the ratio holds; writing it takes <see cref="Ratio"/> back.</summary>
    internal int Kib
    {
        get => _kib;
        set => (_kib, _ratio) = (value, 0);
    }

    /// <summary>vm.admin_reserve_kbytes: KiB that only who has CAP_SYS_ADMIN may have (init_admin_reserve).</summary>
    internal int AdminReserveKib { get; set; } = (int)Math.Min(total * KibPerPage >> 5, 1 << 13);

    /// <summary>vm.user_reserve_kbytes: KiB that the largest process leaves to others (init_user_reserve).</summary>
    internal int UserReserveKib { get; set; } = (int)Math.Min(total * KibPerPage >> 5, 1 << 17);

    /// <summary>Pages that have been promised (vm_committed_as); asked under <see cref="Never"/> alone.</summary>
    internal Func<long> Promised { get; set; } = () => 0;

    /// <summary>Whether who asks has CAP_SYS_ADMIN over the machine.</summary>
    internal Func<bool> IsPrivileged { get; set; } = () => true;

    /// <summary>Pages that may be promised (vm_commit_limit).</summary>
    internal long Limit => _kib != 0 ? _kib / KibPerPage : total * _ratio / 100;

    /// <summary>Whether so many pages more may be promised to a process.</summary>
    internal bool May(MemoryMap? memory, long pages)
    {
        if (Policy == Always)
            return true;
        if (Policy == Guess)
            return pages <= total;
        long allowed = Limit - (IsPrivileged() ? 0 : AdminReserveKib / KibPerPage);
        if (memory is not null)
            allowed -= Math.Min((long)(memory.VirtualSize / PhysicalMemory.PageSize / 32), UserReserveKib / KibPerPage);
        return Promised() + pages < allowed;
    }
}
