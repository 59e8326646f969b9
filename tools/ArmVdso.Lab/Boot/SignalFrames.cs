using System.Buffers.Binary;
using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Boot;

/// <summary>A signal for which a kernel has built a frame.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Code">si_code; 0 where the handler has no SA_SIGINFO.</param>
/// <param name="Address">si_addr of a fault; else 0.</param>
/// <param name="HasInformation">Whether the handler has SA_SIGINFO.</param>
internal readonly record struct FramedSignal(int Number, int Code, ulong Address, bool HasInformation);

/// <summary>The frames that a kernel builds on a stack before it lets a task go on in a handler (Linux,
/// arch/arm64/kernel/signal.c: struct rt_sigframe, setup_return).</summary>
internal static class SignalFrames
{
    /// <summary>The bytes of a frame that are looked at: siginfo, ucontext up to pc.</summary>
    private const int Bytes = 576;
    private const int Code = 8, Address = 16, Registers = 312, StackPointer = 560;
    private const int MostSignals = 64;

    /// <summary>The signals whose handlers a task at EL0 goes on with, in the order in which they were delivered.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="cpu">A CPU that has just returned to EL0.</param>
    /// <param name="interrupted">The stack pointer that the task had before.</param>
    /// <returns>None when the stack has no frames that lead to it.</returns>
    internal static IReadOnlyList<FramedSignal> Read(Machine machine, Cpu cpu, ulong interrupted)
    {
        var signals = new List<FramedSignal>();
        ulong stack = cpu.SP_EL0, number = cpu.X(0), information = cpu.X(1);
        var frame = new byte[Bytes];
        while (number is >= 1 and <= MostSignals && signals.Count < MostSignals)
        {
            if (GuestKernel.Read(machine, cpu, stack, frame, PagePermissions.UserRead) < Bytes)
                return [];
            bool informed = information == stack && Word(frame, 0) == (int)number;
            bool fault = Signal.HasAddress((int)number) && Word(frame, Code) > 0;
            signals.Add(new FramedSignal(
                (int)number, informed ? Word(frame, Code) : 0, informed && fault ? Long(frame, Address) : 0, informed));
            ulong before = Long(frame, StackPointer);
            if (before == interrupted)
            {
                signals.Reverse();
                return signals;
            }
            (stack, number, information) = (before, Long(frame, Registers), Long(frame, Registers + 8));
        }
        return [];
    }

    private static int Word(byte[] frame, int at) => BinaryPrimitives.ReadInt32LittleEndian(frame.AsSpan(at));

    private static ulong Long(byte[] frame, int at) => BinaryPrimitives.ReadUInt64LittleEndian(frame.AsSpan(at));
}
