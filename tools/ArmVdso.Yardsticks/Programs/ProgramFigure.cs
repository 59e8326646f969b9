namespace ArmVdso.Yardsticks.Programs;

/// <summary>A figure of a program that can be taken on any core.</summary>
/// <param name="Name">Of the figure.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="On">The figure on a core, as <see cref="Emulator.Timing.Models.CoreModel.Load"/> takes it.</param>
public sealed record ProgramFigure(string Name, string Unit, Func<string, double> On)
{
    /// <summary>Those of the programs built in, warm and without a kernel.</summary>
    public static IReadOnlyList<ProgramFigure> BuiltIn { get; } =
    [
        .. from program in (string[])["coremark_like", "dhrystone_like"]
           from level in (string[])["O2", "O3"]
           select new ProgramFigure(
               $"{program} -{level}", "cycles/round", core => ProgramSet.Execute(core, $"{program}-{level}", 40).Cycles),
    ];
}
