// SPDX-License-Identifier: MIT
/* The functions of the image. */
#include <asm/vdso/syscall.h>
#include "data.h"

extern const struct sealed_data _vdso_data __attribute__((visibility("hidden")));

#define EXPORT __attribute__((visibility("default")))

static inline unsigned long sealed_register(void)
{
	unsigned long value;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(value) : : "memory");
	return value;
}

/*
 * The register is not read again: a word that this task's key opens with the value that the register had is this task's,
 * of the moment when the register was read or later, wherever it runs by now.
 */
#define SEALED_READ(value, field, of, fallback)							\
	do {											\
		const struct sealed_slot *slot__ =						\
			(const void *)((const char *)&_vdso_data + ((of) & SEALED_OFFSET));	\
		unsigned long word__ = *(const volatile unsigned long *)&slot__->field;		\
		unsigned long cipher__ = word__ & 0xffffffff;					\
												\
		if (sealed_signature(cipher__, SEALED_WORD(field), of) != word__ - cipher__)	\
			goto fallback;								\
		(value) = cipher__ ^ sealed_stream(of, SEALED_WORD(field));			\
	} while (0)

#define GETTER(name, number, field)								\
	EXPORT unsigned int __kernel_##name(void);						\
	EXPORT unsigned int __kernel_##name(void)						\
	{											\
		unsigned long of = sealed_register(), value;					\
												\
		if (!of)									\
			goto fallback;								\
		SEALED_READ(value, field, of, fallback);					\
		return value;									\
	fallback:										\
		return vdso_syscall2(number, 0, 0);						\
	}

/* Of another process only the kernel knows. */
#define GETTER_OF_SELF(name, number, field)							\
	EXPORT int __kernel_##name(int pid);							\
	EXPORT int __kernel_##name(int pid)							\
	{											\
		unsigned long of = sealed_register(), value;					\
												\
		if (pid || !of)									\
			goto fallback;								\
		SEALED_READ(value, field, of, fallback);					\
		return value;									\
	fallback:										\
		return vdso_syscall2(number, pid, 0);						\
	}

GETTER(getpid, 172, pid)
GETTER(gettid, 178, tid)
GETTER(getuid, 174, uid)
GETTER(geteuid, 175, euid)
GETTER(getgid, 176, gid)
GETTER(getegid, 177, egid)
GETTER(getppid, 173, ppid)
GETTER_OF_SELF(getpgid, 155, pgid)
GETTER_OF_SELF(getsid, 156, sid)

EXPORT int __kernel_getcpu(unsigned int *cpu, unsigned int *node, void *unused);
EXPORT int __kernel_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	unsigned long of = sealed_register(), number, of_node;

	(void)unused;
	if (!of)
		goto fallback;
	SEALED_READ(number, cpu, of, fallback);
	SEALED_READ(of_node, node, of, fallback);
	if (cpu)
		*cpu = number;
	if (node)
		*node = of_node;
	return 0;
fallback:
	return vdso_syscall2(168, (long)cpu, (long)node);
}
