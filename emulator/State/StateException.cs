namespace ArmVdso.Emulator.State;

/// <summary>A saved state does not fit the objects that are to take it.</summary>
/// <param name="message">One line that says what does not.</param>
public sealed class StateException(string message) : Exception(message);
