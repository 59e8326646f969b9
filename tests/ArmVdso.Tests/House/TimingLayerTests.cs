using System.Reflection;
using System.Reflection.Emit;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Tests.House;

/// <summary>The folders of emulator/Timing are layers. What their compiled code refers to lies in their own folder or in one before it;
/// of the rest of the emulator they know the instruction table alone, and no CPU or machine.</summary>
public sealed class TimingLayerTests
{
    private const string Room = "ArmVdso.Emulator.Timing";
    private const BindingFlags Members =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // The room itself comes after Memo: TimingModel and what all pipelines share.
    private static readonly string[] s_layers =
    [
        Room + ".Counters", Room + ".Models", Room + ".Instructions", Room + ".Events", Room + ".Memo", Room,
        Room + ".InOrder", Room + ".OutOfOrder",
    ];

    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => c.Value);

    [Fact]
    public void EachLayerKnowsThoseBeforeIt()
    {
        foreach (string layer in s_layers)
            Assert.Contains(typeof(TimingModel).Assembly.GetTypes(), t => t.Namespace == layer);
        var wrong = new SortedSet<string>();
        foreach (Type type in typeof(TimingModel).Assembly.GetTypes())
        {
            if (!$"{type.Namespace}.".StartsWith(Room + ".", StringComparison.Ordinal))
                continue;
            int own = Array.IndexOf(s_layers, type.Namespace);
            Assert.True(own >= 0, $"{type}: its folder is no layer yet; say here which");
            foreach (Type other in References(type).Where(t => t.Assembly == type.Assembly))
            {
                int at = Array.IndexOf(s_layers, other.Namespace);
                bool pipelines = at == s_layers.Length - 2 && own == s_layers.Length - 1;
                if (at < 0 ? other.Namespace != "ArmVdso.Emulator.Isa" && other.Namespace is not null : at > own || pipelines)
                    wrong.Add($"{type} refers to {other}");
            }
        }
        Assert.Empty(wrong);
    }

    private static HashSet<Type> References(Type type)
    {
        var found = new HashSet<Type>();
        void Add(Type? t)
        {
            if (t is null || t.IsGenericParameter)
                return;
            if (t.HasElementType)
                Add(t.GetElementType());
            else if (found.Add(t.IsGenericType ? t.GetGenericTypeDefinition() : t) && t.IsGenericType)
                Array.ForEach(t.GetGenericArguments(), Add);
        }
        Add(type.BaseType);
        Array.ForEach(type.GetInterfaces(), Add);
        Array.ForEach(type.GetFields(Members), f => Add(f.FieldType));
        foreach (MethodBase method in (MethodBase[])[.. type.GetMethods(Members), .. type.GetConstructors(Members)])
        {
            Add((method as MethodInfo)?.ReturnType);
            Array.ForEach(method.GetParameters(), p => Add(p.ParameterType));
            foreach (MemberInfo member in Mentioned(method))
                Add(member as Type ?? member.DeclaringType);
        }
        return found;
    }

    /// <summary>Types, fields and methods that the code of a method names.</summary>
    private static IEnumerable<MemberInfo> Mentioned(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        Type[]? ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        Type[]? ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            OpCode op = s_codes[code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at]];
            at += op.Size;
            if (op.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                yield return method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod)!;
            at += op.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
