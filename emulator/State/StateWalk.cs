using System.Buffers.Binary;
using System.Collections;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;

namespace ArmVdso.Emulator.State;

/// <summary>Saves and restores all fields of objects and of the objects that they refer to. Every field is state unless it says otherwise
/// (<see cref="NotStateAttribute"/>) or is a delegate, and one of a kind that cannot be saved is an error. So a new field is saved without
/// another word, and none is forgotten. Objects are not made: who restores has made the same ones, from the same settings, and gets their
/// contents; what never changes is compared.</summary>
internal sealed class StateWalk
{
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

    private static bool IsPlain(Type type) => type.IsValueType
        && !(bool)Generic(typeof(RuntimeHelpers), nameof(RuntimeHelpers.IsReferenceOrContainsReferences), type).Invoke(null, null)!;

    private static MethodInfo Generic(Type owner, string name, Type of) =>
        owner.GetMethod(name, Declared | BindingFlags.Static)!.MakeGenericMethod(of);

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
            object saved = Invoke(nameof(Plain), field.FieldType, value!)!;
            if (!_restores)
                return;
            if (!field.IsInitOnly)
                field.SetValue(owner, saved);
            else if (!saved.Equals(value))
                throw Wrong($"is {value} here and was {saved}");
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
                Invoke(nameof(Elements), element!, array);
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

    private object? Invoke(string method, Type of, object argument)
    {
        try
        {
            return Generic(typeof(StateWalk), method, of).Invoke(this, [argument]);
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }

    private T Plain<T>(T value)
        where T : struct
    {
        Bytes(MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    private object? Elements<T>(T[] array)
        where T : struct
    {
        Bytes(MemoryMarshal.AsBytes(array.AsSpan()));
        return null;
    }

    private void Blocks(Dictionary<ulong, byte[]> blocks)
    {
        (ulong Key, byte[] Bytes)[] saved = [.. blocks.OrderBy(b => b.Key).Select(b => (b.Key, b.Value))];
        int count = Number(saved.Length);
        if (_restores)
        {
            blocks.Clear();
            for (int i = 0; i < count; i++)
                blocks.Add(Plain(0UL), Bytes(new byte[Length(Number(0))]).ToArray());
            return;
        }
        foreach ((ulong key, byte[] bytes) in saved)
        {
            Plain(key);
            Number(bytes.Length);
            Bytes(bytes);
        }
    }

    private const int LongestBlock = 1 << 20;

    private static int Length(int length) => length is >= 0 and <= LongestBlock ? length : throw new StateException("a block is too long");

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
