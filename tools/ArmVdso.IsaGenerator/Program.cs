using System.Text.RegularExpressions;
using ArmVdso.IsaGenerator.Emit;
using ArmVdso.IsaGenerator.Llvm;
using ArmVdso.IsaGenerator.Table;

return ArmVdso.IsaGenerator.Program.Run(args);

namespace ArmVdso.IsaGenerator
{
    /// <summary>The command line.</summary>
    internal static class Program
    {
        private static string Help => $$"""
            Generates Generated/ in emulator/Isa, emulator/Isa/Disassembly and emulator/Semantics from the instruction table, and in
            emulator/Engine/Portable from it and the table of operations there, or compares the instruction table with libLLVM 19.

              ArmVdso.IsaGenerator [--table DIR] [--semantics DIR] [--out DIR] [--engine DIR] [--check]
              ArmVdso.IsaGenerator [--table DIR] --against-llvm [WORDS] [--rows REGEX] [--mnemonics REGEX] [--examples N] [--no-missing]

              --table DIR      directory of *.isa (default: emulator/Isa/Table of this working tree)
              --semantics DIR  directory of A64*.cs (default: ../../Semantics from the table); what calls them is written to
                               Generated/ there
              --out DIR        where to write (default: ../Generated from the table)
              --check          write nothing; exit 1 if the files there differ from what would be written
              --engine DIR     directory of operations.txt and RunBlocks.template (default: ../../Engine/Portable from the table)
              --formats DIR    directory of AsmFormat*.cs and AsmText.cs (default: ../Disassembly from the table); what calls them is
                               written to Generated/ there
              --against-llvm   compare decoding and text on words around every row (default 300000 words); exit 1 on differences
              --rows REGEX     only rows whose name matches
              --mnemonics RE   only words whose (LLVM) mnemonic matches
              --examples N     examples for each group (default 1)
              --no-missing     leave out words that LLVM decodes and the table does not (for partial tables)

            Templates: <KIND:expression> with KIND
            {{string.Join("\n", AsmTemplate.Kinds.Select(k => $"  {k.Key,-6} {k.Value}"))}}
              <expression> decimal, <#expression> #decimal, <!Name> AsmFormat.Name(insn, pc), {cond:text|else} conditional.
              A brace followed by a space ("{ v0.8b }") and its partner are literal; \{ \} \< \| \\ are too.
            Expressions: C operators (and "(c ? a : b)" in parentheses), fields, numbers, and
            {{string.Join("\n", TableFunctions.All.Values.Select(f => "  " + f.Meaning))}}
            Roles: x.FIELD s.FIELD v.FIELD (also an expression instead of a field, v.FIELD+0..3), x30 v0 sp nzcv, each :r :w or :rw,
            then optionally ?condition.
            """;

        /// <summary>Options that have a value.</summary>
        private static readonly string[] Valued =
            ["--table", "--semantics", "--out", "--engine", "--formats", "--rows", "--mnemonics", "--examples"];

        public static int Run(string[] args)
        {
            var options = new Dictionary<string, string>(StringComparer.Ordinal);
            for (int n = 0; n < args.Length; n++)
            {
                string name = args[n];
                if (name is "--help" or "-h")
                {
                    Console.WriteLine(Help);
                    return 0;
                }
                bool flag = name is "--check" or "--no-missing" or "--against-llvm";
                if (!flag && !Valued.Contains(name))
                    return Fail($"unknown option {name} (see --help)");
                if (!flag && n + 1 == args.Length)
                    return Fail($"{name} needs a value");
                options[name] = flag ? "" : args[++n];
                if (name == "--against-llvm" && n + 1 < args.Length && int.TryParse(args[n + 1], out _))
                    options[name] = args[++n];
            }
            if ((options.GetValueOrDefault("--table") ?? FindTable()) is not string directory || !Directory.Exists(directory))
                return Fail("no table directory; give --table DIR");
            string Beside(string option, string name) => options.GetValueOrDefault(option) ?? Path.Combine(directory, "..", name);

            TableReader table = TableReader.Read(directory);
            IEnumerable<string> errors = table.Errors.Concat(OverlapChecker.Check(table.Rows));
            bool compare = options.TryGetValue("--against-llvm", out string? words);
            int problems = 0;
            foreach (string error in errors)
            {
                Console.Error.WriteLine(error);
                problems++;
            }
            string formats = Beside("--formats", "Disassembly");
            if (compare)
                return Compare(table, options, words!, formats) == 0 && problems == 0 ? 0 : 1;
            string semantics = Beside("--semantics", Path.Combine("..", "Semantics"));
            Dictionary<string, Body> bodies = [];
            if (problems == 0)
            {
                var bodyErrors = new List<string>();
                bodies = SemanticsScanner.Scan(semantics, table.Rows, bodyErrors);
                bodyErrors.ForEach(Console.Error.WriteLine);
                problems += bodyErrors.Count;
            }
            if (problems != 0)
                return 1;
            HashSet<string> functions = SemanticsScanner.ScanFormats(formats);
            string[] missing =
            [
                .. table.Rows.SelectMany(r => r.Aliases.Select(a => a.Asm).Append(r.Asm)).SelectMany(t => t.Functions)
                    .Distinct().Where(f => !functions.Contains(f)).Order(),
            ];
            if (missing.Length != 0)
                Console.Error.WriteLine($"AsmFormat has no {string.Join(", ", missing)}: the text of rows that use them is incomplete");
            var emitter = new Emitter(table.Rows, bodies, functions);
            string engine = Beside("--engine", Path.Combine("..", "Engine", "Portable"));
            if (Operations(engine, table.Rows, bodies) is not { } operations)
                return 1;
            (Output Output, string Directory)[] products =
            [
                (emitter.EmitTable(), Beside("--out", "Generated")),
                (emitter.EmitDisassembly(), Path.Combine(formats, "Generated")),
                (emitter.EmitDispatch(), Path.Combine(semantics, "Generated")),
                (operations, Path.Combine(engine, "Generated")),
            ];
            if (options.ContainsKey("--check"))
                return products.Select(p => p.Output.Check(p.Directory)).Append(missing.Length == 0 ? 0 : 1).Max();
            foreach ((Output output, string target) in products)
                output.Write(target);
            Console.WriteLine($"{table.Rows.Count} rows, {bodies.Count} with semantics, "
                + $"{emitter.Tree.Entries.Count} decoder entries, depth {emitter.Tree.Depth}");
            return 0;
        }

        /// <summary>What the portable engine is made of; null when its table is wrong.</summary>
        private static Output? Operations(string directory, List<TableRow> rows, Dictionary<string, Body> bodies)
        {
            string file = Path.Combine(directory, "operations.txt");
            HashSet<string> names = bodies.Keys.ToHashSet(StringComparer.Ordinal);
            OperationTable table = OperationTable.Read(Path.GetFileName(file), File.ReadLines(file), rows, names);
            table.Errors.ForEach(Console.Error.WriteLine);
            if (table.Errors.Count != 0)
                return null;
            return new EngineEmitter(table, File.ReadAllText(Path.Combine(directory, "RunBlocks.template"))).Emit();
        }

        private static int Compare(TableReader table, Dictionary<string, string> options, string words, string formats)
        {
            Regex? Pattern(string option) => options.TryGetValue(option, out string? text) ? new Regex(text) : null;
            string[] files = Directory.Exists(formats) ? Directory.GetFiles(formats, "Asm*.cs") : [];
            string shared = Path.Combine(AppContext.BaseDirectory, "AsmText.cs");
            if (File.Exists(shared) && !files.Any(f => Path.GetFileName(f) == "AsmText.cs"))
                files = [.. files, shared];
            var comparison = new AgainstLlvm(
                table, new FormatLibrary(files), Pattern("--rows"), Pattern("--mnemonics"),
                int.Parse(options.GetValueOrDefault("--examples", "1")), !options.ContainsKey("--no-missing"));
            return comparison.Run(words == "" ? 300_000 : int.Parse(words));
        }

        private static string? FindTable()
        {
            for (DirectoryInfo? d = new(Environment.CurrentDirectory); d is not null; d = d.Parent)
            {
                string table = Path.Combine(d.FullName, "emulator", "Isa", "Table");
                if (Directory.Exists(table))
                    return table;
            }
            return null;
        }

        private static int Fail(string message)
        {
            Console.Error.WriteLine(message);
            return 2;
        }
    }
}
