using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Crash;

/// <summary>A frame of a backtrace.</summary>
/// <param name="Address">Where it is: its next instruction.</param>
/// <param name="Name">Function and offset; the file or mapping where no symbol says.</param>
/// <param name="Where">File or mapping.</param>
/// <param name="How">What the frame was found by.</param>
public sealed record CrashFrame(ulong Address, string Name, string Where, string How);

/// <summary>Walks a stack from the frame that a thread is in to its first one: by .eh_frame, else by frame records (AAPCS64, 6.4.6),
/// through frames of signals. Memory is looked at as it is; no page is faulted in.</summary>
internal sealed class StackWalker(LinuxKernel kernel, MemoryMap memory, CodeMap code)
{
    private const int MostFrames = 64, FramePointer = 29, Link = 30, StackPointer = 31;

    /// <summary>mov x8, #139 (rt_sigreturn); svc #0.</summary>
    private const ulong SigreturnCode = 0xd4000001_d2801168;

    /// <summary>struct rt_sigframe: siginfo, then in ucontext the registers of mcontext.</summary>
    private const ulong SavedRegisters = 128 + 176 + 8;

    private readonly Dictionary<CodeFile, UnwindTable> _tables = [];
    private readonly ulong _mask = memory.TaskSize - 1;
    private readonly GuestMemory _view = new(kernel, memory);

    /// <summary>The frames, innermost first.</summary>
    internal List<CrashFrame> Walk(ThreadContext context)
    {
        var frames = new List<CrashFrame>();
        var x = new ulong[32];
        for (int i = 0; i < 31; i++)
            x[i] = context.X(i);
        x[StackPointer] = context.SP;
        ulong pc = context.PC;
        string how = "pc";
        bool exact = true;
        while (frames.Count < MostFrames)
        {
            bool signal = Read(pc, out ulong words) && words == SigreturnCode;
            frames.Add(FrameAt(pc, exact, how, signal));
            if (signal)
            {
                if (!Interrupted(x, out pc))
                    break;
                (how, exact) = ("signal frame", true);
                continue;
            }
            ulong stack = x[StackPointer];
            if (!Caller(x, ref pc, exact, frames.Count == 1, out how) || pc == 0)
                break;
            // A frame lies above those that it called, or the stack is no stack.
            if (frames.Count > 1 && x[StackPointer] <= stack)
                break;
            exact = false;
        }
        return frames;
    }

    /// <summary>The registers that a signal interrupted.</summary>
    private bool Interrupted(ulong[] x, out ulong pc)
    {
        ulong at = x[StackPointer] + SavedRegisters;
        for (ulong i = 0; i < 32; i++)
        {
            if (!Read(at + i * 8, out x[i]))
            {
                pc = 0;
                return false;
            }
        }
        return Read(at + 256, out pc);
    }

    private bool Caller(ulong[] x, ref ulong pc, bool exact, bool innermost, out string how)
    {
        // A return address is behind the call, which may be its function's last instruction.
        ulong looked = exact ? pc : pc - 4;
        if (code.Find(memory, looked) is { File: { } file } place && TableOf(file).Find(looked - place.Bias) is { } row)
        {
            how = ".eh_frame";
            return Apply(row, x, ref pc);
        }
        ulong fp = x[FramePointer];
        bool record = Read(fp, out ulong nextFp) & Read(fp + 8, out ulong back) && fp >= x[StackPointer];
        ulong link = x[Link] & _mask;
        // A function that has made no frame yet still has its return address in X30.
        if (innermost && IsCode(link) && (!record || link != (back & _mask)) && !SameFunction(link, pc))
        {
            (pc, how) = (link, "x30");
            x[Link] = 0;
            return true;
        }
        how = "frame record";
        if (!record || (back & _mask) == 0)
            return false;
        x[StackPointer] = fp + 16;
        x[FramePointer] = nextFp;
        pc = back & _mask;
        return true;
    }

    private bool Apply(CallFrameRow row, ulong[] x, ref ulong pc)
    {
        ulong cfa = x[row.CfaRegister] + (ulong)row.CfaOffset;
        var before = (ulong[])x.Clone();
        for (int i = 0; i < CallFrameRow.Registers; i++)
        {
            (RegisterRule rule, long offset) = row.Rules[i];
            if (rule == RegisterRule.Saved && !Read(cfa + (ulong)offset, out before[i]))
                return false;
            if (rule == RegisterRule.Value)
                before[i] = cfa + (ulong)offset;
        }
        if (row.Rules[Link].Rule == RegisterRule.Undefined)
            return false;
        before.CopyTo(x, 0);
        x[StackPointer] = cfa;
        ulong next = x[Link] & _mask;
        bool moved = next != pc || cfa != before[StackPointer];
        pc = next;
        return moved;
    }

    private bool IsCode(ulong address) => address != 0 && memory.Find(address) is { } vma && (vma.Prot & 4) != 0;

    private bool SameFunction(ulong a, ulong b) => code.Find(memory, a) is { Function: { } f } place
        && b - place.Bias >= f.Start && b - place.Bias < f.End;

    private UnwindTable TableOf(CodeFile file)
    {
        if (!_tables.TryGetValue(file, out UnwindTable? table))
            _tables[file] = table = new UnwindTable(file.Elf, file.Bytes);
        return table;
    }

    private CrashFrame FrameAt(ulong pc, bool exact, string how, bool signal)
    {
        (string name, string where) = Name(pc, exact);
        return new CrashFrame(pc, signal ? "<signal handler called>" : name, where, how);
    }

    /// <summary>Function and offset of an address, and the file.</summary>
    internal (string Name, string Where) Name(ulong pc, bool exact = true)
    {
        if (code.Find(memory, exact ? pc : pc - 4) is not { } place)
            return ("?", "nothing is mapped here");
        string name = (place.Function ?? place.File?.Functions.FindAny(pc - place.Bias)) is { } f
            ? $"{f.Name}+0x{pc - place.Bias - f.Start:x}" : $"+0x{pc - place.Mapping.Start + place.Mapping.Offset:x}";
        return (name, place.Where);
    }

    /// <summary>A word of the process's memory. False: there is none.</summary>
    internal bool Read<T>(ulong va, out T value) where T : unmanaged => _view.Read(va, out value);
}
