using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Programs;

/// <summary>What one parameter does to a figure.</summary>
/// <param name="Parameter">The parameter: its value and the range that its evidence leaves.</param>
/// <param name="Low">The figure with the parameter at the low end of its range; null: the core cannot be so.</param>
/// <param name="High">At the high end.</param>
/// <param name="Reason">Why an end cannot be; empty when both can.</param>
public sealed record ParameterEffect(CoreParameter Parameter, double? Low, double? High, string Reason)
{
    /// <summary>The larger of the two changes, as a share of the figure.</summary>
    /// <param name="figure">The figure with all parameters as they are.</param>
    public double Share(double figure) => Math.Max(Change(Low, figure), Change(High, figure));

    private static double Change(double? to, double figure) => to is { } value && figure != 0 ? Math.Abs(value / figure - 1) : 0;
}

/// <summary>How far a program's figure depends on what is not known about a core: each calibrated parameter by itself at the ends of its
/// range. Parameters that act only together with another one's change are not found this way.</summary>
public static class ProgramSensitivity
{
    /// <summary>The parameters of a core that have a range with more than one value.</summary>
    /// <exception cref="CoreModelException">No such core.</exception>
    public static IReadOnlyList<CoreParameter> Uncertain(string core) =>
        [.. CoreModel.Load(core).Parameters.Where(p => p.Range is { } range && range.Low < range.High)];

    /// <summary>A figure at the ends of some parameters' ranges.</summary>
    /// <param name="core">Core model.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="parameters">Of <see cref="Uncertain"/>.</param>
    public static IEnumerable<ParameterEffect> Of(string core, ProgramFigure figure, IEnumerable<CoreParameter> parameters)
    {
        string path = Path.Combine(Path.GetTempPath(), $"armvdso-sensitivity-{Guid.NewGuid():N}.json");
        double? At(CoreParameter parameter, int end, ref string reason)
        {
            try
            {
                File.WriteAllText(path, CoreRange.With(core, [(parameter.Key, end)]));
                _ = CoreModel.Load(path);
            }
            catch (CoreModelException e)
            {
                reason = e.Message[(e.Message.IndexOf("parameters.", StringComparison.Ordinal) is >= 0 and int at ? at : 0)..];
                return null;
            }
            return figure.On(path);
        }
        try
        {
            foreach (CoreParameter parameter in parameters)
            {
                string reason = "";
                (int low, int high) = parameter.Range!.Value;
                double? lowest = At(parameter, low, ref reason);
                yield return new ParameterEffect(parameter, lowest, At(parameter, high, ref reason), reason);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
