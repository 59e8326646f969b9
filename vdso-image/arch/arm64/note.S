/* SPDX-License-Identifier: MIT */
/* The kernel version, for C libraries that have a minimum. */
#include <vdso/layout.h>

	.section .note.version, "a", @note
	.balign	4
	.long	2f - 1f
	.long	4f - 3f
	.long	0
1:	.asciz	"Linux"
2:	.balign	4
3:	.long	LINUX_VERSION_CODE
4:	.balign	4
