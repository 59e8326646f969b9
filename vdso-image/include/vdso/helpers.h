/* SPDX-License-Identifier: MIT */
/* The reader's half of the sequence lock of struct vdso_data. */
#ifndef VDSO_HELPERS_H
#define VDSO_HELPERS_H

#include <vdso/datapage.h>
#include <vdso/processor.h>
#include <vdso/types.h>

/* Waits until nobody writes; no later load of data is done before the one of seq. */
static __always_inline u32 vdso_read_begin(const struct vdso_data *vd)
{
	u32 seq;

	while (unlikely((seq = READ_ONCE(vd->seq)) & 1))
		cpu_relax();
	smp_rmb();
	return seq;
}

/*
 * The same where the page may be a time namespace's: that is asked only while seq is odd, so that other
 * tasks do not pay for it. False: it is.
 */
static __always_inline int vdso_read_begin_not_timens(const struct vdso_data *vd, u32 *seq)
{
	while (unlikely((*seq = READ_ONCE(vd->seq)) & 1)) {
		if (READ_ONCE(vd->clock_mode) == VDSO_CLOCKMODE_TIMENS)
			return 0;
		cpu_relax();
	}
	smp_rmb();
	return 1;
}

/* True when the data read since vdso_read_begin() may be a mixture: read again. */
static __always_inline int vdso_read_retry(const struct vdso_data *vd, u32 start)
{
	smp_rmb();
	return unlikely(READ_ONCE(vd->seq) != start);
}

#endif
