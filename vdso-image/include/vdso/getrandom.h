/* SPDX-License-Identifier: MIT */
/* What user space keeps for __kernel_getrandom, and what it learns of it (Linux 6.11 and later). */
#ifndef VDSO_GETRANDOM_H
#define VDSO_GETRANDOM_H

#include <vdso/types.h>

#define CHACHA_BLOCK_SIZE	64
#define CHACHA_KEY_WORDS	8

/*
 * A state in memory of the caller, one for each thread. Refilling writes batch and key at once, two blocks
 * of the cipher's output: the key that made them is gone then. generation is the kernel's when the key was
 * made; 0, which is also what a page that the kernel dropped holds, makes the key invalid.
 */
struct vgetrandom_state {
	u8 batch[3 * CHACHA_BLOCK_SIZE / 2];
	u32 key[CHACHA_KEY_WORDS];
	u64 generation;
	u8 pos;
	u8 in_use;
};

/* The answer to the question how to allocate states (uapi/linux/random.h). */
struct vgetrandom_opaque_params {
	u32 size_of_opaque_state;
	u32 mmap_prot;
	u32 mmap_flags;
	u32 reserved[13];
};

#define PROT_READ		0x1
#define PROT_WRITE		0x2
#define MAP_DROPPABLE		0x08
#define MAP_ANONYMOUS		0x20

#define GRND_NONBLOCK		0x1
#define GRND_RANDOM		0x2
#define GRND_INSECURE		0x4

#define EFAULT			14
/* As much as one read may give: the kernel's MAX_RW_COUNT. */
#define MAX_RW_COUNT		0x7ffff000UL

/*
 * nblocks (at least one) blocks of ChaCha20 output with nonce 0 to dst; counter is the number of the first
 * one and afterwards of the next. It writes nowhere else, not even to the stack, where a child of fork would
 * find the parent's key stream.
 */
void __arch_chacha20_blocks_nostack(u8 *dst, const u32 *key, u32 *counter, size_t nblocks);

#endif
