using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C7.2.

/// <summary>The rows of Advanced SIMD load and store of structures.</summary>
public static partial class A64
{
    public static void ST1_1(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 1, 1);

    public static void ST1_1_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 1, 1), rn, rm, 1 * (8 << q));

    public static void ST1_2(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 2, 1);

    public static void ST1_2_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 2, 1), rn, rm, 2 * (8 << q));

    public static void ST1_3(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 3, 1);

    public static void ST1_3_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 3, 1), rn, rm, 3 * (8 << q));

    public static void ST1_4(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 4, 1);

    public static void ST1_4_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 4, 1), rn, rm, 4 * (8 << q));

    public static void ST2_m(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 2, 2);

    public static void ST2_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 2, 2), rn, rm, 2 * (8 << q));

    public static void ST3_m(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 3, 3);

    public static void ST3_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 3, 3), rn, rm, 3 * (8 << q));

    public static void ST4_m(Cpu cpu, int q, int size, int rn, int rt) => StoreMultiple(cpu, q, size, rn, rt, 4, 4);

    public static void ST4_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, StoreMultiple(cpu, q, size, rn, rt, 4, 4), rn, rm, 4 * (8 << q));

    public static void LD1_1(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 1, 1);

    public static void LD1_1_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 1, 1), rn, rm, 1 * (8 << q));

    public static void LD1_2(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 2, 1);

    public static void LD1_2_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 2, 1), rn, rm, 2 * (8 << q));

    public static void LD1_3(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 3, 1);

    public static void LD1_3_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 3, 1), rn, rm, 3 * (8 << q));

    public static void LD1_4(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 4, 1);

    public static void LD1_4_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 4, 1), rn, rm, 4 * (8 << q));

    public static void LD2_m(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 2, 2);

    public static void LD2_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 2, 2), rn, rm, 2 * (8 << q));

    public static void LD3_m(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 3, 3);

    public static void LD3_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 3, 3), rn, rm, 3 * (8 << q));

    public static void LD4_m(Cpu cpu, int q, int size, int rn, int rt) => LoadMultiple(cpu, q, size, rn, rt, 4, 4);

    public static void LD4_m_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadMultiple(cpu, q, size, rn, rt, 4, 4), rn, rm, 4 * (8 << q));

    public static void ST1_b(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 1);

    public static void ST1_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 1), rn, rm, 1);

    public static void ST1_h(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 1);

    public static void ST1_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 1), rn, rm, 2);

    public static void ST1_s(Cpu cpu, int q, int s, int rn, int rt) => StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 1);

    public static void ST1_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 1), rn, rm, 4);

    public static void ST1_d(Cpu cpu, int q, int rn, int rt) => StoreSingle(cpu, 3, q, rn, rt, 1);

    public static void ST1_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 3, q, rn, rt, 1), rn, rm, 8);

    public static void ST2_b(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 2);

    public static void ST2_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 2), rn, rm, 2);

    public static void ST2_h(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 2);

    public static void ST2_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 2), rn, rm, 4);

    public static void ST2_s(Cpu cpu, int q, int s, int rn, int rt) => StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 2);

    public static void ST2_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 2), rn, rm, 8);

    public static void ST2_d(Cpu cpu, int q, int rn, int rt) => StoreSingle(cpu, 3, q, rn, rt, 2);

    public static void ST2_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 3, q, rn, rt, 2), rn, rm, 16);

    public static void ST3_b(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 3);

    public static void ST3_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 3), rn, rm, 3);

    public static void ST3_h(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 3);

    public static void ST3_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 3), rn, rm, 6);

    public static void ST3_s(Cpu cpu, int q, int s, int rn, int rt) => StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 3);

    public static void ST3_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 3), rn, rm, 12);

    public static void ST3_d(Cpu cpu, int q, int rn, int rt) => StoreSingle(cpu, 3, q, rn, rt, 3);

    public static void ST3_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 3, q, rn, rt, 3), rn, rm, 24);

    public static void ST4_b(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 4);

    public static void ST4_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 4), rn, rm, 4);

    public static void ST4_h(Cpu cpu, int q, int s, int size, int rn, int rt) => StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 4);

    public static void ST4_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 4), rn, rm, 8);

    public static void ST4_s(Cpu cpu, int q, int s, int rn, int rt) => StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 4);

    public static void ST4_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 2, (q << 1) | s, rn, rt, 4), rn, rm, 16);

    public static void ST4_d(Cpu cpu, int q, int rn, int rt) => StoreSingle(cpu, 3, q, rn, rt, 4);

    public static void ST4_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, StoreSingle(cpu, 3, q, rn, rt, 4), rn, rm, 32);

    public static void LD1_b(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 1);

    public static void LD1_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 1), rn, rm, 1);

    public static void LD1_h(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 1);

    public static void LD1_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 1), rn, rm, 2);

    public static void LD1_s(Cpu cpu, int q, int s, int rn, int rt) => LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 1);

    public static void LD1_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 1), rn, rm, 4);

    public static void LD1_d(Cpu cpu, int q, int rn, int rt) => LoadSingle(cpu, 3, q, rn, rt, 1);

    public static void LD1_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 3, q, rn, rt, 1), rn, rm, 8);

    public static void LD2_b(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 2);

    public static void LD2_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 2), rn, rm, 2);

    public static void LD2_h(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 2);

    public static void LD2_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 2), rn, rm, 4);

    public static void LD2_s(Cpu cpu, int q, int s, int rn, int rt) => LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 2);

    public static void LD2_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 2), rn, rm, 8);

    public static void LD2_d(Cpu cpu, int q, int rn, int rt) => LoadSingle(cpu, 3, q, rn, rt, 2);

    public static void LD2_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 3, q, rn, rt, 2), rn, rm, 16);

    public static void LD3_b(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 3);

    public static void LD3_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 3), rn, rm, 3);

    public static void LD3_h(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 3);

    public static void LD3_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 3), rn, rm, 6);

    public static void LD3_s(Cpu cpu, int q, int s, int rn, int rt) => LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 3);

    public static void LD3_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 3), rn, rm, 12);

    public static void LD3_d(Cpu cpu, int q, int rn, int rt) => LoadSingle(cpu, 3, q, rn, rt, 3);

    public static void LD3_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 3, q, rn, rt, 3), rn, rm, 24);

    public static void LD4_b(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 4);

    public static void LD4_b_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 0, (q << 3) | (s << 2) | size, rn, rt, 4), rn, rm, 4);

    public static void LD4_h(Cpu cpu, int q, int s, int size, int rn, int rt) => LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 4);

    public static void LD4_h_post(Cpu cpu, int q, int rm, int s, int size, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 1, (q << 2) | (s << 1) | size, rn, rt, 4), rn, rm, 8);

    public static void LD4_s(Cpu cpu, int q, int s, int rn, int rt) => LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 4);

    public static void LD4_s_post(Cpu cpu, int q, int rm, int s, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 2, (q << 1) | s, rn, rt, 4), rn, rm, 16);

    public static void LD4_d(Cpu cpu, int q, int rn, int rt) => LoadSingle(cpu, 3, q, rn, rt, 4);

    public static void LD4_d_post(Cpu cpu, int q, int rm, int rn, int rt) =>
        PostIndex(cpu, LoadSingle(cpu, 3, q, rn, rt, 4), rn, rm, 32);

    public static void LD1R(Cpu cpu, int q, int size, int rn, int rt) => LoadReplicate(cpu, q, size, rn, rt, 1);

    public static void LD1R_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadReplicate(cpu, q, size, rn, rt, 1), rn, rm, 1 << size);

    public static void LD2R(Cpu cpu, int q, int size, int rn, int rt) => LoadReplicate(cpu, q, size, rn, rt, 2);

    public static void LD2R_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadReplicate(cpu, q, size, rn, rt, 2), rn, rm, 2 << size);

    public static void LD3R(Cpu cpu, int q, int size, int rn, int rt) => LoadReplicate(cpu, q, size, rn, rt, 3);

    public static void LD3R_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadReplicate(cpu, q, size, rn, rt, 3), rn, rm, 3 << size);

    public static void LD4R(Cpu cpu, int q, int size, int rn, int rt) => LoadReplicate(cpu, q, size, rn, rt, 4);

    public static void LD4R_post(Cpu cpu, int q, int rm, int size, int rn, int rt) =>
        PostIndex(cpu, LoadReplicate(cpu, q, size, rn, rt, 4), rn, rm, 4 << size);
}
