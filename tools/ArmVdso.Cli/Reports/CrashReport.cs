using ArmVdso.Lab.Crash;

namespace ArmVdso.Cli;

/// <summary>Prints what is known of a crash.</summary>
internal static class CrashReport
{
    private const int ShortFrames = 5, RegistersOfALine = 4;

    /// <summary>The lines for a person who runs a program.</summary>
    internal static IEnumerable<string> Lines(CrashRecord crash, bool whole)
    {
        string thread = crash.Tid == crash.Pid ? "" : $", thread {crash.Tid}";
        yield return $"{crash.Name}[{crash.Pid}]{thread}: uncaught {Cause(crash)}";
        if (crash.Region.Length > 0)
            yield return $"  address  {crash.Region}";
        CrashInstruction? at = crash.Instructions.FirstOrDefault(i => i.Address == crash.Registers.PC);
        yield return $"  pc       0x{crash.Registers.PC:x} {(at is null ? "which cannot be read" : at.Text)}";
        IReadOnlyList<CrashFrame> frames = crash.Threads[0].Frames;
        for (int i = 0; i < Math.Min(frames.Count, ShortFrames); i++)
            yield return Frame(i, frames[i]);
        if (frames.Count > ShortFrames)
            yield return $"  ... {frames.Count - ShortFrames} more frames";
        if (crash.Core is not null)
            yield return $"  core     {crash.Core} in the guest";
        if (!whole)
            yield return "  --crash FILE writes registers, code, threads, system calls and mappings";
    }

    private static string Cause(CrashRecord crash)
    {
        string meaning = crash.Meaning.Length > 0 ? $", {crash.Meaning}" : "";
        string address = crash.Address is { } va ? $" at address 0x{va:x}" : "";
        return $"{crash.Signal} ({crash.Code}{meaning}){address}";
    }

    private static string Frame(int number, CrashFrame frame) => $"  #{number,-2} 0x{frame.Address:x} {frame.Name} ({frame.Where})";

    /// <summary>Writes everything.</summary>
    internal static void Write(TextWriter output, CrashRecord crash)
    {
        void Line(string text) => output.WriteLine(Text.Printable(text));
        Line($"{crash.Name}: {Cause(crash)}");
        Line($"process {crash.Pid}, thread {crash.Tid}, CPU {crash.Cpu}, cycle {crash.Cycle}");
        Line($"command: {crash.Command}");
        if (crash.Region.Length > 0)
            Line($"address: {crash.Region}");
        if (crash.Core is not null)
            Line($"core file: {crash.Core} (in the guest)");
        output.WriteLine();
        Line("code");
        foreach (CrashInstruction i in crash.Instructions)
            Line($"{(i.Address == crash.Registers.PC ? "=>" : "  ")} 0x{i.Address:x16}  {i.Place,-24}  {i.Word:x8}  {i.Text}");
        output.WriteLine();
        Line("registers");
        WriteRegisters(output, crash);
        foreach (CrashThread thread in crash.Threads)
        {
            output.WriteLine();
            Line($"thread {thread.Tid} {thread.Name}: {thread.State}");
            for (int i = 0; i < thread.Frames.Count; i++)
                Line($"{Frame(i, thread.Frames[i])} by {thread.Frames[i].How}");
        }
        output.WriteLine();
        Line("last system calls (without those that the kernel's assembly answers)");
        foreach (string call in crash.Calls)
            Line($"  {call}");
        output.WriteLine();
        Line("mappings");
        foreach (string map in crash.Maps)
            Line($"  {map}");
        output.WriteLine();
        output.Flush();
    }

    private static void WriteRegisters(TextWriter output, CrashRecord crash)
    {
        var registers = new List<(string Name, string Value)>();
        for (int i = 0; i < 31; i++)
            registers.Add(($"x{i}", $"{crash.Registers.X(i):x16}"));
        registers.Add(("sp", $"{crash.Registers.SP:x16}"));
        registers.Add(("pc", $"{crash.Registers.PC:x16}"));
        registers.Add(("pstate", $"{crash.Registers.Pstate:x16}"));
        registers.Add(("tpidr", $"{crash.Registers.ThreadPointer:x16}"));
        registers.Add(("fpsr", $"{crash.Registers.Fpsr:x16}"));
        registers.Add(("fpcr", $"{crash.Registers.Fpcr:x16}"));
        foreach ((string Name, string Value)[] line in registers.Chunk(RegistersOfALine))
            output.WriteLine(string.Concat(line.Select(r => $"  {r.Name,-6} {r.Value}")));
        for (int i = 0; i < 32; i += 2)
        {
            output.WriteLine($"  {"v" + i,-6} {crash.Registers.V(i).Hi:x16}{crash.Registers.V(i).Lo:x16}"
                + $"  {"v" + (i + 1),-6} {crash.Registers.V(i + 1).Hi:x16}{crash.Registers.V(i + 1).Lo:x16}");
        }
    }
}
