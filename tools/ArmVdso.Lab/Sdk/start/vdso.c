/* The functions of the image. */
#include "data.h"

/* The first of the pages below the image. */
extern const struct own_data _vdso_data __attribute__((visibility("hidden")));

#define EXPORT __attribute__((visibility("default")))

static inline unsigned long own_register(void)
{
	unsigned long value;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(value) : : "memory");
	return value;
}

static inline long system_call(long number)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0");

	__asm__ volatile("svc #0" : "=r"(x0) : "r"(x8) : "memory");
	return x0;
}

/* The same value before and after the load: this CPU ran nothing else meanwhile, and this task did not leave it. */
#define OWN_READ(value, field, fallback)						\
	do {										\
		unsigned long __register = own_register();				\
		const struct own_slot *__slot =						\
			(const void *)((const char *)&_vdso_data + (__register & OWN_OFFSET));	\
											\
		if (!__register)							\
			goto fallback;							\
		(value) = *(const volatile __typeof__(__slot->field) *)&__slot->field;	\
		if (own_register() != __register)					\
			goto fallback;							\
	} while (0)

EXPORT int __kernel_getpid(void);
EXPORT int __kernel_getpid(void)
{
	int pid;

	OWN_READ(pid, pid, fallback);
	return pid;
fallback:
	return system_call(172);
}
