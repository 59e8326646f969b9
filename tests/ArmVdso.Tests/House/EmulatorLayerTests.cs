using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.House;

/// <summary>The folders of an assembly form layers: what lies in one may use what lies in it and below it. Where a type lies is read
/// from the sources, what it uses from the compiled code, method bodies included.</summary>
public sealed partial class EmulatorLayerTests
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.Instance | BindingFlags.Static;

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    /// <summary>The room, and its folders from the lowest up; what lies in no folder wires them and may use all.</summary>
    public static TheoryData<string, Assembly, string[]> Rooms => new()
    {
        {
            "emulator",
            typeof(Emulator.Machine).Assembly,
            ["FloatingPoint", "Memory", "Isa", "Timing", "Processor", "Semantics", "Engine"]
        },
    };

    [Theory]
    [MemberData(nameof(Rooms))]
    public void NothingUsesWhatLiesAboveIt(string room, Assembly assembly, string[] layers)
    {
        string[] upward = [.. Upward(room, assembly, layers)];
        Assert.True(upward.Length == 0, $"layers of {room}, lowest first: {string.Join(" ", layers)}\n{string.Join("\n", upward)}");
    }

    /// <summary>A rule that finds nothing proves nothing: with the layers upside down, much is upward.</summary>
    [Theory]
    [MemberData(nameof(Rooms))]
    public void UpsideDownTheRuleFindsMuch(string room, Assembly assembly, string[] layers) =>
        Assert.True(Upward(room, assembly, [.. layers.Reverse()]).Count > 20);

    [GeneratedRegex(@"^(?:[a-z]+ )*?(?:class|struct|interface|enum|record(?: struct| class)?) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    /// <summary>What uses something of a higher layer: file, type and what is used.</summary>
    private static SortedSet<string> Upward(string room, Assembly assembly, string[] layers)
    {
        string folder = Path.Join(GuestPrograms.RepositoryRoot, room);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var layerOf = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        {
            string path = Path.GetRelativePath(folder, file);
            if (path.StartsWith("obj/", StringComparison.Ordinal) || path.StartsWith("bin/", StringComparison.Ordinal))
                continue;
            string first = path.Contains('/', StringComparison.Ordinal) ? path.Split('/')[0] : "";
            int layer = first.Length == 0 ? layers.Length : Array.IndexOf(layers, first);
            Assert.True(layer >= 0, $"{room}/{path}: {first} is no layer");
            foreach (Match match in Declaration().Matches(File.ReadAllText(file)))
            {
                string type = match.Groups[1].Value;
                Assert.True(
                    !layerOf.TryGetValue(type, out int other) || other == layer,
                    $"{type} lies in {room}/{path} and in {files.GetValueOrDefault(type)}");
                files[type] = $"{room}/{path}";
                layerOf[type] = layer;
            }
        }
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Type type in assembly.GetTypes())
        {
            string name = Name(type);
            if (!layerOf.TryGetValue(name, out int layer))
            {
                // The compiler's own: data of arrays, inline arrays, attributes.
                Assert.True(
                    Outermost(type).Namespace is null or "System.Runtime.CompilerServices" or "Microsoft.CodeAnalysis"
                        || name.Contains('<', StringComparison.Ordinal),
                    $"{type.FullName} is declared nowhere");
                continue;
            }
            foreach (string used in Used(type).Where(u => u.Assembly == assembly).Select(Name))
            {
                if (layerOf.TryGetValue(used, out int above) && above > layer)
                    upward.Add($"{files[name]}: {name} uses {used} ({files[used]})");
            }
        }
        return upward;
    }

    private static string Name(Type type) => Outermost(type).Name.Split('`')[0];

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    /// <summary>All types that a type's declaration, members and method bodies name.</summary>
    private static HashSet<Type> Used(Type type)
    {
        var used = new HashSet<Type>();
        Add(used, type.BaseType);
        foreach (Type each in type.GetInterfaces())
            Add(used, each);
        foreach (FieldInfo field in type.GetFields(Declared))
            Add(used, field.FieldType);
        foreach (MethodBase method in type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared)))
        {
            if (method is MethodInfo { ReturnType: { } result })
                Add(used, result);
            foreach (ParameterInfo parameter in method.GetParameters())
                Add(used, parameter.ParameterType);
            AddBody(used, type, method);
        }
        return used;
    }

    private static void Add(HashSet<Type> used, Type? type)
    {
        if (type is null || type.IsGenericParameter)
            return;
        if (type.HasElementType)
        {
            Add(used, type.GetElementType());
            return;
        }
        used.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
        foreach (Type argument in type.GetGenericArguments())
            Add(used, argument);
    }

    private static void AddBody(HashSet<Type> used, Type type, MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
            return;
        foreach (LocalVariableInfo local in body.LocalVariables)
            Add(used, local.LocalType);
        byte[] code = body.GetILAsByteArray()!;
        Type[] ofType = type.GetGenericArguments(), ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE)
                value = unchecked((short)(0xFE00 | code[at++]));
            OpCode op = s_opCodes[value];
            switch (op.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    AddMember(used, type.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod));
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + 4 * BitConverter.ToInt32(code, at);
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    private static void AddMember(HashSet<Type> used, MemberInfo? member)
    {
        Add(used, member as Type ?? member?.DeclaringType);
        if (member is FieldInfo field)
            Add(used, field.FieldType);
        if (member is MethodInfo method)
        {
            Add(used, method.ReturnType);
            foreach (Type argument in method.IsGenericMethod ? method.GetGenericArguments() : [])
                Add(used, argument);
        }
    }
}
