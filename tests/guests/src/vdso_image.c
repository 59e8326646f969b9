// SPDX-License-Identifier: MIT
/*
 * vdso_image IMAGE LAYOUT: maps an image file (vdso-image/bin/NAME.so) behind data pages of our own, laid out as
 * LAYOUT (vdso-image/bin/layout.tsv) says, and compares what its functions answer with what was put there. Runs
 * on any arm64 system, whatever vDSO that one has itself: the code of the image is checked by itself.
 */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#define getauxval image_address		/* vdso.h then looks into our copy */
#include "vdso.h"
#undef getauxval

static uintptr_t image;
unsigned long image_address(unsigned long type)
{
	return type == AT_SYSINFO_EHDR ? image : 0;
}

static char names[100][48];
static long values[100];
static int known;

static long layout(const char *name)
{
	for (int i = 0; i < known; i++)
		if (!strcmp(names[i], name))
			return values[i];
	fprintf(stderr, "vdso_image: the layout has no '%s'\n", name);
	exit(3);
}

static char *data;

static void *field(int entry, const char *name)
{
	return data + layout("vdso_vsys_data.data") + entry * layout("vdso_data.size") + layout(name);
}

static void set32(int entry, const char *name, uint32_t value) { *(volatile uint32_t *)field(entry, name) = value; }
static void set64(int entry, const char *name, uint64_t value) { *(volatile uint64_t *)field(entry, name) = value; }

static void set_base(int entry, int clock, uint64_t sec, uint64_t nsec)
{
	char *base = (char *)field(entry, "vdso_data.basetime") + clock * layout("vdso_timestamp.size");

	*(volatile uint64_t *)(base + layout("vdso_timestamp.sec")) = sec;
	*(volatile uint64_t *)(base + layout("vdso_timestamp.nsec")) = nsec;
}

static int (*get)(clockid_t, struct timespec *);
static int (*resolution)(clockid_t, struct timespec *);
static int (*of_day)(struct timeval *, void *);

static int is(clockid_t clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { -1, -1 };

	return get(clock, &t) == 0 && t.tv_sec == sec && t.tv_nsec == nsec;
}

static int resolves(clockid_t clock, long nsec)
{
	struct timespec t = { -1, -1 };

	return resolution(clock, &t) == 0 && t.tv_sec == 0 && t.tv_nsec == nsec;
}

static void *write_end(void *unused)
{
	(void)unused;
	usleep(5000);
	set_base(0, CLOCK_MONOTONIC, 11, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	set32(0, "vdso_data.seq", 4);
	return NULL;
}

static uint64_t offset(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(value));
	return value;
}

int main(int argc, char **argv)
{
	static const struct { const char *name, *symbol; long number; } getters[] = {
		{ "pid", "__kernel_getpid", SYS_getpid }, { "tid", "__kernel_gettid", SYS_gettid },
		{ "uid", "__kernel_getuid", SYS_getuid }, { "euid", "__kernel_geteuid", SYS_geteuid },
		{ "gid", "__kernel_getgid", SYS_getgid }, { "egid", "__kernel_getegid", SYS_getegid },
		{ "ppid", "__kernel_getppid", SYS_getppid },
	};
	enum { SHIFT = 8 };
	char line[64];
	FILE *table = argc == 3 ? fopen(argv[2], "r") : NULL;
	int file = argc == 3 ? open(argv[1], O_RDONLY) : -1;

	if (!table || file < 0) {
		fprintf(stderr, "usage: vdso_image IMAGE LAYOUT\n");
		return 2;
	}
	while (known < 100 && fscanf(table, "%47s %ld", names[known], &values[known]) == 2)
		known++;

	/* In front of the data lie the page that the clocks are read from, the first data page outside of time namespaces, and another one. */
	long page = layout("page_size"), front = layout("vvar_front_pages") * page, size = layout("vvar_size"), file_size = lseek(file, 0,
		SEEK_END);
	int pages = memfd_create("vvar", 0);
	char *place = mmap(NULL, front + size + file_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED || ftruncate(pages, size) != 0
	    || mmap(place, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, pages, 0) == MAP_FAILED
	    || mmap(place + front, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, pages, 0) == MAP_FAILED
	    || mmap(place + front + size, file_size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED)
		return 3;
	image = (uintptr_t)place + front + size;
	data = (char *)image + layout("vvar_from_image");
	get = vdso_find("__kernel_clock_gettime", "LINUX_2.6.39");
	resolution = vdso_find("__kernel_clock_getres", "LINUX_2.6.39");
	of_day = vdso_find("__kernel_gettimeofday", "LINUX_2.6.39");
	CHECK("functions are found", get && resolution && of_day && !vdso_find("__kernel_clock_gettime", "LINUX_2.6"));
	if (guest_failures)
		return 3;

	/* mult 0 makes the time independent of the counter. */
	for (int entry = 0; entry < layout("cs_bases"); entry++) {
		set32(entry, "vdso_data.seq", 2);
		set32(entry, "vdso_data.clock_mode", layout("clockmode_archtimer"));
		set64(entry, "vdso_data.mask", (1ULL << 56) - 1);
		set32(entry, "vdso_data.shift", SHIFT);
		for (int clock = 0; clock < layout("vdso_data.basetime.count"); clock++)
			set_base(entry, clock, 1000 * (entry + 1) + clock, (uint64_t)(100 + clock) << SHIFT);
	}
	set_base(0, CLOCK_REALTIME_COARSE, 5000, 123456789);
	set_base(0, CLOCK_MONOTONIC_COARSE, 6000, 999999999);
	set32(0, "vdso_data.hrtimer_res", 17);
	set32(0, "vdso_data.tz_minuteswest", -60);
	set32(0, "vdso_data.tz_dsttime", 3);

	CHECK("REALTIME", is(CLOCK_REALTIME, 1000, 100));
	CHECK("MONOTONIC", is(CLOCK_MONOTONIC, 1001, 101));
	CHECK("BOOTTIME", is(CLOCK_BOOTTIME, 1007, 107));
	CHECK("TAI", is(CLOCK_TAI, 1011, 111));
	CHECK("MONOTONIC_RAW is the other entry's", is(CLOCK_MONOTONIC_RAW, 2004, 104));
	CHECK("REALTIME_COARSE", is(CLOCK_REALTIME_COARSE, 5000, 123456789));
	CHECK("MONOTONIC_COARSE", is(CLOCK_MONOTONIC_COARSE, 6000, 999999999));
	set_base(0, CLOCK_MONOTONIC, 10, 999999999ULL << SHIFT);
	CHECK("no second to carry", is(CLOCK_MONOTONIC, 10, 999999999));
	set_base(0, CLOCK_MONOTONIC, 10, 1000000000ULL << SHIFT);
	CHECK("one second to carry", is(CLOCK_MONOTONIC, 11, 0));
	set_base(0, CLOCK_MONOTONIC, 10, 3500000007ULL << SHIFT);
	CHECK("three seconds to carry", is(CLOCK_MONOTONIC, 13, 500000007));

	/* The counter counts: one unit is 1/256 ns, so that the times are close. */
	uint64_t counter;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(counter));
	set32(0, "vdso_data.mult", 1);
	set64(0, "vdso_data.cycle_last", counter);
	set_base(0, CLOCK_MONOTONIC, 20, 0);
	struct timespec one, two;
	get(CLOCK_MONOTONIC, &one);
	do
		get(CLOCK_MONOTONIC, &two);
	while (two.tv_sec == one.tv_sec && two.tv_nsec == one.tv_nsec);
	CHECK("time goes on", one.tv_sec >= 20 && (two.tv_sec > one.tv_sec || two.tv_nsec > one.tv_nsec));
	set64(0, "vdso_data.mask", 0);
	CHECK("mask", is(CLOCK_MONOTONIC, 20, 0));
	set32(0, "vdso_data.mult", 0);

	struct timeval v = { -1, -1 };
	int zone[2] = { 0, 0 };
	set_base(0, CLOCK_REALTIME, 7, 1999999999ULL << SHIFT);
	CHECK("gettimeofday", of_day(&v, zone) == 0 && v.tv_sec == 8 && v.tv_usec == 999999 && zone[0] == -60 && zone[1] == 3);
	CHECK("gettimeofday of the time", of_day(&v, NULL) == 0 && v.tv_sec == 8);
	zone[0] = 0;
	CHECK("gettimeofday of the zone", of_day(NULL, zone) == 0 && zone[0] == -60);
	CHECK("gettimeofday of nothing", of_day(NULL, NULL) == 0);

	CHECK("resolutions", resolves(CLOCK_REALTIME, 17) && resolves(CLOCK_MONOTONIC, 17) && resolves(CLOCK_MONOTONIC_RAW, 17)
		&& resolves(CLOCK_BOOTTIME, 17) && resolves(CLOCK_TAI, 17));
	CHECK("coarse resolutions", resolves(CLOCK_REALTIME_COARSE, layout("low_res_nsec")) && resolves(CLOCK_MONOTONIC_COARSE,
		layout("low_res_nsec")));
	CHECK("resolution to nowhere", resolution(CLOCK_MONOTONIC, NULL) == 0);

	struct timespec t = { -1, -1 };
	CHECK("errors are negative numbers", get(15, &t) == -EINVAL && get(16, &t) == -EINVAL && get(1 << 20, &t) == -EINVAL
		&& resolution(15, &t) == -EINVAL
		&& resolution(1 << 20, &t) == -EINVAL);
	CHECK("other clocks are the kernel's", get(CLOCK_PROCESS_CPUTIME_ID, &t) == 0 && t.tv_nsec >= 0 && get(CLOCK_THREAD_CPUTIME_ID,
		&t) == 0);
	set32(0, "vdso_data.clock_mode", layout("clockmode_none"));
	CHECK("no counter: the kernel's time", get(CLOCK_REALTIME, &t) == 0 && t.tv_sec > 1000000000 && of_day(&v, NULL) == 0
		&& v.tv_sec > 1000000000);
	CHECK("no counter: coarse as before", is(CLOCK_REALTIME_COARSE, 5000, 123456789));
	set32(0, "vdso_data.clock_mode", layout("clockmode_archtimer"));

	pthread_t thread;
	set32(0, "vdso_data.seq", 3);
	set_base(0, CLOCK_MONOTONIC, 1, 0);
	pthread_create(&thread, NULL, write_end, NULL);
	CHECK("waits for the writer", is(CLOCK_MONOTONIC, 11, 0));
	pthread_join(thread, NULL);

	/* Where the system has an offset, it leads into our page. */
	for (int cpu = 0; cpu < layout("nr_cpus"); cpu++) {
		char *slot = data + layout("vdso_vsys_data.cpu_data") + cpu * layout("vdso_per_cpu_data.size");

		for (size_t i = 0; i < sizeof getters / sizeof getters[0]; i++) {
			snprintf(line, sizeof line, "vdso_per_cpu_data.%s", getters[i].name);
			*(uint32_t *)(slot + layout(line)) = 1000 * cpu + i;
		}
		*(uint32_t *)(slot + layout("vdso_per_cpu_data.cpu")) = 1000 * cpu + 100;
		*(uint32_t *)(slot + layout("vdso_per_cpu_data.node")) = 1000 * cpu + 101;
	}
	for (size_t i = 0; i < sizeof getters / sizeof getters[0]; i++) {
		unsigned (*getter)(void) = vdso_find(getters[i].symbol, "LINUX_2.6.39");
		unsigned answer, expected;
		uint64_t before;

		do {
			before = offset();
			answer = getter();
		} while (before != offset());
		expected = before ? 1000 * ((before - layout("vdso_vsys_data.cpu_data")) / layout("vdso_per_cpu_data.size")) + i
			: (unsigned)syscall(getters[i].number);
		snprintf(line, sizeof line, "get%s", getters[i].name);
		CHECK(line, answer == expected);
	}
	int (*getcpu)(unsigned *, unsigned *, void *) = vdso_find("__kernel_getcpu", "LINUX_2.6.39");
	unsigned cpu[2], expected[2], after[2];
	uint64_t before;
	do {
		before = offset();
		syscall(SYS_getcpu, &expected[0], &expected[1], NULL);
		getcpu(&cpu[0], &cpu[1], NULL);
		syscall(SYS_getcpu, &after[0], &after[1], NULL);
	} while (before != offset() || expected[0] != after[0]);
	if (before) {
		expected[0] = 1000 * ((before - layout("vdso_vsys_data.cpu_data")) / layout("vdso_per_cpu_data.size")) + 100;
		expected[1] = expected[0] + 1;
	}
	CHECK("getcpu", cpu[0] == expected[0] && cpu[1] == expected[1]);
	CHECK("getcpu to nowhere", getcpu(NULL, NULL, NULL) == 0);
	return guest_done("vdso_image");
}
