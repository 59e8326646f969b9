// SPDX-License-Identifier: MIT
/* Entry point of the random numbers. */
#include "../../lib/getrandom.c"

ssize_t __vdso_export __kernel_getrandom(void *buffer, size_t length, u32 flags, void *state, size_t state_length);
ssize_t __kernel_getrandom(void *buffer, size_t length, u32 flags, void *state, size_t state_length)
{
	return __cvdso_getrandom(buffer, length, flags, state, state_length);
}
