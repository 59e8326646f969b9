/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20 (RFC 8439) with nonce 0 and a 64-bit block counter, one block at a time, in vector registers
 * that the caller does not expect to keep (v0-v7, v16-v18), with no stack.
 *
 * The sixteen words are four rows of a matrix. A round works on the columns; turning row n left by n words
 * makes the diagonals columns for the next one.
 */
	.text

/* x0: output, x1: key, x2: counter (two words, updated), x3: blocks */
#define row0	v0
#define row1	v1
#define row2	v2
#define row3	v3
#define tmp	v16
#define rol8	v17
#define one	v18

.macro	quarter_rounds
	add	row0.4s, row0.4s, row1.4s
	eor	row3.16b, row3.16b, row0.16b
	rev32	row3.8h, row3.8h			/* left by 16 */
	add	row2.4s, row2.4s, row3.4s
	eor	tmp.16b, row1.16b, row2.16b
	shl	row1.4s, tmp.4s, #12
	sri	row1.4s, tmp.4s, #32 - 12
	add	row0.4s, row0.4s, row1.4s
	eor	row3.16b, row3.16b, row0.16b
	tbl	row3.16b, {row3.16b}, rol8.16b	/* left by 8 */
	add	row2.4s, row2.4s, row3.4s
	eor	tmp.16b, row1.16b, row2.16b
	shl	row1.4s, tmp.4s, #7
	sri	row1.4s, tmp.4s, #32 - 7
.endm

.macro	turn_rows second, third, fourth
	ext	row1.16b, row1.16b, row1.16b, #4 * \second
	ext	row2.16b, row2.16b, row2.16b, #4 * \third
	ext	row3.16b, row3.16b, row3.16b, #4 * \fourth
.endm

.macro	load64 register, value
	mov	\register, #(\value) & 0xffff
	movk	\register, #(\value) >> 16 & 0xffff, lsl #16
	movk	\register, #(\value) >> 32 & 0xffff, lsl #32
	movk	\register, #(\value) >> 48 & 0xffff, lsl #48
.endm

	.balign	16
	.globl	__arch_chacha20_blocks_nostack
	.type	__arch_chacha20_blocks_nostack, %function
__arch_chacha20_blocks_nostack:
	.cfi_startproc
	/* "expand 32-byte k" */
	load64	x4, 0x3320646e61707865
	load64	x5, 0x6b20657479622d32
	fmov	d4, x4
	mov	v4.d[1], x5
	ld1	{v5.16b, v6.16b}, [x1]
	ldr	d7, [x2]
	/* For each word its bytes 3, 0, 1, 2. */
	load64	x4, 0x0605040702010003
	load64	x5, 0x0e0d0c0f0a09080b
	fmov	d17, x4
	mov	rol8.d[1], x5
	mov	x4, #1
	fmov	d18, x4

1:	mov	row0.16b, v4.16b
	mov	row1.16b, v5.16b
	mov	row2.16b, v6.16b
	mov	row3.16b, v7.16b
	mov	w4, #10
2:	quarter_rounds
	turn_rows 1, 2, 3
	quarter_rounds
	turn_rows 3, 2, 1
	subs	w4, w4, #1
	b.ne	2b
	add	row0.4s, row0.4s, v4.4s
	add	row1.4s, row1.4s, v5.4s
	add	row2.4s, row2.4s, v6.4s
	add	row3.4s, row3.4s, v7.4s
	st1	{row0.16b - row3.16b}, [x0], #64
	add	v7.2d, v7.2d, one.2d
	subs	x3, x3, #1
	b.ne	1b

	str	d7, [x2]
	/* Key and key stream do not stay in registers. */
	movi	v0.2d, #0
	movi	v1.2d, #0
	movi	v2.2d, #0
	movi	v3.2d, #0
	movi	v5.2d, #0
	movi	v6.2d, #0
	movi	v16.2d, #0
	ret
	.cfi_endproc
	.size	__arch_chacha20_blocks_nostack, . - __arch_chacha20_blocks_nostack
	.section .note.GNU-stack, "", %progbits
