using ArmVdso.Kernel.Costs;
using static ArmVdso.Kernel.Costs.CostClass;
using static ArmVdso.Kernel.Syscalls.SyscallSupport;

namespace ArmVdso.Kernel.Syscalls;

public static partial class SyscallTable
{
    /// <summary>System calls on memory, by number.</summary>
    private static IEnumerable<SyscallRow> MemoryRows() =>
    [
        new(214, "brk", SysMemory.Brk, Full, "ptr", "", CostClass.Map),
        new(215, "munmap", SysMemory.Munmap, Full, "ptr size", "", Unmap),
        new(216, "mremap", SysMemory.Mremap, Full, "ptr size size flags ptr", "", CostClass.Map),
        new(222, "mmap", SysMemory.Mmap, Partial, "ptr size prot mapflags fd off", "no huge pages, no MAP_SYNC", CostClass.Map),
        new(226, "mprotect", SysMemory.Mprotect, Full, "ptr size prot", "", CostClass.Map),
        new(227, "msync", SysMemoryAdvice.Msync, Full, "ptr size flags", "", Trivial),
        new(228, "mlock", SysMemoryAdvice.Mlock, Full, "ptr size", "nothing is ever swapped", CostClass.Map),
        new(229, "munlock", SysMemoryAdvice.Munlock, Full, "ptr size", "", Trivial),
        new(230, "mlockall", SysMemoryAdvice.MlockAll, Full, "flags", "nothing is ever swapped", Trivial),
        new(231, "munlockall", SysMemoryAdvice.MunlockAll, Full, "", "", Trivial),
        new(232, "mincore", SysMemoryAdvice.Mincore, Full, "ptr size ptr", "", Trivial),
        new(233, "madvise", SysMemoryAdvice.Madvise, Partial, "ptr size advice", "MADV_FREE frees at once; no poisoning", CostClass.Map),
        new(234, "remap_file_pages", SysMemory.RemapFilePages, Full, "ptr size prot int flags", "", CostClass.Map),
        new(235, "mbind", SysMemoryPolicy.Mbind, Full, "ptr size int ptr size flags", "one node has memory", Trivial),
        new(236, "get_mempolicy", SysMemoryPolicy.GetMempolicy, Full, "ptr ptr size ptr flags", "one node has memory", Trivial),
        new(237, "set_mempolicy", SysMemoryPolicy.SetMempolicy, Full, "int ptr size", "one node has memory", Trivial),
        new(238, "migrate_pages", SysMemoryPolicy.MigratePages, Full, "pid size ptr ptr", "one node has memory", Trivial),
        new(239, "move_pages", SysMemoryPolicy.MovePages, Full, "pid size ptr ptr ptr flags", "one node has memory", Trivial),
        new(270, "process_vm_readv", SysCrossMemory.ProcessVmRead, Full, "pid ptr int ptr int flags", "", Transfer),
        new(271, "process_vm_writev", SysCrossMemory.ProcessVmWrite, Full, "pid ptr int ptr int flags", "", Transfer),
        new(283, "membarrier", SysMembarrier.Membarrier, Full, "int flags int", "", Trivial),
        new(284, "mlock2", SysMemoryAdvice.Mlock, Full, "ptr size flags", "as mlock", CostClass.Map),
        new(288, "pkey_mprotect", SysMemory.PkeyMprotect, Full, "ptr size prot int", "", CostClass.Map),
        new(289, "pkey_alloc", SysMemory.PkeyAlloc, Full, "flags uint", "", Trivial),
        new(290, "pkey_free", SysMemory.PkeyFree, Full, "int", "", Trivial),
        new(440, "process_madvise", SysMemoryAdvice.ProcessMadvise, Full, "fd ptr size advice flags", "nothing is ever swapped", Trivial),
        new(447, "memfd_secret", SysSystem.NotBuiltIn, Stub, "flags", "ENOSYS", Trivial),
        new(450, "set_mempolicy_home_node", SysMemoryPolicy.SetMempolicyHomeNode, Full, "ptr size int flags", "one node has memory",
            Trivial),
        new(462, "mseal", SysMemory.Mseal, Full, "ptr size flags", "", Trivial),
    ];
}
