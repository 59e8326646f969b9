namespace ArmVdso.Lab.Statistics;

/// <summary>The functions that a thread is in, as its calls, returns and exceptions say: no table and no frame pointer is needed, since
/// each instruction is seen. What EL1 does for the thread is called by the function that the exception came from.</summary>
internal sealed class CallStack(CallNode thread)
{
    /// <summary>Frames kept; what calls deeper is counted as if its caller had gone on there.</summary>
    private const int Most = 512;

    /// <summary>A function that has been entered and not left.</summary>
    /// <param name="Node">Its place in the tree; null: an exception, before its first instruction.</param>
    /// <param name="Start">The function's first byte.</param>
    /// <param name="End">The first byte behind it.</param>
    /// <param name="Return">Where it returns to; of an exception, its ELR.</param>
    /// <param name="Stack">SP when it was called.</param>
    /// <param name="Kind">How it was entered.</param>
    /// <param name="Call">Of an exception, where the call returns to that its first instruction's fetch interrupted; else 0.</param>
    private readonly record struct Frame(
        CallNode? Node, ulong Start, ulong End, ulong Return, ulong Stack, Entered Kind, ulong Call = 0);

    private enum Entered
    {
        Called,
        Exception,
        Handler,
    }

    private readonly List<Frame> _frames = [];
    private CallNode _thread = thread;
    private int _above;
    private bool _jumped;
    private ulong _interrupted;

    /// <summary>The function that is executed.</summary>
    internal CallNode Node => _frames.Count == 0 ? _thread : _frames[^1].Node ?? Below(_frames.Count - 1);

    private CallNode Below(int index) => index == 0 ? _thread : _frames[index - 1].Node ?? _thread;

    /// <summary>The thread executes another program.</summary>
    internal void Begin(CallNode program)
    {
        _thread = program;
        _frames.Clear();
        (_above, _jumped) = (0, false);
    }

    /// <summary>An exception was taken to EL1.</summary>
    /// <param name="back">ELR.</param>
    /// <param name="stack">SP of the code that it interrupts.</param>
    /// <param name="call">Where a call returns to that has just been made; 0: there was none.</param>
    internal void Exception(ulong back, ulong stack, ulong call)
    {
        _frames.Add(new Frame(null, 0, 0, back, stack, Entered.Exception, call));
        _above++;
    }

    /// <summary>ERET.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="el">The level from now on.</param>
    /// <returns>Where a call returns to that the exception interrupted before its function's first instruction; 0: none.</returns>
    internal ulong Return(ulong target, int el)
    {
        ulong? expected = null;
        ulong call = 0;
        while (_above > 0)
        {
            int at = _frames.FindLastIndex(f => f.Kind == Entered.Exception);
            (expected, _interrupted, call) = (_frames[at].Return, _frames[at].Stack, _frames[at].Call);
            _frames.RemoveRange(at, _frames.Count - at);
            _above--;
            if (el == 1)
                break;
        }
        // A thread that has just been made comes from no exception: EL1 code before its first ERET is nobody's any more.
        if (expected is null && el == 0)
            _frames.Clear();
        _jumped = el == 0 && expected is { } back && target != back && target + 4 != back;
        return _jumped ? 0 : call;
    }

    /// <summary>The thread goes on at an instruction: after a call, a return or an exception, or in another function.</summary>
    /// <param name="pc">Its address.</param>
    /// <param name="sp">SP.</param>
    /// <param name="call">Where a call that has just been made returns to; 0: there was none.</param>
    /// <param name="place">The function that it is in.</param>
    internal void Enter(ulong pc, ulong sp, ulong call, in CodeRange place)
    {
        int top = _frames.Count - 1;
        if (top >= 0 && _frames[top].Node is null)
        {
            Replace(top, place);
            return;
        }
        if (_jumped)
        {
            _jumped = false;
            if (sp < _interrupted)
            {
                Push(place, 0, _interrupted, Entered.Handler);
                return;
            }
            // rt_sigreturn, siglongjmp.
            int handler = _frames.FindLastIndex(f => f.Kind == Entered.Handler && sp >= f.Stack);
            if (handler >= 0)
                _frames.RemoveRange(handler, _frames.Count - handler);
        }
        else if (call != 0 && pc != call && _frames.Count < Most)
        {
            Push(place, call, sp, Entered.Called);
            return;
        }
        else
        {
            ReturnTo(pc, sp);
        }
        top = _frames.Count - 1;
        if (top >= 0 && pc >= _frames[top].Start && pc < _frames[top].End)
            return;
        // Left without a return (longjmp): a function further out goes on, with the SP that it had.
        for (int i = top; i > 0 && _frames[i].Kind == Entered.Called && _frames[i].Stack <= sp; i--)
        {
            if (pc <= _frames[i - 1].Start || pc >= _frames[i - 1].End)
                continue;
            _frames.RemoveRange(i, _frames.Count - i);
            return;
        }
        while (top >= 0 && _frames[top].Kind == Entered.Called && _frames[top].Stack < sp)
            _frames.RemoveAt(top--);
        if (top < 0)
            Push(place, 0, ulong.MaxValue, Entered.Called);
        else if (pc < _frames[top].Start || pc >= _frames[top].End)
            Replace(top, place);
    }

    private void ReturnTo(ulong pc, ulong sp)
    {
        for (int i = _frames.Count - 1; i >= 0 && _frames[i].Kind == Entered.Called; i--)
        {
            if (_frames[i].Return != pc || sp < _frames[i].Stack)
                continue;
            _frames.RemoveRange(i, _frames.Count - i);
            return;
        }
    }

    private void Push(in CodeRange place, ulong back, ulong stack, Entered kind)
    {
        CallNode node = Node.Callee(place.Name, place.Where);
        node.Calls++;
        _frames.Add(new Frame(node, place.Start, place.End, back, stack, kind));
    }

    /// <summary>A function goes on in another one, which returns in its place.</summary>
    private void Replace(int at, in CodeRange place)
    {
        CallNode node = Below(at).Callee(place.Name, place.Where);
        node.Calls++;
        _frames[at] = _frames[at] with { Node = node, Start = place.Start, End = place.End };
    }
}
