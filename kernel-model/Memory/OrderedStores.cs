using System.Runtime.CompilerServices;

namespace ArmVdso.Kernel.Memory;

/// <summary>A store that was held back.</summary>
/// <param name="Pa">Physical address.</param>
/// <param name="Size">Bytes: 1, 2, 4 or 8.</param>
/// <param name="Value">What is stored, zero-extended.</param>
/// <param name="Segment">Number of write barriers before it: stores of one segment may become visible in any order.</param>
public readonly record struct HeldStore(ulong Pa, int Size, ulong Value, int Segment);

/// <summary>RAM as code of the C# kernel writes it where user space reads along without a lock (the vvar pages). The guest
/// sees such an update at once, because it is made between two instructions; for exhaustive exploration the stores can be
/// held back and made visible one at a time, as another CPU would see them.</summary>
internal sealed class OrderedStores(PhysicalMemory memory)
{
    private int _segment;

    /// <summary>Pages whose stores are held back, and where they go; null: nothing is held back.</summary>
    internal (IReadOnlyCollection<ulong> Pages, List<HeldStore> Stores)? Hold { get; private set; }

    /// <summary>Holds back all stores to these pages from now on.</summary>
    internal void HoldBack(IReadOnlyCollection<ulong> pages, List<HeldStore> stores)
    {
        _segment = 0;
        Hold = (pages, stores);
    }

    /// <summary>Stores reach RAM again.</summary>
    internal void LetGo() => Hold = null;

    internal T Read<T>(ulong pa) where T : unmanaged => memory.Read<T>(pa);

    internal void Write<T>(ulong pa, T value) where T : unmanaged
    {
        if (Hold is { } hold && hold.Pages.Contains(pa & ~0xfffUL))
            hold.Stores.Add(new HeldStore(pa, Unsafe.SizeOf<T>(), Bits(value), _segment));
        else
            memory.Write(pa, value);
    }

    /// <summary>smp_wmb: the stores before it are visible before those after it.</summary>
    internal void WriteBarrier() => _segment++;

    private static ulong Bits<T>(T value) where T : unmanaged => Unsafe.SizeOf<T>() switch
    {
        1 => Unsafe.As<T, byte>(ref value),
        2 => Unsafe.As<T, ushort>(ref value),
        4 => Unsafe.As<T, uint>(ref value),
        8 => Unsafe.As<T, ulong>(ref value),
        _ => throw new ArgumentException($"a store of {Unsafe.SizeOf<T>()} bytes", nameof(value)),
    };
}
