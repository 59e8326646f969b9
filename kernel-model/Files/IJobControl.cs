namespace ArmVdso.Kernel.Files;

/// <summary>Process groups as terminals know them.</summary>
internal interface IJobControl
{
    /// <summary>Whether a process group has a member; with a session: one in that session.</summary>
    bool HasMember(int group, int? session = null);

    /// <summary>Whether a group has no tie to the rest of its session: terminal stops mean nothing to it.</summary>
    bool IsOrphaned(int group);

    /// <summary>Sends a signal to every process of a group.</summary>
    void Signal(int group, int signal);

    /// <summary>Sends a signal to the leader of a session, if it is there.</summary>
    void SignalLeader(int session, int signal);
}
