using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>What is known of encodings seen so far: a hash table by the instruction word.</summary>
/// <param name="make">Works it out for one encoding, from what the instruction table says about it.</param>
[NotState("the core and the encodings say it")]
internal sealed class EncodingTable<T>(Func<InstructionRoles, T> make)
    where T : class
{
    private uint[] _keys = new uint[1024];
    private T?[] _values = new T?[1024];
    private int _count;

    /// <summary>What is known of one encoding.</summary>
    public T Get(Row row, uint instruction)
    {
        int mask = _keys.Length - 1;
        int i = (int)((instruction * 0x9E3779B1u) >> 12) & mask;
        while (_values[i] is { } value)
        {
            if (_keys[i] == instruction)
                return value;
            i = (i + 1) & mask;
        }
        return Add(row, instruction);
    }

    private T Add(Row row, uint instruction)
    {
        if (_count * 2 >= _keys.Length)
            Grow();
        T value = make(InstructionRoles.Describe(row, instruction));
        Put(instruction, value);
        _count++;
        return value;
    }

    private void Put(uint instruction, T value)
    {
        int mask = _keys.Length - 1;
        int i = (int)((instruction * 0x9E3779B1u) >> 12) & mask;
        while (_values[i] is not null)
            i = (i + 1) & mask;
        _keys[i] = instruction;
        _values[i] = value;
    }

    private void Grow()
    {
        T?[] old = _values;
        uint[] oldKeys = _keys;
        _values = new T?[old.Length * 2];
        _keys = new uint[old.Length * 2];
        for (int i = 0; i < old.Length; i++)
        {
            if (old[i] is { } value)
                Put(oldKeys[i], value);
        }
    }
}
