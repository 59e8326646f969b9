using System.Buffers.Binary;
using System.Globalization;
using ArmVdso.Kernel.El1;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Lab.Explain;

/// <summary>Explains calls of a function of the vDSO, of EL1 code or of a program, or what follows an address, in a run.</summary>
internal sealed class CallExplainer
{
    private const int AuxvEntry = 9;
    private const int AuxvVdso = 33;

    /// <summary>Calls of which the first and the fastest are shown.</summary>
    private const int Enough = 64;

    /// <summary>Time slice in ns with which threads of the guest preempt each other, few as its calls are here.</summary>
    private const ulong SliceAmongCallsNs = 5_000;

    private readonly string _target;
    private readonly ElfFile _image;
    private readonly Dictionary<string, ulong> _symbols;
    private readonly SortedList<ulong, string> _names = [];
    private readonly HashSet<ulong> _starts = [];
    private bool _isVdso;

    private CallExplainer(string target, ElfFile image)
    {
        _target = target;
        _image = image;
        _symbols = image.Values();
    }

    /// <summary>Runs a program (null: the guest of compare) until the calls were seen.</summary>
    /// <param name="settings">Settings; the reference engine runs whatever they say: it alone reports each instruction.</param>
    /// <param name="target">A function, or an address as 0x...</param>
    /// <param name="program">The program with its arguments; null: one that calls every function of the vDSO.</param>
    /// <param name="longest">Instructions after which a call is cut off.</param>
    /// <param name="wanted">Number of the call that is wanted, from 1; 0: the first and the fastest of the first 64.</param>
    /// <param name="hooks">The program's streams.</param>
    /// <exception cref="LabException">There is no such function, or it was not called (so often).</exception>
    internal static IReadOnlyList<ExplainedCall> Explain(
        SessionSettings settings, string target, IReadOnlyList<string>? program, int longest, int wanted, SessionHooks hooks)
    {
        settings = settings with { Engine = EngineKind.Reference };
        using EmbeddedGuest? guest = program is null ? new EmbeddedGuest() : null;
        if (guest is not null)
        {
            settings = settings with { Binds = [.. settings.Binds, guest.Bind] };
            // With short slices threads have to preempt each other.
            program = [guest.Bind.GuestPath, settings.SliceNs is null ? "2" : "4"];
        }
        byte[] image = guest is not null ? File.ReadAllBytes(guest.Bind.HostPath) : ProgramFinder.Bytes(settings, program![0]);
        var explainer = new CallExplainer(target, new ElfFile(image));
        LinuxKernel? kernel = null;
        using var session = new Session(settings, program![0], [.. program.Skip(1)], hooks with
        {
            // Another program has other addresses.
            Exec = task =>
            {
                if (kernel is not null)
                    explainer.Locate(kernel, task.Group.Auxv);
            },
        });
        kernel = session.Kernel;
        explainer.Locate(kernel, kernel.Tasks.Init!.Auxv);
        if (explainer._starts.Count == 0)
        {
            throw new LabException(
                $"{target}: no such function in the vDSO ({settings.Vdso}), in EL1 code or in {program[0]}, and not an address (0x...)",
                LabFault.Input);
        }
        var recorder = new CallRecorder(session.Machine, explainer._starts, longest, wanted, Enough, explainer._isVdso);
        try
        {
            session.RunUntil(() => recorder.Enough);
        }
        catch (LabException e) when (e.Fault == LabFault.LimitReached)
        {
            // What was seen before the limit is shown; that it is not enough is said below.
        }
        // Where each entry loses the register, a call is answered only behind a switch: then there have to be switches.
        if (guest is not null && wanted == 0 && explainer._isVdso && !recorder.Stayed && settings.SliceNs is null)
            return Explain(settings with { SliceNs = SliceAmongCallsNs }, target, null, longest, wanted, hooks);
        if (recorder.First is null || (wanted > 0 && recorder.Chosen is null))
            throw new LabException($"{target}: {recorder.Calls} calls in this run", LabFault.Input);
        ExplainedCall Named(List<PipelineRecord> call, string which)
        {
            foreach (PipelineRecord record in call)
                record.Symbol = explainer.NameOf(kernel, record.Pc);
            return new ExplainedCall(which, CallRecorder.Cycles(call), call);
        }
        if (wanted > 0)
            return [Named(recorder.Chosen!, $"call {wanted}")];
        string first = recorder.FirstNumber == 1 ? "first call (cold)"
            : $"first call without a system call, number {recorder.FirstNumber} of {recorder.Calls}";
        return recorder.FastestNumber > recorder.FirstNumber
            ? [Named(recorder.First, first),
                Named(recorder.Fastest!, $"fastest call (warm), number {recorder.FastestNumber} of {recorder.Calls}")]
            : [Named(recorder.First, first)];
    }

    /// <summary>Works out where the target is in a program that has just started.</summary>
    private void Locate(LinuxKernel kernel, byte[] auxv)
    {
        ulong vdso = Auxiliary(auxv, AuxvVdso);
        ulong bias = _image.Entry == 0 ? 0 : Auxiliary(auxv, AuxvEntry) - _image.Entry;
        if (_target.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(_target.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong target))
        {
            _starts.Add(target);
        }
        foreach ((string name, ulong value) in _symbols)
            _names[value + bias] = name;
        if (vdso != 0 && kernel.Vdso.Image is { } shared)
        {
            foreach ((string name, ulong offset) in shared.Symbols)
                _names[vdso + offset] = name;
        }
        // A system call's name stands for the vDSO function that serves it.
        string served = CallService.SymbolPrefix + _target;
        foreach ((ulong address, string name) in _names)
        {
            if (name == _target || name == served || kernel.Vdso.Design.OwnFunctions.Any(f => f.Name == _target && f.Symbol == name))
            {
                _starts.Add(address);
                _isVdso |= name == served || kernel.Vdso.Image?.Symbols.ContainsKey(name) == true;
            }
        }
        if (_starts.Count == 0 && kernel.El1.Find(_target) is { } el1)
            _starts.Add(el1);
    }

    private static ulong Auxiliary(byte[] vector, ulong type)
    {
        for (int i = 0; i + 16 <= vector.Length; i += 16)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(vector.AsSpan(i)) == type)
                return BinaryPrimitives.ReadUInt64LittleEndian(vector.AsSpan(i + 8));
        }
        return 0;
    }

    private string NameOf(LinuxKernel kernel, ulong pc)
    {
        if (pc >= El1Image.LinearBase)
            return kernel.El1.FunctionAt(pc) ?? "";
        int low = 0, high = _names.Count - 1, found = -1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_names.Keys[middle] <= pc)
            {
                found = middle;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return found < 0 || pc - _names.Keys[found] > 65536 ? "" : _names.Values[found];
    }
}
