using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check --faults: a fault at each place, named by symbol and offset, and what became of it.</summary>
public sealed class PlacedFaultCommandTests
{
    private static readonly string[] s_events = ["none", "preempt", "migrate", "setxid", "race", "tick"];

    private static List<JsonElement> Faults(string design, string function)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["check", "--faults", design, "--function", function, "--json", .. s_events.Skip(1).SelectMany(e => new[] { "--event", e })]);
        Assert.True(result.Status is 0 or 1, result.Output + result.Errors);
        JsonElement all = JsonDocument.Parse(result.Output).RootElement;
        // A gap is no success.
        Assert.Equal(all.GetProperty("gaps").GetInt32() > 0, result.Status == 1);
        return [.. all.GetProperty("faults").EnumerateArray()];
    }

    private static string Text(JsonElement fault, string name) => fault.GetProperty(name).GetString() ?? "";

    /// <summary>Each instruction of the reader and each store of the update has its rows, each with what was observed.</summary>
    [Fact]
    public void EveryInstructionAndEveryStoreIsPlanted()
    {
        List<JsonElement> faults = Faults("per-cpu-gen", "getpid");
        Assert.All(faults, f => Assert.Contains(Text(f, "outcome"), new[] { "found", "harmless", "gap" }));
        Assert.All(faults, f => Assert.NotEqual("", Text(f, "reason")));
        List<JsonElement> reader = [.. faults.Where(f => Text(f, "place").StartsWith("__kernel_getpid+", StringComparison.Ordinal))];
        Assert.True(reader.Count > 8, $"{reader.Count} instructions of getpid");
        Assert.Equal("found", Text(reader.Single(f => Text(f, "text").StartsWith("ldr w0", StringComparison.Ordinal)), "outcome"));
        List<JsonElement> stores = [
            .. faults.Where(f => Text(f, "place").StartsWith("vdso_update+", StringComparison.Ordinal))];
        foreach (string kind in (string[])["dropped", "delayed", "misdirected", "doubled"])
            Assert.Contains(stores, f => Text(f, "fault") == kind);
        JsonElement dropped = stores.First(f => Text(f, "fault") == "dropped" && Text(f, "outcome") == "found");
        // The schedule of a fault fails again with it, and holds without.
        Assert.Equal(1, ArmVdsoCommand.Run("check", "--replay", Text(dropped, "id"), "--brief", "--mutant", Text(dropped, "name")).Status);
        Assert.Equal(0, ArmVdsoCommand.Run("check", "--replay", Text(dropped, "id"), "--brief").Status);
    }

    /// <summary>Of a sequence each barrier and each store of the update counts; what does not differ in the laboratory is a gap.</summary>
    [Fact]
    public void StoresOfTheClockUpdateAreFoundOrNamedAsGaps()
    {
        List<JsonElement> faults = [
            .. Faults("rseq", "clock_gettime_monotonic_coarse")
                .Where(f => Text(f, "place").StartsWith("clock store", StringComparison.Ordinal))];
        Assert.Contains(faults, f => Text(f, "outcome") == "found" && Text(f, "text").EndsWith(".seq", StringComparison.Ordinal));
        Assert.Contains(
            faults, f => Text(f, "outcome") == "gap" && Text(f, "reason").Contains("was there already", StringComparison.Ordinal));
    }

    /// <summary>Without names of events all are meant: what they alone call has an outcome too.</summary>
    [Fact]
    public void AllEventsMayFindAFault()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "--faults", "per-thread", "--function", "getuid", "--json");
        List<JsonElement> faults = [.. JsonDocument.Parse(result.Output).RootElement.GetProperty("faults").EnumerateArray()];
        foreach (string hook in (string[])["CredentialsChanged", "IdMapsChanged", "MappingMoved"])
            Assert.Equal("found", Text(faults.Single(f => Text(f, "name") == $"hook {hook}:dropped"), "outcome"));
    }

    /// <summary>One slot for two threads: the number of the sibling, which ran meanwhile, is in it.</summary>
    [Fact]
    public void TwoThreadsOfOneSlotAreFound()
    {
        List<JsonElement> hooks = [
            .. Faults("per-thread", "gettid").Where(f => Text(f, "place").StartsWith("hook ", StringComparison.Ordinal))];
        JsonElement shared = hooks.Single(f => Text(f, "name") == "hook TaskCreated:misdirected");
        Assert.Equal("found", Text(shared, "outcome"));
        Assert.Equal("gettid setxid", Text(shared, "by"));
        // The next fault has a machine of its own.
        Assert.Contains(hooks, f => Text(f, "outcome") != "found");
    }

    [Fact]
    public void APlaceThatIsNotThereIsOneLine()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "check", "--replay", "rseq/getcpu/migrate@1", "--mutant", "no_such_function+0x4:dropped");
        Assert.Equal(2, result.Status);
        Assert.Single(result.Errors.Trim().Split('\n'));
    }
}
