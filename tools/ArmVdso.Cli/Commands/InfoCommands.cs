using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Cli;

/// <summary>armvdso isa: the instruction table.</summary>
internal static class InfoCommands
{
    internal static Command MakeIsa() => new("isa", "the instruction table")
    {
        MakeCoverage(),
        new CliCommand("registers", "the system registers and who may access them", [], [], [], _ => Registers),
        MakeDisassemble(),
        RecordCommand.Make(),
    };

    private static CliCommand MakeCoverage()
    {
        Option<bool> json = CliCommand.Json();
        var rows = new Option<bool>("--rows") { Description = "every row, not just the sums" };
        return new CliCommand("coverage", "what of the instruction table is decoded and implemented", [], [json, rows], [], input =>
        {
            bool asJson = input.Value(json), all = input.Value(rows);
            if (asJson)
                input.Refuse("with --json, which has every row", rows);
            return () =>
            {
                Coverage(all, asJson);
                return 0;
            };
        });
    }

    private static int Registers()
    {
        var table = new Table("register", "encoding", "read", "write");
        foreach (SystemRegister r in SystemRegisters.All)
        {
            string encoding = $"S{r.Key >> 14}_{r.Key >> 11 & 7}_C{r.Key >> 7 & 15}_C{r.Key >> 3 & 15}_{r.Key & 7}";
            table.Add(r.Name, encoding, Level(r.ReadEL), Level(r.WriteEL));
        }
        table.Write(Console.Out);
        return 0;
    }

    private static CliCommand MakeDisassemble()
    {
        var words = new Argument<string[]>("WORD") { Description = "encodings in hexadecimal", Arity = ArgumentArity.OneOrMore };
        return new CliCommand("disasm", "disassembles encodings", [], [], [words], input =>
        {
            uint[] encodings = [.. input.Operands(words).Select(Encoding)];
            return () =>
            {
                foreach (uint encoding in encodings)
                {
                    Row row = Decoder.Decode(encoding);
                    Console.Out.WriteLine($"{encoding:x8}  {Disassembler.Disassemble(encoding, 0),-40}  {RowInfo.Name(row)}");
                }
                return 0;
            };
        });
    }

    private static uint Encoding(string word)
    {
        string digits = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? word[2..] : word;
        return uint.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint encoding)
            ? encoding
            : throw CommandInput.Error($"'{word}' is not a 32-bit number in hexadecimal");
    }

    private static string Level(int el) => el == 2 ? "-" : $"EL{el}";

    private static void Coverage(bool rows, bool json)
    {
        Row[] all = [.. Enumerable.Range(1, RowInfo.Count - 1).Select(i => (Row)i)];
        RowCoverage coverage = RowCoverage.Load();
        if (json)
        {
            foreach (Row row in all)
            {
                Console.Out.WriteLine(new JsonObject
                {
                    ["row"] = RowInfo.Name(row),
                    ["feature"] = RowInfo.Feature(row),
                    ["class"] = RowInfo.Class(row).ToString(),
                    ["implemented"] = RowInfo.HasSemantics(row),
                    ["tested_by"] = coverage.Oracle(row),
                    ["program"] = coverage.Program(row),
                }.ToJsonString());
            }
            return;
        }
        if (rows)
        {
            var list = new Table("row", "feature", "class", "decoded", "semantics", "tested by", "executed by");
            foreach (Row row in all)
            {
                list.Add(
                    RowInfo.Name(row), RowInfo.Feature(row), RowInfo.Class(row).ToString(), "yes", RowInfo.HasSemantics(row)
                        ? "yes"
                        : "not implemented",
                    coverage.Oracle(row) ?? "-", coverage.Program(row) ?? "-");
            }
            list.Write(Console.Out);
            return;
        }
        var table = new Table("feature", "rows", "implemented", "%", "tested", "executed by a program");
        foreach (IGrouping<string, Row> group in all.GroupBy(r => RowInfo.Feature(r).ToString()!)
            .OrderBy(g => g.Key, StringComparer.Ordinal))
            Add(table, group.Key, [.. group], coverage);
        Add(table, "all", all, coverage);
        table.Write(Console.Out);
    }

    private static void Add(Table table, string name, Row[] rows, RowCoverage coverage)
    {
        int done = rows.Count(RowInfo.HasSemantics);
        table.Add(
            name, Number(rows.Length), Number(done), (100.0 * done / rows.Length).ToString("f1", CultureInfo.InvariantCulture),
            Number(rows.Count(r => coverage.Oracle(r) is not null)), Number(rows.Count(r => coverage.Program(r) is not null)));
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
