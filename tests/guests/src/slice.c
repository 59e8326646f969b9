// SPDX-License-Identifier: MIT
/* Longer time slices (rseq(2) of Linux 7.0; kernel word rseq-slice): who has asked for one is not preempted for some microseconds,
 * and gives it back with a call. What is expected is what Documentation/userspace-api/rseq.rst says. */
#include "guest.h"
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define SLICE_EXTENSION	79
#define GET	1
#define SET	2
#define ENABLE	1
#define AVAILABLE_FLAG	0x10
#define ENABLED_FLAG	0x20
#define slice_yield()	syscall(471)

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, node_id, mm_cid;
	volatile uint8_t request, granted;
	volatile uint16_t reserved;
};

extern const ptrdiff_t __rseq_offset;
static volatile uint64_t others;
static volatile int over, stamping;
static volatile long long stamp;

static struct area *area(void)
{
	return (struct area *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static long set(int enable)
{
	return prctl(SLICE_EXTENSION, SET, enable, 0, 0);
}

static void *other(void *given)
{
	*(long *)given = prctl(SLICE_EXTENSION, GET, 0, 0, 0);
	while (!over) {
		others++;
		if (stamping) {
			struct timespec ts;

			clock_gettime(CLOCK_MONOTONIC, &ts);
			stamp = ts.tv_sec * 1000000000LL + ts.tv_nsec;
		}
	}
	return NULL;
}

static void work(int rounds)
{
	for (volatile int i = 0; i < rounds; i++)
		;
}

/* Asks, and works until the time is given. */
static int asked(struct area *r)
{
	r->request = 1;
	for (int i = 0; i < 1000000 && !r->granted; i++)
		;
	return r->granted;
}

static int child_ends_with(int signal, void (*body)(struct area *))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		body(area());
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && (signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal
		: WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void inherits(struct area *r)
{
	_exit(prctl(SLICE_EXTENSION, GET, 0, 0, 0) != 1 || r->flags != (AVAILABLE_FLAG | ENABLED_FLAG));
}

static void forges(struct area *r)
{
	r->flags = 0;
	set(0);
}

static void has_none(struct area *r)
{
	(void)r;
	if (syscall(SYS_rseq, area(), 32, 1, 0xd428bc00))
		_exit(1);
	_exit(set(1) != -1 || errno != ENXIO);
}

int main(void)
{
	struct area *r = area();
	cpu_set_t first;
	pthread_t thread;
	long of_thread = -1;

	CHECK("the area says that there are longer slices", r->flags == AVAILABLE_FLAG && r->request == 0 && r->granted == 0);
	CHECK("nobody has asked yet", prctl(SLICE_EXTENSION, GET, 0, 0, 0) == 0);
	CHECK("no such question", prctl(SLICE_EXTENSION, 3, 0, 0, 0) == -1 && errno == EINVAL);
	CHECK("no such state", prctl(SLICE_EXTENSION, SET, 2, 0, 0) == -1 && errno == EINVAL);
	CHECK("more words", prctl(SLICE_EXTENSION, SET, 1, 1, 0) == -1 && errno == EINVAL);
	CHECK("a state with a question", prctl(SLICE_EXTENSION, GET, 1, 0, 0) == -1 && errno == EINVAL);
	CHECK("nothing to give back", slice_yield() == 0);
	CHECK("without an area", child_ends_with(0, has_none));
	CHECK("may ask", set(1) == 0 && prctl(SLICE_EXTENSION, GET, 0, 0, 0) == ENABLE);
	CHECK("the area says so", r->flags == (AVAILABLE_FLAG | ENABLED_FLAG));
	CHECK("a child may, too", child_ends_with(0, inherits));
	CHECK("flags that the kernel did not write", child_ends_with(SIGSEGV, forges));

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	CHECK("alone it is never given", (work(20000), r->request = 1, work(20000), !r->granted));
	r->request = 0;
	pthread_create(&thread, NULL, other, &of_thread);

	int given = 0, kept = 1, back = 1, moved = 1;
	for (int i = 0; i < 3000; i++) {
		uint64_t before = others;
		r->request = 1;
		work(100);
		uint64_t after = others;
		r->request = 0;
		if (!r->granted)
			continue;
		given++;
		kept &= before == after;
		back &= slice_yield() == 1;
		moved &= others != after;
	}
	CHECK("a thread may not because another one may", of_thread == 0);
	CHECK("given now and then", given > 3);
	CHECK("nobody else ran meanwhile", kept);
	CHECK("given back", back && r->request == 0 && r->granted == 0);
	CHECK("then somebody else ran", moved);
	CHECK("nothing more to give back", slice_yield() == 0);

	CHECK("given to one who waits for it", asked(r) && r->request == 0);
	uint64_t before = others;
	for (int i = 0; i < 1000000 && r->granted; i++)
		;
	CHECK("taken back from one who keeps it", !r->granted && !r->request && others != before);
	CHECK("that is no giving back", slice_yield() == 0);

	CHECK("given again", asked(r));
	before = others;
	getppid();
	CHECK("any call ends it", !r->granted && !r->request && others != before);
	stamping = 1;
	CHECK("given once more", asked(r));
	struct timespec ts;
	long long last = stamp;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	CHECK("others run before the call does", stamp > last && stamp <= ts.tv_sec * 1000000000LL + ts.tv_nsec);
	stamping = 0;

	CHECK("may not ask any more", set(0) == 0 && r->flags == AVAILABLE_FLAG);
	CHECK("then it is not given", !asked(r) && r->request == 1);
	over = 1;
	pthread_join(thread, NULL);
	return guest_done("slice");
}
