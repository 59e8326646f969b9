using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace ArmVdso.Emulator.State;

/// <summary>Saves and restores all fields of objects and of the objects that they refer to. Every field is state unless it says otherwise
/// (<see cref="NotStateAttribute"/>) or is a delegate, and one of a kind that cannot be saved is an error. So a new field is saved without
/// another word, and none is forgotten. Objects are not made: who restores has made the same ones, from the same settings, and gets their
/// contents; what never changes is compared.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Whole)]
[UnconditionalSuppressMessage("Trimming", "IL2072", Justification = Whole)]
[UnconditionalSuppressMessage("Trimming", "IL2075", Justification = Whole)]
internal sealed partial class StateWalk
{
    private const string Whole = "A command compiled ahead has this assembly whole (TrimmerRootAssembly).";

    private const BindingFlags Declared =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly Stream _stream;
    private readonly bool _restores;
    private readonly IncrementalHash _shape = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly HashSet<Type> _types = [];
    private readonly Dictionary<object, int> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly List<object> _objects = [];

    private StateWalk(Stream stream, bool restores) => (_stream, _restores) = (stream, restores);

    /// <summary>Saves the state of objects.</summary>
    /// <exception cref="StateException">A field cannot be saved: an error of ours.</exception>
    internal static void Save(Stream stream, params ReadOnlySpan<object> roots) => new StateWalk(stream, false).Walk(roots);

    /// <summary>Restores it into the same objects, made anew.</summary>
    /// <exception cref="StateException">They are others.</exception>
    /// <exception cref="EndOfStreamException">There is not enough.</exception>
    internal static void Restore(Stream stream, params ReadOnlySpan<object> roots) => new StateWalk(stream, true).Walk(roots);

    /// <summary>A digest of the types and fields that hold the state of objects: what was saved under another one cannot be restored
    /// here.</summary>
    internal static byte[] Shape(params ReadOnlySpan<object> roots)
    {
        var walk = new StateWalk(Stream.Null, false);
        walk.Walk(roots);
        return walk._shape.GetHashAndReset();
    }

    /// <summary>The fields of a type that are state.</summary>
    internal static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        for (Type? t = type; t is not null && t != typeof(object); t = t.BaseType)
        {
            if (IsNone(t))
                continue;
            foreach (FieldInfo field in t.GetFields(Declared).OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                if (!field.IsDefined(typeof(NotStateAttribute)) && !typeof(Delegate).IsAssignableFrom(field.FieldType)
                    && !IsNone(field.FieldType))
                    yield return field;
            }
        }
    }

    private static bool IsNone(Type type) => type.IsDefined(typeof(NotStateAttribute), false);

    /// <summary>Whether values of a type are nothing but their bytes.</summary>
    private static bool IsPlain(Type type) => type.IsPrimitive || type.IsEnum
        || (type.IsValueType && type.GetFields(Declared).All(f => IsPlain(f.FieldType)));

    private void Walk(ReadOnlySpan<object> roots)
    {
        foreach (object root in roots)
            _ = NumberOf(root);
        // Objects that are found join the end.
        for (int i = 0; i < _objects.Count; i++)
        {
            object o = _objects[i];
            bool seen = !_types.Add(o.GetType());
            foreach (FieldInfo field in FieldsOf(o.GetType()))
            {
                if (!seen)
                    _shape.AppendData(Encoding.UTF8.GetBytes($"{field.DeclaringType}.{field.Name}:{field.FieldType}\n"));
                Field(o, field);
            }
        }
    }

    private int NumberOf(object o)
    {
        if (_numbers.TryGetValue(o, out int number))
            return number;
        _numbers.Add(o, _objects.Count);
        _objects.Add(o);
        return _objects.Count - 1;
    }

    private void Field(object owner, FieldInfo field)
    {
        object? value = field.GetValue(owner);
        StateException Wrong(string what) => new($"{owner.GetType().Name}.{field.Name} {what}");
        if (IsPlain(field.FieldType))
        {
            // The value is in a box of its own, and is written back from there.
            Span<byte> bytes = BytesOf(value!);
            byte[] here = bytes.ToArray();
            Bytes(bytes);
            if (!_restores)
                return;
            if (!field.IsInitOnly)
                field.SetValue(owner, value);
            else if (!bytes.SequenceEqual(here))
                throw Wrong($"is another one than the saved {value}");
        }
        else if (field.FieldType.IsValueType)
        {
            throw Wrong($"is of type {field.FieldType.Name}, which holds references");
        }
        else
        {
            object? found = Reference(value, Wrong);
            if (ReferenceEquals(found, value))
                return;
            if (field.IsInitOnly)
                throw Wrong("refers to something else");
            field.SetValue(owner, found);
        }
    }

    /// <summary>What a field or an element refers to, and what is in it.</summary>
    /// <returns>What it is to refer to: another one of the objects, or null, after restoring.</returns>
    private object? Reference(object? value, Func<string, StateException> wrong)
    {
        int kind = Number(value is null ? 0 : 1);
        if (kind == 0)
            return null;
        Type type = value is null ? throw wrong("is there in the saved state only") : value.GetType();
        Type? element = type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[0] : null;
        switch (value)
        {
            case string text:
                byte[] bytes = Encoding.UTF8.GetBytes(text);
                if (Number(bytes.Length) != bytes.Length || !Bytes([.. bytes]).SequenceEqual(bytes))
                    throw wrong("is another text");
                return value;
            case Array array when array.Rank == 1 && IsPlain(element!):
                if (Number(array.Length) != array.Length)
                    throw wrong("has another length");
                Bytes(BytesOf(array, element!));
                return value;
            case Array { Rank: 1 } or IList when !element!.IsValueType:
                var list = (IList)value;
                if (Number(list.Count) != list.Count)
                    throw wrong("has another length");
                for (int i = 0; i < list.Count; i++)
                {
                    object? found = Reference(list[i], wrong);
                    if (!ReferenceEquals(found, list[i]))
                        list[i] = found;
                }
                return value;
            case Dictionary<ulong, byte[]> blocks:
                Blocks(blocks);
                return value;
            case Queue<byte> queue:
                Span<byte> queued = queue.ToArray();
                int count = Number(queued.Length);
                if (_restores)
                {
                    queue.Clear();
                    foreach (byte b in Bytes(new byte[count]))
                        queue.Enqueue(b);
                }
                else
                {
                    Bytes(queued);
                }
                return value;
            case not null when type.Assembly == typeof(StateWalk).Assembly:
                int number = NumberOf(value), saved = Number(number);
                return (uint)saved < (uint)_objects.Count && _objects[saved].GetType() == type
                    ? _objects[saved]
                    : throw wrong("refers to something else");
            default:
                throw wrong($"holds a {type.Name}, which is neither state that can be saved nor said to be none");
        }
    }

    private void Blocks(Dictionary<ulong, byte[]> blocks)
    {
        (ulong Key, byte[] Bytes)[] saved = [.. blocks.OrderBy(b => b.Key).Select(b => (b.Key, b.Value))];
        int count = Number(saved.Length);
        if (_restores)
        {
            blocks.Clear();
            for (int i = 0; i < count; i++)
                blocks.Add(Key(0), Bytes(new byte[Length(Number(0))]).ToArray());
            return;
        }
        foreach ((ulong key, byte[] bytes) in saved)
        {
            Key(key);
            Number(bytes.Length);
            Bytes(bytes);
        }
    }

    private const int LongestBlock = 1 << 20;

    private static int Length(int length) => length is >= 0 and <= LongestBlock ? length : throw new StateException("a block is too long");

    private ulong Key(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return BinaryPrimitives.ReadUInt64LittleEndian(Bytes(bytes));
    }

    private int Number(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return BinaryPrimitives.ReadInt32LittleEndian(Bytes(bytes));
    }

    /// <summary>Writes bytes, or reads them into their place.</summary>
    private Span<byte> Bytes(Span<byte> bytes)
    {
        if (_restores)
            _stream.ReadExactly(bytes);
        else
            _stream.Write(bytes);
        return bytes;
    }
}
