using System.Text;

namespace ArmVdso.Emulator.Processor;

/// <summary>State that instructions of blocks can change, for the lockstep checker.</summary>
public sealed partial class Cpu
{
    /// <summary>System registers that blocks may write.</summary>
    internal readonly record struct SystemValues(
        ulong ELR, ulong SPSR, ulong ESR, ulong FAR, ulong TPIDR0, ulong TPIDR1, ulong CONTEXTIDR)
    {
        /// <inheritdoc/>
        public override string ToString() =>
            $"elr {ELR:x} spsr {SPSR:x} esr {ESR:x} far {FAR:x} tpidr {TPIDR0:x} {TPIDR1:x} {CONTEXTIDR:x}";
    }

    /// <summary>Registers, PSTATE, and the exclusive monitors.</summary>
    internal struct Snapshot
    {
        internal GeneralRegisters X;
        internal VectorRegisters V;
        internal ulong PC, NextPC, Instructions;
        internal SystemValues System;
        internal int NZCV, BType, BTypeNext, Daif, EL;
        internal bool SPSel, PAN, UAO, DIT, SSBS, TCO, IL, SS;
        internal uint FPCR, FPSR;
        internal (ulong[] Granule, ulong[] Address, int[] Size)? Monitors;

        /// <summary>Whether all values are equal; the place of discarded results does not count.</summary>
        internal readonly bool Same(in Snapshot other)
        {
            for (int i = 0; i < 32; i++)
            {
                if (X[i] != other.X[i] || V[i].Lo != other.V[i].Lo || V[i].Hi != other.V[i].Hi)
                    return false;
            }
            return X[33] == other.X[33] && X[34] == other.X[34] && PC == other.PC && NextPC == other.NextPC
                && Instructions == other.Instructions && System == other.System
                && (NZCV, FPCR, FPSR, BType, BTypeNext, Daif, EL)
                    == (other.NZCV, other.FPCR, other.FPSR, other.BType, other.BTypeNext, other.Daif, other.EL)
                && (SPSel, PAN, UAO, DIT, SSBS, TCO, IL, SS)
                    == (other.SPSel, other.PAN, other.UAO, other.DIT, other.SSBS, other.TCO, other.IL, other.SS)
                && Monitors is null && other.Monitors is null;
        }

        /// <summary>Each value with its name.</summary>
        internal readonly List<(string Name, string Value)> Values()
        {
            var values = new List<(string, string)>();
            for (int i = 0; i < 32; i++)
                values.Add(($"x{i}", $"{X[i]:x}"));
            values.Add(("sp_el0", $"{X[33]:x}"));
            values.Add(("sp_el1", $"{X[34]:x}"));
            for (int i = 0; i < 32; i++)
                values.Add(($"v{i}", $"{V[i].Hi:x16}{V[i].Lo:x16}"));
            values.Add(("pc", $"{PC:x}"));
            values.Add(("next pc", $"{NextPC:x}"));
            values.Add(("system", $"{System}"));
            values.Add(("nzcv", $"{NZCV:x}"));
            values.Add(("fpcr", $"{FPCR:x}"));
            values.Add(("fpsr", $"{FPSR:x}"));
            values.Add(("btype", $"{BType} {BTypeNext}"));
            string pstate = $"daif {Daif:x} el {EL} spsel {SPSel} pan {PAN} uao {UAO} dit {DIT} ssbs {SSBS} tco {TCO} il {IL} ss {SS}";
            values.Add(("pstate", pstate));
            values.Add(("instructions", $"{Instructions}"));
            values.Add(("monitors", Monitors is { } m ? string.Join(",", m.Granule) + ";" + string.Join(",", m.Address) : "clear"));
            return values;
        }

        /// <summary>All values that are not zero, some to a line.</summary>
        internal readonly string ToText()
        {
            var text = new StringBuilder();
            int n = 0;
            foreach ((string name, string value) in Values())
            {
                if (value.Trim('0').Length == 0)
                    continue;
                text.Append(n++ % 4 == 0 ? "  " : " ").Append(name).Append('=').Append(value);
                if (n % 4 == 0)
                    text.Append('\n');
            }
            return text.Append(n % 4 == 0 ? "" : "\n").ToString();
        }
    }

    internal Snapshot Save() => new()
    {
        X = _x,
        V = _v,
        PC = PC,
        NextPC = NextPC,
        Instructions = Instructions,
        System = new SystemValues(ELR_EL1, SPSR_EL1, ESR_EL1, FAR_EL1, TPIDR_EL0, TPIDR_EL1, CONTEXTIDR_EL1),
        NZCV = NZCV,
        BType = BType,
        BTypeNext = BTypeNext,
        Daif = Daif,
        EL = EL,
        SPSel = SPSel,
        PAN = PAN,
        UAO = UAO,
        DIT = DIT,
        SSBS = SSBS,
        TCO = TCO,
        IL = IL,
        SS = SS,
        FPCR = FPCR,
        FPSR = FPSR,
        Monitors = Monitors.Save(),
    };

    internal void Restore(in Snapshot s)
    {
        _x = s.X;
        _v = s.V;
        PC = s.PC;
        NextPC = s.NextPC;
        Instructions = s.Instructions;
        (ELR_EL1, SPSR_EL1, ESR_EL1, FAR_EL1, TPIDR_EL0, TPIDR_EL1, CONTEXTIDR_EL1) = s.System;
        NZCV = s.NZCV;
        BType = s.BType;
        BTypeNext = s.BTypeNext;
        Daif = s.Daif;
        EL = s.EL;
        SPSel = s.SPSel;
        PAN = s.PAN;
        UAO = s.UAO;
        DIT = s.DIT;
        SSBS = s.SSBS;
        TCO = s.TCO;
        IL = s.IL;
        SS = s.SS;
        FPCR = s.FPCR;
        FPSR = s.FPSR;
        Monitors.Restore(s.Monitors);
    }
}
