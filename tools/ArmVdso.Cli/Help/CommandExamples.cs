namespace ArmVdso.Cli;

/// <summary>Examples of the commands, for help and manual.</summary>
internal static class CommandExamples
{
    private static readonly Dictionary<string, string[]> s_lines = new()
    {
        ["run"] =
        [
            "armvdso run ./hello",
            "armvdso run --cpus 4 --core neoverse-n1 --stats ./server -n 5",
            "armvdso run --strace busybox ls /",
            "armvdso run --trace server.rec --profile=server.out --profile-format callgrind ./server",
        ],
        ["stat"] = ["armvdso stat ./server", "armvdso stat -r 5 -x, ./server"],
        ["boot"] = ["armvdso boot --kernel vmlinuz --initrd initramfs.cpio --append 'console=ttyAMA0'"],
        ["compare"] =
        [
            "armvdso compare getpid getcpu", "armvdso compare --vdso all", "armvdso compare --core neoverse-n1 --json getpid",
            "armvdso compare --kernel-image vmlinuz",
        ],
        ["trace"] = ["armvdso trace --slice 20 ./server", "armvdso trace --json"],
        ["dump"] =
        [
            "armvdso dump server.rec", "armvdso dump server.rec --as json --only offsets",
            "armvdso dump server.rec --as perfetto -o server.pftrace",
        ],
        ["report"] =
        [
            "armvdso report -o server.html ./server -n 5", "armvdso report --parts path,designs server.rec",
            "armvdso report --schedule per-cpu/getpid/migrate@3 ./server",
        ],
        ["sweep"] =
        [
            "armvdso sweep --core all --vdso all --placements 5 ./server -n 5",
            "armvdso sweep --set exception_entry=8,12,16 --set mispredict=5,7 --csv",
            "armvdso sweep --core all --print-jobs slurm ./server > sweep.sh",
        ],
        ["check"] =
        [
            "armvdso check per-cpu", "armvdso check per-cpu-seq --function getpid",
            "armvdso check --kernel-image vmlinuz --function clock_gettime_monotonic",
        ],
        ["explain"] = ["armvdso explain getpid", "armvdso explain block.s --core neoverse-n1"],
        ["syscalls"] = ["armvdso syscalls", "armvdso syscalls ./server -n 5", "armvdso syscalls --what-if per-cpu-gen ./server"],
        ["models"] = ["armvdso models", "armvdso models cortex-a53"],
        ["vdso init"] = ["armvdso vdso init mydesign --from per-cpu-gen"],
        ["vdso build"] = ["armvdso vdso build mydesign"],
        ["isa disasm"] = ["armvdso isa disasm d503201f"],
        ["completion"] = ["armvdso completion bash > /etc/bash_completion.d/armvdso"],
        ["setup"] = ["armvdso setup binfmt > /proc/sys/fs/binfmt_misc/register", "armvdso setup man > armvdso.1"],
    };

    /// <summary>The commands that have some.</summary>
    internal static IEnumerable<string> Paths => s_lines.Keys;

    /// <summary>Those of a command.</summary>
    internal static IReadOnlyList<string> Of(string path) => s_lines.GetValueOrDefault(path, []);
}
