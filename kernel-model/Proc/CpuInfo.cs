using System.Globalization;
using System.Text;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/cpuinfo (arch/arm64/kernel/cpuinfo.c).</summary>
internal static class CpuInfo
{
    /// <summary>Its text for a machine.</summary>
    internal static string Text(Machine machine)
    {
        var text = new StringBuilder();
        ulong midr = machine.Identification.MIDR_EL1;
        foreach (Cpu cpu in machine.Cpus)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                processor	: {cpu.Index}
                BogoMIPS	: {machine.CounterFrequency / 500_000.0:f2}
                Features	: {HardwareCapabilities.Names(machine)}
                CPU implementer	: 0x{midr >> 24 & 0xff:x2}
                CPU architecture: 8
                CPU variant	: 0x{midr >> 20 & 0xf:x}
                CPU part	: 0x{midr >> 4 & 0xfff:x3}
                CPU revision	: {midr & 0xf}


                """);
        }
        return text.ToString();
    }
}
