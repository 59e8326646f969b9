using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Tests.Timing;

/// <summary>States are given back as they were, and are told apart by each word.</summary>
public sealed class StateTableTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(56)]
    [InlineData(512)]
    [InlineData(1384)]
    public void StatesAreKeptAsTheyAre(int size)
    {
        const int Most = 1024;
        var table = new StateTable(size, Most);
        var random = new Random(size);
        var known = new List<byte[]>();
        for (int round = 0; round < 2; round++)
        {
            while (known.Count < Most)
            {
                byte[] state = new byte[size];
                // Mostly zeros; some differ in one byte.
                if (known.Count > 0 && random.Next(2) == 0)
                    known[random.Next(known.Count)].CopyTo(state, 0);
                for (int i = random.Next(1, 8); i > 0; i--)
                    state[random.Next(size)] = (byte)random.Next(4);
                int number = table.Intern(state, known.Count % 2 == 0, known.Count);
                int expected = known.FindIndex(state.SequenceEqual);
                Assert.Equal(expected < 0 ? known.Count : expected, number);
                if (expected < 0)
                    known.Add(state);
            }
            Assert.True(table.Full);
            byte[] copy = new byte[size];
            for (int i = 0; i < Most; i++)
            {
                Array.Fill(copy, (byte)0xFF);
                table.CopyTo(i, copy);
                Assert.Equal(known[i], copy);
                Assert.Equal((i % 2 == 0, i), (table.Redirected(i), table.Horizon(i)));
            }
            table.Clear();
            known.Clear();
        }
    }
}
