// Pointer authentication with known keys: under qemu-system-aarch64, bare at EL1, every PAC*, AUT*, XPAC* instruction and
// PACGA from random keys, pointers, modifiers and TCR_EL1 (sizes of both halves, TBI, TBID). One line a case on the console:
//   NAME TCR KEYLO KEYHI POINTER MODIFIER RESULT
// make-vectors.sh builds and runs it.
typedef unsigned long u64;

static u64 seed = 20261125;

static u64 next(void) {
  u64 z = seed += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

static void print(const char *text) {
  register u64 x0 __asm__("x0") = 4; // SYS_WRITE0
  register const char *x1 __asm__("x1") = text;
  __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

// Each body has the pointer in x0 and the modifier in x1, and leaves the result in x0.
#define TWO(name) F(name, #name " x0, x1")
#define ONE(name) F(name, #name " x0")
#define ALL \
  TWO(pacia) TWO(pacib) TWO(pacda) TWO(pacdb) ONE(paciza) ONE(pacizb) ONE(pacdza) ONE(pacdzb) \
  TWO(autia) TWO(autib) TWO(autda) TWO(autdb) ONE(autiza) ONE(autizb) ONE(autdza) ONE(autdzb) ONE(xpaci) ONE(xpacd) \
  F(pacga, "pacga x0, x0, x1") \
  F(paciaz, "mov x9, x30; mov x30, x0; paciaz; mov x0, x30; mov x30, x9") \
  F(pacibz, "mov x9, x30; mov x30, x0; pacibz; mov x0, x30; mov x30, x9") \
  F(autiaz, "mov x9, x30; mov x30, x0; autiaz; mov x0, x30; mov x30, x9") \
  F(autibz, "mov x9, x30; mov x30, x0; autibz; mov x0, x30; mov x30, x9") \
  F(xpaclri, "mov x9, x30; mov x30, x0; xpaclri; mov x0, x30; mov x30, x9") \
  F(paciasp, "mov x9, x30; mov x10, sp; mov sp, x1; mov x30, x0; paciasp; mov x0, x30; mov x30, x9; mov sp, x10") \
  F(pacibsp, "mov x9, x30; mov x10, sp; mov sp, x1; mov x30, x0; pacibsp; mov x0, x30; mov x30, x9; mov sp, x10") \
  F(autiasp, "mov x9, x30; mov x10, sp; mov sp, x1; mov x30, x0; autiasp; mov x0, x30; mov x30, x9; mov sp, x10") \
  F(autibsp, "mov x9, x30; mov x10, sp; mov sp, x1; mov x30, x0; autibsp; mov x0, x30; mov x30, x9; mov sp, x10") \
  F(pacia1716, "mov x17, x0; mov x16, x1; pacia1716; mov x0, x17") F(pacib1716, "mov x17, x0; mov x16, x1; pacib1716; mov x0, x17") \
  F(autia1716, "mov x17, x0; mov x16, x1; autia1716; mov x0, x17") F(autib1716, "mov x17, x0; mov x16, x1; autib1716; mov x0, x17")

#define F(name, body) \
  static u64 run_##name(u64 pointer, u64 modifier) { \
    register u64 x0 __asm__("x0") = pointer; \
    register u64 x1 __asm__("x1") = modifier; \
    __asm__ volatile(body : "+r"(x0) : "r"(x1) : "x9", "x10", "x16", "x17", "memory"); \
    return x0; \
  }
ALL
#undef F
#define F(name, body) {#name, run_##name},
static const struct { const char *name; u64 (*run)(u64, u64); } all[] = {ALL};

static int is(const char *name, const char *what) {
  for (; *what; name++, what++)
    if (*name != *what)
      return 0;
  return 1;
}

// What the instruction authenticates: the pointer signed with the same key.
static u64 sign(const char *name, u64 pointer, u64 modifier) {
  int zero = name[4] == 'z' || name[5] == 'z';
  u64 with = zero ? 0 : modifier;
  if (name[3] == 'd')
    return name[4] == 'b' || name[5] == 'b' ? run_pacdb(pointer, with) : run_pacda(pointer, with);
  return name[4] == 'b' || name[5] == 'b' ? run_pacib(pointer, with) : run_pacia(pointer, with);
}

static char line[256];

static char *hex(char *at, u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4)
    *at++ = "0123456789abcdef"[(value >> shift) & 15];
  *at++ = ' ';
  return at;
}

void main(void) {
  for (int n = 0; n < sizeof all / sizeof all[0]; n++) {
    for (int i = 0; i < 24; i++) {
      u64 low = next(), high = next(), modifier = next() & ~15UL, pointer = next();
      u64 t0 = 16 + next() % 24, t1 = 16 + next() % 24;
      u64 tcr = t0 | (t1 << 16) | (2UL << 30) | ((next() & 3) << 37) | ((next() & 3) << 51);
      // Canonical pointers of both halves, with any top byte, and any.
      switch (next() & 3) {
      case 0: pointer &= (1UL << (64 - t0)) - 1; break;
      case 1: pointer |= ~((1UL << (64 - t1)) - 1); break;
      case 2: pointer &= (0xFFUL << 56) | ((1UL << (64 - t0)) - 1); break;
      }
      // Where bits 63 and 55 differ and the top byte counts, qemu takes the size of the half that bit 55 names, AddPAC of the
      // Arm pseudocode that of bit 63: not compared.
      if (tcr >> 37 & 3 ^ 3 || tcr >> 51 & 3)
        pointer = pointer & ~(1UL << 63) | (pointer >> 55 & 1) << 63;
      __asm__ volatile("msr tcr_el1, %0; isb" ::"r"(tcr));
      __asm__ volatile("msr s3_0_c2_c1_0, %0; msr s3_0_c2_c1_1, %1; msr s3_0_c2_c1_2, %0; msr s3_0_c2_c1_3, %1" ::"r"(low), "r"(high));
      __asm__ volatile("msr s3_0_c2_c2_0, %0; msr s3_0_c2_c2_1, %1; msr s3_0_c2_c2_2, %0; msr s3_0_c2_c2_3, %1" ::"r"(low), "r"(high));
      __asm__ volatile("msr s3_0_c2_c3_0, %0; msr s3_0_c2_c3_1, %1; isb" ::"r"(low), "r"(high));
      if ((is(all[n].name, "aut") || is(all[n].name, "xpac")) && (next() & 1))
        pointer = sign(all[n].name, pointer, modifier);
      u64 result = all[n].run(pointer, modifier);
      char *at = line;
      for (const char *c = all[n].name; *c; c++)
        *at++ = *c;
      *at++ = ' ';
      at = hex(hex(hex(hex(hex(hex(at, tcr), low), high), pointer), modifier), result);
      at[-1] = '\n';
      *at = 0;
      print(line);
    }
  }
  print("end\n");
  register u64 x0 __asm__("x0") = 0x18; // SYS_EXIT
  static const u64 block[2] = {0x20026, 0};
  register const u64 *x1 __asm__("x1") = block;
  __asm__ volatile("hlt #0xf000" ::"r"(x0), "r"(x1));
  for (;;)
    ;
}

__asm__(".globl _start\n_start: ldr x0, =stack_top\n mov sp, x0\n mrs x0, sctlr_el1\n ldr x1, =0xc8002000\n orr x0, x0, x1\n"
        " msr sctlr_el1, x0\n isb\n bl main\n .ltorg\n .bss\n .balign 16\n .skip 16384\nstack_top:\n .text");
