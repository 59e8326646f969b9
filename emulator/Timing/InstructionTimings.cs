using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Timing;

/// <summary>The timings of encodings seen so far on one core: a hash table by the instruction word.</summary>
internal sealed class InstructionTimings(CoreModel model)
{
    private uint[] _keys = new uint[1024];
    private InstructionTiming?[] _values = new InstructionTiming?[1024];
    private int _count;

    /// <summary>The timing of one encoding.</summary>
    public InstructionTiming Get(Row row, uint instruction)
    {
        int mask = _keys.Length - 1;
        int i = (int)((instruction * 0x9E3779B1u) >> 12) & mask;
        while (_values[i] is { } timing)
        {
            if (_keys[i] == instruction)
                return timing;
            i = (i + 1) & mask;
        }
        return Add(row, instruction);
    }

    private InstructionTiming Add(Row row, uint instruction)
    {
        if (_count * 2 >= _keys.Length)
            Grow();
        InstructionTiming timing = model.Time(InstructionRoles.Describe(row, instruction));
        Put(instruction, timing);
        _count++;
        return timing;
    }

    private void Put(uint instruction, InstructionTiming timing)
    {
        int mask = _keys.Length - 1;
        int i = (int)((instruction * 0x9E3779B1u) >> 12) & mask;
        while (_values[i] is not null)
            i = (i + 1) & mask;
        _keys[i] = instruction;
        _values[i] = timing;
    }

    private void Grow()
    {
        InstructionTiming?[] old = _values;
        uint[] oldKeys = _keys;
        _values = new InstructionTiming?[old.Length * 2];
        _keys = new uint[old.Length * 2];
        for (int i = 0; i < old.Length; i++)
        {
            if (old[i] is { } timing)
                Put(oldKeys[i], timing);
        }
    }
}
