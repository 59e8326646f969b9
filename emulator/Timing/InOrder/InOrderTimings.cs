using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;
using static ArmVdso.Emulator.Timing.Instructions.EncodingFields;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>From the instruction table's class and roles to the timing of one encoding on an in-order core.</summary>
internal sealed class InOrderTimings(CoreModel model)
{
    /// <summary>Works out the static timing of one encoding on this core.</summary>
    /// <exception cref="CoreModelException">The model has no timing for the class.</exception>
    internal InstructionTiming Time(in InstructionRoles roles)
    {
        uint encoding = roles.Encoding;
        string className = Refine(roles.Class, encoding, false);
        ClassTiming timing = Find(NamesOf(roles));
        TimingKind kind = KindOf(className, encoding);
        bool store = className.StartsWith("store", StringComparison.Ordinal);
        bool load = className.StartsWith("load", StringComparison.Ordinal);
        bool narrow = ((encoding >> 31) == 0 && className is "madd" or "div") || IsSinglePrecision(className, encoding);
        int latency = narrow ? timing.Latency32 ?? timing.Latency ?? 1 : timing.Latency ?? 1;
        int busy = narrow ? timing.Busy32 ?? timing.Busy ?? 1 : timing.Busy ?? 1;

        byte[] sources = [.. roles.Sources];
        byte[] needs = new byte[sources.Length];
        byte[] destinations = [.. roles.Destinations];
        short[] latencies = new short[destinations.Length];
        short[] addressLatencies = new short[destinations.Length];
        uint addressSources = 0;
        int baseRegister = (int)(encoding >> 5) & 31;
        int offsetRegister = OffsetRegister(className, encoding);

        int beats = MemoryBeats(className, encoding, load) ?? timing.Beats ?? 1;
        for (int i = 0; i < sources.Length; i++)
        {
            byte register = sources[i];
            if (kind == TimingKind.Memory)
            {
                bool address = register < InstructionTiming.V0 && (!store || register == baseRegister || register == offsetRegister);
                if (address)
                    addressSources |= 1u << i;
                else if (load)
                    needs[i] = (byte)latency;
                else
                    needs[i] = (byte)StoreData(className, encoding, register, beats);
            }
            else
            {
                bool accumulator = timing.Accumulate is not null && IsAccumulator(className, encoding, register, destinations);
                needs[i] = (byte)Need(timing, kind, encoding, register, accumulator);
            }
        }

        for (int i = 0; i < destinations.Length; i++)
        {
            byte register = destinations[i];
            int ready = latency;
            int readyForAddress = latency;
            if (load || store)
            {
                bool writeback = register == baseRegister && register < InstructionTiming.V0 && IsWriteback(encoding);
                if (writeback)
                {
                    ready = model.Writeback;
                    readyForAddress = model.WritebackAddress;
                }
                else if (load)
                {
                    ready += LoadExtra(className, encoding, Element(className, encoding, register), beats);
                    readyForAddress = register < InstructionTiming.V0
                        ? ready - latency + model.LoadToAddress + (LoadsSubWord(className, encoding) ? model.LoadSubWord : 0)
                        : ready;
                }
            }
            else if (className == "tbl")
            {
                readyForAddress = ready = latency + beats;
            }
            else if (timing.FirstSource is not null)
            {
                readyForAddress = model.LateToAddress;
            }
            latencies[i] = (short)ready;
            addressLatencies[i] = (short)readyForAddress;
        }

        return new InstructionTiming
        {
            Class = className,
            Row = roles.Row,
            Encoding = encoding,
            Sources = sources,
            Needs = needs,
            AddressSources = addressSources,
            Destinations = destinations,
            Latencies = latencies,
            AddressLatencies = addressLatencies,
            // What has no result but the flags.
            Units = destinations is [InstructionTiming.Flags] && className is "alu" or "alu_flags" or "logic" or "alu_shift" or "alu_ext"
                ? Units.Compare : timing.Unit ?? Units.None,
            Beats = (byte)beats,
            Busy = (byte)busy,
            Skewed = model.SkewedAlu != 0 && timing.Skewed == true,
            // It issues as system instructions do, and then does what stores do.
            Kind = ZeroesBlock(encoding) ? TimingKind.Memory : kind,
            SmallMisalignment = timing.Width is not null || IsWordPair(className, encoding),
            WritesFlags = destinations.Contains((byte)InstructionTiming.Flags),
            ReadsFlags = sources.Contains((byte)InstructionTiming.Flags),
            Hold = (short)(timing.Hold ?? 0),
            SimdHalves = (byte)SimdHalves(timing.Width, className, encoding),
            VectorDestination = Array.Find(destinations, static d => d is >= InstructionTiming.V0 and < InstructionTiming.Flags),
        };
    }

    /// <summary>Cycles after issue at which an instruction that accesses no memory needs a source.</summary>
    private int Need(ClassTiming timing, TimingKind kind, uint encoding, byte register, bool accumulator)
    {
        if (kind is >= TimingKind.Branch and <= TimingKind.Return)
            return model.BranchResolve;
        if (accumulator)
            return timing.Accumulate!.Value;
        if (register == InstructionTiming.Flags && timing.FlagsSource is int flags)
            return flags;
        // The SIMD pipe reads general registers late.
        if (register < InstructionTiming.V0 && timing.Width is not null)
            return model.GeneralOperand;
        bool isFirst = register == ((encoding >> 5) & 31) && register != ((encoding >> 16) & 31);
        return isFirst ? timing.FirstSource ?? 0 : 0;
    }

    /// <summary>Halves of the SIMD datapath that a <see cref="ClassTiming.Width"/> means for an encoding.</summary>
    private static int SimdHalves(string? width, string className, uint encoding) => width switch
    {
        "half" => 1,
        "full" => 2,
        "long" => (encoding & (1u << 28)) == 0 || (encoding & (1u << 30)) == 0 ? 2 : 1,
        "q" when className == "store_fp" => AccessBits(encoding) == 128 ? 2 : 1,
        "q" => IsFull(encoding) ? 2 : 1,
        _ => 0,
    };

    /// <summary>The names that time an encoding: class, mnemonic, row.</summary>
    internal static List<string> NamesOf(in InstructionRoles roles)
    {
        string className = Refine(roles.Class, roles.Encoding, false);
        string row = RowInfo.Name(roles.Row);
        List<string> names = [className, roles.Mnemonic];
        if (row != roles.Mnemonic)
            names.Add(row);
        // A multiplication that adds to nothing may be another operation than one that accumulates.
        if (className == "madd" && ((roles.Encoding >> 10) & 31) == 31)
            names.Add(roles.Mnemonic + ".zero");
        return names;
    }

    /// <summary>The timing of a class with what its more specific names add.</summary>
    private ClassTiming Find(List<string> names)
    {
        if (!model.ClassTimings.TryGetValue(names[0], out ClassTiming? timing))
            throw model.Error("classes", $"no timing for class {names[0]}");
        foreach (string name in names.Skip(1))
        {
            if (model.ClassTimings.TryGetValue(name, out ClassTiming? more))
                timing = timing.With(more);
        }
        return timing;
    }

    private static bool IsSinglePrecision(string className, uint encoding) =>
        className is "fp_div" or "fp_sqrt"
            ? (encoding & (3 << 22)) == 0
            : className is "simd_fp_div" or "simd_fp_sqrt" && (encoding & (1 << 22)) == 0;

    /// <summary>Vector encodings have Q in bit 30 and bit 28 clear; scalar ones work on one 64-bit half.</summary>
    private static bool IsFull(uint encoding) =>
        (encoding & (1u << 28)) == 0 && (encoding & (1u << 30)) != 0 && (encoding & (1u << 31)) == 0;

    private static bool LoadsSubWord(string className, uint encoding)
    {
        uint size = encoding >> 30;
        return className switch
        {
            "load_pair" => size != 2,
            "load_literal" => size != 1,
            _ => size != 3,
        };
    }

    /// <summary>Cycles after the first datum at which element <paramref name="element"/> of a load arrives.</summary>
    private int LoadExtra(string className, uint encoding, int element, int beats)
    {
        switch (className)
        {
            case "load_pair":
                return IsWordPair(className, encoding) ? 0 : element;
            case "load_fp" or "load_literal":
                int each = Math.Max(1, AccessBits(encoding) / model.LoadBits);
                return (element + 1) * each - 1;
            case "load_simd":
                // Whole registers arrive in order; structures and single elements when the last beat is done.
                bool multipleOne = (encoding & 0x01000000) == 0 && ((encoding >> 12) & 0xF) is 2 or 6 or 7 or 10;
                int perRegister = (encoding & (1u << 30)) != 0 ? Math.Max(1, 128 / model.LoadBits) : 1;
                return multipleOne ? (element + 1) * perRegister - 1 : beats - 1;
            default:
                return 0;
        }
    }

    /// <summary>Which of the transferred registers (0 the first) a register is.</summary>
    private static int Element(string className, uint encoding, byte register)
    {
        int first = (int)encoding & 31;
        if (className is "load_simd" or "store_simd")
            return (register - InstructionTiming.V0 - first) & 31;
        return IsPair(encoding) && (register & 31) != first ? 1 : 0;
    }

    /// <summary>Cycles after issue at which a store needs one of the registers that it stores.</summary>
    private int StoreData(string className, uint encoding, byte register, int beats) =>
        register < InstructionTiming.V0
            ? model.StoreData
            : model.StoreDataFp + Element(className, encoding, register) * beats / Registers(className, encoding);

    /// <summary>How many registers a load or store transfers.</summary>
    private static int Registers(string className, uint encoding)
    {
        if (className is not ("load_simd" or "store_simd"))
            return IsPair(encoding) ? 2 : 1;
        if ((encoding & 0x01000000) == 0)
            return ((encoding >> 12) & 0xF) switch { 0 or 2 => 4, 4 or 6 => 3, 7 => 1, _ => 2 };
        return (int)(((encoding >> 13) & 1) << 1) + ((encoding & (1u << 21)) != 0 ? 1 : 0) + 1;
    }

    /// <summary>LDP of W registers and LDPSW: both data come with one access.</summary>
    private static bool IsWordPair(string className, uint encoding) => className == "load_pair" && (encoding >> 30) != 2;

    /// <summary>Bits that one register of a SIMD&amp;FP load or store holds.</summary>
    private static int AccessBits(uint encoding)
    {
        if ((encoding & (1 << 26)) == 0)
            return 64;
        int size = (int)(encoding >> 30);
        if (IsPair(encoding) || (encoding & 0x3B000000) == 0x18000000)
            return 32 << size;
        return size == 0 && (encoding & (1 << 23)) != 0 ? 128 : 8 << size;
    }

    /// <summary>Issue cycles that the width of the load or store path asks for; null for other classes.</summary>
    private int? MemoryBeats(string className, uint encoding, bool load)
    {
        switch (className)
        {
            case "load_simd" or "store_simd":
                return StructureBeats(encoding, load);
            case "tbl":
                return (int)((encoding >> 13) & 3) + 1 + (int)((encoding >> 12) & 1);
            case "load_pair":
                return Math.Max(2, 128 / model.LoadBits);
            case "store_pair":
                return Math.Max(1, 128 / model.StoreBits);
            case "load_fp" or "load_literal" or "store_fp":
                int registers = IsPair(encoding) ? 2 : 1;
                int each = AccessBits(encoding);
                return load ? registers * Math.Max(1, each / model.LoadBits) : Math.Max(1, registers * each / model.StoreBits);
            default:
                return null;
        }
    }

    /// <summary>Issue cycles of LD1..LD4 and ST1..ST4, from the width of the load and store paths and the interleaving.</summary>
    private int StructureBeats(uint encoding, bool load)
    {
        bool q = (encoding & (1u << 30)) != 0;
        int size = (int)(encoding >> 10) & 3;
        if ((encoding & 0x01000000) == 0)
        {
            (int registers, int structure) = ((encoding >> 12) & 0xF) switch
            {
                0 => (4, 4),
                2 => (4, 1),
                4 => (3, 3),
                6 => (3, 1),
                7 => (1, 1),
                8 => (2, 2),
                _ => (2, 1),
            };
            int total = registers * (q ? 128 : 64);
            if (load)
                return total / model.LoadBits + (structure == 3 && size < 2 ? 1 : 0);
            int plain = (total + model.StoreBits - 1) / model.StoreBits;
            return structure switch
            {
                3 => plain + 1,
                4 when size < 2 => plain + 1,
                _ => plain,
            };
        }
        int opcode = (int)(encoding >> 13) & 7;
        int count = ((opcode & 1) << 1) + ((encoding & (1u << 21)) != 0 ? 1 : 0) + 1;
        bool replicate = opcode >= 6;
        bool wide = replicate ? size == 3 : opcode is 4 or 5 && (size & 1) != 0;
        if (!load)
            return (count + 1) / 2;
        return wide ? count : (count + 1) / 2;
    }
}
