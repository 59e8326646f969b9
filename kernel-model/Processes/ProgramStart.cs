using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Loader;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Processes;

/// <summary>A task begins a program that was loaded (start_thread in arch/arm64/include/asm/processor.h).</summary>
internal sealed class ProgramStart(TaskRecords records, MachineClock clock, DeterministicRandom random, string programPath)
{
    /// <summary>Gives a task its new program's memory and registers (start_thread).</summary>
    internal void Install(KernelTask task, LoadedProgram program)
    {
        task.Mm = program.Memory;
        ThreadGroup group = task.Group;
        group.Auxv = program.Auxv;
        int slash = programPath.LastIndexOf('/');
        task.Comm = Truncate(task.Comm.Length == 0 ? programPath[(slash + 1)..] : task.Comm);
        UserRegisters regs = records.Registers(task);
        regs.Clear();
        regs.PC = program.Entry;
        regs.SP = program.StackPointer;
        regs.SyscallNumber = -1;
        records.SetTtbr0(task, program.Memory.Space.Handle);
        NewPauthKeys(task);
    }

    /// <summary>A name as comm holds it.</summary>
    internal static string Truncate(string name) => name.Length > 15 ? name[..15] : name;

    /// <summary>Fresh pointer authentication keys for a new program.</summary>
    private void NewPauthKeys(KernelTask task)
    {
        for (int i = 0; i < task.PauthKeys.Length; i++)
            task.PauthKeys[i] = random.Next();
        if (clock.Active is { } cpu && task.OnCpu)
            task.PauthKeys.CopyTo(cpu.PauthKey.AsSpan());
    }
}
