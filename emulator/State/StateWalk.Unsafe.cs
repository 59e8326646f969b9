namespace ArmVdso.Emulator.State;

internal sealed partial class StateWalk
{
    /// <summary>The bytes of a boxed value, in its box.</summary>
    private static Span<byte> BytesOf(object value) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<Box>(value).First, RuntimeHelpers.SizeOf(value.GetType().TypeHandle));

    /// <summary>The bytes of an array of plain values.</summary>
    private static Span<byte> BytesOf(Array array, Type element) => MemoryMarshal.CreateSpan(
        ref MemoryMarshal.GetArrayDataReference(array), checked(array.Length * RuntimeHelpers.SizeOf(element.TypeHandle)));

    /// <summary>What a box looks like: its value begins where an object's first field does.</summary>
    private sealed class Box
    {
        public byte First = 0;
    }
}
