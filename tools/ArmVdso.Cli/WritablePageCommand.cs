using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ArmVdso.Emulator;
using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>armvdso vdso writable: the talk's question "shall we make the data pages writable, and should the kernel trust them?" as an
/// attack that is really made: time of check, time of use.</summary>
internal static class WritablePageCommand
{
    private static readonly (string How, string What)[] Kernels =
    [
        ("ignored", "the kernel writes the page and never reads it"),
        ("trusted", "the kernel loads a request, checks it, and loads it again to use it"),
        ("copied", "the kernel loads the request once"),
    ];

    private sealed class Counter(ulong label) : IMachineObserver
    {
        internal (uint Opened, uint Refused, uint Writes)? Seen { get; private set; }

        public bool WantsInstructions => true;

        public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
        {
        }

        public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
        {
        }

        public void OnExceptionReturn(Cpu cpu)
        {
        }

        public void OnInstruction(Cpu cpu, uint instruction)
        {
            if (cpu.EL == 0 && cpu.PC == label)
                Seen = (cpu.W(0), cpu.W(1), cpu.W(2));
        }
    }

    internal static Command Make()
    {
        var json = new Option<bool>("--json") { Description = "output for programs" };
        var command = new Command("writable", "attacks a kernel that trusts a writable data page (time of check, time of use)") { json };
        command.SetAction(result => Run(result.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        var table = new Table("kernel", "attempts", "opened", "refused", "forged words", "what it does");
        foreach ((string how, string what) in Kernels)
        {
            using var guest = new EmbeddedGuest("writable");
            // Both CPUs in step, instruction by instruction: a block of the portable engine would be one step.
            var settings = new SessionSettings { Vdso = $"per-thread,writable={how}", Quantum = 1, Engine = EngineKind.Reference };
            Counter? counter = null;
            guest.Run(settings, [], session => session.Machine.Observer = counter = new Counter(guest.Symbols()["attempts_done"]));
            if (counter!.Seen is not { } seen)
                throw new UserError("the embedded guest did not come to the end of its attempts", ExitStatus.EmulatorError);
            static string Text(uint value) => value.ToString(CultureInfo.InvariantCulture);
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(new { kernel = how, attempts = seen.Opened + seen.Refused, opened = seen.Opened, refused = seen.Refused, forged_words = seen.Writes }));
            table.Add(how, Text(seen.Opened + seen.Refused), Text(seen.Opened), Text(seen.Refused), Text(seen.Writes), what);
        }
        if (json)
            return 0;
        Console.Out.WriteLine("User 1000 opens a file of root's, mode 600. Its other thread, on another CPU, writes 0 and 1000 in turn into the word of the");
        Console.Out.WriteLine("first one's slot (design per-thread, page writable) by which a thread asks for its file system user; own users are granted.");
        Console.Out.WriteLine();
        table.Write(Console.Out);
        return 0;
    }
}
