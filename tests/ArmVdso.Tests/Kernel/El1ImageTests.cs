using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Tests.Guests;

namespace ArmVdso.Tests.Kernel;

/// <summary>The committed EL1 image and embedded guest are what their sources give; the layouts of both sides agree.</summary>
public sealed class El1ImageTests
{
    [Theory]
    [InlineData("kernel-model/El1/build.sh")]
    [InlineData("tools/ArmVdso.Cli/Guests/build.sh")]
    public void IsUpToDate(string script)
    {
        (int status, string output, string errors) = GuestPrograms.Run(Path.Join(GuestPrograms.RepositoryRoot, script), "--check");
        Assert.True(status == 0, output + errors);
    }

    /// <summary>EL1 code writes the slot and reads the timekeeper at offsets of its own header; the vDSO image's layout is the truth.</summary>
    [Theory]
    [InlineData("SLOT_CPU", "vdso_per_cpu_data.cpu")]
    [InlineData("SLOT_NODE", "vdso_per_cpu_data.node")]
    [InlineData("SLOT_PID", "vdso_per_cpu_data.pid")]
    [InlineData("SLOT_TID", "vdso_per_cpu_data.tid")]
    [InlineData("SLOT_UID", "vdso_per_cpu_data.uid")]
    [InlineData("SLOT_EUID", "vdso_per_cpu_data.euid")]
    [InlineData("SLOT_GID", "vdso_per_cpu_data.gid")]
    [InlineData("SLOT_EGID", "vdso_per_cpu_data.egid")]
    [InlineData("SLOT_PPID", "vdso_per_cpu_data.ppid")]
    [InlineData("VD_SEQ", "vdso_data.seq")]
    [InlineData("VD_CYCLE_LAST", "vdso_data.cycle_last")]
    [InlineData("VD_MASK", "vdso_data.mask")]
    [InlineData("VD_MULT", "vdso_data.mult")]
    [InlineData("VD_SHIFT", "vdso_data.shift")]
    [InlineData("VD_BASETIME", "vdso_data.basetime")]
    [InlineData("VD_TZ_MINUTESWEST", "vdso_data.tz_minuteswest")]
    [InlineData("VD_HRTIMER_RES", "vdso_data.hrtimer_res")]
    [InlineData("VD_RAW", "vdso_data.size")]
    public void LayoutsAgree(string el1, string vdso) => Assert.Equal(VdsoImage.Load("per-cpu").Layout(vdso), (long)El1Image.Value(el1));
}
