using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>The branch at the end of a block, as <see cref="BranchPredictor"/> has it.</summary>
internal sealed partial class ReaderEmitter
{
    /// <summary>What the predictor makes of the branch at the end goes to ECX, with whether it is taken
    /// (<see cref="BranchPredictor.Execute"/>); Next gets the record of the next block.</summary>
    private void Predict()
    {
        _a.Mov(32, Next, Operand.At(At, Emitter.TraceSize(_s)));
        _a.Shift(Shift.Shl, 64, Next, 4);
        _a.Alu(Alu.Add, 64, Next, Operand.At(Frame, ReaderOffsets.Records));
        switch (_s.Branch)
        {
            case TimingKind.Plain:
                _a.Set(Gpr.Rcx, 0);
                break;
            case TimingKind.Conditional:
                Conditional();
                break;
            case TimingKind.Branch:
                Direct();
                break;
            case TimingKind.Call:
                Push();
                Direct();
                break;
            case TimingKind.Return:
                Return();
                break;
            default:
                if (_s.Branch == TimingKind.IndirectCall)
                    Push();
                Indirect();
                break;
        }
    }

    private static int Signature(Prediction prediction, bool taken) => (int)prediction | (taken ? 8 : 0);

    private void Conditional()
    {
        // By whether it is taken, and the counter: the new counter; what fetch made of it.
        const ulong Counts = 0x03_03_02_01_02_01_00_00;
        ulong outcomes = 0;
        for (int i = 7; i >= 0; i--)
        {
            bool taken = i >= 4, predicted = (i & 3) >= 2;
            Prediction prediction = predicted != taken ? Prediction.Mispredicted : taken ? Prediction.Taken : Prediction.FallThrough;
            outcomes = outcomes << 8 | (uint)Signature(prediction, taken);
        }
        (uint entries, ulong reciprocal) = _predictor.CounterTable;
        _a.Set(Gpr.Rax, _s.LastPc + 4);
        _a.Set(Gpr.Rcx, 0);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Next, ReaderOffsets.RecordPc));
        _a.SetIf(Cc.Ne, Gpr.Rcx);
        _a.Mov(32, Gpr.R11, Operand.At(Branches, ReaderOffsets.History));
        _a.Mov(32, Gpr.Rax, Gpr.R11);
        _a.Alu(Alu.And, 32, Gpr.Rax, (int)_predictor.HistoryMask);
        _a.Shift(Shift.Shl, 32, Gpr.Rax, 2);
        _a.Alu(Alu.Xor, 32, Gpr.Rax, (int)(uint)(_s.LastPc >> 2));
        _a.Lea(32, Gpr.R11, Operand.At(Gpr.Rcx, Gpr.R11, 1, 0));
        _a.Store(32, Operand.At(Branches, ReaderOffsets.History), Gpr.R11);
        _a.Set(Gpr.Rdx, reciprocal);
        _a.Multiply(64, Gpr.Rax, Gpr.Rdx);
        _a.Set(Gpr.Rdx, entries);
        _a.MultiplyWide(false, Gpr.Rdx);
        _a.Alu(Alu.Add, 64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Counters));
        _a.ZeroExtend(8, Gpr.Rax, Operand.At(Gpr.Rdx, 0));
        _a.Lea(32, Gpr.R11, Operand.At(Gpr.Rax, Gpr.Rcx, 2, 0));
        _a.Shift(Shift.Shl, 32, Gpr.R11, 3);
        _a.Set(Gpr.Rax, Counts);
        _a.ShiftBy(Shift.Shr, 64, Gpr.Rax, Gpr.Rax, Gpr.R11);
        _a.Store(8, Operand.At(Gpr.Rdx, 0), Gpr.Rax);
        _a.Set(Gpr.Rcx, outcomes);
        _a.ShiftBy(Shift.Shr, 64, Gpr.Rcx, Gpr.Rcx, Gpr.R11);
        _a.ZeroExtend(8, Gpr.Rcx, Gpr.Rcx);
        _a.Alu(Alu.Cmp, 32, Gpr.Rcx, Signature(Prediction.Taken, true));
        int done = _a.JumpIf(Cc.Ne);
        Direct();
        _a.Resolve(done);
    }

    private void Direct()
    {
        _a.Set(Gpr.Rax, _s.LastPc);
        _a.Mov(64, Gpr.Rdx, Operand.At(Next, ReaderOffsets.RecordPc));
        int same = 0;
        if (_predictor.HasTargetCache)
        {
            _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenNoBubble, true));
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Branches, ReaderOffsets.CachedBranch));
            int other = _a.JumpIf(Cc.Ne);
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Branches, ReaderOffsets.CachedTarget));
            same = _a.JumpIf(Cc.E);
            _a.Resolve(other);
        }
        _a.Store(64, Operand.At(Branches, ReaderOffsets.CachedBranch), Gpr.Rax);
        _a.Store(64, Operand.At(Branches, ReaderOffsets.CachedTarget), Gpr.Rdx);
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.Taken, true));
        if (same != 0)
            _a.Resolve(same);
    }

    private void Push()
    {
        _a.Mov(32, Gpr.Rax, Operand.At(Branches, ReaderOffsets.Top));
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Returns));
        _a.Set(Gpr.R11, _s.LastPc + 4);
        _a.Store(64, Operand.At(Gpr.Rdx, Gpr.Rax, 3, 0), Gpr.R11);
        _a.Set(Gpr.R11, 0);
        _a.Alu(Alu.Add, 32, Gpr.Rax, 1);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, _predictor.ReturnEntries);
        _a.MoveIf(Cc.E, 32, Gpr.Rax, Gpr.R11);
        _a.Store(32, Operand.At(Branches, ReaderOffsets.Top), Gpr.Rax);
    }

    private void Return()
    {
        _a.Mov(32, Gpr.Rax, Operand.At(Branches, ReaderOffsets.Top));
        _a.Set(Gpr.R11, (ulong)_predictor.ReturnEntries - 1);
        _a.Alu(Alu.Sub, 32, Gpr.Rax, 1);
        _a.MoveIf(Cc.B, 32, Gpr.Rax, Gpr.R11);
        _a.Store(32, Operand.At(Branches, ReaderOffsets.Top), Gpr.Rax);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Returns));
        _a.Mov(64, Gpr.Rdx, Operand.At(Gpr.Rdx, Gpr.Rax, 3, 0));
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenReturn, true));
        _a.Set(Gpr.R11, (ulong)Signature(Prediction.Mispredicted, true));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Next, ReaderOffsets.RecordPc));
        _a.MoveIf(Cc.Ne, 32, Gpr.Rcx, Gpr.R11);
    }

    private void Indirect()
    {
        int place = 8 * (int)((uint)(_s.LastPc >> 2) % (uint)_predictor.IndirectEntries);
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenIndirect, true));
        Replace(ReaderOffsets.IndirectTags, () => _a.Set(Gpr.Rax, _s.LastPc));
        Replace(ReaderOffsets.IndirectTargets, () => _a.Mov(64, Gpr.Rax, Operand.At(Next, ReaderOffsets.RecordPc)));

        void Replace(int table, Action get)
        {
            _a.Mov(64, Gpr.Rdx, Operand.At(Frame, table));
            get();
            _a.Set(Gpr.R11, (ulong)Signature(Prediction.Mispredicted, true));
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Gpr.Rdx, place));
            _a.MoveIf(Cc.Ne, 32, Gpr.Rcx, Gpr.R11);
            _a.Store(64, Operand.At(Gpr.Rdx, place), Gpr.Rax);
        }
    }
}
