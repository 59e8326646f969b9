namespace ArmVdso.Kernel.Memory;

/// <summary>Where the parts of a program lie in its memory, as addresses (struct mm_struct); PR_SET_MM changes them, and nothing but
/// /proc goes by them.</summary>
/// <param name="CodeStart">Of what is executed (start_code).</param>
/// <param name="CodeEnd">Its end in the file.</param>
/// <param name="DataStart">Of the last segment (start_data).</param>
/// <param name="DataEnd">End of what the file has.</param>
/// <param name="StackStart">The initial stack pointer.</param>
/// <param name="ArgumentsStart">Strings of argv.</param>
/// <param name="ArgumentsEnd">Their end.</param>
/// <param name="EnvironmentStart">Strings of envp.</param>
/// <param name="EnvironmentEnd">Their end.</param>
public readonly record struct MemoryBounds(
    ulong CodeStart, ulong CodeEnd, ulong DataStart, ulong DataEnd, ulong StackStart, ulong ArgumentsStart, ulong ArgumentsEnd,
    ulong EnvironmentStart, ulong EnvironmentEnd);
