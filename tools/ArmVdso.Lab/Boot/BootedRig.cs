using ArmVdso.Emulator.Board;
using ArmVdso.Emulator.Memory;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Lab.Boot;

/// <summary>A booted kernel with Guests/interrupted.c. It stands before a call of one function after the other; from there the call is
/// executed as often as is wanted, each time from the same state of the whole machine.</summary>
internal sealed class BootedRig : IDisposable, ICodeWords
{
    /// <summary>Guest time after which a call that has not come back will not.</summary>
    private const ulong LongestMs = 200;

    /// <summary>The same of a boot.</summary>
    private const ulong LongestBootMs = 60_000;

    private const int PageSize = 4096, MostImagePages = 16, LongestName = 64;
    private readonly BootedGuest _guest;
    private readonly Unit _unit;
    private MachineCheckpoint? _start, _previous;
    private byte[] _image = [];
    private ulong _words;
    private ulong _imageAt;
    private int _textEnd;
    private Cpu? _cpu;
    private bool _stands;

    /// <summary>Boots a kernel.</summary>
    /// <param name="settings">CPUs, profile and limits.</param>
    /// <param name="files">The kernel.</param>
    /// <exception cref="LabException">It cannot be booted.</exception>
    internal BootedRig(SessionSettings settings, BootFiles files)
    {
        if (!MachineCheckpoint.IsSupported)
            throw new LabException("check: this runtime does not let machines be kept in memory", LabFault.Failed);
        long more = files.InitialFiles is { } name && File.Exists(name) ? new FileInfo(name).Length : 0;
        ulong memory = Memory + (ulong)more * Unpacked;
        Settings = settings with { Core = "none", Cpu = settings.CpuProfileName, MemoryBytes = memory & ~(ulong)(PageSize - 1) };
        _guest = new BootedGuest(Settings, files, "interrupted", "armvdso-guest", settles: true);
        _unit = new Unit(this);
        _unit.Set([_unit.Call, _unit.Done, _unit.Ready, _unit.Finished], []);
        Machine.Debug = _unit;
    }

    // RAM: each page that the guest has touched is looked at for each call. Initial files may be compressed.
    private const ulong Memory = 512 << 20, Unpacked = 8;

    /// <summary>Settings of the machine.</summary>
    internal SessionSettings Settings { get; }

    private Machine Machine => _guest.Session.Machine;

    /// <summary>What the kernel calls itself.</summary>
    internal string Release => _guest.Release;

    /// <summary>The kernel's functions and tasks.</summary>
    internal GuestKernel Kernel => _guest.Session.Kernel;

    /// <summary>Where a call returns to in the guest.</summary>
    internal ulong Return => _guest.Symbols["check_return"];

    /// <summary>How the thread lives whose call comes next.</summary>
    internal VictimLife Life { get; private set; }

    /// <summary>What the kernel has.</summary>
    internal KernelParts Parts { get; private set; }

    /// <summary>The function whose call comes next.</summary>
    internal BootedFunction Function { get; private set; } = BootedFunction.All[0];

    /// <summary>Goes on to the next function.</summary>
    /// <returns>False: there is none.</returns>
    /// <exception cref="LabException">The guest did not come there.</exception>
    internal bool Next()
    {
        // Calls that were tried have left their traces.
        _start?.Restore();
        (_previous, _start) = (_start ?? _previous, null);
        Machine.Observer = null;
        _unit.Seeks(_stands);
        if (!Run(Machine.NextCycle + LongestBootMs * (Machine.ClockFrequency / 1000)))
            throw _guest.Failed("check");
        if (_cpu!.PC == _unit.Finished)
            return false;
        _stands = true;
        CallRecord record = Record();
        if (_image.Length == 0)
            ReadImage(record.Image);
        (Life, Parts) = (record.Life, record.Parts);
        string name = ReadText(record.Name);
        Function = BootedFunction.All.FirstOrDefault(f => f.Name == name)
            ?? throw new InvalidOperationException($"the guest calls {name}, which nobody judges");
        return true;
    }

    /// <summary>Keeps the machine as it stands before the call.</summary>
    internal void Keep() =>
        _start = MachineCheckpoint.Take(Machine, _guest.Session.Board, type => type.Assembly == typeof(BootedRig).Assembly, _previous);

    /// <summary>Executes the call.</summary>
    /// <param name="happens">What happens in its middle; null: nothing.</param>
    /// <param name="boundary">Before which of the function's instructions.</param>
    /// <param name="observer">Who looks besides; null: nobody.</param>
    internal (CallRecord? Record, CallWatch Watch) Try(BootedEvent? happens, int boundary, IMachineObserver? observer = null)
    {
        _start!.Restore();
        _unit.Runs();
        var watch = new CallWatch(_guest.Symbols, happens is null ? -1 : boundary, cpu => Offer(cpu, happens!));
        Machine.Observer = observer is null ? watch : ObserverList.Of(watch, observer);
        bool came = Run(Machine.NextCycle + LongestMs * (Machine.ClockFrequency / 1000));
        Machine.Observer = null;
        return (came ? Record() : null, watch);
    }

    /// <summary>How long a PE stands still for something that happens elsewhere: some looks of the guest for what it is to do, and the
    /// work itself. A tick does not come meanwhile (the guest's wait_for_phase).</summary>
    private const ulong StandsUs = 250;

    private void Offer(Cpu cpu, BootedEvent happens)
    {
        if (happens.Elsewhere)
        {
            ulong order = GuestKernel.Physical(Machine, cpu, _words + CallRecord.Order * 8, Kinds)
                ?? throw new InvalidOperationException("the guest's page is not mapped");
            Machine.Memory.Write(order, (ulong)happens.Command);
            cpu.Timing.AdvanceTo(cpu.Cycles + StandsUs * (Machine.ClockFrequency / 1_000_000));
            return;
        }
        _guest.Line.Offer((byte)happens.Command);
        _guest.Session.Board.TakeInput(cpu);
    }

    private bool Run(ulong until)
    {
        _cpu = null;
        Machine.PauseAt = until;
        BoardEnd? end = _guest.Session.RunUntil(() => _cpu is not null || Machine.Paused);
        Machine.PauseAt = ulong.MaxValue;
        return end is null && _cpu is not null;
    }

    private CallRecord Record()
    {
        _words = BitConverter.ToUInt64(Read(_guest.Symbols["words"], 8));
        byte[] bytes = Read(_words, CallRecord.Words * 8);
        return new CallRecord([.. Enumerable.Range(0, CallRecord.Words).Select(i => BitConverter.ToUInt64(bytes, 8 * i))]);
    }

    private string ReadText(ulong at)
    {
        byte[] bytes = Read(at, LongestName);
        return System.Text.Encoding.ASCII.GetString(bytes.AsSpan(0, Array.IndexOf(bytes, (byte)0)));
    }

    private static ReadOnlySpan<PagePermissions> Kinds => [PagePermissions.UserRead, PagePermissions.UserExecute];

    private ulong? Physical(ulong va) => GuestKernel.Physical(Machine, _cpu!, va, Kinds);

    private byte[] Read(ulong va, int length)
    {
        var bytes = new byte[length];
        int done = GuestKernel.Read(Machine, _cpu!, va, bytes, Kinds);
        return done == length ? bytes : throw new InvalidOperationException($"the guest has no memory at 0x{va + (ulong)done:x}");
    }

    private void ReadImage(ulong at)
    {
        _imageAt = at;
        int pages = 0;
        while (pages < MostImagePages && Physical(at + (ulong)pages * PageSize) is not null)
            pages++;
        _image = Read(at, pages * PageSize);
        Symbols = [.. new ElfFile(_image).Symbols.Where(s => s.IsFunction || s.IsLabel).OrderBy(s => s.Value).ThenBy(s => s.Name)];
        _textEnd = ElfFile.Section(_image, ".text\0"u8) is { } text ? (int)(text.Address + text.Size) : _image.Length;
    }

    /// <summary>The functions of the vDSO, in the order of their addresses.</summary>
    internal IReadOnlyList<ElfSymbol> Symbols { get; private set; } = [];

    /// <summary>A place in the vDSO as symbol and offset; null: it lies elsewhere.</summary>
    internal string? Place(ulong pc)
    {
        ulong offset = pc - _imageAt;
        if (offset >= (ulong)_image.Length)
            return null;
        ElfSymbol symbol = Symbols.LastOrDefault(s => s.Value <= offset);
        return symbol.Name is null ? $"[vdso]+0x{offset:x}" : $"{symbol.Name}+0x{offset - symbol.Value:x}";
    }

    /// <summary>A place in the guest's own program, likewise.</summary>
    internal string ProgramPlace(ulong pc)
    {
        (string name, ulong at) = _guest.Symbols.Where(s => s.Value <= pc).OrderBy(s => s.Value).Select(s => (s.Key, s.Value))
            .LastOrDefault(("?", pc));
        return $"{name}+0x{pc - at:x}";
    }

    /// <inheritdoc/>
    public int CodeWords => _textEnd / 4;

    private ulong CodePa(int word) => Physical(_imageAt + (ulong)word * 4)
        ?? throw new InvalidOperationException("a page of the image is not mapped");

    /// <inheritdoc/>
    public uint CodeWord(int word) => Machine.Memory.Read<uint>(CodePa(word));

    /// <inheritdoc/>
    public void SetCodeWord(int word, uint instruction)
    {
        ulong pa = CodePa(word);
        Machine.Memory.Write(pa, instruction);
        Machine.InvalidateCode(pa, 4);
    }

    /// <inheritdoc/>
    public void Dispose() => _guest.Dispose();

    /// <summary>Stops the machine at places of the guest.</summary>
    private sealed class Unit(BootedRig rig) : DebugUnit(rig.Machine)
    {
        private bool _seeks, _passes, _offered;

        internal ulong Call { get; } = rig._guest.Symbols["check_call"];

        internal ulong Done { get; } = rig._guest.Symbols["check_done"];

        internal ulong Ready { get; } = rig._guest.Symbols["check_ready"];

        internal ulong Finished { get; } = rig._guest.Symbols["check_finished"];

        /// <summary>The next stop is at a call.</summary>
        /// <param name="passes">Not at that before which the machine stands.</param>
        internal void Seeks(bool passes) => (_seeks, _passes) = (true, passes);

        /// <summary>The next stop is behind the call.</summary>
        internal void Runs() => (_seeks, _passes) = (false, false);

        public override bool Singly(Cpu cpu) => false;

        public override bool Stops(Cpu cpu)
        {
            if (cpu.EL != 0)
                return false;
            // The instruction is looked at again when the interrupt is over.
            if (cpu.PC == Ready && (_offered = !_offered))
                rig.Offer(cpu, BootedEvent.All[0]);
            bool passed = _passes && cpu.PC == Call;
            _passes &= !passed;
            bool stops = _seeks ? cpu.PC == Finished || (cpu.PC == Call && !passed) : cpu.PC == Done;
            if (!stops)
                return false;
            rig._cpu = cpu;
            rig.Machine.StopRequested = true;
            return true;
        }

        public override bool Accesses(Cpu cpu, in Watchpoint watchpoint, ulong va) => false;

        public override void Entered(Cpu cpu, int fromEL)
        {
        }

        public override void Reached()
        {
        }
    }
}
