using System.Numerics;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.MemoryModel;

/// <summary>An access as it was made.</summary>
/// <param name="Address">Physical address.</param>
/// <param name="IsWrite">It stored.</param>
/// <param name="Value">The bytes that were loaded or stored.</param>
public readonly record struct ObservedAccess(ulong Address, bool IsWrite, byte[] Value);

/// <summary>Makes the events of a thread from the instructions that it executes, one after another. Which register depends on which
/// loads is followed through the operands that the instruction table says, and through memory: a load depends on what the thread's last
/// store to the same bytes depends on (lmrs of aarch64.cat).</summary>
public sealed class ThreadRecorder
{
    private readonly Dependencies[] _general = new Dependencies[32];
    private readonly Dependencies[] _vector = new Dependencies[32];
    private readonly List<MemoryEvent> _events = [];
    private readonly Dictionary<ulong, Dependencies> _memory = [];
    private Dependencies _flags;
    private Dependencies _control;
    private int _instruction = -1;
    private int _exclusive = -1;

    /// <summary>The events so far, in program order.</summary>
    public IReadOnlyList<MemoryEvent> Events => _events;

    /// <summary>Number of the last instruction, from 0; -1: none yet.</summary>
    public int Instruction => _instruction;

    /// <summary>Says which accesses other threads can see; the others count only where another event is ordered through them. Without
    /// it all are kept.</summary>
    public Func<ulong, bool>? IsShared { get; init; }

    /// <summary>An instruction was executed.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="word">Its word.</param>
    /// <param name="held">Whether its condition held, for a conditional select or compare.</param>
    /// <param name="accesses">Its accesses in their order.</param>
    /// <exception cref="InvalidOperationException">The thread has more events than <see cref="MemoryEvent.Most"/>.</exception>
    public void Execute(Row row, uint word, bool held, ReadOnlySpan<ObservedAccess> accesses)
    {
        InstructionOrder order = InstructionOrder.Of(row, word);
        _instruction++;
        if (order.Barrier != BarrierOrder.None || order.IsContextSynchronization)
        {
            AddBarrier(order);
            return;
        }
        Dependencies address = Of(order.Address), data = Of(order.Data) | OfVectors(order.ReadsVector);
        Dependencies compare = Of(order.Compare);
        var loaded = new List<Dependencies>();
        int read = -1;
        foreach (ObservedAccess access in accesses)
        {
            foreach ((ulong at, byte[] value) in Elements(access, order.IsPair))
            {
                if (access.IsWrite)
                    Store(order, at, value, address, data, compare, order.IsExclusive ? _exclusive : read);
                else
                    loaded.Add(Load(order, at, value, address, out read));
            }
        }
        if (order.IsExclusive)
            _exclusive = accesses.Length > 0 && !accesses[0].IsWrite ? read : -1;
        if (order.IsControl)
            _control |= Of(order.ReadsGeneral) | (order.ReadsFlags ? _flags : default);
        SetRegisters(order, word, held, accesses, loaded, address);
    }

    /// <summary>A context synchronization event that is no instruction: an exception taken.</summary>
    public void SynchronizeContext() =>
        Add(new MemoryEvent
        {
            Index = _events.Count,
            Instruction = _instruction,
            IsContextSynchronization = true,
            ControlDependsOn = _control,
        });

    /// <summary>A store that no instruction made, and a barrier: the writer is a model.</summary>
    public void Store(ulong address, byte[] value) =>
        Add(new MemoryEvent { Index = _events.Count, Instruction = ++_instruction, IsWrite = true, Address = address, Value = value });

    /// <inheritdoc cref="Store(ulong, byte[])"/>
    public void Barrier(BarrierOrder barrier) =>
        Add(new MemoryEvent { Index = _events.Count, Instruction = ++_instruction, Barrier = barrier });

    private void AddBarrier(in InstructionOrder order)
    {
        // A row of the same barriers with nothing between them is one.
        if (_events.Count > 0 && _events[^1] is { IsAccess: false } last
            && last.Barrier == order.Barrier && last.IsSynchronization == order.IsSynchronization
            && last.IsContextSynchronization == order.IsContextSynchronization && last.ControlDependsOn == _control)
            return;
        Add(new MemoryEvent
        {
            Index = _events.Count,
            Instruction = _instruction,
            Barrier = order.Barrier,
            IsSynchronization = order.IsSynchronization,
            IsContextSynchronization = order.IsContextSynchronization,
            ControlDependsOn = _control,
        });
    }

    private Dependencies Load(in InstructionOrder order, ulong at, byte[] value, Dependencies address, out int read)
    {
        Dependencies through = address;
        for (ulong b = at; b < at + (ulong)value.Length; b++)
            through |= _memory.GetValueOrDefault(b);
        read = -1;
        if (!Keeps(at, address))
            return through;
        read = _events.Count;
        Add(new MemoryEvent
        {
            Index = read,
            Instruction = _instruction,
            IsRead = true,
            Address = at,
            Value = value,
            Acquire = order.Acquire,
            AcquirePC = order.AcquirePC,
            NoReturn = order.IsNoReturn,
            Atomic = order.IsAtomic,
            AddressDependsOn = address,
            ControlDependsOn = _control,
        });
        return through | Dependencies.On(read);
    }

    private void Store(
        in InstructionOrder order, ulong at, byte[] value, Dependencies address, Dependencies data, Dependencies compare, int read)
    {
        if (order.StoresWhatItLoads && read >= 0)
            data |= Dependencies.On(read);
        if (order.IsCompareAndSwap)
            data |= (compare | (read >= 0 ? Dependencies.On(read) : default)).AsPick;
        for (ulong b = at; b < at + (ulong)value.Length; b++)
            _memory[b] = data | address;
        if (!Keeps(at, address | data))
            return;
        Add(new MemoryEvent
        {
            Index = _events.Count,
            Instruction = _instruction,
            IsWrite = true,
            Address = at,
            Value = value,
            Release = order.Release,
            Atomic = order.IsAtomic,
            AcquireRelease = order.IsAtomic && order.Acquire && order.Release,
            ReadOf = order.IsAtomic || order.IsExclusive ? read : -1,
            AddressDependsOn = address,
            DataDependsOn = data,
            ControlDependsOn = _control,
        });
    }

    private bool Keeps(ulong at, Dependencies through) => IsShared is null || IsShared(at) || through.Pick != 0;

    private void SetRegisters(
        in InstructionOrder order, uint word, bool held, ReadOnlySpan<ObservedAccess> accesses, List<Dependencies> loaded,
        Dependencies address)
    {
        Dependencies flags = order.ReadsFlags ? _flags : default;
        Dependencies result;
        if (order.IsSelect)
        {
            // CSEL Rd, Rn, Rm; CCMP Rn, Rm: with the condition false a select takes Rm, a compare neither.
            int rn = (int)(word >> 5) & 31, rm = (int)(word >> 16) & 31;
            uint taken = order.WritesFlags ? (held ? order.ReadsGeneral : 0) : (1u << (held ? rn : rm)) & order.ReadsGeneral;
            result = Of(taken) | flags.AsPick;
        }
        else
        {
            result = Of(order.ReadsGeneral) | OfVectors(order.ReadsVector) | flags;
        }
        bool accessing = accesses.Length > 0 || order.Address != 0;
        for (uint w = order.WritesGeneral; w != 0; w &= w - 1)
        {
            int r = BitOperations.TrailingZeroCount(w);
            if (!accessing)
                _general[r] = result;
            else if ((order.WritesBase >> r & 1) != 0)
                _general[r] = address;
            else if (loaded.Count == 0)
                _general[r] = default; // The status of a store-exclusive carries no dependency.
            else
                _general[r] = r == order.SecondDestination ? All(loaded, loaded.Count / 2, loaded.Count)
                    : order.SecondDestination >= 0 ? All(loaded, 0, loaded.Count / 2) : All(loaded, 0, loaded.Count);
        }
        for (uint w = order.WritesVector; w != 0; w &= w - 1)
            _vector[BitOperations.TrailingZeroCount(w)] = accessing ? All(loaded, 0, loaded.Count) : result;
        if (order.WritesFlags)
            _flags = result;
    }

    private static Dependencies All(List<Dependencies> loaded, int from, int to)
    {
        Dependencies all = default;
        for (int i = from; i < to; i++)
            all |= loaded[i];
        return all;
    }

    private Dependencies Of(uint registers)
    {
        Dependencies all = default;
        for (; registers != 0; registers &= registers - 1)
            all |= _general[BitOperations.TrailingZeroCount(registers)];
        return all;
    }

    private Dependencies OfVectors(uint registers)
    {
        Dependencies all = default;
        for (; registers != 0; registers &= registers - 1)
            all |= _vector[BitOperations.TrailingZeroCount(registers)];
        return all;
    }

    /// <summary>The single-copy atomic parts of an access (DDI0487, B2.2.1): the elements of a pair, at most 8 bytes, and bytes where the
    /// access is not aligned.</summary>
    private static IEnumerable<(ulong At, byte[] Value)> Elements(ObservedAccess access, bool pair)
    {
        int size = access.Value.Length;
        int element = Math.Min(pair ? size / 2 : size, 8);
        if (element == 0 || access.Address % (ulong)element != 0)
            element = 1;
        for (int i = 0; i < size; i += element)
            yield return (access.Address + (ulong)i, access.Value[i..(i + element)]);
    }

    private void Add(MemoryEvent e)
    {
        if (_events.Count == MemoryEvent.Most)
            throw new InvalidOperationException($"a thread of more than {MemoryEvent.Most} memory events is not explored");
        _events.Add(e);
    }
}
