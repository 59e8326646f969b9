/* SPDX-License-Identifier: MIT */
/*
 * Design "per-thread". The data pages behind the shared one are the process's own, and each thread has a slot
 * there for its life; the register, written at each switch, holds the slot's address. Nothing of another
 * thread is ever behind it, and each answer is one word (CPU and node: one doubleword): there is nothing to
 * look at again. A child of fork has its parent's slot number, so that a handler that forks in the middle may
 * return in the child.
 */
#ifndef VDSO_PROTOCOL_THREAD_H
#define VDSO_PROTOCOL_THREAD_H

#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>

#define vdso_slot_read(value, field, fallback) \
	do { \
		const struct vdso_per_cpu_data *__slot = (const void *)__arch_get_vdso_register(); \
	\
		if (unlikely(!__slot)) \
			goto fallback; \
		(value) = READ_ONCE(__slot->field); \
	} while (0)

#define vdso_slot_read_cpu(cpu_value, node_value, fallback) \
	do { \
		const struct vdso_per_cpu_data *__slot = (const void *)__arch_get_vdso_register(); \
		u64 __pair; \
	\
		if (unlikely(!__slot)) \
			goto fallback; \
		__pair = READ_ONCE(*(const u64 *)&__slot->cpu); \
		(cpu_value) = (u32)__pair; \
		(node_value) = (u32)(__pair >> 32); \
	} while (0)

#endif
