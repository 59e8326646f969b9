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

/* True when the data read since vdso_read_begin() may be a mixture: read again. */
static __always_inline int vdso_read_retry(const struct vdso_data *vd, u32 start)
{
	smp_rmb();
	return unlikely(READ_ONCE(vd->seq) != start);
}

#endif
