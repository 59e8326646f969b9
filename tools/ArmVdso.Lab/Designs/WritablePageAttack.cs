namespace ArmVdso.Lab.Designs;

/// <summary>What came of the attack on one kernel.</summary>
/// <param name="Settings">Settings of the run.</param>
/// <param name="Kernel">How the kernel treats the page: ignored, trusted, copied.</param>
/// <param name="Meaning">One line about that.</param>
/// <param name="Opened">Attempts that opened the file.</param>
/// <param name="Refused">Attempts that were refused.</param>
/// <param name="ForgedWords">Words that the other thread wrote meanwhile.</param>
public sealed record WritablePageResult(
    SessionSettings Settings, string Kernel, string Meaning, uint Opened, uint Refused, uint ForgedWords);

/// <summary>The talk's question "shall we make the data pages writable, and should the kernel trust them?" as an attack that is really
/// made: time of check, time of use.</summary>
internal static class WritablePageAttack
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

    internal static IEnumerable<WritablePageResult> Run()
    {
        foreach ((string how, string what) in Kernels)
        {
            using var guest = new EmbeddedGuest("writable");
            // Both CPUs in step, instruction by instruction: a block of the portable engine would be one step.
            var settings = new SessionSettings { Vdso = $"per-thread,writable={how}", Quantum = 1, Engine = EngineKind.Reference };
            Counter? counter = null;
            guest.Run(settings, [], session => session.Machine.Observer = counter = new Counter(guest.Symbols()["attempts_done"]));
            if (counter!.Seen is not { } seen)
                throw new LabException("the embedded guest did not come to the end of its attempts", LabFault.Failed);
            yield return new WritablePageResult(settings, how, what, seen.Opened, seen.Refused, seen.Writes);
        }
    }
}
