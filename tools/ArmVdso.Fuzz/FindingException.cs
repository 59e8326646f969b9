namespace ArmVdso.Fuzz;

/// <summary>What must not happen: a host exception, a mistake of ours that ended a process, a hang, engines that differ.</summary>
/// <param name="message">What was seen.</param>
/// <param name="cause">The exception that was seen, if it was one.</param>
public sealed class FindingException(string message, Exception? cause = null) : Exception(message, cause);
