/* SPDX-License-Identifier: MIT */
#ifndef VDSO_PROCESSOR_H
#define VDSO_PROCESSOR_H

#include <asm/vdso/processor.h>

#endif
