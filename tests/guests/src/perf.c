// SPDX-License-Identifier: MIT
/*
 * perf: perf_event_open for counting, against code whose instructions are known. The difference between two lengths of a loop is exact.
 */
#include "guest.h"
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static long open_event(struct perf_event_attr *attr, pid_t pid, int cpu, int group)
{
	return syscall(SYS_perf_event_open, attr, pid, cpu, group, 0);
}

static struct perf_event_attr event(unsigned type, unsigned long config)
{
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = config, .disabled = 1, .exclude_kernel = 1 };

	return attr;
}

/* n rounds of 5 instructions: a load, a store, an addition, a subtraction, a branch. */
static void loop(unsigned long n)
{
	unsigned long word = 0;

	__asm__ volatile(
		"1:	ldr	x9, [%1]\n"
		"	add	x9, x9, #1\n"
		"	str	x9, [%1]\n"
		"	subs	%0, %0, #1\n"
		"	b.ne	1b\n"
		: "+r"(n) : "r"(&word) : "x9", "cc", "memory");
}

static unsigned long count(int fd, unsigned long n)
{
	unsigned long value;

	ioctl(fd, PERF_EVENT_IOC_RESET, 0);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	loop(n);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : ~0UL;
}

static void exact(const char *what, unsigned type, unsigned long config, unsigned long each)
{
	struct perf_event_attr attr = event(type, config);
	int fd = open_event(&attr, 0, -1, -1);

	if (fd < 0) {
		CHECK(what, 0);
		return;
	}
	unsigned long one = count(fd, 1000), two = count(fd, 3000);
	CHECK(what, two - one == 2000 * each);
	close(fd);
}

int main(void)
{
	exact("instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 5);
	exact("branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 1);
	exact("raw LD_RETIRED", PERF_TYPE_RAW, 6, 1);
	exact("raw ST_RETIRED", PERF_TYPE_RAW, 7, 1);

	/* A group, and its times. */
	struct perf_event_attr cycles = event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
	cycles.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	struct perf_event_attr instructions = event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	instructions.disabled = 0;
	int leader = open_event(&cycles, 0, -1, -1), member = open_event(&instructions, 0, -1, leader);
	unsigned long id[2], data[7];
	ioctl(leader, PERF_EVENT_IOC_ID, &id[0]);
	ioctl(member, PERF_EVENT_IOC_ID, &id[1]);
	ioctl(leader, PERF_EVENT_IOC_ENABLE, 0);
	loop(10000);
	ioctl(leader, PERF_EVENT_IOC_DISABLE, 0);
	CHECK("group read", read(leader, data, sizeof(data)) == sizeof(data) && data[0] == 2 && data[4] == id[0] && data[6] == id[1]);
	CHECK("group times", data[1] > 0 && data[1] == data[2]);
	CHECK("group counts", data[5] >= 50000 && data[5] < 50200 && data[3] > 10000);
	CHECK("a buffer too small", read(leader, data, 8) == -1 && errno == ENOSPC);

	/* The kernel's share. */
	struct perf_event_attr kernel = event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	kernel.exclude_kernel = 0;
	kernel.exclude_user = 1;
	int fd = open_event(&kernel, 0, -1, -1);
	unsigned long before = count(fd, 10000);
	CHECK("exclude_user", before > 20 && before < 10000);
	close(fd);

	/* A child that inherits. */
	struct perf_event_attr inherit = event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
	unsigned long value;
	inherit.inherit = 1;
	inherit.disabled = 0;
	fd = open_event(&inherit, 0, -1, -1);
	pid_t child = fork();
	if (child == 0) {
		loop(1000000);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	CHECK("inherit", read(fd, &value, sizeof(value)) == sizeof(value) && value >= 5000000 && value < 5200000);
	close(fd);

	/* Software events. */
	struct perf_event_attr clock = event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
	fd = open_event(&clock, 0, -1, -1);
	CHECK("task-clock", count(fd, 100000) > 1000);
	close(fd);
	struct perf_event_attr switches = event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES);
	fd = open_event(&switches, 0, -1, -1);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	usleep(1000);
	CHECK("context-switches", read(fd, &value, sizeof(value)) == sizeof(value) && value == 1);
	close(fd);

	/* Errors. */
	struct perf_event_attr bad = event(PERF_TYPE_HARDWARE, 99);
	CHECK("no such event", open_event(&bad, 0, -1, -1) == -1 && errno == ENOENT);
	bad = event(PERF_TYPE_HARDWARE, 0);
	bad.sample_period = 1000;
	CHECK("sampling", open_event(&bad, 0, -1, -1) == -1 && errno == EOPNOTSUPP);
	bad = event(PERF_TYPE_HARDWARE, 0);
	bad.size = 8;
	CHECK("size", open_event(&bad, 0, -1, -1) == -1 && errno == E2BIG && bad.size >= 64);
	bad = event(PERF_TYPE_HARDWARE, 0);
	CHECK("no target", open_event(&bad, -1, -1, -1) == -1 && errno == EINVAL);
	CHECK("no such task", open_event(&bad, 12345, -1, -1) == -1 && errno == ESRCH);
	CHECK("no such group", open_event(&bad, 0, -1, 77) == -1 && errno == EBADF);
	CHECK("bad pointer", open_event((void *)8, 0, -1, -1) == -1 && errno == EFAULT);
	if (setuid(1000) == 0) {
		bad.exclude_kernel = 0;
		CHECK("the kernel without privilege", open_event(&bad, 0, -1, -1) == -1 && errno == EACCES);
	}
	return guest_done("perf");
}
