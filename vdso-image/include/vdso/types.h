/* SPDX-License-Identifier: MIT */
/* Integer types of the image. Nothing here comes from a C library. */
#ifndef VDSO_TYPES_H
#define VDSO_TYPES_H

typedef signed int s32;
typedef unsigned int u32;
typedef signed long s64;
typedef unsigned long u64;
typedef unsigned char u8;
typedef signed long ssize_t;
typedef unsigned long size_t;

#define NULL ((void *)0)

#define __always_inline inline __attribute__((always_inline))
#define __hidden __attribute__((visibility("hidden")))
/* A function that the version script exports. */
#define __vdso_export __attribute__((visibility("default"), used))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* One access of exactly this width, neither torn, repeated nor left out by the compiler. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

#endif
