using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>Arguments and environment of a process as they are in its memory now (get_mm_cmdline and environ_read in fs/proc/base.c): a
/// program that writes its title over them shows it.</summary>
public static class ProgramStrings
{
    /// <summary>/proc/PID/cmdline: NUL after each argument; of a title that runs on into the environment, what is before its NUL.</summary>
    public static byte[] Arguments(MemoryMap? memory)
    {
        if (memory is not { Bounds: { } bounds } || bounds.ArgumentsStart >= bounds.ArgumentsEnd)
            return [];
        byte[] text = Between(memory, bounds.ArgumentsStart, bounds.ArgumentsEnd);
        if (text.Length == 0 || text[^1] == 0)
            return text;
        bool follows = bounds.EnvironmentStart == bounds.ArgumentsEnd && bounds.EnvironmentEnd >= bounds.EnvironmentStart;
        ulong end = follows ? bounds.EnvironmentEnd : bounds.ArgumentsEnd;
        byte[] title = Between(memory, bounds.ArgumentsStart, Math.Min(end, bounds.ArgumentsStart + PhysicalMemory.PageSize));
        int length = Array.IndexOf(title, (byte)0);
        return length < 0 ? title : title[..(length + 1)];
    }

    /// <summary>/proc/PID/environ.</summary>
    public static byte[] Environment(MemoryMap? memory) =>
        memory is null ? [] : Between(memory, memory.Bounds.EnvironmentStart, memory.Bounds.EnvironmentEnd);

    private static byte[] Between(MemoryMap memory, ulong start, ulong end)
    {
        if (start >= end)
            return [];
        // Whoever changes the bounds may name any addresses; strings are never longer than the stack they come on.
        var text = new byte[Math.Min(end - start, 8 << 20)];
        return text[..memory.Peek(start, text)];
    }
}
