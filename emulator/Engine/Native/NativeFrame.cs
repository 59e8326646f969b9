using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Where native code finds things: R15 is the <see cref="EngineFrame"/> of the PE, RBP its general registers.</summary>
internal static class NativeFrame
{
    /// <summary>Instructions that may still be executed; each block takes its own off when it is entered.</summary>
    internal const int Budget = 0;

    /// <summary>The flags as <see cref="Pack"/> has them, 16 bits.</summary>
    internal const int Flags = 8;

    /// <summary>Where an indirect branch goes that the tables do not have.</summary>
    internal const int Target = 16;

    /// <summary>Address of an access that the TLB does not have.</summary>
    internal const int Address = 24;

    /// <summary>Not 0 when SIMD and floating-point instructions are trapped, or FPCR is not 0.</summary>
    internal const int FpTrapped = 32;

    /// <summary>BTYPE that the last indirect branch set, valid while <see cref="BTypeBudget"/> says so.</summary>
    internal const int BType = 40;

    /// <summary>The budget when <see cref="BType"/> was set: it is that of the block that was entered then.</summary>
    internal const int BTypeBudget = 48;

    /// <summary>Where the next entry of the log of stores goes.</summary>
    internal const int LogEnd = 56;

    /// <summary>MXCSR of the host is stored here to look at it.</summary>
    internal const int HostStatus = 64;

    /// <summary>MXCSR as the runtime has it: nothing is trapped, nothing was seen.</summary>
    internal const int HostStatusClear = 68;

    /// <summary>Where a step of a copy ends, relative to the end of the whole.</summary>
    internal const int BulkEnd = 72;

    /// <summary>Where it goes to.</summary>
    internal const int BulkTo = 80;

    /// <summary>Where the next block of the trace goes.</summary>
    internal const int TraceEnd = 88;

    /// <summary>A vector of ones, in elements of 64 or 32 bits.</summary>
    internal static int LanesOne(bool isDouble) => isDouble ? 96 : 128;

    /// <summary>A vector of exponents without their lowest bits, less one.</summary>
    internal static int LanesHalf(bool isDouble) => isDouble ? 112 : 144;

    /// <summary>What <see cref="HostStatusClear"/> holds.</summary>
    internal const uint ClearStatus = 0x1F80;

    /// <summary>Precision exception of MXCSR.</summary>
    internal const int HostInexact = 0x20;

    /// <summary>The log of stores, which checked code writes: host address, size, what was there.</summary>
    internal const int Log = 160;

    /// <summary>Bytes of an entry of the log.</summary>
    internal const int LogEntry = 48;

    /// <summary>Entries of a table of branches, each a target and the address of its code.</summary>
    internal const int JumpCount = 4096;

    private const int JumpTable = JumpCount * 16;

    /// <summary>Bytes of all tables of branches: by exception level, and whether BTYPE is set.</summary>
    internal const int JumpSize = 4 * JumpTable;

    /// <summary>Byte of the EFLAGS that LAHF gives.</summary>
    internal const int Sign = 0x80, Zero = 0x40, Carry = 0x01;

    /// <summary>Whether an entry is the first of its table, where the targets 0 and 1 are looked for.</summary>
    internal static bool IsFirst(int entry) => (entry - EngineFrame.JumpOffset) % JumpTable == 0;

    /// <summary>The table of branches at an exception level.</summary>
    /// <param name="el">Exception level.</param>
    /// <param name="setsBType">For branches that set BTYPE, which may not enter guarded pages unseen.</param>
    internal static int Jumps(int el, bool setsBType) => EngineFrame.JumpOffset + (2 * el + (setsBType ? 1 : 0)) * JumpTable;

    /// <summary>Bytes from the start of a table to the entry of a target.</summary>
    internal static int JumpEntry(ulong target) => ((int)(target ^ target >> JumpFold) & JumpMask) << 2;

    /// <summary>Bits of a target that say which entry is its own, with those that are further up by <see cref="JumpFold"/>: functions at
    /// the same place in their pages are not in each other's way.</summary>
    internal const int JumpMask = (JumpCount - 1) << 2, JumpFold = 12;

    /// <summary>Flags as native code keeps them: V in the low byte, S, Z and C of LAHF in the high one; C as Arm means it.</summary>
    internal static ushort Pack(int nzcv) => (ushort)((nzcv & 1) | (nzcv & 2) << 7 | (nzcv & 4) << 12 | (nzcv & 8) << 12);

    /// <summary>NZCV of packed flags.</summary>
    internal static int Unpack(ulong flags) => (int)((flags & 1) | (flags >> 7 & 2) | (flags >> 12 & 4) | (flags >> 12 & 8));
}
