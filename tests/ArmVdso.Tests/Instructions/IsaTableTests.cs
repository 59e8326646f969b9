using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.Tests.Instructions;

/// <summary>The generator's reading of the table: what it must refuse, and what it makes of expressions and templates.</summary>
public sealed class IsaTableTests
{
    private const string Add = "ADD_imm ; sf:1 0 0 100010 sh:1 imm12:12 rn:5 rd:5 ; v8.0 ; alu ; plain ; s.rn:r s.rd:w ; add <rsp:rd>, "
        + "<rsp:rn>, <#imm12>{sh==1:, lsl #12}";

    [Theory]
    [InlineData("X ; 0 rd:5 ; v8.0 ; alu ; plain ; - ; x", "x.isa:1: the bits add up to 6, not 32")]
    [InlineData("X ; a:16 a:16 ; v8.0 ; alu ; plain ; - ; x", "x.isa:1: field a appears twice")]
    [InlineData("X ; a:16 b:16 ; v8.0 ; fast ; plain ; - ; x", "x.isa:1: unknown timing class \"fast\"")]
    [InlineData("X ; a:16 b:16 ; v8.0 ; alu ; plain ; - ; x ; when c==1", "x.isa:1: unknown field \"c\" (this row has a b)")]
    [InlineData("X ; a:16 b:16 ; v8.0 ; alu ; plain ; x.c:r ; x", "x.isa:1: unknown field \"c\" (this row has a b)")]
    [InlineData("X ; a:16 b:16 ; v8.0 ; alu ; plain ; - ; x <x:a", "x.isa:1: '>' expected to close \"<x:a\"")]
    [InlineData("X ; a:16 b:16 ; v8.0 ; alu ; plain ; -",
        "x.isa:1: a row is NAME ; BITS ; FEATURE ; CLASS ; FLOW ; ROLES ; ASM [; when COND], 7 or 8 parts separated by \" ; \", here 6")]
    [InlineData("alias Y of X ; y", "x.isa:1: alias of unknown row X")]
    public void FormatErrorsNameTheLine(string line, string message) => Assert.Contains(message, Read(line).Errors);

    [Fact]
    public void DuplicateNamesAreRefused() => Assert.Contains("x.isa:2: row ADD_imm is declared twice, first at x.isa:1",
        Read(Add, Add).Errors);

    [Fact]
    public void OverlapsNeedMoreFixedBitsOrACondition()
    {
        const string any = "ANY ; a:16 b:16 ; v8.0 ; alu ; plain ; - ; any";
        const string low = "LOW ; a:8 00000000 b:16 ; v8.0 ; alu ; plain ; - ; low";
        const string top = "TOP ; 00000000 a:8 b:16 ; v8.0 ; alu ; plain ; - ; top";
        Assert.Empty(OverlapChecker.Check(Read(low, any).Rows));
        Assert.Contains("TOP overlaps LOW (x.isa:1)", Assert.Single(OverlapChecker.Check(Read(low, top).Rows)));
        Assert.Empty(OverlapChecker.Check(Read(low, top + " ; when a!=0").Rows));
    }

    [Fact]
    public void MoreSpecificRowsWin()
    {
        var table = Read("NARROW ; 0000 a:12 b:16 ; v8.0 ; alu ; plain ; - ; n ; when a==1",
            "WIDE ; a:16 b:16 ; v8.0 ; alu ; plain ; - ; w");
        var tree = new DecisionTree(table.Rows);
        Assert.Equal("NARROW", tree.Decode(0x00010000)?.Name);
        Assert.Equal("WIDE", tree.Decode(0x00020000)?.Name);
    }

    [Theory]
    [InlineData("a+b*2", 0x00030005, 13)]
    [InlineData("(a<<2|b)^1", 0x00010001, 4)]
    [InlineData("sx(b,4)", 0x0000000F, -1)]
    [InlineData("a>b && !(b==2) || a==0", 0x00030001, 1)]
    [InlineData("(a==3 ? b : 0-b)", 0x00020007, -7)]
    [InlineData("bitmaskok(1,1,0,0x3f)", 0, 0)]
    [InlineData("0x10|0b11", 0, 19)]
    public void ExpressionsEvaluateLikeC(string text, uint word, long value)
    {
        var fields = new Dictionary<string, Field> { ["a"] = new("a", 16, 16), ["b"] = new("b", 0, 16) };
        Assert.Equal(value, ExpressionParser.ParseAll(text, fields).Evaluate(word));
    }

    [Theory]
    [InlineData("{ <v:a>.8b }, [<xsp:b>]{a==1:, #<a>|{b==2:!}}", 0x00010002, "{ v1.8b }, [x2], #1")]
    [InlineData("{ <v:a>.8b }, [<xsp:b>]{a==1:, #<a>|{b==2:!}}", 0x00030002, "{ v3.8b }, [x2]!")]
    [InlineData("<#x:a> <label:sx(b,4)<<2> <b>>1>", 0x000a000f, "#0xa #-4 7")]
    public void TemplatesFormat(string template, uint word, string text)
    {
        var fields = new Dictionary<string, Field> { ["a"] = new("a", 16, 16), ["b"] = new("b", 0, 16) };
        Assert.Equal(text, AsmTemplate.Parse(template, fields).Format(word, 0, (_, _, _) => ""));
    }

    [Fact]
    public void EveryRowDecodesToItselfSomewhere()
    {
        var random = new Random(7);
        var never = new List<Row>();
        foreach (Row row in Enum.GetValues<Row>().Where(r => r != Row.Unallocated))
        {
            bool found = false;
            for (int n = 0; n < 200_000 && !found; n++)
                found = Decoder.Decode(((uint)random.NextInt64() & ~RowInfo.Mask(row)) | RowInfo.Value(row)) == row;
            if (!found)
                never.Add(row);
        }
        Assert.Empty(never);
    }

    private static TableReader Read(params string[] lines)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllLines(Path.Combine(directory.FullName, "x.isa"), lines);
            return TableReader.Read(directory.FullName);
        }
        finally
        {
            directory.Delete(true);
        }
    }
}
