// SPDX-License-Identifier: MIT
/*
 * Compiled to assembly and never run: each line leaves "->NAME VALUE" in the output, which build.sh
 * collects into bin/layout.tsv for the kernel model.
 */
#include <vdso/datapage.h>
#include <vdso/getrandom.h>
#include <vdso/layout.h>

#define LAYOUT(name, value) __asm__ volatile("\n.ascii \"->" name " %c0\"" : : "i"(value))
#define FIELD(type, field) LAYOUT(#type "." #field, __builtin_offsetof(struct type, field))
#define SLOT_FIELD(type, field) FIELD(vdso_per_cpu_data, field);

void layout(void);
void layout(void)
{
	LAYOUT("page_size", PAGE_SIZE);
	LAYOUT("nr_cpus", NR_CPUS);
	LAYOUT("hz", HZ);
	LAYOUT("low_res_nsec", LOW_RES_NSEC);
	LAYOUT("linux_version_code", LINUX_VERSION_CODE);

	/* The data pages, in order, and where the first one is from the start of the image. */
	LAYOUT("vvar_pages", VDSO_PAGES_SIZE / PAGE_SIZE);
	LAYOUT("vvar_size", VDSO_PAGES_SIZE);
	LAYOUT("vvar_from_image", -(long)VDSO_PAGES_SIZE);
	LAYOUT("vvar_page.data", 0);

	/* Below them: the page that clocks are read from, the page of the random number generator. */
	LAYOUT("vvar_front_pages", VDSO_FRONT_PAGES);
	FIELD(vdso_rng_data, generation);
	FIELD(vdso_rng_data, is_ready);
	LAYOUT("vgetrandom_state.size", sizeof(struct vgetrandom_state));

	FIELD(vdso_vsys_data, data);
#ifdef VDSO_THREAD_PAGES
	FIELD(vdso_vsys_data, thread_data);
	LAYOUT("thread_pages", VDSO_THREAD_PAGES);
#else
	FIELD(vdso_vsys_data, cpu_data);
#endif
#ifdef VDSO_ONLY_CPU
	LAYOUT("vdso_nodes.first", __builtin_offsetof(struct vdso_vsys_data, cpu_data[0].node));
	LAYOUT("vdso_nodes.stride", sizeof(struct vdso_per_cpu_data));
#endif

	LAYOUT("cs_bases", CS_BASES);
	LAYOUT("cs_hres_coarse", CS_HRES_COARSE);
	LAYOUT("cs_raw", CS_RAW);
	LAYOUT("clockmode_none", VDSO_CLOCKMODE_NONE);
	LAYOUT("clockmode_archtimer", VDSO_CLOCKMODE_ARCHTIMER);
	LAYOUT("clockmode_archtimer_nocompat", VDSO_CLOCKMODE_ARCHTIMER_NOCOMPAT);
	LAYOUT("clockmode_timens", VDSO_CLOCKMODE_TIMENS);

	LAYOUT("vdso_data.size", sizeof(struct vdso_data));
	FIELD(vdso_data, seq);
	FIELD(vdso_data, clock_mode);
	FIELD(vdso_data, cycle_last);
	FIELD(vdso_data, mask);
	FIELD(vdso_data, mult);
	FIELD(vdso_data, shift);
	FIELD(vdso_data, basetime);
	LAYOUT("vdso_data.basetime.count", VDSO_BASES);
	FIELD(vdso_data, tz_minuteswest);
	FIELD(vdso_data, tz_dsttime);
	FIELD(vdso_data, hrtimer_res);

	LAYOUT("vdso_timestamp.size", sizeof(struct vdso_timestamp));
	FIELD(vdso_timestamp, sec);
	FIELD(vdso_timestamp, nsec);

	LAYOUT("vdso_per_cpu_data.size", sizeof(struct vdso_per_cpu_data));
	FIELD(vdso_per_cpu_data, cpu);
	FIELD(vdso_per_cpu_data, node);
#ifndef VDSO_ONLY_CPU
	VDSO_SLOT_FIELDS(SLOT_FIELD)
#endif
#ifdef VDSO_SLOT_LINE
	FIELD(vdso_per_cpu_data, seq);
#endif
}
