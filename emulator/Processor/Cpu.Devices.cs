using System.Diagnostics.CodeAnalysis;
using ArmVdso.Emulator.Memory;

namespace ArmVdso.Emulator.Processor;

/// <summary>Accesses to physical addresses that are not RAM. They are neither cached nor timed: such a load or store costs what one
/// costs that accesses nothing.</summary>
public sealed partial class Cpu
{
    /// <summary>Accesses to devices made.</summary>
    internal ulong DeviceAccesses { get; private set; }

    /// <summary>An engine executes ahead of the PE's clock: an access to a device must be left to the reference engine. It makes an
    /// exception pending that is to be dropped.</summary>
    internal bool DevicesDeferred { get; set; }

    private bool DeviceLoad<T>(ulong va, ulong pa, out T value) where T : unmanaged
    {
        value = default;
        int size = Unsafe.SizeOf<T>();
        if (!DeviceAnswers(va, pa, size, false, out IDeviceBus? bus))
            return false;
        ulong low, high = 0;
        if (!bus.Read(Index, pa, Math.Min(size, 8), out low) || (size == 16 && !bus.Read(Index, pa + 8, 8, out high)))
        {
            DataAbort(va, false, FaultStatus.External);
            return false;
        }
        var both = new V128(low, high);
        value = Unsafe.As<V128, T>(ref both);
        return true;
    }

    private bool DeviceStore<T>(ulong va, ulong pa, T value) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        if (!DeviceAnswers(va, pa, size, true, out IDeviceBus? bus))
            return false;
        V128 both = default;
        Unsafe.As<V128, T>(ref both) = value;
        if (bus.Write(Index, pa, Math.Min(size, 8), both.Lo) && (size < 16 || bus.Write(Index, pa + 8, 8, both.Hi)))
            return true;
        DataAbort(va, true, FaultStatus.External);
        return false;
    }

    /// <summary>Whether an access may go to the bus now.</summary>
    private bool DeviceAnswers(ulong va, ulong pa, int size, bool write, [NotNullWhen(true)] out IDeviceBus? bus)
    {
        bus = Machine.Devices;
        if (DevicesDeferred)
        {
            Undefined();
            return false;
        }
        if (bus is null)
            throw new InvalidOperationException($"physical address 0x{pa:x} is outside RAM of 0x{_ram.Size:x} bytes");
        if ((pa & (ulong)(Math.Min(size, 8) - 1)) != 0)
        {
            DataAbort(va, write, FaultStatus.Alignment);
            return false;
        }
        DeviceAccesses++;
        CatchUpTimers();
        return true;
    }

    /// <summary>Whether both halves of an access over the boundary of a page are in RAM; a Data Abort is pending when not.</summary>
    private bool BothInRam(ulong va, ulong first, int firstSize, ulong second, int secondSize, bool write)
    {
        if (_ram.Contains(first, firstSize) && _ram.Contains(second, secondSize))
            return true;
        DataAbort(va, write, FaultStatus.Alignment);
        return false;
    }
}
