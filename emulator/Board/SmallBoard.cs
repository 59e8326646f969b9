using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Board;

/// <summary>What a board is started with.</summary>
public sealed record BoardSettings
{
    /// <summary>Arguments for the system software (/chosen/bootargs).</summary>
    public string Arguments { get; init; } = "";

    /// <summary>Physical addresses of the initial file system: first, and the one after the last; empty: none.</summary>
    public (ulong Start, ulong End) InitialFiles { get; init; }

    /// <summary>Seconds since 1970 at the start.</summary>
    public ulong Epoch { get; init; }

    /// <summary>Contents of the disks, which are only read.</summary>
    public IReadOnlyList<Stream> Disks { get; init; } = [];

    /// <summary>Cycles between looks for input while the PEs are busy.</summary>
    public ulong PollCycles { get; init; } = 10_000_000;
}

/// <summary>A small board: the PEs of a machine with translation by tables, GICv3, generic timers, PSCI by HVC, a serial line (PL011), a
/// clock (PL031), and over virtio disks and an entropy source. RAM starts at physical address 0; devices lie where QEMU's virt machine
/// has them, 128 GiB higher. What the host sends enters at defined points: when the guest reads the serial line, each
/// <see cref="BoardSettings.PollCycles"/>, and when all PEs wait.</summary>
public sealed class SmallBoard : IDeviceBus, IHypercallHandler
{
    private const ulong DeviceBase = 0x20_0000_0000;
    private const ulong DistributorBase = DeviceBase + 0x0800_0000, RedistributorBase = DeviceBase + 0x080A_0000,
        SerialBase = DeviceBase + 0x0900_0000, ClockBase = DeviceBase + 0x0901_0000;

    private const ulong VirtioBase = DeviceBase + 0x0A00_0000, VirtioSize = 0x200;
    private const int SerialInterrupt = 33, ClockInterrupt = 34, VirtioInterrupt = 48;
    private const uint GicHandle = 1, ClockHandle = 2;
    private readonly Machine _machine;
    private readonly ISerialLine _line;
    [NotState("what it was started with")]
    private readonly BoardSettings _settings;
    private readonly Gic _gic;
    private readonly Firmware _firmware;
    private readonly Pl011 _serial;
    private readonly List<Mapped> _devices = [];
    private readonly int _virtio;

    private sealed record Mapped(ulong Base, Device Device);
    private ulong _nextPoll;
    [NotState("a request from outside")]
    private volatile bool _stopped;

    /// <summary>Puts a machine on a board: its PEs are reset, all but the first off.</summary>
    /// <param name="machine">A machine that has not run and has a CPU profile.</param>
    /// <param name="line">The host's side of the serial line.</param>
    /// <param name="settings">What it is started with.</param>
    public SmallBoard(Machine machine, ISerialLine line, BoardSettings settings)
    {
        _machine = machine;
        _line = line;
        _settings = settings;
        _nextPoll = settings.PollCycles;
        machine.TranslateByTables();
        foreach (Cpu cpu in machine.Cpus.Skip(1))
            cpu.Off = cpu.Waiting = true;
        _gic = new Gic(machine);
        _firmware = new Firmware(machine);
        _serial = new Pl011(line, high => _gic.SetLevel(SerialInterrupt, high));
        _devices.Add(new Mapped(SerialBase, _serial));
        _devices.Add(new Mapped(ClockBase, new Pl031(pe => settings.Epoch + machine.Cpus[pe].Cycles / machine.ClockFrequency)));
        _devices.Add(new Mapped(DistributorBase, _gic.Distributor));
        _devices.Add(new Mapped(RedistributorBase, _gic.Redistributors));
        var memory = new GuestMemory(machine);
        foreach (VirtioFunction function in settings.Disks.Select(VirtioFunction (d) => new VirtioBlock(d))
            .Append(new VirtioEntropy(machine.Seed)))
        {
            int interrupt = VirtioInterrupt + _virtio++;
            _devices.Add(new Mapped(
                VirtioBase + VirtioSize * (ulong)(interrupt - VirtioInterrupt),
                new VirtioDevice(function, memory, high => _gic.SetLevel(interrupt, high))));
        }
        machine.Devices = this;
        machine.Attach(this);
    }

    /// <summary>What ended the run.</summary>
    public BoardEnd End => _firmware.End;

    /// <summary>Starts the first PE: MMU off, X0 the device tree.</summary>
    /// <param name="entry">Physical address of the first instruction.</param>
    /// <param name="tree">Physical address of the device tree.</param>
    public void Start(ulong entry, ulong tree)
    {
        Cpu cpu = _machine.Cpus[0];
        cpu.PC = entry;
        cpu.SetX(0, tree);
    }

    /// <summary>Ends <see cref="Run"/> at once and for ever, from any thread.</summary>
    public void Stop()
    {
        _stopped = true;
        _machine.StopRequested = true;
    }

    /// <summary>Runs until the guest ends, <see cref="Stop"/>, or a PE reaches <paramref name="maxCycles"/>.</summary>
    /// <returns>False when <paramref name="maxCycles"/> ended the run.</returns>
    public bool Run(ulong maxCycles = ulong.MaxValue)
    {
        while (true)
        {
            if (_machine.Run(Math.Min(_nextPoll, maxCycles)) || _machine.StopRequested || _stopped)
                return true;
            ulong now = _machine.NextCycle;
            if (now >= maxCycles)
                return false;
            _nextPoll = (now / _settings.PollCycles + 1) * _settings.PollCycles;
            _gic.Now = now;
            _serial.Poll(false);
        }
    }

    /// <summary>What the host has for the serial line comes in now, in the middle of a PE's turn: an interrupt that follows from it is
    /// taken behind the instruction that is executed, when the PE takes interrupts.</summary>
    /// <param name="cpu">The PE whose cycle it is.</param>
    public void TakeInput(Cpu cpu)
    {
        _gic.Now = cpu.Cycles;
        _serial.Poll(false);
    }

    /// <summary>Saves the board and its machine. It must not be running, and stand where <see cref="Machine.PauseAt"/> put it for the
    /// cycles to be the same afterwards.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(Stream stream)
    {
        foreach (Cpu cpu in _machine.Cpus)
            _ = cpu.Timing.Counters(0);
        StateWalk.Save(stream, _machine, this);
        _machine.Memory.Save(stream);
    }

    /// <summary>Restores what <see cref="Save"/> saved of a board like this one, with the same disks, before it has run.</summary>
    /// <exception cref="StateException">That was another board.</exception>
    /// <exception cref="EndOfStreamException">There is not enough.</exception>
    public void Restore(Stream stream)
    {
        StateWalk.Restore(stream, _machine, this);
        _machine.Memory.Restore(stream);
        foreach (Cpu cpu in _machine.Cpus)
            cpu.SelectTranslation();
    }

    /// <summary>A digest of what this build of the emulator saves of the board: only a board of the same can be restored.</summary>
    public byte[] StateShape() => StateWalk.Shape(_machine, this);

    /// <inheritdoc/>
    public void Hypercall(Cpu cpu, int imm16)
    {
        if (imm16 == 0)
            _firmware.Call(cpu);
        else
            cpu.Undefined();
    }

    /// <inheritdoc/>
    public void Idle(ulong now, ulong until)
    {
        _line.Idle(TimeSpan.FromSeconds((double)(until - now) / _machine.ClockFrequency));
        _gic.Now = now;
        _serial.Poll(true);
    }

    /// <inheritdoc/>
    public bool AllWaiting()
    {
        _gic.Now = _machine.Cpus.Max(c => c.Cycles);
        if (_line.WaitForInput())
        {
            _serial.Poll(true);
            if (_machine.NextCycle != ulong.MaxValue)
                return true;
        }
        _firmware.End = BoardEnd.Stuck;
        return false;
    }

    private Device? Find(ulong pa, out ulong offset)
    {
        foreach ((ulong start, Device device) in _devices)
        {
            offset = pa - start;
            if (offset < device.Size)
                return device;
        }
        offset = 0;
        return null;
    }

    /// <inheritdoc/>
    public bool Read(int pe, ulong pa, int size, out ulong value)
    {
        Device? device = Find(pa, out ulong offset);
        _gic.Now = _machine.Cpus[pe].Cycles;
        value = device?.Read(pe, offset, size) ?? 0;
        return device is not null;
    }

    /// <inheritdoc/>
    public bool Write(int pe, ulong pa, int size, ulong value)
    {
        Device? device = Find(pa, out ulong offset);
        _gic.Now = _machine.Cpus[pe].Cycles;
        device?.Write(pe, offset, size, value);
        return device is not null;
    }

    /// <summary>The device tree of the board (bindings: Linux, Documentation/devicetree/bindings).</summary>
    public byte[] MakeDeviceTree()
    {
        var tree = new DeviceTree();
        tree.Open("");
        tree.Text("compatible", "linux,dummy-virt");
        tree.Text("model", "armvdso");
        tree.Cells("#address-cells", 2);
        tree.Cells("#size-cells", 2);
        tree.Cells("interrupt-parent", GicHandle);
        tree.Open("chosen");
        tree.Text("bootargs", _settings.Arguments);
        tree.Text("stdout-path", $"/pl011@{SerialBase:x}");
        if (_settings.InitialFiles.End != 0)
        {
            tree.Wide("linux,initrd-start", _settings.InitialFiles.Start);
            tree.Wide("linux,initrd-end", _settings.InitialFiles.End);
        }
        ulong seed = _machine.Seed;
        tree.Wide("rng-seed", Mix(ref seed), Mix(ref seed), Mix(ref seed), Mix(ref seed));
        tree.Close();
        tree.Open("memory@0");
        tree.Text("device_type", "memory");
        tree.Wide("reg", 0, _machine.Memory.Size);
        tree.Close();
        Processors(tree);
        tree.Open("psci");
        tree.Text("compatible", "arm,psci-1.0", "arm,psci-0.2", "arm,psci");
        tree.Text("method", "hvc");
        tree.Close();
        tree.Open("timer");
        tree.Text("compatible", "arm,armv8-timer");
        // Secure physical (absent here, its number is reserved), physical, virtual, hypervisor: PPIs, level high.
        tree.Cells("interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
        tree.Flag("always-on");
        tree.Close();
        Controllers(tree);
        Virtio(tree);
        tree.Close();
        return tree.ToBytes();
    }

    private void Processors(DeviceTree tree)
    {
        tree.Open("cpus");
        tree.Cells("#address-cells", 1);
        tree.Cells("#size-cells", 0);
        for (int i = 0; i < _machine.Cpus.Count; i++)
        {
            tree.Open($"cpu@{i:x}");
            tree.Text("device_type", "cpu");
            tree.Text("compatible", "arm,armv8");
            tree.Cells("reg", Gic.Affinity(i));
            tree.Text("enable-method", "psci");
            tree.Close();
        }
        tree.Close();
    }

    private void Controllers(DeviceTree tree)
    {
        tree.Open($"intc@{DistributorBase:x}");
        tree.Text("compatible", "arm,gic-v3");
        tree.Cells("#interrupt-cells", 3);
        tree.Cells("#address-cells", 2);
        tree.Cells("#size-cells", 2);
        tree.Flag("interrupt-controller");
        tree.Cells("phandle", GicHandle);
        tree.Wide("reg", DistributorBase, _gic.Distributor.Size, RedistributorBase, _gic.Redistributors.Size);
        tree.Close();
        tree.Open("apb-pclk");
        tree.Text("compatible", "fixed-clock");
        tree.Cells("#clock-cells", 0);
        tree.Cells("clock-frequency", 24_000_000);
        tree.Text("clock-output-names", "clk24mhz");
        tree.Cells("phandle", ClockHandle);
        tree.Close();
        tree.Open($"pl011@{SerialBase:x}");
        tree.Text("compatible", "arm,pl011", "arm,primecell");
        tree.Wide("reg", SerialBase, 0x1000);
        tree.Cells("interrupts", 0, SerialInterrupt - 32, 4);
        tree.Cells("clocks", ClockHandle, ClockHandle);
        tree.Text("clock-names", "uartclk", "apb_pclk");
        tree.Close();
        tree.Open($"pl031@{ClockBase:x}");
        tree.Text("compatible", "arm,pl031", "arm,primecell");
        tree.Wide("reg", ClockBase, 0x1000);
        tree.Cells("interrupts", 0, ClockInterrupt - 32, 4);
        tree.Cells("clocks", ClockHandle);
        tree.Text("clock-names", "apb_pclk");
        tree.Close();
    }

    private void Virtio(DeviceTree tree)
    {
        for (int i = 0; i < _virtio; i++)
        {
            ulong at = VirtioBase + VirtioSize * (ulong)i;
            tree.Open($"virtio_mmio@{at:x}");
            tree.Text("compatible", "virtio,mmio");
            tree.Wide("reg", at, VirtioSize);
            tree.Cells("interrupts", 0, (uint)(VirtioInterrupt + i - 32), 4);
            tree.Flag("dma-coherent");
            tree.Close();
        }
    }

    private static ulong Mix(ref ulong state) => SplitMix.Mix(state += 0x9E3779B97F4A7C15);
}
