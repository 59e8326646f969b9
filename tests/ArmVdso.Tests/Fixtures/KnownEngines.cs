using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Fixtures;

/// <summary>The engines that the command has, by its own word: every test of programs runs on each of them.</summary>
internal static partial class KnownEngines
{
    private static readonly Lazy<string[]> s_names = new(Ask);

    /// <summary>Values of --engine.</summary>
    internal static string[] All => s_names.Value;

    private static string[] Ask()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--engine", "none-of-this-name", "/");
        Match known = Known().Match(result.Errors);
        return known.Success ? known.Groups[1].Value.Split(", ")
            : throw new InvalidOperationException($"armvdso does not say which engines it has: {result.Errors}");
    }

    [GeneratedRegex(@"--engine: .*; known: ([a-z0-9, -]+)")]
    private static partial Regex Known();
}
