using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Cli;

/// <summary>How reports write numbers and name a machine. All are the same in every locale.</summary>
internal static class Text
{
    /// <summary>A number without separators.</summary>
    internal static string Plain(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc cref="Plain(ulong)"/>
    internal static string Plain(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A number with separators of thousands.</summary>
    internal static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <inheritdoc cref="Number(long)"/>
    internal static string Number(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A text that may hold what a guest chose, without characters that a terminal obeys.</summary>
    internal static string Printable(string text) => text.All(ch => ch is >= ' ' and not (>= '\x7f' and < '\xa0'))
        ? text
        : string.Concat(text.Select(ch => ch is < ' ' or (>= '\x7f' and < '\xa0') ? $"\\x{(int)ch:x2}" : ch.ToString()));

    /// <summary>A share, in per cent; "-" of nothing.</summary>
    internal static string Percent(double part, double whole) => whole == 0 ? "-" : Fixed(100 * part / whole, 1) + "%";

    /// <summary>A number with some decimals.</summary>
    internal static string Fixed(double value, int decimals) => value.ToString("f" + Plain(decimals), CultureInfo.InvariantCulture);

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>JSON over several lines.</summary>
    internal static string Indented(JsonNode node) => node.ToJsonString(s_indented);

    /// <summary>How many CPUs a machine has, and on how many nodes if on more than one.</summary>
    internal static string Cpus(SessionSettings settings) =>
        settings.Nodes == 1 ? $"{Plain(settings.Cpus)} CPUs" : $"{Plain(settings.Cpus)} CPUs of {Plain(settings.Nodes)} nodes";

    /// <summary>The machine of a run, as the header of every report names it.</summary>
    internal static string Machine(SessionSettings settings) =>
        $"core {settings.Core}, profile {settings.CpuProfileName}, {Cpus(settings)}";

    /// <summary>A run on that machine, on the kernel model or on a kernel that was booted.</summary>
    internal static string Run(SessionSettings settings, string? booted = null) => booted is null
        ? $"{Machine(settings)}, vDSO design {settings.Vdso}, kernel {settings.KernelConfiguration}"
        : $"{Machine(settings)}, booted {Printable(booted)}";

    /// <summary>The same for programs.</summary>
    internal static JsonObject RunJson(SessionSettings settings, string? booted)
    {
        var run = new JsonObject
        {
            ["core"] = settings.Core,
            ["cpu_profile"] = settings.CpuProfileName,
            ["cpus"] = settings.Cpus,
        };
        if (booted is not null)
        {
            run["booted"] = booted;
            return run;
        }
        run["design"] = settings.Vdso;
        run["kernel"] = settings.KernelConfiguration.ToString();
        return run;
    }

    /// <summary>The machine for programs, with the kernel's configuration and what else belongs to a report.</summary>
    internal static JsonObject MachineJson(SessionSettings settings, params (string Key, JsonNode? Value)[] more)
    {
        var machine = new JsonObject
        {
            ["core"] = settings.Core,
            ["cpu_profile"] = settings.CpuProfileName,
            ["cpus"] = settings.Cpus,
            ["nodes"] = settings.Nodes,
            ["kernel"] = settings.KernelConfiguration.ToString(),
        };
        foreach ((string key, JsonNode? value) in more)
            machine[key] = value;
        return machine;
    }
}
