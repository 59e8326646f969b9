using System.Numerics;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Loads, stores and divisions of a trace.</summary>
internal sealed partial class ReaderEmitter
{
    /// <summary>The access of a slot is a plain hit, or is left out.</summary>
    private void Access(int index)
    {
        TraceSlot slot = _s.Slots![index];
        int words = 8 * (BlockMemo.TraceHeader + BlockMemo.TraceSlotWords * index), size = slot.Size;
        bool write = slot.Kind == TraceKind.Store;
        var unusual = new List<int>();
        var misaligned = new List<int>();
        _a.Mov(64, Gpr.Rax, Operand.At(At, words));
        _a.Mov(64, Gpr.Rcx, Operand.At(At, words + 8));
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rax);
        // RAX: virtual address, RCX: physical address, RDX: line.
        _a.Alu(Alu.Sub, 64, Gpr.Rcx, HostBase);
        if (slot.Kind == TraceKind.Load)
            Within(8, size, misaligned);
        else if (slot.Kind == TraceKind.WideLoad)
            Within(8, 8, misaligned);
        else
            Within(Granule, (size - 1) % Granule + 1, misaligned);
        if (size > (write ? Granule : 8))
            Within(Line, size, unusual);
        FindSet();
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(DataTags, Gpr.R11, 3, 0));
        int other = JumpUnless(ReaderCheck.LatestLine);
        if (write && LeftOut != ReaderCheck.Modified)
        {
            _a.ZeroExtend(8, Gpr.R11, Operand.At(DataStates, Gpr.R11, 0, 0));
            _a.Alu(Alu.Cmp, 32, Gpr.R11, (int)LineState.Modified);
            unusual.Add(_a.JumpIf(Cc.Ne));
        }
        _a.Mov(64, Gpr.R11, Gpr.Rax);
        _a.Shift(Shift.Shr, 64, Gpr.R11, 12);
        _a.Alu(Alu.Cmp, 64, Gpr.R11, Operand.At(Frame, ReaderOffsets.DataPage));
        int otherPage = _a.JumpIf(Cc.Ne);
        var refilled = new List<int>();
        var refilledOther = new List<int>();
        Apart(otherPage, () =>
        {
            if (LeftOut != ReaderCheck.LateLine)
            {
                _a.Call(_askLate);
                unusual.Add(_a.JumpIf(Cc.E));
            }
            _a.Mov(64, Gpr.Rdx, Gpr.R11);
            _a.Call(_touchDataPage);
            refilled.Add(_a.JumpIf(Cc.Ne));
            _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
            _a.Shift(Shift.Shr, 64, Gpr.Rdx, LineShift);
        });
        Apart(other, () =>
        {
            _a.Call(write ? _touchOtherStore : _touchOtherLoad);
            refilledOther.Add(_a.JumpIf(Cc.B));
            unusual.Add(_a.JumpIf(Cc.Ne));
        });
        int gap = write ? -1 : AskStored(size);
        if (write)
            Store(size);
        _a.Shift(Shift.Shl, 64, Shapes, _s.ShapeBits);
        ulong resume = _a.Here;
        _rare.Add(() =>
        {
            if (gap >= 0)
                WaitForStore(gap, size, resume, unusual);
            Misaligned(slot, misaligned, resume, unusual);
            Refill(write, size, refilled, false, resume, unusual);
            Refill(write, size, refilledOther, true, resume, unusual);
            foreach (int jump in unusual)
                _a.Resolve(jump);
            _a.Set(Gpr.Rax, (uint)index);
            _a.Set(Gpr.R11, resume);
            _a.JumpTo(_slot);
        });
    }

    /// <summary>The line of the address in RCX goes to RDX, and where its set begins to R11.</summary>
    private void FindSet()
    {
        _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, LineShift);
        _a.Mov(32, Gpr.R11, Gpr.Rdx);
        _a.Alu(Alu.And, 32, Gpr.R11, (int)_data.SetMask);
        if (_data.Ways > 1)
            _a.Shift(Shift.Shl, 32, Gpr.R11, BitOperations.Log2((uint)_data.Ways));
    }

    /// <summary>So many bytes from the address in RAX are in one unit of so many. RDX is lost.</summary>
    private void Within(int unit, int size, List<int> unusual)
    {
        if (size == 1)
            return;
        _a.Mov(32, Gpr.Rdx, Gpr.Rax);
        _a.Alu(Alu.And, 32, Gpr.Rdx, unit - 1);
        _a.Alu(Alu.Cmp, 32, Gpr.Rdx, unit - size);
        unusual.Add(_a.JumpIf(Cc.A));
    }

    /// <summary>Apart: the bytes of a load are some of those that were stored last. When both take one beat, that is a shape.</summary>
    private void WaitForStore(int jump, int size, ulong resume, List<int> unusual)
    {
        if (size > 8 || _events.StoreToLoad > BlockSchedule.MostGap)
        {
            unusual.Add(jump);
            return;
        }
        _a.Resolve(jump);
        _a.Alu(Alu.Cmp, 32, Operand.At(Latest, ReaderOffsets.StoredBeats), 1);
        unusual.Add(_a.JumpIf(Cc.Ne));
        Join(_events.StoreToLoad, resume);
    }

    /// <summary>Apart: an access inside a line that is over a boundary of the load or store path, and a plain hit otherwise: that is a
    /// shape, too.</summary>
    private void Misaligned(TraceSlot slot, List<int> jumps, ulong resume, List<int> unusual)
    {
        bool write = slot.Kind == TraceKind.Store;
        if (jumps.Count == 0)
            return;
        if (write && slot.Size > Granule)
        {
            unusual.AddRange(jumps);
            return;
        }
        foreach (int jump in jumps)
            _a.Resolve(jump);
        Within(Line, slot.Size, unusual);
        if (!write)
        {
            // Nothing is done yet when the load waits for a store, too.
            _a.Mov(64, Gpr.R9, Gpr.Rcx);
            unusual.Add(AskStored(slot.Size));
            _a.Mov(64, Gpr.Rcx, Gpr.R9);
        }
        _a.Call(write ? _touchStore : _touchLoad);
        unusual.Add(_a.JumpIf(Cc.Ne));
        if (write)
            StoreApart(slot.Size, BlockSchedule.MisalignedBeats(_s.Timings[slot.Instruction]));
        Join(LeftOut == ReaderCheck.Misaligned ? BlockSchedule.PlainShape : BlockSchedule.MisalignedShape, resume);
    }

    /// <summary>Apart: an access whose page is not in the first TLB; that is a shape when the second one has it.</summary>
    /// <param name="write">A store.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="jumps">What comes here.</param>
    /// <param name="other">Its line is in another place of the set than the first.</param>
    /// <param name="resume">Where to go on.</param>
    /// <param name="unusual">Gets jumps where it is no such shape.</param>
    private void Refill(bool write, int size, List<int> jumps, bool other, ulong resume, List<int> unusual)
    {
        foreach (int jump in jumps)
            _a.Resolve(jump);
        if (size > Granule)
        {
            unusual.Add(_a.Jump());
            return;
        }
        if (!write)
        {
            // Nothing is done yet when the load waits for a store, too.
            _a.Mov(64, Gpr.R9, Gpr.Rcx);
            unusual.Add(AskStored(size));
            _a.Mov(64, Gpr.Rcx, Gpr.R9);
        }
        if (other)
        {
            _a.Mov(64, Gpr.Rdx, Gpr.Rax);
            _a.Shift(Shift.Shr, 64, Gpr.Rdx, 12);
        }
        _a.Call(_refill);
        unusual.Add(_a.JumpIf(Cc.Ne));
        FindSet();
        if (other)
            _a.Call(write ? _moveOtherStore : _moveOtherLoad);
        if (write)
            StoreApart(size, PlainBeats(size));
        _a.Alu(Alu.Add, 64, Operand.At(Frame, write ? ReaderOffsets.RefilledStores : ReaderOffsets.RefilledLoads), 1);
        Join(BlockSchedule.RefillShape, resume);
    }

    private void Join(int shape, ulong resume)
    {
        _a.Shift(Shift.Shl, 64, Shapes, _s.ShapeBits);
        _a.Alu(Alu.Or, 64, Shapes, shape);
        _a.JumpTo(resume);
    }

    /// <summary>The steps of a division are those of its quotient (<see cref="CoreEvents.DivideExtra"/>).</summary>
    private void Quotient(int index)
    {
        uint encoding = _s.Timings[_s.Slots![index].Instruction].Encoding;
        bool wide = encoding >> 31 != 0, signed = (encoding & (1 << 10)) != 0;
        Operand quotient = Operand.At(At, 8 * (BlockMemo.TraceHeader + BlockMemo.TraceSlotWords * index));
        if (signed && !wide)
            _a.SignExtend(32, 64, Gpr.Rax, quotient);
        else
            _a.Mov(64, Gpr.Rax, quotient);
        if (signed)
        {
            _a.Mov(64, Gpr.Rdx, Gpr.Rax);
            _a.Neg(64, Gpr.Rdx);
            _a.MoveIf(Cc.Ns, 64, Gpr.Rax, Gpr.Rdx);
        }
        _a.CountLeadingZeros(64, Gpr.Rax, Gpr.Rax);
        _a.Neg(64, Gpr.Rax);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.DivideSteps));
        _a.ZeroExtend(8, Gpr.Rax, Operand.At(Gpr.Rdx, Gpr.Rax, 0, 64));
        _a.Shift(Shift.Shl, 32, Gpr.Rax, BlockMemo.DigitsShift);
        _a.Store(64, Operand.At(Frame, ReaderOffsets.Digits), Gpr.Rax);
    }

    /// <summary>Whether the bytes of a load are some of those that were stored last. RCX and R11 are lost.</summary>
    /// <returns>The jump that is made then.</returns>
    private int AskStored(int size)
    {
        _a.Alu(Alu.Sub, 64, Gpr.Rcx, Operand.At(Latest, ReaderOffsets.StoredAddress));
        _a.Mov(32, Gpr.R11, Operand.At(Latest, ReaderOffsets.StoredBytes));
        if (size > 1)
        {
            _a.Alu(Alu.Add, 64, Gpr.Rcx, size - 1);
            _a.Alu(Alu.Add, 64, Gpr.R11, size - 1);
        }
        _a.Alu(Alu.Cmp, 64, Gpr.Rcx, LeftOut == ReaderCheck.Stored ? Gpr.Rcx : Gpr.R11);
        return _a.JumpIf(Cc.B);
    }

    /// <summary>A store is remembered (CoreEvents.Stored).</summary>
    private void Store(int size)
    {
        _a.Mov(64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Fillings));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.FillingLine));
        Apart(_a.JumpIf(Cc.Ne), () => _a.Call(_fillOther));
        Stored(size, PlainBeats(size));
    }

    private static int PlainBeats(int size) => (size + Granule - 1) / Granule;

    private void StoreApart(int size, int beats)
    {
        _a.Mov(64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Fillings));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.FillingLine));
        int same = _a.JumpIf(Cc.E);
        _a.Call(_fillOther);
        _a.Resolve(same);
        Stored(size, beats);
    }

    private void Stored(int size, int beats)
    {
        _a.Set(Gpr.R11, (1UL << size) - 1);
        _a.ShiftBy(Shift.Shl, 64, Gpr.R11, Gpr.R11, Gpr.Rcx);
        _a.AluTo(Alu.Or, 64, Operand.At(Gpr.Rax, ReaderOffsets.FillingBytes), Gpr.R11);
        _a.Store(64, Operand.At(Latest, ReaderOffsets.StoredAddress), Gpr.Rcx);
        _a.Store(32, Operand.At(Latest, ReaderOffsets.StoredBytes), size);
        _a.Store(32, Operand.At(Latest, ReaderOffsets.StoredBeats), beats);
    }
}
