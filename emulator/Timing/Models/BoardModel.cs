namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A board: the core that it has, and parameters of it that the board decides (clock, outer caches, memory), as a data file
/// (<c>boards/*.json</c>) states them.</summary>
/// <param name="Name">Name of the board.</param>
/// <param name="Description">One line about it.</param>
/// <param name="Core">The core, as <see cref="CoreModel.Load"/> takes it.</param>
/// <param name="Parameters">What it says of the core, each with evidence and source.</param>
public sealed record BoardModel(string Name, string Description, string Core, IReadOnlyList<CoreParameter> Parameters);
