/*
 * Time slice extensions of rseq, where the kernel's configuration has the word rseq-slice: in the structure of Linux 7.0
 * (include/linux/rseq_entry.h, kernel/rseq.c; CONFIG_RSEQ_SLICE_EXTENSION). A task that is to give way as an interrupt
 * of EL0 ends, and has asked for time to leave what it is in, goes on instead. The timer that takes the time back is the
 * model's affair, as are the system call with which the task gives it back and the end of the grant at a switch.
 * Nothing here is reached unless the calls at slice_irq_entry, slice_irq_exit and slice_schedule_call are patched.
 */
#include "layout.h"
#include "asm.h"

#define RSEQ_SLICE_CTRL		28
#define SLICE_REQUEST_MASK	0xff
#define SLICE_GRANTED		0x100

	.section .slice.text, "ax"

/* x0 stays */
FUNC rseq_note_user_irq_entry
	mrs	x2, sp_el0
	mov	w3, #1
	strb	w3, [x2, #TSK_SLICE_IRQ]
	ret
ENDFUNC rseq_note_user_irq_entry

/* exit_to_user_mode; then rseq's events are over */
FUNC rseq_irq_exit
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	exit_to_user_mode
	mrs	x2, sp_el0
	strb	wzr, [x2, #TSK_SLICE_IRQ]
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC rseq_irq_exit

/* x1: the thread's flags, with TIF_NEED_RESCHED. rseq_grant_slice_extension; schedule, unless that has granted it */
FUNC rseq_slice_or_schedule
	ldrh	w2, [tsk, #TSK_SLICE]
	ldrb	w3, [tsk, #TSK_SLICE_IRQ]
	and	w3, w3, w2		/* it may ask, and this is an interrupt */
	lsr	w2, w2, #8		/* it was given one */
	orr	w3, w3, w2
	cbz	w3, 3f
	ldr	x4, [tsk, #TSK_RSEQ]
	add	x4, x4, #RSEQ_SLICE_CTRL
	/* Not with other work to do, and not twice: a grant is taken back. */
	cbnz	w2, 2f
	tbnz	x1, #TIF_WORK_BIT, 2f
	USER	4f, ldtr w5, [x4]
	tst	w5, #SLICE_REQUEST_MASK
	b.eq	3f
	and	w5, w5, #0xffff0000
	orr	w5, w5, #SLICE_GRANTED
	USER	4f, sttr w5, [x4]
	mov	w5, #1
	strb	w5, [tsk, #TSK_SLICE_GRANTED]
	/* clear_tsk_need_resched, without LSE */
	add	x4, tsk, #TSK_FLAGS
	prfm	pstl1strm, [x4]
1:	ldxr	x3, [x4]
	and	x3, x3, #~(1 << TIF_NEED_RESCHED_BIT)
	stxr	w5, x3, [x4]
	cbnz	w5, 1b
	mov	x0, #0
	hvc	#HVC_SLICE
	ret
2:	USER	4f, sttr wzr, [x4]
	strb	wzr, [tsk, #TSK_SLICE_GRANTED]
3:	b	schedule
4:	mov	x0, #1
	hvc	#HVC_SLICE
	b	schedule
ENDFUNC rseq_slice_or_schedule
