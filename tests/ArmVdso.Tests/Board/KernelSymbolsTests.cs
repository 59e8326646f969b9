using System.Buffers.Binary;
using System.Text;
using ArmVdso.Lab.Boot;

namespace ArmVdso.Tests.Board;

/// <summary>The tables of kallsyms, made here as scripts/kallsyms.c lays them out, in the order of Linux 6.1 and of 6.12.</summary>
public sealed class KernelSymbolsTests
{
    private const int Count = 300;

    /// <summary>Symbols every 16 bytes: f0, f1, ... and at the end two that share an address.</summary>
    private static byte[] Image(bool behind, bool damaged = false)
    {
        var image = new MemoryStream();
        void Align()
        {
            while (image.Length % 8 != 0)
                image.WriteByte(0);
        }
        void Word(long value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
            image.Write(bytes);
        }
        void Offsets()
        {
            Align();
            for (int i = 0; i < Count; i++)
                Word(Math.Min(i, Count - 2) * 16);
            Align();
            Word(0xABCD0000);
            Word(0xFFFF8000);
        }
        // Digits that are no table of tokens come before it.
        image.Write(Encoding.ASCII.GetBytes("0\0001\0002\0003\0004\0005\0006\0007\0008\0009\0junk"));
        if (!behind)
            Offsets();
        Align();
        Word(Count);
        Word(0);
        long names = image.Length;
        var markers = new List<long>();
        for (int i = 0; i < Count; i++)
        {
            if (i % 256 == 0)
                markers.Add(image.Length - names);
            // One name is longer than 127 tokens, as Linux 6.1 and later allow.
            string name = $"{(i == Count - 2 ? 't' : 'T')}f{i}" + (i == 7 ? new string('x', 200) : "");
            if (name.Length > 127)
                image.WriteByte((byte)(0x80 | (name.Length & 0x7F)));
            image.WriteByte((byte)(name.Length > 127 ? name.Length >> 7 : name.Length));
            image.Write(Encoding.ASCII.GetBytes(name));
        }
        Align();
        foreach (long marker in markers)
            Word(marker + (damaged ? 1 : 0));
        Align();
        long tokens = image.Length;
        var index = new List<long>();
        for (int i = 0; i < 256; i++)
        {
            index.Add(image.Length - tokens);
            image.Write([(byte)(i == 0 ? 'z' : i), 0]);
        }
        Align();
        foreach (long at in index)
            image.Write([(byte)at, (byte)(at >> 8)]);
        if (behind)
            Offsets();
        Align();
        return image.ToArray();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FindsFunctions(bool behind)
    {
        byte[] image = Image(behind);
        var symbols = new KernelSymbols(image);
        Assert.True(symbols.Any);
        Assert.Equal(0xFFFF8000_ABCD0000, BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(symbols.BaseAt)));
        Assert.True(symbols.Find(5 * 16 + 12, out string name, out ulong start, out ulong end));
        Assert.Equal(("f5", 80UL, 96UL), (name, start, end));
        Assert.True(symbols.Find(7 * 16, out name, out _, out _));
        Assert.Equal("f7" + new string('x', 200), name);
        Assert.Equal(16UL, symbols.OffsetOf("f1"));
        Assert.Null(symbols.OffsetOf("f"));
        // Behind the last symbol nothing says how far it reaches.
        Assert.False(symbols.Find(Count * 16, out _, out _, out _));
        Assert.False(symbols.Find(ulong.MaxValue, out _, out _, out _));
    }

    [Fact]
    public void WithoutTablesThereAreNone()
    {
        Assert.False(new KernelSymbols(Image(true, damaged: true)).Any);
        Assert.False(new KernelSymbols(new byte[1000]).Any);
        byte[] image = Image(true);
        for (int length = 0; length < image.Length; length += 61)
            _ = new KernelSymbols(image.AsSpan(0, length));
    }
}
