namespace ArmVdso.Assembler;

/// <summary>Text that is not an instruction of the table; the message is one line and quotes it.</summary>
public sealed class AssemblerException(string message) : Exception(message);
