using ArmVdso.Lab;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until 86b22b5: execve gave a task its pointer authentication keys, and the first program, which nothing executed,
/// ran with keys of 0.</summary>
public sealed class KeysOfTheFirstProgramTests
{
    [Fact]
    public void AreThereBeforeItsFirstInstruction()
    {
        using var session = new Session(new SessionSettings { Core = "none" }, GuestPrograms.Path("hello"), [], new SessionHooks());
        Assert.DoesNotContain(0UL, session.Kernel.Tasks.Init!.Leader.PauthKeys);
    }
}
