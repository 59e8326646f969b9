using ArmVdso.Kernel;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until 4c3d9b9: a new rate of the clock was applied to time that had been read already, so that a slower rate
/// made the clock step back.</summary>
public sealed class RateAppliedToThePastTests
{
    [Fact]
    public void Never_goes_back_whatever_the_rate_does()
    {
        var machine = new Machine(1, 64 << 20, (_, _) => new TimingModel()) { CounterFrequency = 54_000_000 };
        var kernel = new LinuxKernel(machine, new KernelOptions { EpochSeconds = 1_000_000_000 });
        using (machine)
        {
            var random = new Random(1);
            Timekeeper time = kernel.Timekeeper;
            ulong counter = 0, last = 0;
            for (int i = 0; i < 20_000; i++)
            {
                counter += (ulong)random.Next(1, 400_000);
                ulong before = time.Monotonic(counter);
                time.Ntp.SetFrequency((long)random.Next(-500, 501) << 16);
                if (i % 100 == 0)
                    time.Ntp.SetTick(random.Next(9_000, 11_001));
                time.Tick(counter);
                Assert.InRange(time.Monotonic(counter), before - 1, before);
                Assert.True(before >= last, $"step {i}: {last} ns, then {before}");
                Assert.True(time.CoarseNs <= before, $"step {i}: coarse {time.CoarseNs} ns at {before}");
                last = time.Monotonic(counter);
            }
        }
    }
}
