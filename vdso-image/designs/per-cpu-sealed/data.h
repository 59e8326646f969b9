/* SPDX-License-Identifier: MIT */
/* What the kernel writes and the image opens. */
#ifndef SEALED_DATA_H
#define SEALED_DATA_H

#define SEALED_CPUS	64
#define SEALED_OFFSET	0xffffUL	/* of the register; above it a count of the CPU's writes, never 0 */

/* Bits 31:0 the encrypted word, bits 63:32 its signature. The first nine are in the order of enum vdso_word. */
struct sealed_slot {
	unsigned long pid, tid, uid, euid, gid, egid, ppid, pgid, sid, cpu, node;
} __attribute__((aligned(128)));

struct sealed_data {
	struct sealed_slot slots[SEALED_CPUS];
};

/*
 * PACGA: 32 bits in 63:32 that only who has the key can tell. The key is APGAKey_EL1, which the kernel loads at a switch
 * for the process; EL0 uses it and cannot read it.
 */
static inline unsigned long sealed_mac(unsigned long value, unsigned long modifier)
{
	unsigned long mac;

	__asm__(".arch_extension pauth\n\tpacga %0, %1, %2" : "=r"(mac) : "r"(value), "r"(modifier));
	return mac;
}

/*
 * Both depend on the register's value, which no CPU ever has twice and no two CPUs share: a word of another place, time
 * or process does not open. As a modifier the value is above 0xffff and a word's number below it, so the two uses of the
 * key never meet.
 */
static inline unsigned long sealed_stream(unsigned long value, unsigned long word)
{
	return sealed_mac(value, word) >> 32;
}

static inline unsigned long sealed_signature(unsigned long cipher, unsigned long word, unsigned long value)
{
	return sealed_mac(cipher | word << 32, value);
}

/* The number of a word in its slot. */
#define SEALED_WORD(field)	(__builtin_offsetof(struct sealed_slot, field) / sizeof(unsigned long))

#endif
