/*
 * The vDSO data of the task that runs next: the entry points (switch, execve, refresh) that call the update function of
 * the run's design, from designs/ or from a folder. Which one they call is patched at boot, as the kernel's static calls
 * are. An update function gets the task in x0, fills the slot, returns in x1 the value for TPIDRRO_EL0, and leaves x0
 * alone.
 */
#include "layout.h"
#include "asm.h"

	.text

/* What the entry points call until the design's function is patched in. */
FUNC vdso_update_none
	mrs	x2, tpidr_el1
	mov	x1, #0
	ret
ENDFUNC vdso_update_none

/*
 * The switch of a design with ranges: x0 next, x19 previous. A previous task that was interrupted inside of a range of the image gets
 * another PC: the range's start; or the system call, when it was at the start the last time already.
 */
FUNC vdso_switch_fixup
	ldr	x2, [x19, #TSK_STACK_TOP]
	sub	x2, x2, #S_FRAME_SIZE
	ldr	x3, [x2, #S_PC]
	ldr	x4, [x19, #TSK_VDSO_BASE]
	sub	x3, x3, x4
	adrp	x5, vdso_fixup_table
	add	x5, x5, :lo12:vdso_fixup_table
	ldp	x6, x7, [x5]			/* from where, how far */
	sub	x6, x3, x6
	cmp	x6, x7
	b.hs	vdso_switch_thread
	ldr	w7, [x5, #16]			/* entries */
	add	x5, x5, #FIXUP_ENTRIES
1:	cbz	w7, vdso_switch_thread
	ldp	w8, w9, [x5, #FIXUP_START]	/* and length */
	sub	x10, x3, x8
	sub	x11, x10, #1			/* at the start there is nothing to move */
	sub	x9, x9, #1
	cmp	x11, x9
	b.lo	2f
	add	x5, x5, #FIXUP_SIZE
	sub	w7, w7, #1
	b	1b
2:	ldr	w10, [x19, #TSK_VDSO_FIXED]
	eor	w11, w10, #1
	str	w11, [x19, #TSK_VDSO_FIXED]
	ldr	w9, [x5, #FIXUP_FALLBACK]
	cmp	w10, #0
	/* Patched to x9 where a task is never put back to the start. */
	patch_site vdso_fixup_choice
	csel	x8, x8, x9, eq
	add	x8, x8, x4
	str	x8, [x2, #S_PC]
	b	vdso_switch_thread
ENDFUNC vdso_switch_fixup

/*
 * The experiment with a page that user space may write: a thread asks for another file system user by a word
 * of its slot in place of setfsuid. It is granted when it is one of the thread's own two. x19: pt_regs -> x0.
 * What lies between is what setfsuid does: the ID goes through the user namespace's map.
 *
 * "twice", as careless code has it: the word that is checked and the word that is used are two loads.
 * "once": the word is taken out once; what was checked is what is used.
 */
.macro	vdso_request name, again
FUNC \name
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x20, [sp, #16]
	ldr	x20, [tsk, #TSK_VDSO_SLOT]
	cbz	x20, 1f
	ldr	w1, [x20, #SLOT_EUID]		/* time of check */
	str	w1, [sp, #24]
	ldr	x0, [tsk, #TSK_CRED]
	ldr	x0, [x0, #CRED_USER_NS]
	bl	from_kuid_munged
	ldp	w2, w3, [tsk, #TSK_UID]
	cmp	w0, w2
	ccmp	w0, w3, #4, ne
	b.ne	1f
	.if	\again
	ldr	w1, [x20, #SLOT_EUID]		/* time of use */
	.else
	ldr	w1, [sp, #24]
	.endif
	str	w1, [tsk, #TSK_VDSO_REQUEST]
1:	mov	x0, x19
	ldr	x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
ENDFUNC \name
.endm

	vdso_request vdso_request_twice, 1
	vdso_request vdso_request_once, 0

/* x0: the task that is about to run (execve) */
FUNC vdso_start_thread
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	patch_site vdso_start_call
	bl	vdso_update_none
	/* Patched to store x1 in CPU_VDSO_REGISTER where the exit to EL0 has to write the register again. */
	patch_site vdso_start_save, RegisterSaves
	nop
	msr	tpidrro_el0, x1
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC vdso_start_thread

/* x0: the task that is about to run (context switch) */
FUNC vdso_switch_thread
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	patch_site vdso_switch_call
	bl	vdso_update_none
	patch_site vdso_switch_save, RegisterSaves
	nop
	msr	tpidrro_el0, x1
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC vdso_switch_thread

/* Before the return to EL0: what the slot says of the running task has changed (credentials, parent). */
FUNC vdso_refresh_thread
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	get_current x0
	/* First the flag, then the data: a change that comes between the two sets it again. */
	str	wzr, [x0, #TSK_FLAGS + 4]
	dmb	ish
	patch_site vdso_refresh_call
	bl	vdso_update_none
	patch_site vdso_refresh_save, RegisterSaves
	nop
	msr	tpidrro_el0, x1
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC vdso_refresh_thread

FUNC vdso_flush_thread
	mrs	x2, tpidr_el1
	mov	x1, #0
	patch_site vdso_flush_save, RegisterSaves
	nop
	msr	tpidrro_el0, x1
	ret
ENDFUNC vdso_flush_thread

/* Written at boot from the image's table. */
	.section .rodata, "a"
	.balign	64
	.globl	vdso_fixup_table
vdso_fixup_table:
	.fill	FIXUP_ENTRIES + 16 * FIXUP_SIZE, 1, 0
	.size	vdso_fixup_table, . - vdso_fixup_table
