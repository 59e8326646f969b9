using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Code is made of a block and of those that usually follow it in its page: what is behind a branch that is not taken, and where
/// one goes that always is. They lie one behind the other, each takes its own instructions off the budget, and what is known at the end of
/// one holds in the next: where the last access was, and flags that nobody has asked for. Blocks that are timed are not joined.</summary>
internal sealed partial class Emitter
{
    /// <summary>Most operations of more than one block.</summary>
    private const int LongestRun = 48;

    /// <summary>An operation of the code that is made.</summary>
    private readonly record struct Step(Block Block, int Index, Op Op);

    private readonly List<Step> _steps = [];
    private int _at;

    private bool IsLast => _at + 1 == _steps.Count;

    private void Collect(Block head)
    {
        _steps.Clear();
        for (Block? block = head; block is not null; block = Behind(block, head))
        {
            for (int i = 0; i < block.Ops.Length; i++)
                _steps.Add(new Step(block, i, Alteration is null ? block.Ops[i] : Alteration(block.Ops[i])));
        }
    }

    /// <summary>The block that goes on where one ends, when it was executed already and is no code yet: code is not made twice.</summary>
    private Block? Behind(Block block, Block head)
    {
        if (!_joins)
            return null;
        Op last = block.Ops[^1];
        ulong? pc = last.Code switch
        {
            OpCode.End => block.Pc + last.Offset,
            OpCode.B => last.Imm,
            >= OpCode.Cbz64 and <= OpCode.BLe => block.Pc + last.Offset + 4,
            _ => null,
        };
        if (pc is not { } next || ((next ^ head.Pc) & ~0xfffUL) != 0 || (next & 3) != 0)
            return null;
        Block? there = _blocks.Known(next, head.Pa ^ head.Pc ^ next, head.Mode, head.Guarded);
        return there is { Valid: true, Code: 0, Runs: > 1, Count: not Block.Never } && _steps.Count + there.Ops.Length <= LongestRun
            && !_steps.Exists(s => s.Block == there) ? there : null;
    }

    /// <summary>A block begins: it is entered when the budget has all of its instructions.</summary>
    private void Enter(bool first)
    {
        BeginTrace();
        _a.Alu(Alu.Sub, 64, Budget, CostOf(_block));
        Refuse(Cc.L);
        if (_block.HasFp && (first || !_steps[0].Block.HasFp))
        {
            _a.Alu(Alu.Cmp, 32, Operand.At(Frame, NativeFrame.FpTrapped), 0);
            Refuse(Cc.Ne);
        }
        TraceEntry();
        _eflags = EFlags.Unknown;
    }
}
