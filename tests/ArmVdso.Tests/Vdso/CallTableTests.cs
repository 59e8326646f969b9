using ArmVdso.CallGenerator;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Vdso;

/// <summary>vdso-image/calls.tsv: what is made of it is up to date, a wrong row is named, and the images have every function.</summary>
public sealed class CallTableTests
{
    private static string Path(string name) => System.IO.Path.Join(GuestPrograms.RepositoryRoot, name);

    private static CallTable Table => CallTable.Read(Path(CallProducts.Table));

    [Fact]
    public void ProductsAreWhatTheTableGives() => Assert.All(CallProducts.Of(Table), product =>
        Assert.Equal(product.Text, File.ReadAllText(Path(product.Path))));

    [Theory]
    [InlineData("getx\t172\ts32\t-\tid\tx\tX\t-\tpercpu\t-", "getx or its number 172 is there already")]
    [InlineData("getx\t999\ts32\t-\tid\tpid\tX\t-\tpercpu\t-", "getx reads pid, which another one reads")]
    [InlineData("getx\t999\ts32\t-\tid\tx\t-\t-\tpercpu\t-", "getx: an id is one word of the slot, has a truth")]
    [InlineData("getx\t999\ts32\t-\tid\t-\tX\t-\tpercpu\t-", "getx: an id is one word of the slot")]
    [InlineData("getx\t999\ts32\tu32 a, u32 b\tid\tx\tX\t-\tpercpu\t-", "takes nothing or a PID")]
    [InlineData("getx\t999\ts32\t-\tconstant\tx\tX\t-\tsched\t-", "getx: a constant is no word of the slot")]
    [InlineData("getx\t999\ts32\t-\tsong\t-\t-\t-\tpercpu\t-", "there is no answer 'song'")]
    [InlineData("getx\t999\ts32\tint\tclock\t-\t-\t-\tpercpu\t-", "'int' is no parameter")]
    [InlineData("getx\t999\ts32\t-\tclock\t-\t-\t-\tpercpu\tfast", "'fast' is no case")]
    [InlineData("getx\tmany\ts32\t-\tid\tx\tX\t-\tpercpu\t-", "'many' is no number")]
    [InlineData("getx\t999\ts32", "a row has 10 parts, this one 3")]
    public void AWrongRowIsNamed(string row, string message)
    {
        string file = System.IO.Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, File.ReadAllText(Path(CallProducts.Table)) + row + "\n");
            Assert.Contains(message, Assert.Throws<FormatException>(() => CallTable.Read(file)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void ASlotOfACacheLineHasRoomForSoManyFields()
    {
        string file = System.IO.Path.GetTempFileName();
        try
        {
            File.Copy(Path(CallProducts.Table), file, true);
            File.AppendAllLines(file, Enumerable.Range(0, 20).Select(i => $"getx{i}\t{900 + i}\ts32\t-\tid\tx{i}\tX\t-\tpercpu\t-"));
            Assert.Contains("has no room", Assert.Throws<FormatException>(() => CallTable.Read(file)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Functions of every image of a design.</summary>
    public static TheoryData<string> Images =>
        [.. VdsoDesigns.WithImage];

    [Theory]
    [MemberData(nameof(Images))]
    public void EveryImageHasEveryFunction(string name)
    {
        VdsoImage image = VdsoImage.Load(name);
        bool onlyCpu = image.LayoutOr("vdso_per_cpu_data.pid", -1) < 0;
        IEnumerable<string> wanted = VdsoCalls.All.Where(c => !onlyCpu || c.Answer != VdsoAnswer.Id).Select(c => c.Symbol);
        Assert.Equal(wanted.Append("__kernel_rt_sigreturn").Order(), image.Symbols.Keys.Where(s => s != "__kernel_mm_cid").Order());
    }

    /// <summary>The slots of EL1 code's system call table with a body there are the rows that say so.</summary>
    [Fact]
    public void El1CodesTableHasTheBodiesOfTheRows()
    {
        byte[] image = File.ReadAllBytes(Path("kernel-model/El1/bin/el1.bin"));
        ulong At(int number) => BitConverter.ToUInt64(image,
            (int)((ulong)El1Symbol.sys_call_table - (ulong)El1Symbol.vectors) + 8 * number);
        Dictionary<int, ulong> rows = VdsoCalls.All.Where(c => c.El1 is not null).ToDictionary(c => c.Number, c => (ulong)c.El1!.Value);
        for (int number = 0; number < El1Number.NrSyscalls; number++)
            Assert.Equal(rows.GetValueOrDefault(number, (ulong)El1Symbol.__arm64_sys_model), At(number));
    }
}
