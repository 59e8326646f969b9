/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. Read by layout.h. */
#ifndef ARMVDSO_EL1_FIELDS_H
#define ARMVDSO_EL1_FIELDS_H

/* TaskRecord (TSK_*): the task's words of the vDSO's slot, as it sees itself */
#define TSK_PID			0x080
#define TSK_TID			0x084
#define TSK_UID			0x088
#define TSK_EUID		0x08c
#define TSK_GID			0x090
#define TSK_EGID		0x094
#define TSK_PPID		0x098
#define TSK_PGID		0x09c
#define TSK_SID			0x0e8

/* VdsoSlot (SLOT_*): struct vdso_per_cpu_data */
#define SLOT_CPU		0
#define SLOT_NODE		4
#define SLOT_PID		8
#define SLOT_TID		12
#define SLOT_UID		16
#define SLOT_EUID		20
#define SLOT_GID		24
#define SLOT_EGID		28
#define SLOT_PPID		32
#define SLOT_PGID		36
#define SLOT_SID		40
#define SLOT_SEQ		44

#endif
