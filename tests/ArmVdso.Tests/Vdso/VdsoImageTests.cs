using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ArmVdso.Kernel.Tasks;
using static ArmVdso.Tests.Vdso.VdsoElf;

namespace ArmVdso.Tests.Vdso;

/// <summary>The committed vDSO image: what dynamic linkers, unwinders and debuggers rely on, and that it comes
/// from the sources beside it.</summary>
public sealed class VdsoImageTests
{
    private const string Version = "LINUX_2.6.39";

    private static readonly string[] s_functions = [.. VdsoCalls.All.Select(c => c.Symbol)];

    /// <summary>Field of the per-CPU slot and system call number of each function that takes nothing and is answered from the
    /// slot.</summary>
    private static readonly (string Name, string Field, uint Number)[] s_perCpu =
        [.. VdsoCalls.All.Where(c => c is { Answer: VdsoAnswer.Id, Fails: false }).Select(c => (c.Name, c.Fields[0], (uint)c.Number))];

    private static readonly string s_folder = Path.Combine(GuestPrograms.RepositoryRoot, "vdso-image");
    private static readonly VdsoElf s_elf = new(File.ReadAllBytes(Path.Combine(s_folder, "bin", "vdso-per-cpu.so")));

    private static Dictionary<string, long> Layout() => File.ReadLines(Path.Combine(s_folder, "bin", "layout.tsv"))
        .Select(line => line.Split('\t'))
        .ToDictionary(cells => cells[0], cells => long.Parse(cells[1], CultureInfo.InvariantCulture));

    private static List<uint> Code(string function)
    {
        Symbol symbol = s_elf.Symbols().Single(s => s.Name == function);
        return Enumerable.Range(0, (int)symbol.Size / 4).Select(i => s_elf.U32(symbol.Address + 4UL * (ulong)i)).ToList();
    }

    [Fact]
    public void Is_an_AArch64_shared_object()
    {
        Assert.Equal(0x464c457fu, s_elf.U32(0));
        Assert.Equal([2, 1, 1], s_elf.Bytes[4..7]);
        Assert.Equal(3, s_elf.U16(16));
        Assert.Equal(183, s_elf.U16(18));
    }

    [Fact]
    public void Has_one_segment_that_covers_the_whole_file()
    {
        Segment load = Assert.Single(s_elf.Segments(), s => s.Type == PT_LOAD);

        Assert.Equal(5u, load.Flags);
        Assert.Equal(0ul, load.Offset);
        Assert.Equal(0ul, load.Address);
        Assert.Equal((ulong)s_elf.Bytes.Length, load.FileSize);
        Assert.Equal(load.FileSize, load.MemorySize);
        Assert.Equal(4096ul, load.Align);
        Assert.InRange(s_elf.SectionHeaders.Start, 64ul, load.FileSize);
        Assert.Equal(load.FileSize, s_elf.SectionHeaders.End);
    }

    [Fact]
    public void Has_the_headers_that_linkers_and_unwinders_look_for()
    {
        List<Segment> segments = s_elf.Segments();
        Assert.Equal([PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME], segments.Select(s => s.Type));
        Assert.All(segments.Skip(1), s => Assert.Equal(4u, s.Flags));
        Assert.All(segments, s => Assert.Equal(s.Offset, s.Address));

        Dictionary<ulong, ulong> dynamic = s_elf.Dynamic();
        Assert.Equal("linux-vdso.so.1", s_elf.Text(dynamic[DT_STRTAB] + dynamic[DT_SONAME]));
        Assert.Contains(DT_HASH, dynamic.Keys);
        Assert.Contains(DT_GNU_HASH, dynamic.Keys);
    }

    [Fact]
    public void Has_no_private_memory_and_nothing_to_relocate()
    {
        const uint SHT_RELA = 4, SHT_NOBITS = 8, SHT_REL = 9, SHT_RELR = 19;
        const ulong SHF_WRITE = 1;
        Assert.All(s_elf.Sections(), s =>
        {
            Assert.False(s.Type is SHT_RELA or SHT_NOBITS or SHT_REL or SHT_RELR, s.Name);
            Assert.True((s.Flags & SHF_WRITE) == 0, s.Name);
            Assert.DoesNotMatch(@"^\.(data|bss|got|plt|rel|init|fini|tdata|tbss)", s.Name);
        });

        ulong[] relocation =
        [
            2 /* PLTRELSZ */, 3 /* PLTGOT */, 7 /* RELA */, 17 /* REL */, 22 /* TEXTREL */, 23 /* JMPREL */, 36 /* RELR */, 1 /* NEEDED */,
        ];
        Assert.Empty(s_elf.Dynamic().Keys.Intersect(relocation));
    }

    [Fact]
    public void Exports_exactly_its_functions_under_one_version()
    {
        const int NoType = 0, Function = 2, Global = 1;
        List<Symbol> symbols = s_elf.Symbols();

        Assert.Equal(s_functions.Append("__kernel_rt_sigreturn").Order(), symbols.Select(s => s.Name).Order());
        Section text = s_elf.Sections().Single(s => s.Name == ".text");
        Assert.All(symbols, s =>
        {
            Assert.Equal(Version, s.Version);
            Assert.Equal(Global, s.Binding);
            Assert.Equal(s.Name == "__kernel_rt_sigreturn" ? NoType : Function, s.Type);
            Assert.InRange(s.Address, text.Address, text.Address + text.Size - s.Size);
        });
    }

    [Fact]
    public void Both_hash_tables_find_every_symbol_and_no_other()
    {
        foreach (Symbol symbol in s_elf.Symbols())
        {
            Assert.Equal(symbol.Name, s_elf.SymbolName(s_elf.LookUpSysV(symbol.Name)));
            Assert.Equal(symbol.Name, s_elf.SymbolName(s_elf.LookUpGnu(symbol.Name)));
        }

        foreach (string absent in (string[])["__kernel_time", "__kernel_clock_settime", "__vdso_getcpu", "_vdso_data", ""])
        {
            Assert.Equal(0u, s_elf.LookUpSysV(absent));
            Assert.Equal(0u, s_elf.LookUpGnu(absent));
        }
    }

    [Fact]
    public void Notes_name_the_kernel_version_and_the_build()
    {
        Segment segment = s_elf.Segments().Single(s => s.Type == PT_NOTE);
        List<(string Owner, uint Type, byte[] Description)> notes = [];
        for (ulong at = segment.Offset; at < segment.Offset + segment.FileSize;)
        {
            ulong description = at + 12 + (s_elf.U32(at) + 3 & ~3u);
            notes.Add((s_elf.Text(at + 12), s_elf.U32(at + 8), s_elf.Bytes[(int)description..(int)(description + s_elf.U32(at + 4))]));
            at = description + (s_elf.U32(at + 4) + 3 & ~3u);
        }

        Assert.Equal([0, 1, 6, 0], Assert.Single(notes, n => n.Owner == "Linux" && n.Type == 0).Description);
        Assert.Equal(20, Assert.Single(notes, n => n.Owner == "GNU" && n.Type == 3).Description.Length);
    }

    /// <summary>Unwinders (libgcc, libunwind, gdb) compare these bytes at the return address of a handler.</summary>
    [Fact]
    public void Signal_trampoline_is_the_bytes_that_unwinders_know()
    {
        Symbol trampoline = s_elf.Symbols().Single(s => s.Name == "__kernel_rt_sigreturn");

        Assert.Equal(8ul, trampoline.Size);
        Assert.Equal([0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4], s_elf.Bytes[(int)trampoline.Address..(int)(trampoline.Address + 8)]);
        Assert.Equal(0xd503201fu, s_elf.U32(trampoline.Address - 4));
    }

    [Fact]
    public void Call_frame_information_covers_the_functions_and_not_the_trampoline()
    {
        ulong header = s_elf.Segments().Single(s => s.Type == PT_GNU_EH_FRAME).Offset;
        Assert.Equal(0x3b031b01u, s_elf.U32(header));

        Dictionary<ulong, ulong> ranges = [];
        for (uint i = 0; i < s_elf.U32(header + 8); i++)
        {
            ulong entry = header + 12 + 8UL * i;
            ulong description = header + (ulong)(int)s_elf.U32(entry + 4);
            ulong start = header + (ulong)(int)s_elf.U32(entry);
            Assert.Equal(start, description + 8 + (ulong)(int)s_elf.U32(description + 8));
            ranges[start] = s_elf.U32(description + 12);
        }

        // Two halves of functions for tasks in a time namespace, and the cipher.
        Assert.Equal(s_functions.Length + 3, ranges.Count);
        foreach (Symbol symbol in s_elf.Symbols().Where(s => s.Name != "__kernel_rt_sigreturn"))
            Assert.Equal(symbol.Size, ranges[symbol.Address]);

        // The NOP before the trampoline, too: the unwinder looks up the return address less one.
        ulong trampoline = s_elf.Symbols().Single(s => s.Name == "__kernel_rt_sigreturn").Address;
        Assert.All(ranges, r => Assert.False(r.Key <= trampoline + 7 && trampoline - 4 < r.Key + r.Value));
    }

    [Fact]
    public void Uses_no_vector_register_no_x18_and_no_landing_pad()
    {
        (int status, string output, string errors) =
            GuestPrograms.Run("llvm-objdump-19", "-d", "--no-show-raw-insn", Path.Combine(s_folder, "bin", "vdso-per-cpu.so"));
        Assert.True(status == 0, output + errors);

        string[] instructions = output.Split('\n').Where(line => Regex.IsMatch(line, @"^ +[0-9a-f]+:\s+\t")).ToArray();
        Assert.InRange(instructions.Length, 200, 1000);
        // Random numbers are the caller's business with the vector registers that AAPCS64 lets a function have.
        int cipher = Array.FindIndex(instructions, line => Regex.IsMatch(line, @"\tfmov\td4, x4"));
        ulong start = s_elf.Symbols().Single(s => s.Name == "__kernel_getrandom").Address;
        ulong end = start + s_elf.Symbols().Single(s => s.Name == "__kernel_getrandom").Size;
        Assert.True(cipher > 0);
        int cipherEnd = Array.FindIndex(instructions, cipher, line => line.TrimEnd().EndsWith("\tret", StringComparison.Ordinal));
        Assert.All(instructions[cipher..cipherEnd], line =>
            Assert.DoesNotMatch(@"\b[bhsdqv]([89]|1[0-5]|19|2[0-9]|3[01])(\.[0-9]*[bhsd])?\b", line));
        bool InGetrandom(string line)
        {
            ulong at = ulong.Parse(line.Trim().Split(':')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return at >= start && at < end;
        }
        Assert.All(instructions.Where((line, i) => (i < cipher || i > cipherEnd) && !InGetrandom(line)), line =>
        {
            Assert.DoesNotMatch(@"[\s\[{,]([bhsdqv]([12]?[0-9]|3[01])(\.[0-9]*[bhsd])?|[wx]18)\b(?!:)", line);
            Assert.DoesNotMatch(@"\t(bti|paci|auti|retaa|bl|blr|br|udf|<unknown>)\b", line);
        });
    }

    /// <summary>The body of the getters is the design that is measured: the offset, one test, one load, no second look.</summary>
    [Fact]
    public void Per_cpu_getters_are_six_instructions_and_a_fallback()
    {
        Dictionary<string, long> layout = Layout();
        foreach ((string name, string field, uint number) in s_perCpu)
        {
            List<uint> code = Code("__kernel_" + name);
            Assert.Equal(9, code.Count);
            Assert.Equal(0xd53bd068u, code[0]);                                                     // mrs x8, tpidrro_el0
            Assert.Equal(0xb4000000u | 5 << 5 | 8, code[1]);                                        // cbz x8, +20
            Assert.Equal(0x10000000u, code[2] & 0x9f00001f & ~0x1fu);                               // adr
            Assert.Equal(0x8b000000u, code[3] & 0xffe00000);                                        // add
            Assert.Equal(0xb9400000u | (uint)layout["vdso_per_cpu_data." + field] / 4 << 10, code[4] & 0xfffffc1f); // ldr w0, [.., #field]
            Assert.Equal(0xd65f03c0u, code[5]);                                                     // ret
            Assert.Equal(0x52800008u | number << 5, code[6]);                                       // mov w8, #number
            Assert.Equal(0xd4000001u, code[7]);                                                     // svc #0
            Assert.Equal(0xd65f03c0u, code[8]);

            // What the ADR reaches is the first data page.
            Symbol symbol = s_elf.Symbols().Single(s => s.Name == "__kernel_" + name);
            long immediate = (int)((code[2] >> 5 & 0x7ffff) << 13) >> 11 | (int)(code[2] >> 29 & 3);
            Assert.Equal(layout["vvar_from_image"], (long)symbol.Address + 8 + immediate);
        }
    }

    /// <summary>The loads that the sequence lock protects stand between its two barriers, each time the counter is read.</summary>
    [Theory]
    [InlineData("__kernel_clock_gettime", 2)]
    [InlineData("__kernel_gettimeofday", 1)]
    public void Clock_data_is_read_between_the_barriers(string function, int readers)
    {
        const uint Dmb = 0xd50339bf, Isb = 0xd5033fdf, Ret = 0xd65f03c0, LdrXzr = 0xf940001f, Branch = 5;
        List<uint> code = Code(function);
        int[] counters = Enumerable.Range(0, code.Count).Where(i => code[i] == Isb).ToArray();
        Assert.Equal(readers, counters.Length);
        foreach (int isb in counters)
        {
            Assert.Equal(0xd53be040u, code[isb + 1] & ~0x1fu);              // mrs xN, cntvct_el0
            Assert.Equal(LdrXzr, code[isb + 4] & 0xfffffc1f);               // the dependent load
            int begin = code.LastIndexOf(Dmb, isb), end = code.IndexOf(Dmb, isb);
            Assert.InRange(begin, isb - 6, isb);
            // clock_mode, the dependent load; cycle_last, mask, mult, shift and the base by pairs: at least three.
            Assert.InRange(code.Skip(begin).Take(end - begin).Count(IsLoad), 5, 8);
            Assert.Equal(1, code.Skip(begin - 2).Take(2).Count(IsLoad));    // seq before ...
            Assert.True(IsLoad(code[end + 1]));                             // ... and after,
            // and nothing more of the data until the code leaves (where it waits for an odd seq stands behind that).
            Assert.Equal(1, code.Skip(end).TakeWhile(word => word != Ret && word >> 26 != Branch).Take(24).Count(IsLoad));
        }

        // Loads and stores: op0 = x1x0; loads have L = 1 (bit 22), literal loads none but are always loads.
        static bool IsLoad(uint instruction) =>
            (instruction & 0x3b000000) == 0x18000000 || ((instruction & 0x0a000000) == 0x08000000 && (instruction & 1u << 22) != 0);
    }

    [Fact]
    public void Layout_is_that_of_linux_6_1_with_the_slots_behind_it()
    {
        Dictionary<string, long> layout = Layout();
        (string, long)[] expected =
        [
            ("vdso_data.seq", 0), ("vdso_data.clock_mode", 4), ("vdso_data.cycle_last", 8), ("vdso_data.mask", 0x10),
            ("vdso_data.mult", 0x18),
            ("vdso_data.shift", 0x1c), ("vdso_data.basetime", 0x20), ("vdso_timestamp.size", 16), ("vdso_data.basetime.count", 12),
            ("vdso_data.tz_minuteswest", 0xe0), ("vdso_data.tz_dsttime", 0xe4), ("vdso_data.hrtimer_res", 0xe8), ("vdso_data.size", 0xf0),
            ("vdso_vsys_data.cpu_data", 0x1e0), ("vdso_per_cpu_data.size", 44), ("vdso_per_cpu_data.cpu", 0), ("vdso_per_cpu_data.node", 4),
            ("vdso_per_cpu_data.pid", 8), ("vdso_per_cpu_data.tid", 12), ("vdso_per_cpu_data.uid", 16), ("vdso_per_cpu_data.euid", 20),
            ("vdso_per_cpu_data.gid", 24), ("vdso_per_cpu_data.egid", 28), ("vdso_per_cpu_data.ppid", 32),
            ("vdso_per_cpu_data.pgid", 36), ("vdso_per_cpu_data.sid", 40), ("hz", 250), ("low_res_nsec", 4_000_000),
        ];
        Assert.All(expected, e => Assert.Equal(e.Item2, layout[e.Item1]));

        long size = layout["vdso_vsys_data.cpu_data"] + layout["nr_cpus"] * layout["vdso_per_cpu_data.size"];
        long pages = (size + layout["page_size"] - 1) / layout["page_size"];
        Assert.Equal(pages, layout["vvar_pages"]);
        Assert.Equal(pages * layout["page_size"], layout["vvar_size"]);
        Assert.Equal(-pages * layout["page_size"], layout["vvar_from_image"]);
    }

    [Fact]
    public void Sums_are_those_of_the_sources_and_of_the_image()
    {
        Dictionary<string, string> sums = File.ReadLines(Path.Combine(s_folder, "bin", "SHA256SUMS"))
            .Where(line => !line.StartsWith('#')).Select(line => line.Split("  ")).ToDictionary(cells => cells[1], cells => cells[0]);

        IEnumerable<string> files = Directory.EnumerateFiles(s_folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(s_folder, file))
            // What is for Linux's own tree, or a folder that `vdso build` makes an image of, is no part of these images.
            .Where(file => file is not "bin/SHA256SUMS" && !file.StartsWith("linux/", StringComparison.Ordinal)
                && !file.StartsWith("designs/", StringComparison.Ordinal)
                && !file.EndsWith(".md", StringComparison.Ordinal));
        Assert.Equal(files.Order(StringComparer.Ordinal), sums.Keys.Order(StringComparer.Ordinal));
        Assert.All(sums, s =>
            Assert.Equal(s.Value, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(s_folder, s.Key))))));
    }

    /// <summary>Needs clang-19 and lld-19, and fails with the name of the missing package where they are not.</summary>
    [Fact]
    public void Image_is_what_the_sources_give()
    {
        (int status, string output, string errors) = GuestPrograms.Run(Path.Combine(s_folder, "build.sh"), "--check");
        Assert.True(status == 0, output + errors);
    }
}
