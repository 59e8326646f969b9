namespace ArmVdso.Kernel.Waiting;

/// <summary>Who sleeps on a <see cref="WaitQueue"/>: a task.</summary>
internal interface ISleeper
{
    /// <summary>Ends the sleep on every queue that it sleeps on.</summary>
    void Wake();
}
