/* SPDX-License-Identifier: MIT */
#ifndef VDSO_BITS_H
#define VDSO_BITS_H

#define BIT(n) (1U << (n))

#define __ALIGN_UP(x, a) (((x) + (a) - 1) / (a) * (a))

#endif
