// SPDX-License-Identifier: MIT
/*
 * Random numbers without a system call for each: a ChaCha20 key stream of the caller's own, under a key of
 * the kernel's generator that is replaced when the kernel seeds itself anew. An architecture's C file
 * includes this one; <asm/vdso/getrandom.h> gives the system call.
 */
#include <asm/vdso/getrandom.h>
#include <vdso/datapage.h>
#include <vdso/getrandom.h>
#include <vdso/layout.h>
#include <vdso/processor.h>

/* Bytes go out of the batch and leave zeros: what was given away cannot be found again. */
static __always_inline void move_and_clear(u8 *to, u8 *from, size_t length)
{
	while (length >= sizeof(u64)) {
		u64 word;

		__builtin_memcpy(&word, from, sizeof(word));
		__builtin_memcpy(to, &word, sizeof(word));
		word = 0;
		__builtin_memcpy(from, &word, sizeof(word));
		from += sizeof(word);
		to += sizeof(word);
		length -= sizeof(word);
	}
	while (length--) {
		/* Volatile, or the compiler makes calls of memcpy and memset of it. */
		*(volatile u8 *)to++ = *from;
		*(volatile u8 *)from++ = 0;
	}
}

/* A new key of the kernel. False: there is none, and the state has no key now. */
static __always_inline int take_key(struct vgetrandom_state *state, u64 generation)
{
	/*
	 * First the generation, then the key: a child that fork makes in between asks for a key itself; the
	 * other way round parent and child would have the same one and not know it.
	 */
	WRITE_ONCE(state->generation, generation);
	smp_rmb();
	if (getrandom_fallback(state->key, sizeof(state->key), 0) != (ssize_t)sizeof(state->key)) {
		WRITE_ONCE(state->generation, 0);
		return 0;
	}
	state->pos = sizeof(state->batch);
	return 1;
}

/* Fills the buffer from the batch, from the key stream directly, and from a new batch. */
static __always_inline void draw(struct vgetrandom_state *state, u8 *to, size_t length)
{
	u32 counter[2] = { 0, 0 };

	for (;;) {
		size_t part = sizeof(state->batch) - state->pos, blocks;

		if (part > length)
			part = length;
		if (part) {
			move_and_clear(to, state->batch + state->pos, part);
			state->pos += part;
			to += part;
			length -= part;
		}
		if (!length)
			return;
		blocks = length / CHACHA_BLOCK_SIZE;
		if (blocks) {
			__arch_chacha20_blocks_nostack(to, state->key, counter, blocks);
			to += blocks * CHACHA_BLOCK_SIZE;
			length -= blocks * CHACHA_BLOCK_SIZE;
		}
		/* Batch and key are one piece of two blocks. */
		__arch_chacha20_blocks_nostack(state->batch, state->key, counter, 2);
		state->pos = 0;
	}
}

static __always_inline ssize_t
__cvdso_getrandom(void *buffer, size_t length, u32 flags, void *opaque_state, size_t opaque_length)
{
	const struct vdso_rng_data *rng = &_vdso_rng;
	struct vgetrandom_state *state = opaque_state;
	size_t wanted = length < MAX_RW_COUNT ? length : MAX_RW_COUNT;
	int tries;

	if (unlikely(opaque_length == ~0UL && !buffer && !length && !flags)) {
		struct vgetrandom_opaque_params *params = opaque_state;

		params->size_of_opaque_state = sizeof(*state);
		params->mmap_prot = PROT_READ | PROT_WRITE;
		params->mmap_flags = MAP_DROPPABLE | MAP_ANONYMOUS;
		for (int i = 0; i < 13; i++)
			*(volatile u32 *)&params->reserved[i] = 0;
		return 0;
	}
	/* Pages are dropped one by one: a state in two could lose half. */
	if (unlikely(((u64)opaque_state & (PAGE_SIZE - 1)) + sizeof(*state) > PAGE_SIZE))
		return -EFAULT;
	if (unlikely(flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) || unlikely(opaque_length != sizeof(*state)))
		goto fallback;
	/* Until then the kernel decides whether to wait, even for nothing. */
	if (unlikely(!READ_ONCE(rng->is_ready)))
		goto fallback;
	if (unlikely(!length))
		return 0;
	/* A signal handler of this thread finds the state in use; it has the kernel fill its buffer. */
	if (unlikely(READ_ONCE(state->in_use)))
		goto fallback;
	WRITE_ONCE(state->in_use, 1);

	/* Twice, and no more: somebody may make the kernel seed itself all the time. */
	for (tries = 0; tries < 2; tries++) {
		u64 generation = READ_ONCE(rng->generation);

		if (unlikely(state->generation != generation) && unlikely(!take_key(state, generation)))
			break;
		draw(state, buffer, wanted);
		__asm__ volatile("" : : : "memory");
		/* Of the state once more: a fork or a dropped page since then has set it to 0. */
		if (likely(READ_ONCE(state->generation) == READ_ONCE(rng->generation))) {
			WRITE_ONCE(state->in_use, 0);
			return (ssize_t)wanted;
		}
	}
	WRITE_ONCE(state->in_use, 0);
fallback:
	return getrandom_fallback(buffer, length, flags);
}
