using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ArmVdso.IsaGenerator.Llvm;

/// <summary>The hand-written AsmFormat functions, compiled on the fly with the SDK's compiler, so that templates can be
/// tried before the emulator is generated.</summary>
public sealed class FormatLibrary
{
    private readonly Dictionary<string, Func<uint, ulong, string>> _functions = new(StringComparer.Ordinal);

    private const string NeverTrimmed = "The generator runs in the tree, never trimmed.";

    /// <summary>Compiles the given sources; problems go to standard error and leave functions unknown.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NeverTrimmed)]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = NeverTrimmed)]
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = NeverTrimmed)]
    public FormatLibrary(IReadOnlyCollection<string> files)
    {
        if (files.Count == 0 || Compile(files) is not Assembly assembly)
            return;
        foreach (MethodInfo method in assembly.GetTypes()
            .Where(t => t.Name == "AsmFormat").SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static)))
        {
            ParameterInfo[] p = method.GetParameters();
            if (method.ReturnType == typeof(string) && p.Length == 2 && p[0].ParameterType == typeof(uint)
                && p[1].ParameterType == typeof(ulong))
                _functions[method.Name] = method.CreateDelegate<Func<uint, ulong, string>>();
        }
    }

    /// <summary>Whether the function exists.</summary>
    public bool Has(string name) => _functions.ContainsKey(name);

    /// <summary>Calls a function; one that is missing gives <c>&lt;!name&gt;</c>.</summary>
    public string Call(string name, uint instruction, ulong pc) =>
        _functions.TryGetValue(name, out Func<uint, ulong, string>? function) ? function(instruction, pc) : $"<!{name}>";

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NeverTrimmed)]
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = NeverTrimmed)]
    private static Assembly? Compile(IReadOnlyCollection<string> files)
    {
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string root = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        string? compiler = Directory.Exists(Path.Combine(root, "sdk"))
            ? Directory.GetFiles(Path.Combine(root, "sdk"), "csc.dll", SearchOption.AllDirectories).LastOrDefault()
            : null;
        if (compiler is null)
        {
            Console.Error.WriteLine($"no C# compiler below {root}/sdk: AsmFormat functions are not checked");
            return null;
        }
        string output = Path.Combine(Path.GetTempPath(), $"asmformat-{Environment.ProcessId}.dll");
        string usings = Path.ChangeExtension(output, ".cs");
        File.WriteAllText(usings, "global using System; global using System.Collections.Generic; global using System.Linq;");
        var start = new ProcessStartInfo(Path.Combine(root, "dotnet")) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["exec", compiler, "-nologo", "-target:library", "-nullable", "-warn:0",
            "-langversion:latest", "-out:" + output, usings])
            start.ArgumentList.Add(argument);
        foreach (string reference in Directory.GetFiles(runtime, "System*.dll")
            .Where(f => !f.EndsWith(".Native.dll", StringComparison.Ordinal)))
            start.ArgumentList.Add("-r:" + reference);
        foreach (string file in files)
            start.ArgumentList.Add(file);
        using Process process = Process.Start(start)!;
        string messages = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        File.Delete(usings);
        if (process.ExitCode != 0)
        {
            Console.Error.WriteLine(messages + "AsmFormat does not compile: its functions are not checked");
            return null;
        }
        Assembly assembly = Assembly.Load(File.ReadAllBytes(output));
        File.Delete(output);
        return assembly;
    }
}
