namespace ArmVdso.Lab.Statistics;

/// <summary>A function as a profile finds it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Where">What it is in.</param>
/// <param name="Start">Its first byte.</param>
/// <param name="End">The first byte behind it.</param>
public readonly record struct CodeRange(string Name, string Where, ulong Start, ulong End);
