/* SPDX-License-Identifier: MIT */
/* The reader's half of the sequence lock of struct vdso_data. */
#ifndef VDSO_HELPERS_H
#define VDSO_HELPERS_H

#include <vdso/datapage.h>
#include <vdso/processor.h>
#include <vdso/types.h>

/*
 * False while somebody writes; a time namespace's page has an odd sequence for ever. No later load of data is done
 * before the one of seq.
 */
static __always_inline int vdso_read_begin(const struct vdso_data *vd, u32 *seq)
{
	*seq = READ_ONCE(vd->seq);
	if (unlikely(*seq & 1))
		return 0;
	smp_rmb();
	return 1;
}

/* True when the data read since vdso_read_begin() may be a mixture. */
static __always_inline int vdso_read_retry(const struct vdso_data *vd, u32 start)
{
	smp_rmb();
	return unlikely(READ_ONCE(vd->seq) != start);
}

#endif
