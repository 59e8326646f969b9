using ArmVdso.IsaGenerator.Table;
using Translation = ArmVdso.IsaGenerator.Table.Translation;

namespace ArmVdso.Tests.Instructions;

/// <summary>The generator's reading of operations.txt: what is forgotten or wrong there has a message that names it.</summary>
public sealed class OperationTableTests
{
    private static readonly string[] s_isa =
    [
        "ADD_r ; sf:1 0000000 a:6 rn:5 rm:5 ra:3 rd:5 ; v8.0 ; alu ; plain ; s.rn:r x.rm:r x.rd:w ; add",
        "NEG_r ; 00000001 a:8 rn:5 b:6 rd:5 ; v8.0 ; alu ; plain ; x.rn:r x.rd:w ; neg",
        "B_r ; 00000010 imm24:24 ; v8.0 ; branch ; branch ; - ; b",
        "LD_pre ; 00000011 00 imm9:9 rn:5 00000 rt:3 ; v8.0 ; load ; plain ; s.rn:rw x.rt:w ; ld",
        "NONE ; 00000100 a:24 ; v8.0 ; alu ; plain ; - ; none",
    ];

    private static OperationTable Read(params string[] lines)
    {
        TableReader rows = TableReader.Read([("x.isa", s_isa)]);
        Assert.Empty(rows.Errors);
        return OperationTable.Read("operations.txt", lines, rows.Rows, rows.Rows.Select(r => r.Name).Where(n => n != "NONE").ToHashSet());
    }

    private static readonly string[] s_add = ["op Add 64 32 : D = N + M", "    ADD_r : d=rd n=rn m=rm"];

    [Theory]
    [InlineData("no row becomes operation Sub", "op Sub : D = N - M")]
    [InlineData("operation Add is declared twice, first at operations.txt:1", "op Add : D = N")]
    [InlineData("operation Neg: the table has no row NEGG", "op Neg : D = 0 - N", "    NEGG : d=rd n=rn")]
    [InlineData("operation Neg: row NONE has no semantics to compare with", "op Neg : D = 0 - N", "    NONE : imm=a")]
    [InlineData("operation Neg has two widths, but row NEG_r has no field sf", "op Neg 64 32 : D = 0 - N", "    NEG_r : d=rd n=rn")]
    [InlineData("operation B is of kind op, but the FLOW of row B_r is branch", "op B : target = I", "    B_r : imm=imm24")]
    [InlineData("operation Neg is of kind test, but the FLOW of row NEG_r is plain", "test Neg : N == 0", "    NEG_r : n=rn")]
    [InlineData("row ADD_r always becomes Add: this line is never reached", "op Other : D = N", "    ADD_r ? ra==1 : d=rd n=rn")]
    [InlineData("unknown field \"rq\" (this row has a rn b rd)", "op Neg : D = 0 - N", "    NEG_r : d=rd n=rq")]
    [InlineData("\"q=rn\" is not SLOT=VALUE (slots: d n m a wb extra imm)", "op Neg : D = 0 - N", "    NEG_r : q=rn")]
    [InlineData("row NEG_r has no address: it needs imm19, or rn with imm12, imm9, imm7 or rm", "load Ld 8 : D = N else D = N",
        "    NEG_r : d=rd")]
    [InlineData("operation Ld of kind load cannot have \"3\"", "load Ld 3 : D = N else D = N")]
    [InlineData("\"do Neg\" is not KIND NAME ... (kinds: op divide branch test load store)", "do Neg : D = N")]
    public void WhatIsWrongIsNamed(string message, params string[] lines) =>
        Assert.Contains(Read([.. s_add, .. lines]).Errors, e => e.Contains(message, StringComparison.Ordinal));

    [Fact]
    public void RolesSayWhatRegister31Means()
    {
        OperationTable table = Read(s_add);
        Assert.Empty(table.Errors);
        Assert.Equal(["Destination((int)(i & 31))", "Base((int)((i >> 13) & 31), sp)", "(byte)(int)((i >> 8) & 31)"],
            Assert.Single(table.Translations).Slots.Select(s => s.Code));
    }

    [Fact]
    public void AddressesFollowFromTheFields()
    {
        OperationTable table = Read("load Ld 8 : D = N else D = N", "    LD_pre : d=rt");
        Assert.Empty(table.Errors);
        Translation load = Assert.Single(table.Translations);
        Assert.Equal(AddressForm.Off, load.Form);
        Assert.Equal(["Rn", "Extra", "Wb", "Imm", "Rd"], load.Slots.Select(s => s.Slot));
        Assert.Equal(["LdOff"], load.Operation.Codes);
    }
}
