namespace ArmVdso.Emulator.Timing.Models;

/// <summary>One parameter of a core model: its value and what is known about it.</summary>
/// <param name="Key">Name in the file.</param>
/// <param name="Value">Value.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Evidence">measured, documented, model or calibrated.</param>
/// <param name="Range">Range of a calibrated value, or null.</param>
/// <param name="Source">Where it comes from.</param>
public sealed record CoreParameter(string Key, int Value, string Unit, string Evidence, (int Low, int High)? Range, string Source);

/// <summary>What a core model says about a class of instructions, or about some mnemonics or rows apart from their class.</summary>
/// <param name="Names">Class, or the names separated by blanks.</param>
/// <param name="Values">As in the file: "latency 4, width half".</param>
/// <param name="Evidence">measured, documented, model or calibrated.</param>
/// <param name="Range">Range of a calibrated value, or null.</param>
/// <param name="Source">Where it comes from.</param>
public sealed record CoreTiming(string Names, string Values, string Evidence, (int Low, int High)? Range, string Source);

/// <summary>What a core's file says about the software that is to run on it. The emulator hands it on and does not read it.</summary>
/// <param name="Key">Which software, as <c>kernel</c>.</param>
/// <param name="Value">What it is told about the core.</param>
/// <param name="Source">Where that comes from.</param>
public sealed record CoreSoftware(string Key, string Value, string Source);
