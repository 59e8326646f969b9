using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>Finds out what a process can learn of others from the data pages, and whether it can change them: see
/// <see cref="Exposure"/>.</summary>
internal static class ExposureProbe
{
    private const int Sigsegv = 11;

    internal static Exposure Examine(SessionSettings settings, string design)
    {
        using var rig = new CheckRig(CheckRig.With(settings, design));
        var explorer = new Explorer(rig);
        var finding = new Exposure(design);
        rig.Switch(1, rig.Other);
        finding.Other = Found(rig, rig.Other, rig.Victim, out int words);
        finding.Words = words;
        rig.Switch(1, null);
        rig.Switch(1, rig.Another);
        finding.Past = Found(rig, rig.Other, rig.Victim, out _);
        rig.Switch(1, rig.Sibling);
        finding.Sibling = Found(rig, rig.Sibling, rig.Victim, out _).FindAll(f => f == "tid");
        rig.Restore();
        finding.Forged = Forge(rig);
        rig.Restore();
        finding.Replayed = Replay(rig);
        rig.Restore();
        List<CheckedFunction> ids =
            [.. CheckedFunction.Of(rig.Kernel.Vdso.Design).Where(f => f.Kind is AnswerKind.Id or AnswerKind.Cpu && f.IsIn(rig))];
        List<Outcome> calls = [.. ids.Select(f => explorer.Undisturbed(f).Outcome)];
        finding.Functions = ids.Count;
        finding.UnseenFunctions = calls.Count(o => !o.FellBack);
        finding.InstructionsInside = ids.Exists(f => f.Name == "getpid") ? calls[ids.FindIndex(f => f.Name == "getpid")].Instructions : 0;
        (finding.PagesThatFault, finding.Pages) = Tamper(rig);
        finding.RegisterWriteSignal = Killed(rig, "set_register", 0x1e0, 0);
        return finding;
    }

    /// <summary>Which fields of a task the victim finds in its data pages, word by word.</summary>
    private static List<string> Found(CheckRig rig, KernelTask of, KernelTask reader, out int words)
    {
        var seen = new HashSet<uint>();
        words = 0;
        Cpu cpu = rig.CpuOf(reader);
        foreach (Vma vma in reader.Mm!.Vmas.Where(v => v.Name == "[vvar]"))
        {
            for (ulong va = vma.Start; va < vma.End; va += 4)
            {
                if (KernelControl.Physical(reader.Mm, va) is null)
                    continue;
                cpu.SetX(0, va);
                rig.Jump(cpu, "peek");
                if (!rig.RunUntil(cpu, () => rig.Parked(cpu, reader)))
                    throw new LabException("a read of [vvar] did not end", LabFault.Failed);
                seen.Add(cpu.W(0));
                words++;
            }
        }
        (string Name, long Value)[] fields =
        [
            ("pid", of.Group.Pid), ("tid", of.Tid == of.Group.Pid ? -1 : of.Tid), ("uid", of.Credentials.Uid),
            ("euid", of.Credentials.Euid), ("gid", of.Credentials.Gid), ("egid", of.Credentials.Egid),
        ];
        return [.. fields.Where(f => f.Value >= 0 && seen.Contains((uint)f.Value)).Select(f => f.Name)];
    }

    /// <summary>The talk's question of writable pages: the victim's [vvar] is made writable, and it writes 0 wherever the other
    /// process' effective user ID stands.</summary>
    private static string Forge(CheckRig rig)
    {
        CheckedFunction function = CheckedFunction.All.First(f => f.Name == "geteuid");
        if (!function.IsIn(rig))
            return "no geteuid to forge";
        KernelTask other = rig.Other, reader = rig.Victim;
        rig.Switch(1, other);
        Cpu cpu = rig.CpuOf(reader);
        int written = 0;
        foreach (Vma vma in reader.Mm!.Vmas.Where(v => v.Name == "[vvar]").ToList())
        {
            for (ulong va = vma.Start; va < vma.End; va += 4)
            {
                if (!reader.Mm.Space.Lookup(va, out ulong page, out PagePermissions permissions)
                    || rig.Machine.Memory.Read<uint>(page | (va & 0xfff)) != other.Credentials.Euid)
                    continue;
                reader.Mm.Space.Protect(va & ~0xfffUL, permissions | PagePermissions.UserWrite);
                cpu.SetX(0, va);
                cpu.SetX(1, 0);
                rig.Jump(cpu, "poke");
                if (!rig.RunUntil(cpu, () => rig.Parked(cpu, reader)))
                    throw new LabException("a write to the writable [vvar] did not end", LabFault.Failed);
                reader.Mm.Space.Protect(va & ~0xfffUL, permissions);
                written++;
            }
        }
        uint answer = Ask(rig, function, other);
        return answer == other.Credentials.Euid
            ? $"{written} words written; another process' geteuid still answers {answer}."
            : $"{written} words written; another process' geteuid answers {answer} instead of {other.Credentials.Euid}: any process "
            + $"forges the answers of all.";
    }

    private static uint Ask(CheckRig rig, CheckedFunction function, KernelTask task)
    {
        Cpu cpu = rig.CpuOf(task);
        cpu.SetX(30, rig.Symbol("park"));
        CheckRig.JumpTo(cpu, function.Address(rig, task));
        return rig.RunUntil(cpu, () => rig.Parked(cpu, task))
            ? cpu.W(0)
            : throw new LabException("the other process' geteuid did not end", LabFault.Failed);
    }

    /// <summary>The same question of words that the kernel did write, but elsewhere or earlier: the slot of the other process' CPU gets
    /// what the reader's CPU's holds, then what it held itself before the process ran there.</summary>
    private static string Replay(CheckRig rig)
    {
        VdsoDesign design = rig.Kernel.Vdso.Design;
        CheckedFunction function = CheckedFunction.All.First(f => f.Name == "geteuid");
        ulong here = design.SlotPa(0), there = design.SlotPa(1);
        if (here == 0 || there <= here || !function.IsIn(rig))
            return "no slot of a CPU to replay.";
        byte[] Slot(ulong pa) => rig.Machine.Memory.Span(pa, (int)(there - here)).ToArray();
        rig.Switch(1, rig.Another);
        byte[] earlier = Slot(there);
        rig.Switch(1, rig.Other);
        byte[] right = Slot(there);
        uint With(byte[] words)
        {
            words.CopyTo(rig.Machine.Memory.Span(there, words.Length));
            uint answer = Ask(rig, function, rig.Other);
            right.CopyTo(rig.Machine.Memory.Span(there, words.Length));
            return answer;
        }
        return $"another process' geteuid answers {With(right)}, with the words of another CPU {With(Slot(here))}, "
            + $"with earlier ones of its own CPU {With(earlier)}.";
    }

    private static (int Faulted, int Pages) Tamper(CheckRig rig)
    {
        int faulted = 0, pages = 0;
        List<(string? Name, ulong Start, ulong End)> areas = [
            .. rig.Victim.Mm!.Vmas.Where(v => v.Name is "[vvar]" or "[vdso]").Select(v => (v.Name, v.Start, v.End))];
        Dictionary<ulong, byte[]> before = rig.SaveData();
        foreach ((string? _, ulong start, ulong end) in areas)
        {
            for (ulong va = start; va < end; va += 4096)
            {
                pages++;
                faulted += Killed(rig, "poke", va, 0x41414141) == Sigsegv ? 1 : 0;
            }
        }
        return (before.Count == rig.DataPages.Count ? faulted : 0, pages);
    }

    /// <summary>The signal that ends a new process which executes a stub; 0 when it lives.</summary>
    private static int Killed(CheckRig rig, string stub, ulong x0, ulong x1)
    {
        KernelTask prober = rig.Prober();
        rig.Switch(0, prober);
        Cpu cpu = rig.Machine.Cpus[0];
        cpu.SetX(0, x0);
        cpu.SetX(1, x1);
        rig.Control.Prepare(0, null);
        rig.Jump(cpu, stub);
        rig.RunUntil(cpu, () => prober.State is TaskState.Zombie or TaskState.Dead || rig.Parked(cpu, prober));
        bool lives = prober.State == TaskState.Runnable;
        if (lives)
            rig.EndProcess(prober, 0);
        else
            rig.RunToIdle(0);
        return lives ? 0 : prober.Group.ExitStatus & 0x7f;
    }
}
