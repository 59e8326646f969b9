using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Tests.Laboratory;

/// <summary>The examples of docs/library.md: they are run here, and the document has them word for word.</summary>
public sealed class LibraryExampleTests
{
    private readonly StringWriter _output = new();

    [Fact]
    public void Run_a_program_and_read_its_cycles()
    {
        string program = GuestPrograms.Path("hello");
        TextWriter output = _output;
        // example: run
        var lab = new ArmVdsoLab(new SessionSettings { Core = "cortex-a55", Cpus = 1 });
        RunStatistics run = lab.Run(program);
        output.WriteLine($"status {run.Status}: {run.Instructions} instructions in {run.Cycles} cycles");
        // end
        Assert.Matches(@"^status 0: \d+ instructions in \d+ cycles\n$", _output.ToString());
        Assert.Equal(run.Cycles, lab.Run(program).Cycles);
    }

    [Fact]
    public void Trace_offsets()
    {
        TextWriter output = _output;
        // example: trace
        var lab = new ArmVdsoLab();
        int status = lab.Trace(write =>
        {
            if (write.Cause == "switch" && write.Slot is { } slot)
                output.WriteLine($"cpu {write.Cpu}, cycle {write.Cycle}: slot 0x{write.New:x} for thread {slot["tid"]}");
        });
        // end
        Assert.Equal(0, status);
        Assert.Contains("cpu 1, cycle", _output.ToString());
    }

    [Fact]
    public void Compare_two_designs()
    {
        TextWriter output = _output;
        // example: compare
        var lab = new ArmVdsoLab(new SessionSettings { Core = "neoverse-n1", Kernel = new() { RandomStack = true } });
        DesignsResult result = lab.CompareDesigns(["per-cpu", "per-thread"], ["getpid"]);
        foreach (DesignFigures design in result.Designs)
            output.WriteLine($"{design.Design}: getpid {design.Cycles("getpid")} cycles, a switch {result.SwitchAdded(design)} more");
        // end
        Assert.Matches(@"^(per-(cpu|thread): getpid \d+ cycles, a switch -?\d+ more\n){2}$", _output.ToString());
    }

    [Fact]
    public void Check_a_design()
    {
        TextWriter output = _output;
        // example: check
        var lab = new ArmVdsoLab();
        CheckResult result = lab.Check("per-cpu", functions: ["getpid"], events: ["irq", "migrate"]);
        foreach (CheckCell cell in result.Cells)
            output.WriteLine($"{cell.Function}, {cell.Event}: {cell.Explored} interleavings, {cell.Failed} wrong");
        // end
        Assert.Contains("getpid, irq: ", _output.ToString());
        Assert.Equal(3, result.Cells.Count);
    }

    [Fact]
    public void An_error_is_one_line()
    {
        TextWriter output = _output;
        // example: error
        try
        {
            new ArmVdsoLab(new SessionSettings { Core = "cortex-m0" }).Run("hello");
        }
        catch (LabException e) when (e.Fault == LabFault.Input)
        {
            output.WriteLine(e.Message);
        }
        // end
        Assert.Single(_output.ToString().TrimEnd().Split('\n'));
        Assert.Contains("cortex-m0", _output.ToString());
    }

    /// <summary>The examples by name, as the document has them: without the indent of the method.</summary>
    private static Dictionary<string, string> Examples()
    {
        var examples = new Dictionary<string, string>();
        string source = Path.Join(GuestPrograms.RepositoryRoot, "tests/ArmVdso.Tests/Laboratory/LibraryExampleTests.cs");
        string? name = null;
        var text = new List<string>();
        foreach (string line in File.ReadLines(source))
        {
            string trimmed = line.TrimStart();
            if (trimmed.StartsWith("// example: ", StringComparison.Ordinal))
            {
                name = trimmed["// example: ".Length..];
                text.Clear();
            }
            else if (trimmed == "// end" && name is not null)
            {
                examples[name] = string.Join('\n', text);
                name = null;
            }
            else if (name is not null)
            {
                text.Add(line.Length > 8 ? line[8..] : "");
            }
        }
        return examples;
    }

    [Fact]
    public void The_document_has_the_examples_word_for_word()
    {
        string document = File.ReadAllText(Path.Join(GuestPrograms.RepositoryRoot, "docs/library.md"));
        Dictionary<string, string> examples = Examples();
        Assert.Equal(["run", "trace", "compare", "check", "error"], examples.Keys);
        foreach ((string name, string text) in examples)
        {
            bool there = document.Contains($"```csharp\n{text}\n```\n", StringComparison.Ordinal);
            Assert.True(there, $"docs/library.md does not have the example {name}:\n{text}");
        }
    }
}
