using System.Buffers.Binary;

namespace ArmVdso.Emulator.Board;

/// <summary>One buffer of a request, in guest RAM.</summary>
/// <param name="Address">Physical address.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Writable">The device writes it; otherwise it reads it.</param>
internal readonly record struct VirtioBuffer(ulong Address, int Length, bool Writable);

/// <summary>What a virtio device does with requests.</summary>
internal abstract class VirtioFunction
{
    /// <summary>Device ID (Virtual I/O Device 1.2, chapter 5).</summary>
    internal abstract uint Id { get; }

    /// <summary>Feature bits that it offers.</summary>
    internal abstract ulong Features { get; }

    /// <summary>Number of queues.</summary>
    internal virtual int Queues => 1;

    /// <summary>Its configuration space.</summary>
    internal virtual ReadOnlySpan<byte> Configuration => [];

    /// <summary>Carries a request out.</summary>
    /// <param name="memory">RAM; what is written there goes by <see cref="GuestMemory.Write"/>.</param>
    /// <param name="buffers">Its buffers.</param>
    /// <returns>Bytes written to them.</returns>
    internal abstract int Request(GuestMemory memory, IReadOnlyList<VirtioBuffer> buffers);
}

/// <summary>RAM as a device that masters the bus sees it.</summary>
internal sealed class GuestMemory(Machine machine)
{
    /// <summary>Whether a range lies in RAM.</summary>
    internal bool Contains(ulong address, int length) => length >= 0 && machine.Memory.Contains(address, length);

    /// <summary>Bytes to read.</summary>
    internal ReadOnlySpan<byte> Read(ulong address, int length) => machine.Memory.Span(address, length);

    /// <summary>Writes bytes: exclusives and decoded code notice.</summary>
    internal void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            return;
        bytes.CopyTo(machine.Memory.Span(address, bytes.Length));
        machine.NotifyWrite(address, bytes.Length);
    }
}

/// <summary>Virtio over MMIO, version 2, with split virtqueues (Virtual I/O Device 1.2, 4.2.2 and 2.7). A request is carried out while the
/// guest notifies of it, so it takes no time.</summary>
/// <param name="function">What it is.</param>
/// <param name="memory">RAM.</param>
/// <param name="interrupt">Told the level of the interrupt.</param>
internal sealed class VirtioDevice(VirtioFunction function, GuestMemory memory, Action<bool> interrupt) : Device(0x200)
{
    private const uint MostEntries = 256, NeedsReset = 0x40, DriverOk = 4;
    private const ulong Version1 = 1UL << 32;
    private readonly Queue[] _queues = [.. Enumerable.Range(0, function.Queues).Select(_ => new Queue())];
    private uint _featurePage, _driverPage, _selected, _status, _interrupts;
    private ulong _accepted;

    private sealed class Queue
    {
        internal uint Entries = MostEntries;
        internal bool Ready;
        internal ulong Descriptors, Driver, Device;
        internal ushort Seen;

        internal void Reset() => (Entries, Ready, Descriptors, Driver, Device, Seen) = (MostEntries, false, 0, 0, 0, 0);
    }

    private Queue? Selected => _selected < (uint)_queues.Length ? _queues[_selected] : null;

    /// <inheritdoc/>
    internal override ulong Read(int pe, ulong offset, int size) => offset switch
    {
        0x000 => 0x74726976,
        0x004 => 2,
        0x008 => function.Id,
        0x00C => 0x41564456,
        0x010 => _featurePage < 2 ? (uint)((function.Features | Version1) >> (32 * (int)_featurePage)) : 0,
        0x034 => Selected is null ? 0 : MostEntries,
        0x044 => Selected is { Ready: true } ? 1u : 0,
        0x060 => _interrupts,
        0x070 => _status,
        >= 0x100 => ReadConfiguration((int)offset - 0x100, size),
        _ => 0,
    };

    private ulong ReadConfiguration(int at, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        ReadOnlySpan<byte> all = function.Configuration;
        if (at < all.Length)
            all[at..Math.Min(all.Length, at + size)].CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <inheritdoc/>
    internal override void Write(int pe, ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case 0x014: _featurePage = (uint)value; break;
            case 0x020 when _driverPage < 2:
                int shift = 32 * (int)_driverPage;
                _accepted = (_accepted & ~(0xFFFF_FFFFUL << shift)) | value << shift;
                break;
            case 0x024: _driverPage = (uint)value; break;
            case 0x030: _selected = (uint)value; break;
            case 0x050: Notify((uint)value); break;
            case 0x064: SetInterrupts(_interrupts & ~(uint)value); break;
            case 0x070: SetStatus((uint)value); break;
            default:
                if (Selected is { } queue)
                    WriteQueue(queue, offset, (uint)value);
                break;
        }
    }

    private static void WriteQueue(Queue queue, ulong offset, uint value)
    {
        switch (offset)
        {
            case 0x038: queue.Entries = value; break;
            case 0x044: queue.Ready = (value & 1) != 0; break;
            case 0x080: SetLow(ref queue.Descriptors, value); break;
            case 0x084: SetHigh(ref queue.Descriptors, value); break;
            case 0x090: SetLow(ref queue.Driver, value); break;
            case 0x094: SetHigh(ref queue.Driver, value); break;
            case 0x0A0: SetLow(ref queue.Device, value); break;
            case 0x0A4: SetHigh(ref queue.Device, value); break;
        }
    }

    private static void SetLow(ref ulong address, uint value) => address = (address & ~0xFFFF_FFFFUL) | value;

    private static void SetHigh(ref ulong address, uint value) => address = (uint)address | (ulong)value << 32;

    private void SetStatus(uint value)
    {
        // FEATURES_OK stays clear unless the driver knows version 1.
        const uint featuresOk = 8;
        if ((value & featuresOk) != 0 && (_accepted & ~(function.Features | Version1)) == 0 && (_accepted & Version1) != 0)
            _status |= featuresOk;
        _status = value == 0 ? 0 : (value & ~featuresOk) | (_status & (featuresOk | NeedsReset));
        if (value != 0)
            return;
        foreach (Queue queue in _queues)
            queue.Reset();
        _accepted = 0;
        SetInterrupts(0);
    }

    private void SetInterrupts(uint value)
    {
        _interrupts = value;
        interrupt(value != 0);
    }

    private void Notify(uint index)
    {
        if (index >= (uint)_queues.Length || !_queues[index].Ready || (_status & (DriverOk | NeedsReset)) != DriverOk)
            return;
        if (Work(_queues[index]))
            return;
        // A queue that cannot be: the device says so, and does nothing until it is reset.
        _status |= NeedsReset;
        SetInterrupts(_interrupts | 2);
    }

    /// <returns>False: the queue is not well formed.</returns>
    private bool Work(Queue queue)
    {
        uint entries = queue.Entries;
        bool well = entries is > 0 and <= MostEntries && (entries & (entries - 1)) == 0
            && memory.Contains(queue.Descriptors, (int)entries * 16) && memory.Contains(queue.Driver, 6 + 2 * (int)entries)
            && memory.Contains(queue.Device, 6 + 8 * (int)entries);
        if (!well)
            return false;
        bool any = false;
        var buffers = new List<VirtioBuffer>();
        Span<byte> used = stackalloc byte[8];
        while (Half(queue.Driver + 2) != queue.Seen)
        {
            uint head = Half(queue.Driver + 4 + 2 * (queue.Seen & (entries - 1)));
            buffers.Clear();
            if (!Collect(queue, head, buffers))
                return false;
            int written = function.Request(memory, buffers);
            BinaryPrimitives.WriteUInt32LittleEndian(used, head);
            BinaryPrimitives.WriteUInt32LittleEndian(used[4..], (uint)written);
            memory.Write(queue.Device + 4 + 8 * (queue.Seen & (entries - 1)), used);
            queue.Seen++;
            BinaryPrimitives.WriteUInt16LittleEndian(used, queue.Seen);
            memory.Write(queue.Device + 2, used[..2]);
            any = true;
        }
        if (any && (Half(queue.Driver) & 1) == 0)
            SetInterrupts(_interrupts | 1);
        return true;
    }

    private bool Collect(Queue queue, uint head, List<VirtioBuffer> buffers)
    {
        for (uint at = head; at < queue.Entries && buffers.Count <= queue.Entries;)
        {
            ReadOnlySpan<byte> descriptor = memory.Read(queue.Descriptors + 16 * at, 16);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(descriptor);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[8..]);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]);
            if (length > int.MaxValue || !memory.Contains(address, (int)length) || (flags & 4) != 0)
                return false;
            buffers.Add(new VirtioBuffer(address, (int)length, (flags & 2) != 0));
            if ((flags & 1) == 0)
                return true;
            at = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[14..]);
        }
        return false;
    }

    private ushort Half(ulong address) => BinaryPrimitives.ReadUInt16LittleEndian(memory.Read(address, 2));
}
