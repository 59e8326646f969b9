using System.Text;

namespace ArmVdso.CallGenerator;

/// <summary>The files that come from the table.</summary>
internal static class CallProducts
{
    /// <summary>The table, from the working tree's root.</summary>
    internal const string Table = "vdso-image/calls.tsv";

    /// <summary>The last field of the LPC 2020 prototype; the update of the talk's design fills what follows as the task has it.</summary>
    private const string LastOfTalk = "ppid";

    private const string Made = "Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator.";

    /// <summary>Path and text of each.</summary>
    internal static IEnumerable<(string Path, string Text)> Of(CallTable table) =>
    [
        ("vdso-image/arch/arm64/include/asm/vdso/unistd.h", Numbers(table)),
        ("vdso-image/include/vdso/calls.h", Image(table)),
        ("vdso-image/vdso.map", Versions(table)),
        ("kernel-model/El1/Generated/fields.h", Fields(table)),
        ("kernel-model/El1/Generated/calls.h", El1(table)),
        ("kernel-model/Tasks/Generated/VdsoCalls.g.cs", Model(table)),
        (GuestFolder + "/calls.h", Guest(table)),
        (GuestFolder + "/getters.h", Getters(table)),
    ];

    private const string GuestFolder = "tools/ArmVdso.Lab/Guests";

    private static string C(string guard, string about, string text) =>
        $"/* SPDX-License-Identifier: MIT */\n/* {Made} {about} */\n#ifndef {guard}\n#define {guard}\n\n{text}\n#endif\n";

    private static string Numbers(CallTable table)
    {
        var lines = table.Calls.Select(c => (c.Name, c.Number)).Append(("rt_sigreturn", 139)).OrderBy(c => c.Item2)
            .Select(c => $"#define __NR_{c.Item1}{Tabs(13 + c.Item1.Length, 32)}{c.Item2}\n");
        return C("ASM_VDSO_UNISTD_H", "System call numbers; read by the assembler too.", string.Concat(lines));
    }

    /// <summary>Tabs that lead from a column to another one.</summary>
    private static string Tabs(int from, int to) => new('\t', Math.Max(1, (to - from + 7) / 8));

    private static string List(string name, IEnumerable<string> items) => $"#define {name} \\\n\t{string.Join(" \\\n\t", items)}\n";

    private static string Image(CallTable table)
    {
        var text = new StringBuilder();
        text.Append("/* Words of the slot behind CPU and node: FIELD(type, name) */\n");
        text.Append(List("VDSO_SLOT_FIELDS(FIELD)", table.Fields.Select(f => $"FIELD({f.Call.Type}, {f.Name})"))).Append('\n');
        text.Append("""
            /*
             * What is answered from the slot: OWN(type, name, field) and OF_SELF(type, name, field), which takes a PID and knows 0,
             * from one word; OTHER(name).
             */

            """);
        text.Append(List("VDSO_SLOT_CALLS(OWN, OF_SELF, OTHER)", table.Calls.Where(c => c.Fields.Count > 0).Select(c =>
            c.IsId ? $"{(c.IsOfSelf ? "OF_SELF" : "OWN")}({c.Type}, {c.Name}, {c.Fields[0]})" : $"OTHER({c.Name})")));
        foreach (Call call in table.Calls.Where(c => !c.IsId))
        {
            string parameters = Declarations(call.Parameters), names = string.Join(", ", call.Parameters.Select(p => p.Name));
            // getrandom's state is the vDSO's own.
            Parameter[] passed = [.. call.Parameters.Take(call.Answer == "random" ? 3 : int.MaxValue)];
            string kernels = Declarations(passed), cast = string.Concat(passed.Select(p => $", (long){p.Name}"));
            text.Append($$"""

                #define VDSO_ENTRY_{{call.Name}} \
                	{{call.Type}} __vdso_export __kernel_{{call.Name}}({{parameters}}); \
                	{{call.Type}} __kernel_{{call.Name}}({{parameters}}) \
                	{ \
                		return __cvdso_{{call.Name}}({{names}}); \
                	}
                #define VDSO_FALLBACK_{{call.Name}} \
                	static __always_inline {{call.Type}} {{call.Name}}_fallback({{kernels}}) \
                	{ \
                		return ({{call.Type}})vdso_syscall{{passed.Length}}(__NR_{{call.Name}}{{cast}}); \
                	}

                """);
        }
        return C("VDSO_CALLS_H", "The functions of the image.", text.ToString());
    }

    private static string Declarations(IEnumerable<Parameter> parameters) => string.Join(", ", parameters.Select(p => p.Declaration));

    private static string Versions(CallTable table) =>
        $"/* {Made} */\nLINUX_2.6.39 {{\nglobal:\n\t__kernel_rt_sigreturn;\n"
        + string.Concat(table.Calls.Select(c => $"\t__kernel_{c.Name};\n")) + "\t__kernel_mm_cid;\nlocal:\n\t*;\n};\n";

    private static string Fields(CallTable table)
    {
        string Define(string name, string value) => $"#define {name}{Tabs(8 + name.Length, 32)}{value}\n";
        var text = new StringBuilder("/* TaskRecord (TSK_*): the task's words of the vDSO's slot, as it sees itself */\n");
        foreach (Field field in table.Fields)
            text.Append(Define($"TSK_{field.Name.ToUpperInvariant()}", $"0x{field.Record:x3}"));
        text.Append("\n/* VdsoSlot (SLOT_*): struct vdso_per_cpu_data */\n");
        text.Append(Define("SLOT_CPU", "0")).Append(Define("SLOT_NODE", "4"));
        foreach (Field field in table.Fields)
            text.Append(Define($"SLOT_{field.Name.ToUpperInvariant()}", $"{field.Slot}"));
        text.Append(Define("SLOT_SEQ", $"{table.Sequence}"));
        return C("ARMVDSO_EL1_FIELDS_H", "Read by layout.h.", text.ToString());
    }

    /// <summary>A macro that copies words of the task's record (x0) to a slot, two at a time where they are neighbours. Uses w4 and
    /// w5.</summary>
    private static string Fill(string name, IReadOnlyList<Field> fields)
    {
        var text = new StringBuilder($".macro\t{name} slot\n");
        for (int i = 0; i < fields.Count; i++)
        {
            (string record, string slot) = ($"TSK_{fields[i].Name.ToUpperInvariant()}", $"SLOT_{fields[i].Name.ToUpperInvariant()}");
            if (i + 1 < fields.Count && fields[i + 1].Record == fields[i].Record + 4)
            {
                text.Append($"\tldp\tw4, w5, [x0, #{record}]\t/* and {fields[i + 1].Name} */\n\tstp\tw4, w5, [\\slot, #{slot}]\n");
                i++;
            }
            else
            {
                text.Append($"\tldr\tw4, [x0, #{record}]\n\tstr\tw4, [\\slot, #{slot}]\n");
            }
        }
        return text.Append(".endm\n").ToString();
    }

    private static string El1(CallTable table)
    {
        var text = new StringBuilder("/* The task's identity as it sees itself: its own PID namespace, its own user namespace. */\n");
        text.Append(Fill("fill_identity", table.Fields));
        text.Append("\n/* What of it is not in the talk's slot. */\n");
        text.Append(Fill("fill_further", [.. table.Fields.Skip(1 + table.Fields.ToList().FindIndex(f => f.Name == LastOfTalk))]));
        text.Append("\n/* sys_call_table */\n.macro\tsys_call_rows\n");
        int next = 0;
        foreach (Call call in table.Calls.Where(c => c.El1 is not null).OrderBy(c => c.Number))
        {
            if (call.Number > next)
                text.Append($"\tmodels\t{next}, {call.Number}\n");
            text.Append($"\t.quad\t{call.El1}{Tabs(16 + call.El1!.Length, 48)}/* {call.Number} */\n");
            next = call.Number + 1;
        }
        text.Append($"\tmodels\t{next}, NR_SYSCALLS\n.endm\n");
        return C("ARMVDSO_EL1_CALLS_H", "For the assembler.", text.ToString());
    }

    private static string Pascal(string name) => string.Concat(name.Split('_').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));

    private static string Model(CallTable table)
    {
        var text = new StringBuilder($$"""
            // <auto-generated>{{Made}}</auto-generated>
            #nullable enable
            #pragma warning disable CA1707, CS1591
            using ArmVdso.Kernel.El1;

            namespace ArmVdso.Kernel.Tasks;

            /// <summary>The task's words of the slot.</summary>
            public enum VdsoField
            {

            """);
        foreach (Field field in table.Fields)
            text.Append($"    {Pascal(field.Name)},\n");
        text.Append("}\n\npublic static partial class VdsoTruths\n{\n");
        foreach (Call call in table.Calls.Where(c => c.Truth is not null))
            text.Append($"    public static partial int {call.Truth}({(call.IsId ? "KernelTask task" : "int argument")});\n");
        text.Append("""
            }

            public static partial class VdsoCalls
            {
                /// <summary>The task's words of the slot, in its order.</summary>
                public static IReadOnlyList<VdsoFieldRow> Fields { get; } =
                [

            """);
        foreach (Field f in table.Fields)
        {
            string name = Pascal(f.Name);
            text.Append($"        new(VdsoField.{name}, \"{f.Name}\", VdsoSlot.{name}, TaskRecord.{name}, VdsoTruths.{f.Call.Truth}),\n");
        }
        text.Append("""
                ];

                /// <summary>The functions, in the order of the table.</summary>
                public static IReadOnlyList<VdsoCall> All { get; } =
                [

            """);
        foreach (Call c in table.Calls)
        {
            string fields = string.Join(", ", c.Fields.Select(f => $"\"{f}\"")), el1 = c.El1 is null ? "null" : $"El1Symbol.{c.El1}";
            string takes = c.Parameters.Count == 0 ? "false" : "true";
            string truth = c.Truth is null ? "null"
                : c.IsId ? $"(task, _) => VdsoTruths.{c.Truth}(task)" : $"(_, argument) => VdsoTruths.{c.Truth}(argument)";
            string cases = string.Join(",\n             ", c.Cases.Select(k => $"new(\"{c.NameOf(k)}\", {k.First})"));
            text.Append($$"""
                        new(
                            "{{c.Name}}", {{c.Number}}, VdsoAnswer.{{Pascal(c.Answer)}}, {{takes}}, [{{fields}}], {{el1}}, {{truth}},
                            [{{cases}}]),

                """);
        }
        return text.Append("    ];\n}\n").ToString();
    }

    /// <summary>The loops of compare's guest; getrandom is not among them: what it costs depends on the length.</summary>
    private static string Guest(CallTable table)
    {
        Call[] measured = [.. table.Calls.Where(c => c.Answer != "random")];
        var text = new StringBuilder("/* One of pointers[] for each function */\nenum {\n");
        foreach (Call call in measured)
            text.Append($"\tS_{call.Name},\n");
        text.Append("\tS_COUNT\n};\n\n").Append(List("FUNCTION_NAMES", measured.Select(c => $"\"__kernel_{c.Name}\","))).Append('\n');
        // Cases in the order of their first arguments.
        (Call Call, Case Case)[] cases = [.. measured.SelectMany(c => c.Cases.OrderBy(k => k.First).Select(k => (c, k)))];
        text.Append(List("BENCHES", cases.Select(x =>
        {
            string first = x.Call.Parameters is [{ IsPointer: true }, ..] ? "POINTER" : $"VALUE({x.Case.First})";
            return $"BENCH({x.Call.NameOf(x.Case)}, {x.Call.Number}, S_{x.Call.Name}, {first})";
        })));
        text.Append('\n').Append(List("RUN_BENCHES(buffer, n)", cases.Select(x => $"bench_{x.Call.NameOf(x.Case)}(buffer, n);")));
        return C("ARMVDSO_GUEST_CALLS_H", "For compare.c.", text.ToString());
    }

    private static string Getters(CallTable table)
    {
        var getters = table.Fields.Select(f => f.Call).Where(c => c is { El1: not null, IsOfSelf: false });
        return C(
            "ARMVDSO_GUEST_GETTERS_H", "For kernelpath.S: the calls that\n   answer an ID of the caller and take nothing.",
            $".macro\tgetters\n{string.Concat(getters.Select(c => $"\tcalls\t{c.Number}{Tabs(19, 40)}/* {c.Name} */\n"))}.endm\n");
    }
}
