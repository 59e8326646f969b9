namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until a1aa571: the table of system registers was made before the list of the pointer authentication keys that it
/// reads (static fields are initialised in the order of the text), so nothing that used the table ran.</summary>
public sealed class KeyRegistersTests
{
    /// <summary>D24.2: APIAKeyLo_EL1 and its nine fellows, S3_0_C2_C1_0 to S3_0_C2_C3_1; each has a value of its own.</summary>
    [Fact]
    public void EachKeepsItsHalf()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.EL = 1;
        (int CRm, int Op2)[] keys = [.. from key in Enumerable.Range(0, 10) select (1 + key / 4, key % 4)];
        foreach ((int crm, int op2) in keys)
        {
            cpu.SetX(0, (ulong)(100 * crm + op2));
            cpu.WriteSystemRegister(3, 0, 2, crm, op2, 0);
        }
        foreach ((int crm, int op2) in keys)
        {
            cpu.ReadSystemRegister(3, 0, 2, crm, op2, 1);
            Assert.Equal((ulong)(100 * crm + op2), cpu.X(1));
        }
        Assert.Equal(0UL, cpu.ExceptionEntries);
    }
}
