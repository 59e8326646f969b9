namespace ArmVdso.Emulator.Isa;
public enum Row : ushort { Unallocated, BRK, HLT }
public static class RowInfo { public const int Count = 3; public static bool IsFp(Row row) => false; }
public static class Decoder { public static Row Decode(uint instruction) => Row.Unallocated; }
public static class Dispatch { public static void Execute(Cpu cpu, Row row, uint instruction) => cpu.Undefined(); }
public static partial class A64 { }
