/*
 * What the kernel does for a registered rseq area, where the kernel's configuration has the word rseq: at a switch and on
 * the way to EL0 afterwards, in the structure of Linux 6.12 (include/linux/rseq.h, kernel/rseq.c). Which concurrency ID a
 * task has is the model's affair. Nothing here is reached unless the calls at context_switch_call and notify_work_call are
 * patched at boot.
 */
#include "layout.h"
#include "asm.h"

#define RSEQ_CPU_ID_START	0
#define RSEQ_CPU_ID		4
#define RSEQ_CS			8
#define RSEQ_FLAGS		16
#define RSEQ_NODE_ID		20
#define RSEQ_MM_CID		24
#define RSEQ_EVENT_PREEMPT	1

/* struct rseq_cs */
#define CS_VERSION		0
#define CS_FLAGS		4
#define CS_START_IP		8
#define CS_LENGTH		16
#define CS_ABORT_IP		24

	.section .rseq.text, "ax"

/* x0: previous, x1: next. prepare_task_switch: rseq_preempt(previous), rseq_set_notify_resume; then __switch_to */
FUNC rseq_context_switch
	ldr	x2, [x0, #TSK_RSEQ]
	cbz	x2, 2f
	ldr	w3, [x0, #TSK_RSEQ_EVENT]
	orr	w3, w3, #RSEQ_EVENT_PREEMPT
	str	w3, [x0, #TSK_RSEQ_EVENT]
	add	x4, x0, #TSK_FLAGS
	prfm	pstl1strm, [x4]			/* set_tsk_thread_flag, without LSE */
1:	ldxr	x3, [x4]
	orr	x3, x3, #(1 << TIF_WORK_BIT)
	stxr	w5, x3, [x4]
	cbnz	w5, 1b
	.globl	rseq_context_switch_end
rseq_context_switch_end:
2:	b	__switch_to
ENDFUNC rseq_context_switch

/* The model's work, then, unless the task is to sleep or die, that for its area. x0: pt_regs -> x0: ACT_* */
FUNC rseq_resume_work
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x0
	hvc	#HVC_WORK
	cbnz	x0, 1f
	ldr	w1, [tsk, #TSK_RSEQ_EVENT]
	cbz	w1, 1f
	mov	x0, x19
	bl	rseq_handle_notify_resume
1:	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
ENDFUNC rseq_resume_work

/* x0: pt_regs -> x0: ACT_DONE */
FUNC rseq_handle_notify_resume
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	str	wzr, [tsk, #TSK_RSEQ_EVENT]
	ldr	x20, [tsk, #TSK_RSEQ]
	cbz	x20, 3f
	/* rseq_ip_fixup: a pointer to a critical section says whether it is to be aborted; it is cleared in any case. */
	add	x2, x20, #RSEQ_CS
	USER	4f, ldtr x1, [x2]
	cbnz	x1, 5f
1:	USER	4f, sttr xzr, [x2]
2:	/* rseq_update_cpu_node_id */
	mrs	x2, tpidr_el1
	ldp	w3, w4, [x2, #CPU_NUMBER]
	ldr	w5, [tsk, #TSK_MM_CID]
	USER	4f, sttr w3, [x20, #RSEQ_CPU_ID_START]
	USER	4f, sttr w3, [x20, #RSEQ_CPU_ID]
	USER	4f, sttr w4, [x20, #RSEQ_NODE_ID]
	USER	4f, sttr w5, [x20, #RSEQ_MM_CID]
3:	mov	x0, #ACT_DONE
	.globl	rseq_handle_notify_resume_end
rseq_handle_notify_resume_end:
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
4:	/* The area, or what it points to, cannot be used. */
	hvc	#HVC_RSEQ
	b	3b
5:	/*
	 * rseq_get_rseq_cs: the section lies below TASK_SIZE, the abort too, outside of it and behind the registered
	 * signature. What is wrong is fatal even where the section was not left in the middle.
	 */
	patch_site rseq_task_size
	mov	x3, #(1 << 48)
	cmp	x1, x3
	b.hs	4b
	USER	4b, ldtr w4, [x1, #CS_VERSION]
	USER	4b, ldtr w9, [x1, #CS_FLAGS]
	USER	4b, ldtr x5, [x1, #CS_START_IP]
	USER	4b, ldtr x6, [x1, #CS_LENGTH]
	USER	4b, ldtr x7, [x1, #CS_ABORT_IP]
	cmp	x5, x3
	b.hs	4b
	adds	x8, x5, x6
	b.cs	4b
	cmp	x8, x3
	b.hs	4b
	cmp	x7, x3
	b.hs	4b
	cbnz	w4, 4b
	sub	x8, x7, x5
	cmp	x8, x6
	b.lo	4b
	sub	x8, x7, #4
	USER	4b, ldtr w4, [x8]
	ldr	w8, [tsk, #TSK_RSEQ_SIG]
	cmp	w4, w8
	b.ne	4b
	/* in_rseq_cs */
	ldr	x8, [x19, #S_PC]
	sub	x8, x8, x5
	cmp	x8, x6
	b.hs	1b
	/* rseq_need_restart: no flag is allowed any more, in the section or (unless Linux 7.0 has others) in the area */
	cbnz	w9, 4b
	USER	4b, ldtr w9, [x20, #RSEQ_FLAGS]
	patch_site rseq_flags_check
	cbnz	w9, 4b
	USER	4b, sttr xzr, [x2]
	str	x7, [x19, #S_PC]
	b	2b
ENDFUNC rseq_handle_notify_resume
