using System.Text;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Tests.Files;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong in 0.1.0: read, write and their like moved bytes through one array of the whole process. Where two machines
/// run at the same time, as in programs that use the laboratory, one could be given what the other read or wrote.</summary>
public sealed class BytesOfTwoMachinesTests
{
    /// <summary>While one machine writes, the other does too.</summary>
    [Fact]
    public void WritesAtTheSameTime()
    {
        using var other = new VfsGuest();
        var meanwhile = new Meanwhile(() => Assert.Equal(5, other.Call(SysReadWrite.Write, 1, other.Text("other"), 5)));
        using var guest = new VfsGuest(output: meanwhile);
        Assert.Equal(4, guest.Call(SysReadWrite.Write, 1, guest.Text("mine"), 4));
        Assert.Equal("mine", Encoding.Latin1.GetString(meanwhile.ToArray()));
        Assert.Equal("other", Encoding.Latin1.GetString(other.Output.ToArray()));
    }

    /// <summary>A host stream that is slow to take its bytes.</summary>
    private sealed class Meanwhile(Action happens) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            happens();
            base.Write(buffer);
        }
    }
}
