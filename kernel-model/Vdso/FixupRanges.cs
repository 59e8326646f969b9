using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The kernel's part of an image with ranges in which a task must not be interrupted (section .vdso_fixup): EL1 code looks where
/// a task is that it takes the CPU from (vdso_switch_fixup), a signal frame is not built with such a PC.</summary>
/// <param name="mapping">Image and addresses of the run.</param>
/// <param name="restart">The PC goes back to the range's start at first; else always to where the system call is made.</param>
internal sealed class FixupRanges(VdsoMapping mapping, bool restart)
{
    /// <summary>Entries of the table in EL1 code.</summary>
    internal const int Most = 16;

    /// <summary>Has each switch look.</summary>
    internal void PatchEl1(El1Image el1, Machine machine)
    {
        el1.PatchCall(machine, PatchSite.vdso_switch_site, El1Symbol.vdso_switch_fixup);
        // mov x8, x9
        if (!restart)
            el1.Patch(machine, PatchSite.vdso_fixup_choice, 0xAA0903E8);
        IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> ranges = mapping.Image!.FixupRanges;
        if (ranges.Count is 0 or > Most)
            throw new InvalidOperationException($"the image has {ranges.Count} ranges; the kernel's table takes 1 to {Most}");
        ulong at = el1.PhysicalOf(El1Symbol.vdso_fixup_table);
        ulong first = ranges.Min(r => r.Start);
        machine.Memory.Write(at, first);
        machine.Memory.Write(at + 8, ranges.Max(r => r.Start + r.Length) - first);
        machine.Memory.Write(at + 16, ranges.Count);
        at += FixupRecord.Entries;
        foreach ((ulong start, ulong length, ulong fallback) in ranges)
        {
            machine.Memory.Write(at + FixupRecord.Start, (uint)start);
            machine.Memory.Write(at + FixupRecord.Length, (uint)length);
            machine.Memory.Write(at + FixupRecord.Fallback, (uint)fallback);
            at += FixupRecord.Size;
        }
    }

    /// <summary>A handler may run for long and on another CPU, and its return takes the PC of the frame.</summary>
    internal void BeforeSignalFrame(KernelTask task, UserRegisters registers)
    {
        ulong image = mapping.ImageAddress(task.Mm);
        if (image == 0)
            return;
        foreach ((ulong start, ulong length, ulong fallback) in mapping.Image!.FixupRanges)
        {
            ulong into = registers.PC - image - start;
            if (into == 0 || into >= length)
                continue;
            registers.PC = image + (!restart || mapping.Records.FlipFixed(task) ? fallback : start);
            return;
        }
    }
}
