namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>Guest RAM at host addresses that a <see cref="FastEntry"/> vouches for.</summary>
internal static unsafe class HostMemory
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Read<T>(ulong host) where T : unmanaged => Unsafe.ReadUnaligned<T>((void*)host);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write<T>(ulong host, T value) where T : unmanaged => Unsafe.WriteUnaligned((void*)host, value);
}
