using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Vdso;

/// <summary>Images of stock kernels: what is in them was read with readelf and objdump.</summary>
public sealed class StockVdsoTests
{
    [Theory]
    [InlineData("6.1", 0x2d0, 0x570, 0x720, 0x7bc, -1)]
    [InlineData("6.12", 0x340, 0x5d8, 0x788, 0x820, 0x828)]
    public void Has_its_functions_where_readelf_shows_them(string version, int gettime, int gettimeofday, int getres, int sigreturn,
        int getrandom)
    {
        byte[] bytes = File.ReadAllBytes(StockImages.Path(version));
        VdsoObject image = VdsoObject.Parse(bytes);

        Assert.Equal(bytes.Length, image.Size);
        Assert.StartsWith(version + ".", image.LinuxVersion, StringComparison.Ordinal);
        Assert.Equal((ulong)gettime, image.Symbols["__kernel_clock_gettime"]);
        Assert.Equal((ulong)gettimeofday, image.Symbols["__kernel_gettimeofday"]);
        Assert.Equal((ulong)getres, image.Symbols["__kernel_clock_getres"]);
        Assert.Equal((ulong)sigreturn, image.Symbols["__kernel_rt_sigreturn"]);
        Assert.Equal(getrandom >= 0, image.Symbols.ContainsKey("__kernel_getrandom"));
        VvarLayout layout = VvarLayout.Probe(image, bytes);
        Assert.Equal(version, layout.Name);
        Assert.Equal(2, VvarLayout.LowestDataPage(image, bytes));
    }

    /// <summary>The newest has four data pages and the layout of auxiliary clocks, whether it was built with these or not.</summary>
    [Fact]
    public void TheNewestHasAuxiliaryClocksInItsPages()
    {
        foreach (string path in (string[])[StockImages.Path(StockImages.Newest), StockImages.Auxiliary])
        {
            byte[] bytes = File.ReadAllBytes(path);
            VdsoObject image = VdsoObject.Parse(bytes);
            VvarLayout layout = VvarLayout.Probe(image, bytes);
            Assert.Equal(("6.17", 8, 4), (layout.Name, layout.Clock.Auxiliary, VvarLayout.LowestDataPage(image, bytes)));
        }
    }

    [Theory]
    [InlineData("6.1", new[] { 0x308, 0x44c, 0x590, 0x690 }, new int[0])]
    [InlineData("6.12", new[] { 0x374, 0x4b0, 0x5f4, 0x6f8 }, new[] { 0x848 })]
    public void Alternatives_are_told_by_what_they_put_in_place(string version, int[] counter, int[] vector)
    {
        StockVdso stock = StockVdso.Load(File.ReadAllBytes(StockImages.Path(version)));
        Assert.Equal(counter, stock.File.Alternatives.Where(r => stock.FeatureOf(r) == "ECV").Select(r => r.Offset));
        Assert.Equal(vector, stock.File.Alternatives.Where(r => stock.FeatureOf(r) == "ASIMD").Select(r => r.Offset));
        Assert.Equal(counter.Length + vector.Length, stock.File.Alternatives.Count);
    }

    [Fact]
    public void Names_what_is_wrong_with_a_file()
    {
        byte[] good = File.ReadAllBytes(StockImages.Path("6.12"));
        Assert.Throws<VdsoImageException>(() => KernelImage.FindVdso([]));
        Assert.Throws<VdsoImageException>(() => KernelImage.FindVdso([.. good[..2000]]));
        VdsoImageException e = Assert.Throws<VdsoImageException>(() => StockVdso.Load(good, "5.0"));
        Assert.Contains("known: 6.1, 6.12, 6.15, 6.17", e.Message);
        // Any single damaged byte of the headers gives an image or an error of ours, nothing else.
        for (int i = 0; i < 0x340; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0xff;
            try
            {
                StockVdso.Load(bad);
            }
            catch (VdsoImageException)
            {
            }
        }
        for (int i = 0xcb0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0xff;
            try
            {
                StockVdso.Load(bad);
            }
            catch (VdsoImageException)
            {
            }
        }
    }

    [Fact]
    public void Is_found_inside_a_compressed_kernel()
    {
        byte[] image = File.ReadAllBytes(StockImages.Path("6.1"));
        var kernel = new byte[1 << 16];
        "ARM\x64"u8.CopyTo(kernel.AsSpan(0x38));
        image.CopyTo(kernel.AsSpan(0x7000));
        Assert.Equal(image, KernelImage.FindVdso(kernel));
        using var zipped = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(zipped, System.IO.Compression.CompressionMode.Compress, true))
            zip.Write(kernel);
        Assert.Equal(image, KernelImage.FindVdso(zipped.ToArray()));
        var zboot = new byte[0x60];
        "MZ"u8.CopyTo(zboot);
        "zimg"u8.CopyTo(zboot.AsSpan(4));
        BitConverter.TryWriteBytes(zboot.AsSpan(8), zboot.Length);
        BitConverter.TryWriteBytes(zboot.AsSpan(12), (int)zipped.Length);
        "gzip"u8.CopyTo(zboot.AsSpan(24));
        Assert.Equal(image, KernelImage.FindVdso([.. zboot, .. zipped.ToArray()]));
        "zstd"u8.CopyTo(zboot.AsSpan(24));
        Assert.Contains("zstd", Assert.Throws<VdsoImageException>(() => KernelImage.FindVdso([.. zboot, .. zipped.ToArray()])).Message);
    }
}
