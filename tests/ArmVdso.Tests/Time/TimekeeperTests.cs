using ArmVdso.Kernel;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Tests.Time;

/// <summary>The timekeeper against exact arithmetic, and what it writes for the vDSO against the words of the kernels' headers.</summary>
public sealed class TimekeeperTests
{
    private static (Machine Machine, LinuxKernel Kernel) Make(ulong frequency)
    {
        var machine = new Machine(1, 64 << 20, (_, _) => new TimingModel()) { CounterFrequency = frequency };
        return (machine, new LinuxKernel(machine, new KernelOptions { EpochSeconds = 1_000_000_000 }));
    }

    /// <summary>Most counter frequencies are no whole number of ns: the multiplier alternates between two values and the clock
    /// stays with the counter.</summary>
    [Theory]
    [InlineData(62_500_000)]
    [InlineData(54_000_000)]
    [InlineData(24_000_000)]
    [InlineData(19_200_000)]
    [InlineData(1_000_000_000)]
    public void Stays_with_the_counter_for_hours(ulong frequency)
    {
        (Machine machine, LinuxKernel kernel) = Make(frequency);
        using (machine)
        {
            ulong counter = 0;
            for (int i = 0; i < 1_000_000; i++)
            {
                counter += frequency / 250 + (ulong)(i % 7);
                kernel.Timekeeper.Tick(counter);
            }
            UInt128 exact = (UInt128)counter * 1_000_000_000 / frequency;
            Assert.InRange((long)kernel.Timekeeper.Monotonic(counter) - (long)exact, -20, 20);
            Assert.InRange((long)kernel.Timekeeper.RawNs(counter) - (long)exact, -(long)(exact / 1_000_000) - 1, 0);
        }
    }

    /// <summary>An auxiliary clock's entry, read as Linux's do_aux reads it, is the system call's time, or a ns less: the page has no
    /// fraction. At 54 MHz a count is no whole number of ns, so both happen.</summary>
    [Fact]
    public void An_auxiliary_clock_in_the_page_is_the_kernels_or_a_nanosecond_behind()
    {
        var machine = new Machine(1, 64 << 20, (_, _) => new TimingModel()) { CounterFrequency = 54_000_000 };
        var kernel = new LinuxKernel(machine, new KernelOptions
        {
            EpochSeconds = 1_000_000_000,
            Kernel = KernelConfiguration.Default with { AuxiliaryClocks = true },
        });
        using (machine)
        {
            Timekeeper time = kernel.Timekeeper;
            var pages = new VvarPages(machine, kernel.PageAllocator, time.Stores, VvarLayout.Find("6.17"));
            time.AddPage(pages);
            AuxiliaryClock clock = time.Auxiliary[5];
            const ulong entry = 0xe0 * 7;
            ulong page = pages.For(kernel.Namespaces.InitialTime)[0] + entry;
            Assert.Equal(0, machine.Memory.Read<int>(page + 4));
            clock.SetEnabled(true);
            clock.Set(12_345_678_901_234);
            clock.SetFrequency(250 << 16);
            Assert.Equal(1, machine.Memory.Read<int>(page + 4));
            var behind = new HashSet<long>();
            ulong counter = 0;
            for (int i = 0; i < 5000; i++)
            {
                counter += (ulong)(217_001 + i % 13);
                time.Tick(counter);
                ulong late = counter + (ulong)(i * 7 % 200_000);
                ulong delta = late - machine.Memory.Read<ulong>(page + 8);
                ulong ns = (delta * machine.Memory.Read<uint>(page + 24) + machine.Memory.Read<ulong>(page + 40))
                    >> machine.Memory.Read<int>(page + 28);
                long read = machine.Memory.Read<long>(page + 32) * 1_000_000_000 + (long)ns;
                behind.Add(clock.Reading.At(late)!.Value - read);
            }
            Assert.Equal([0, 1], behind.Order());
            // 250 ppm in some 20 s.
            UInt128 plain = (UInt128)counter * 1_000_000_000 / 54_000_000;
            long ahead = clock.Reading.At(counter)!.Value - 12_345_678_901_234 - (long)plain;
            Assert.InRange(ahead, (long)plain / 4000 - 5_000, (long)plain / 4000 + 5_000);
        }
    }

    /// <summary>Byte offsets as the structs of include/vdso/datapage.h of each kernel have them, computed by hand.</summary>
    [Theory]
    [InlineData("6.1", 2, 0, 0xf0, 0xe0, 0xe8, -1, -1)]
    [InlineData("6.12", 2, 0, 0xf0, 0xe0, 0xe8, 0, 0x1e0)]
    [InlineData("6.15", 4, 0, 0xe0, 0x1c0, 0x1c8, 2, 0)]
    [InlineData("6.17", 4, 0, 0xe0, 0x8c0, 0x8c8, 2, 0)]
    public void Pages_are_as_a_reader_of_that_kernel_expects(string name, int count, int data, int raw, int zone, int resolution,
        int rngPage, int rng)
    {
        (Machine machine, LinuxKernel kernel) = Make(54_000_000);
        using (machine)
        {
            PhysicalMemory memory = machine.Memory;
            var pages = new VvarPages(kernel.Machine, kernel.PageAllocator, kernel.Timekeeper.Stores, VvarLayout.Find(name));
            Timekeeper time = kernel.Timekeeper;
            time.AddPage(pages);
            time.SetTimeZone(-60, 1);
            time.Suspend(7_000_000_000);
            time.TaiOffset = 37;
            time.Ntp.SetFrequency(300 << 16);
            for (ulong c = 0; c < 540_000_000; c += 216_000)
                time.Tick(c);
            pages.WriteRng(5, true);
            const ulong counter = 540_000_123;

            ulong[] normal = pages.For(kernel.Namespaces.InitialTime);
            Assert.Equal(count, normal.Length);
            Assert.Equal(0ul, normal[data + 1]);
            ulong page = normal[data];
            Assert.Equal(time.Monotonic(counter), Hres(page, 1));
            Assert.Equal(time.RawNs(counter), Hres(page + (ulong)raw, 4));
            Assert.Equal(time.Monotonic(counter) + 7_000_000_000, Hres(page, 7));
            Assert.Equal((long)time.Monotonic(counter) + time.RealtimeOffsetNs, (long)Hres(page, 0));
            Assert.Equal(Hres(page, 0) + 37_000_000_000, Hres(page, 11));
            Assert.Equal(time.CoarseNs, Coarse(page, 6));
            Assert.Equal((long)time.CoarseNs + time.RealtimeOffsetNs, (long)Coarse(page, 5));
            Assert.Equal((-60, 1), (memory.Read<int>(page + (ulong)zone), memory.Read<int>(page + (ulong)zone + 4)));
            Assert.Equal(1u, memory.Read<uint>(page + (ulong)resolution));
            Assert.Equal(0u, memory.Read<uint>(page) & 1);
            if (rngPage >= 0)
                Assert.Equal((5ul, (byte)1), (memory.Read<ulong>(normal[rngPage] + (ulong)rng),
                    memory.Read<byte>(normal[rngPage] + (ulong)rng + 8)));

            var space = new TimeNamespace { Number = 1, MonotonicNs = -1, BoottimeNs = 3_000_000_001 };
            ulong[] shifted = pages.For(space);
            Assert.Equal(page, shifted[data + 1]);
            foreach (ulong entry in (ulong[])[shifted[data], shifted[data] + (ulong)raw])
            {
                Assert.Equal((1u, int.MaxValue), (memory.Read<uint>(entry), memory.Read<int>(entry + 4)));
                foreach (ulong id in (ulong[])[1, 4, 6])
                    Assert.Equal((-1L, 999_999_999L),
                        (memory.Read<long>(entry + 0x20 + 16 * id), memory.Read<long>(entry + 0x28 + 16 * id)));
                Assert.Equal((3L, 1L), (memory.Read<long>(entry + 0x20 + 16 * 7), memory.Read<long>(entry + 0x28 + 16 * 7)));
                Assert.Equal((0L, 0L), (memory.Read<long>(entry + 0x20), memory.Read<long>(entry + 0x28)));
            }

            ulong Hres(ulong entry, ulong id)
            {
                ulong delta = (counter - memory.Read<ulong>(entry + 8)) & memory.Read<ulong>(entry + 0x10);
                ulong ns = (delta * memory.Read<uint>(entry + 0x18)
                    + memory.Read<ulong>(entry + 0x28 + 16 * id)) >> (int)memory.Read<uint>(entry + 0x1c);
                return memory.Read<ulong>(entry + 0x20 + 16 * id) * 1_000_000_000 + ns;
            }

            ulong Coarse(ulong entry, ulong id) =>
                memory.Read<ulong>(entry + 0x20 + 16 * id) * 1_000_000_000 + memory.Read<ulong>(entry + 0x28 + 16 * id);
        }
    }

    [Fact]
    public void A_phase_offset_goes_off_exponentially()
    {
        (Machine machine, LinuxKernel kernel) = Make(62_500_000);
        using (machine)
        {
            Timekeeper time = kernel.Timekeeper;
            time.Ntp.SetStatus(NtpDiscipline.StaPll);
            time.Ntp.SetNano(true);
            time.Ntp.TimeConstant = 2;
            time.Ntp.UpdateOffset(16_000_000);
            ulong counter = 0;
            for (; counter < 62_500_000UL * 200; counter += 250_000)
                time.Tick(counter);
            // A sixteenth (2^-(2 + time constant)) each second: after 200 s it is all in the clock.
            long moved = (long)time.Monotonic(counter) - (long)time.RawNs(counter);
            Assert.InRange(moved, 15_900_000, 16_100_000);
            Assert.InRange(time.Ntp.OffsetNs, 0, 64);
        }
    }
}
