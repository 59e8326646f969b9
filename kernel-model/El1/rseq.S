/*
 * What the kernel does for a registered rseq area, where the kernel's configuration has the word rseq: at a switch and on
 * the way to EL0 afterwards, in the structure of Linux 6.12 (include/linux/rseq.h, kernel/rseq.c), with the choice of the
 * concurrency ID (kernel/sched/sched.h). Nothing here is reached unless the calls at context_switch_call and
 * notify_work_call are patched at boot.
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

/* Takes an ID out of the mask \taken (cpumask_clear_cpu). Uses w12 to w14. */
.macro	cid_put taken, cid
	mov	w12, #1
	lsl	x12, x12, \cid
	prfm	pstl1strm, [\taken]
9998:	ldxr	x13, [\taken]
	bic	x13, x13, x12
	stxr	w14, x13, [\taken]
	cbnz	w14, 9998b
.endm

/* A lazily given up ID in \cid of \cpu becomes none, unless another CPU is faster, and leaves the mask. Uses w9 to w14. */
.macro	cid_put_lazy taken, cpu, cid
	cmn	\cid, #1			/* MM_CID_UNSET */
	b.eq	9996f
	add	x9, \cpu, #MM_CID_CID
	mov	w10, #-1
9997:	ldaxr	w11, [x9]
	cmp	w11, \cid
	b.ne	9996f
	stlxr	w12, w10, [x9]
	cbnz	w12, 9997b
	and	w9, \cid, #~(1 << MM_CID_LAZY_PUT_BIT)
	cid_put	\taken, x9
9996:
.endm

/*
 * x0: previous, x1: next. prepare_task_switch: rseq_preempt(previous), rseq_set_notify_resume; then switch_mm_cid, and
 * __switch_to
 */
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
2:	/* switch_mm_cid: a CPU keeps the ID that it has for a memory until somebody takes it away. */
	mrs	x6, tpidr_el1
	ldr	w7, [x6, #CPU_NUMBER]
	ldr	x8, [x6, #CPU_CLOCK]
	lsl	x7, x7, #MM_CID_CPU_SHIFT
	ldr	x2, [x0, #TSK_MM_CIDS]
	cbz	x2, 4f
	/* mm_cid_snapshot_time, mm_cid_put_lazy */
	add	x3, x2, x7
	str	x8, [x3, #MM_CID_TIME]
	ldr	w4, [x3, #MM_CID_CID]
	tbnz	w4, #MM_CID_LAZY_PUT_BIT, 7f
3:	mov	w5, #-1
	str	w5, [x0, #TSK_MM_CID]
4:	ldr	x2, [x1, #TSK_MM_CIDS]
	cbz	x2, 6f
	/* mm_cid_get */
	add	x3, x2, x7
	ldr	w4, [x3, #MM_CID_CID]
	tbnz	w4, #MM_CID_LAZY_PUT_BIT, 8f
5:	str	x8, [x3, #MM_CID_TIME]
	str	w4, [x1, #TSK_MM_CID]
	str	w4, [x1, #TSK_LAST_MM_CID]
	.globl	rseq_context_switch_end
rseq_context_switch_end:
6:	b	__switch_to
7:	cid_put_lazy x2, x3, w4
	b	3b
8:	cid_put_lazy x2, x3, w4
	/* __mm_cid_try_get: the lowest that is free. The lock of those who fail is left out: they try again. */
9:	ldr	x9, [x2]			/* MM_CID_TAKEN */
	mvn	x9, x9
	rbit	x9, x9
	clz	x4, x9
	mov	w9, #1
	lsl	x9, x9, x4
	prfm	pstl1strm, [x2]
10:	ldxr	x10, [x2]
	tst	x10, x9
	b.ne	9b
	orr	x10, x10, x9
	stlxr	w11, x10, [x2]
	cbnz	w11, 10b
	dmb	ish
	str	w4, [x3, #MM_CID_CID]
	b	5b
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
