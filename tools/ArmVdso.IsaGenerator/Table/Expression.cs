using System.Globalization;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>An integer expression over the fields of an encoding: conditions, register numbers and immediates in the
/// table. Precedence is C's. Comparisons and logic give 0 or 1.</summary>
public abstract record Expression
{
    /// <summary>True when the C# form is a bool.</summary>
    public virtual bool IsBoolean => false;

    /// <summary>Value for one instruction word.</summary>
    public abstract long Evaluate(uint instruction);

    /// <summary>The C# form over a variable <c>i</c> (the instruction word), of type bool if <see cref="IsBoolean"/>, else
    /// of type <paramref name="type"/> ("int" or "long").</summary>
    protected abstract string Emit(string type);

    /// <summary>C# text of a boolean.</summary>
    public string EmitBoolean() => IsBoolean ? Emit("int") : $"({Emit("int")} != 0)";

    /// <summary>C# text of an integer of the given type.</summary>
    public string EmitInteger(string type) => IsBoolean ? $"({Emit("int")} ? 1 : 0)" : Emit(type);

    /// <summary>The fields that the expression reads.</summary>
    public abstract IEnumerable<Field> Fields { get; }

    /// <summary>Bits of the instruction word that the expression depends on.</summary>
    public uint Bits => Fields.Aggregate(0u, (bits, f) => bits | f.Mask);

    /// <summary>A literal.</summary>
    public sealed record Number(long Value) : Expression
    {
        /// <inheritdoc/>
        public override long Evaluate(uint instruction) => Value;

        /// <inheritdoc/>
        protected override string Emit(string type) => Value.ToString(CultureInfo.InvariantCulture) + (type == "long" ? "L" : "");

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => [];
    }

    /// <summary>A field's value, unsigned.</summary>
    public sealed record FieldValue(Field Field) : Expression
    {
        /// <inheritdoc/>
        public override long Evaluate(uint instruction) => Field.Extract(instruction);

        /// <inheritdoc/>
        protected override string Emit(string type) => type == "long" ? $"(long){Field.EmitInt()}" : Field.EmitInt();

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => [Field];
    }

    /// <summary>A prefix operator: <c>!</c>, <c>-</c> or <c>~</c>.</summary>
    public sealed record Unary(char Operator, Expression Operand) : Expression
    {
        /// <inheritdoc/>
        public override bool IsBoolean => Operator == '!';

        /// <inheritdoc/>
        public override long Evaluate(uint instruction)
        {
            long v = Operand.Evaluate(instruction);
            return Operator switch { '!' => v == 0 ? 1 : 0, '-' => -v, _ => ~v };
        }

        /// <inheritdoc/>
        protected override string Emit(string type) =>
            Operator == '!' ? $"!{Operand.EmitBoolean()}" : $"({Operator}{Operand.EmitInteger(type)})";

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => Operand.Fields;
    }

    /// <summary>An infix operator.</summary>
    public sealed record Binary(string Operator, Expression Left, Expression Right) : Expression
    {
        /// <inheritdoc/>
        public override bool IsBoolean => Operator is "==" or "!=" or "<" or ">" or "<=" or ">=" or "&&" or "||";

        /// <inheritdoc/>
        public override long Evaluate(uint instruction)
        {
            long a = Left.Evaluate(instruction);
            if (Operator == "&&")
                return a != 0 && Right.Evaluate(instruction) != 0 ? 1 : 0;
            if (Operator == "||")
                return a != 0 || Right.Evaluate(instruction) != 0 ? 1 : 0;
            long b = Right.Evaluate(instruction);
            return Operator switch
            {
                "==" => a == b ? 1 : 0,
                "!=" => a != b ? 1 : 0,
                "<" => a < b ? 1 : 0,
                ">" => a > b ? 1 : 0,
                "<=" => a <= b ? 1 : 0,
                ">=" => a >= b ? 1 : 0,
                "|" => a | b,
                "^" => a ^ b,
                "&" => a & b,
                "<<" => a << (int)b,
                ">>" => a >> (int)b,
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => b == 0 ? 0 : a / b,
                _ => b == 0 ? 0 : a % b,
            };
        }

        /// <inheritdoc/>
        protected override string Emit(string type) => Operator switch
        {
            "&&" or "||" => $"({Left.EmitBoolean()} {Operator} {Right.EmitBoolean()})",
            "<<" or ">>" => $"({Left.EmitInteger(type)} {Operator} {Right.EmitInteger("int")})",
            _ => $"({Left.EmitInteger(type)} {Operator} {Right.EmitInteger(type)})",
        };

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => Left.Fields.Concat(Right.Fields);
    }

    /// <summary><c>(condition ? a : b)</c>.</summary>
    public sealed record Choice(Expression Condition, Expression Then, Expression Else) : Expression
    {
        /// <inheritdoc/>
        public override long Evaluate(uint instruction) =>
            Condition.Evaluate(instruction) != 0 ? Then.Evaluate(instruction) : Else.Evaluate(instruction);

        /// <inheritdoc/>
        protected override string Emit(string type) =>
            $"({Condition.EmitBoolean()} ? {Then.EmitInteger(type)} : {Else.EmitInteger(type)})";

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => Condition.Fields.Concat(Then.Fields).Concat(Else.Fields);
    }

    /// <summary>A call of one of <see cref="TableFunctions"/>.</summary>
    public sealed record Call(string Name, Expression[] Arguments) : Expression
    {
        /// <inheritdoc/>
        public override long Evaluate(uint instruction) =>
            TableFunctions.Evaluate(Name, [.. Arguments.Select(a => a.Evaluate(instruction))]);

        /// <inheritdoc/>
        protected override string Emit(string type)
        {
            string arguments = string.Join(", ", Arguments.Select(a => a.EmitInteger("long")));
            string call = $"TableFunctions.{TableFunctions.All[Name].CSharpName}({arguments})";
            return type == "long" ? call : $"(int){call}";
        }

        /// <inheritdoc/>
        public override IEnumerable<Field> Fields => Arguments.SelectMany(a => a.Fields);
    }
}
