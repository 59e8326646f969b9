using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Lab.Check;

/// <summary>Events about where things are and what IDs mean there: a moved vDSO, user namespaces, the counter.</summary>
internal sealed partial class Trial
{
    private const int Mremap = 216, SetNamespace = 268;
    private const ulong MoveTo = Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED;

    private (ulong Start, ulong Size)[] Areas() =>
    [
        .. Victim.Mm!.Vmas.Where(v => v.Special is not null).Select(v => (v.Start, v.End - v.Start)),
    ];

    private static ulong[] Moving(ulong from, ulong size, ulong to) => [StepSystemCall, Mremap, from, size, size, MoveTo, to, 0];

    /// <summary>A handler moves the vDSO, puts memory of its own at the old place of the data, calls the function at the new place, and
    /// moves all back.</summary>
    internal void MoveAndBack()
    {
        (ulong Start, ulong Size)[] areas = Areas();
        ulong image = areas[^1].Start, first = areas[0].Start, data = image - first;
        ulong decoy = _rig.Decoy(data);
        ulong there = Victim.Mm!.FindFree(data + areas[^1].Size), by = there - first;
        ulong function = _function.Address(_rig, Victim) + by;
        var words = new List<ulong>();
        foreach ((ulong start, ulong size) in areas)
            words.AddRange(Moving(start, size, start + by));
        if (data > 0)
            words.AddRange(Moving(decoy, data, first));
        words.AddRange([StepFunction, function, .. _function.Arguments(_rig, Victim, Buffer(1)), 0]);
        if (data > 0)
            words.AddRange(Moving(first, data, decoy));
        foreach ((ulong start, ulong size) in areas)
            words.AddRange(Moving(start + by, size, start));
        Script("script", [.. words]);
        RunHandler(call: (function, areas.Length + (data > 0 ? 1 : 0)));
    }

    /// <summary>Before the call: memory for the old place of the data is there.</summary>
    internal void MakeDecoy()
    {
        (ulong Start, ulong Size)[] areas = Areas();
        _rig.Decoy(areas[^1].Start - areas[0].Start);
    }

    /// <summary>Before the call: a sibling on another CPU moves the vDSO for good, and puts memory of its own at the old place of the
    /// data.</summary>
    internal void MoveForGood()
    {
        (ulong Start, ulong Size)[] areas = Areas();
        ulong first = areas[0].Start, data = areas[^1].Start - first;
        ulong decoy = _rig.Decoy(data), there = Victim.Mm!.FindFree(data + areas[^1].Size);
        _rig.FamilyBroken = true;
        int at = HelperCpu;
        foreach ((ulong start, ulong size) in areas)
            Moved(start, size, there + (start - first));
        if (data > 0)
            Moved(decoy, data, first);
        _rig.Switch(at, null);

        void Moved(ulong from, ulong size, ulong to)
        {
            if (_rig.SystemCall(_rig.Sibling, at, Mremap, from, size, size, MoveTo, to) != (long)to)
                throw new LabException("mremap of the sibling failed", LabFault.Failed);
        }
    }

    /// <summary>Before the call: it will run in a copy of the image's code.</summary>
    internal void RunCopy()
    {
        (ulong image, ulong size) = Areas()[^1];
        _copiedBy = _rig.Copy(image, size) - image;
    }

    /// <summary>Before the call: the victim is a process alone in a user namespace whose IDs nobody has mapped yet.</summary>
    internal void LiveUnmapped() => LiveApart(NewUser);

    /// <summary>Before the call: the victim is a process alone.</summary>
    internal void LiveAlone()
    {
        _ = _rig.Householder;
        LiveApart(0);
    }

    private void LiveApart(ulong namespaces)
    {
        KernelTask usual = Victim, newcomer = _rig.Newcomer(namespaces);
        _rig.Victim = newcomer;
        _rig.Switch(0, newcomer);
        _atEnd += () =>
        {
            _rig.EndProcess(newcomer, newcomer.Cpu);
            _rig.Victim = usual;
        };
    }

    /// <summary>Somebody outside, on another CPU, says what the IDs of the victim's namespace mean.</summary>
    internal void MapIds()
    {
        if (Victim.Credentials.UserNamespace.UserMapLength != 0)
        {
            _happened = false;
            return;
        }
        int at = HelperCpu;
        _rig.WriteFile(_rig.Init, at, $"/proc/{Victim.Group.Pid}/uid_map", "71 0 1\n");
        _rig.WriteFile(_rig.Init, at, $"/proc/{Victim.Group.Pid}/gid_map", "72 0 1\n");
    }

    /// <summary>The same; the interrupt that the kernel may send to the victim's CPU arrives after the call.</summary>
    internal void MapIdsLate()
    {
        MapIds();
        HoldInterrupts();
    }

    /// <summary>A handler enters the user namespace of another process, where its IDs have other numbers, and calls the function.</summary>
    internal void EnterAnothers()
    {
        ulong path = _rig.Symbol("scratch") + 128;
        CheckRig.WriteText(Victim, path, $"/proc/{_rig.Householder.Group.Pid}/ns/user");
        const ulong here = unchecked((ulong)-100), firstFree = 3;
        Script(
            "script",
            [
                StepSystemCall, OpenAt, here, path, 0, 0, 0, 0,
                StepSystemCall, SetNamespace, firstFree, NewUser, 0, 0, 0, 0,
                .. CallAgain(1),
            ]);
        RunHandler(call: (_function.Address(_rig, Victim), 2));
        if (ScriptResult("script", 1) != 0)
            throw new LabException($"setns in the handler gave {ScriptResult("script", 1)}", LabFault.Failed);
    }

    /// <summary>The counter is not to be used any more.</summary>
    internal void LoseCounter(int part)
    {
        KeepMode();
        ByStores(() => new ClockStores(_rig, _clocks, () => _rig.Control.UseCounter(false)), part);
    }

    /// <summary>Before the call: the counter may not be used.</summary>
    internal void WithoutCounter()
    {
        KeepMode();
        _rig.Control.UseCounter(false);
    }

    /// <summary>It may be used again.</summary>
    internal void RegainCounter(int part) =>
        ByStores(() => new ClockStores(_rig, _clocks, () => _rig.Control.UseCounter(true)), part);

    /// <summary>Somebody who may changes the auxiliary clock, store by store; after the trial it runs as before.</summary>
    internal void ChangeAuxiliary(int part, Action<AuxiliaryClock> change)
    {
        KeepAuxiliary();
        ByStores(() => new ClockStores(_rig, _clocks, () => change(_rig.Auxiliary!)), part);
    }

    /// <summary>Before the call: the auxiliary clock is off.</summary>
    internal void WithoutAuxiliary()
    {
        if (_rig.Auxiliary is not { } clock)
            return;
        KeepAuxiliary();
        clock.SetEnabled(false);
    }

    /// <summary>What events do to the auxiliary clock.</summary>
    internal static void StepAuxiliary(AuxiliaryClock clock) => clock.Set(clock.NowNs!.Value + 5_000_000_000);

    /// <inheritdoc cref="StepAuxiliary"/>
    internal static void HastenAuxiliary(AuxiliaryClock clock) => clock.SetFrequency(500L << 16);

    /// <inheritdoc cref="StepAuxiliary"/>
    internal static void StopAuxiliary(AuxiliaryClock clock) => clock.SetEnabled(false);

    /// <inheritdoc cref="StepAuxiliary"/>
    internal static void BeginAuxiliary(AuxiliaryClock clock) => clock.SetEnabled(true);

    private bool _keepsAuxiliary;

    private void KeepAuxiliary()
    {
        if (_keepsAuxiliary)
            return;
        _keepsAuxiliary = true;
        _atEnd += _rig.StartAuxiliary;
    }

    private bool _keepsMode;

    private void KeepMode()
    {
        if (_keepsMode)
            return;
        _keepsMode = true;
        _atEnd += () => _rig.Control.UseCounter(true);
    }
}
