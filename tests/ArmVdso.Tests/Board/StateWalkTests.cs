using ArmVdso.Emulator.State;

namespace ArmVdso.Tests.Board;

/// <summary>Every field of a saved machine is state or says why it is none; what can be neither is an error.</summary>
public sealed class StateWalkTests
{
    private sealed class Sample
    {
        public int Number = 1;
        public readonly byte Fixed = 7;
        public readonly ulong[] Numbers = [1, 2, 3];
        public readonly string Text = "text";
        public readonly Queue<byte> Queue = new([1, 2]);
        public readonly Dictionary<ulong, byte[]> Blocks = new() { [5] = [1, 2, 3] };
        public (int, long)[] Pairs = [(1, 2)];
        public Func<int>? Told = () => 1;

        [NotState("a sample of what is not saved")]
        public int Other = 9;
    }

    private sealed class Forgetful
    {
        public readonly MemoryStream Stream = new();
    }

    [Fact]
    public void EveryFieldIsSaved()
    {
        using var saved = new MemoryStream();
        var first = new Sample { Number = 5, Pairs = [(3, 4)], Other = 2 };
        first.Numbers[1] = 9;
        first.Queue.Enqueue(3);
        first.Blocks[6] = [4];
        StateWalk.Save(saved, first);
        var second = new Sample();
        saved.Position = 0;
        StateWalk.Restore(saved, second);
        Assert.Equal((5, 9), (second.Number, second.Other));
        Assert.Equal([1UL, 9, 3], second.Numbers);
        Assert.Equal([1, 2, 3], second.Queue.ToArray());
        Assert.Equal([5UL, 6], second.Blocks.Keys.ToArray());
        Assert.Equal([(3, 4)], second.Pairs);
        Assert.Equal(saved.Length, saved.Position);
    }

    [Fact]
    public void WhatIsNeitherIsAnError()
    {
        StateException e = Assert.Throws<StateException>(() => StateWalk.Save(Stream.Null, new Forgetful()));
        Assert.Contains("Forgetful.Stream holds a MemoryStream", e.Message);
    }

    /// <summary>What never changes is compared, and so is how much there is.</summary>
    [Fact]
    public void OtherObjectsAreRefused()
    {
        using var saved = new MemoryStream();
        StateWalk.Save(saved, new Sample());
        byte[] bytes = saved.ToArray();
        int at = bytes.AsSpan().IndexOf("text"u8);
        bytes[at] = (byte)'n';
        Assert.Contains("Text is another text", Assert.Throws<StateException>(() => Restore(bytes)).Message);
        saved.SetLength(saved.Length - 1);
        Assert.Throws<EndOfStreamException>(() => Restore(saved.ToArray()));
    }

    private static void Restore(byte[] bytes) => StateWalk.Restore(new MemoryStream(bytes), new Sample());

    /// <summary>A digest names the fields, so that another build's state is not taken for this one's.</summary>
    [Fact]
    public void TheShapeIsThatOfTheFields()
    {
        Assert.Equal(StateWalk.Shape(new Sample()), StateWalk.Shape(new Sample { Number = 8 }));
        Assert.NotEqual(StateWalk.Shape(new Sample()), StateWalk.Shape(new StateWalkTests()));
    }
}
