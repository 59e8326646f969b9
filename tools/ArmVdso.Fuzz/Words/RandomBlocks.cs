namespace ArmVdso.Fuzz.Words;

/// <summary>Blocks of random instructions of one row.</summary>
internal static class RandomBlocks
{
    private const int Length = 5;

    /// <summary>Random words of a row; some rows are hidden by more specific ones for most words.</summary>
    internal static uint? Word(Row row, Random random)
    {
        for (int i = 0; i < 50; i++)
        {
            uint word = RowInfo.Value(row) | ((uint)random.NextInt64(1L << 32) & ~RowInfo.Mask(row));
            // Literals near enough to be mapped, half of the time.
            if ((RowInfo.Class(row) == TimingClass.LoadLiteral || row == Row.LDR_fp_lit) && random.Next(2) == 0)
                word = (word & ~(0x7FFFFu << 5)) | ((uint)random.Next(0x600) << 5);
            if (Decoder.Decode(word) == row)
                return word;
        }
        return null;
    }

    private static void RandomState(EngineMachine machine, Random random)
    {
        Cpu cpu = machine.Cpu;
        for (int i = 0; i < 31; i++)
        {
            cpu.SetX(i, random.Next(4) switch
            {
                0 => EngineMachine.Data + 0x800 + (ulong)random.Next(0x2000),
                1 => EngineMachine.Data + 0x1000 - (ulong)random.Next(20),
                2 => (ulong)random.Next(64),
                _ => (ulong)random.NextInt64(),
            });
        }
        cpu.SP_EL0 = EngineMachine.Data + 0x1000 + (ulong)(random.Next(8) == 0 ? 8 : 16 * random.Next(64));
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128((ulong)random.NextInt64(), (ulong)random.NextInt64()));
        cpu.NZCV = random.Next(16);
        cpu.FPSR = random.Next(2) == 0 ? 0u : 16; // IXC, which native code looks at
        random.NextBytes(machine.DataBytes);
    }

    /// <summary>Runs a block of random instructions of a row, from a random state.</summary>
    internal static void RunRow(EngineMachine machine, Row row, Random random)
    {
        var words = new uint[Length + 1];
        for (int i = 0; i < Length; i++)
            words[i] = Word(row, random) ?? 0xD503201F;
        words[Length] = 0x14000000;
        machine.Load(words);
        RandomState(machine, random);
        machine.Start();
        machine.Run(Length + 20);
    }
}
