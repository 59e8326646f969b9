/* SPDX-License-Identifier: MIT */
/* Who gets how much of a CPU: weights, policies, priorities, requests, queues of several CPUs. */
#include "guest.h"
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
};

static volatile int *order;     /* shared: how many have come, then who */

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int policy(int policy, int priority)
{
	return sched_setscheduler(0, policy, &(struct sched_param){ priority });
}

/* Computes until a time, and says by its status how many quarters of a millisecond of CPU it has had. */
static pid_t spinner(double until, int nice_value, int kind, uint64_t request)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	struct attr attr = { .size = sizeof(attr), .policy = kind, .nice = nice_value, .runtime = request };
	if (syscall(SYS_sched_setattr, 0, &attr, 0))
		_exit(255);
	double first = now(CLOCK_PROCESS_CPUTIME_ID);
	while (now(CLOCK_MONOTONIC) < until)
		;
	_exit((int)((now(CLOCK_PROCESS_CPUTIME_ID) - first) * 4));
}

static int share(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void two(const char *what, int nice_value, int kind, double least, double most)
{
	double until = now(CLOCK_MONOTONIC) + 50;
	pid_t a = spinner(until, 0, SCHED_OTHER, 0), b = spinner(until, nice_value, kind, 0);
	double x = share(a), y = share(b);

	CHECK(what, x / (y + 0.25) >= least && x / (y + 0.25) <= most);
	if (x / (y + 0.25) < least || x / (y + 0.25) > most)
		printf("# %g and %g\n", x, y);
}

static void note(int who)
{
	order[1 + __atomic_fetch_add(&order[0], 1, __ATOMIC_SEQ_CST)] = who;
}

static pid_t noting(int who, int times)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int i = 0; i < times; i++) {
		note(who);
		sched_yield();
	}
	_exit(0);
}

static void realtime(void)
{
	pid_t low, high, a, b;

	order[0] = 0;
	policy(SCHED_FIFO, 90);
	low = fork();
	if (!low) {
		policy(SCHED_FIFO, 10);
		note(1);
		_exit(0);
	}
	high = fork();
	if (!high) {
		policy(SCHED_FIFO, 20);
		note(2);
		_exit(0);
	}
	CHECK("nobody runs before the highest sleeps", order[0] == 0);
	sched_setscheduler(low, SCHED_FIFO, &(struct sched_param){ 10 });
	sched_setscheduler(high, SCHED_FIFO, &(struct sched_param){ 20 });
	waitpid(low, 0, 0);
	waitpid(high, 0, 0);
	CHECK("then by priority", order[0] == 2 && order[1] == 2 && order[2] == 1);
	order[0] = 0;
	a = noting(1, 3);
	b = noting(2, 3);
	waitpid(a, 0, 0);
	waitpid(b, 0, 0);
	CHECK("equals give way in turn", order[1] == 1 && order[2] == 2 && order[3] == 1 && order[4] == 2 && order[5] == 1 && order[6] == 2);
	order[0] = 0;
	a = fork();
	if (!a) {
		policy(SCHED_OTHER, 0);
		note(1);
		_exit(0);
	}
	sched_setscheduler(a, SCHED_OTHER, &(struct sched_param){ 0 });
	usleep(1000);
	CHECK("who sleeps lets others run", order[0] == 1 && order[1] == 1);
	waitpid(a, 0, 0);
	policy(SCHED_OTHER, 0);
}

/* A task that sleeps mostly is there soon when it wakes up. */
static void wakes(void)
{
	double until = now(CLOCK_MONOTONIC) + 40, worst = 0;
	pid_t hog = spinner(until, 0, SCHED_OTHER, 0), other = spinner(until, 0, SCHED_OTHER, 0);

	for (int i = 0; i < 10; i++) {
		double before = now(CLOCK_MONOTONIC);

		usleep(2000);
		double late = now(CLOCK_MONOTONIC) - before - 2;
		worst = late > worst ? late : worst;
	}
	CHECK("who has slept does not wait for all", worst < 1.5);
	share(hog);
	share(other);
}

static void requests(void)
{
	struct attr attr = { .size = sizeof(attr), .policy = SCHED_OTHER, .nice = 3, .runtime = 5000 };
	struct timespec interval;

	CHECK("a request of its own", syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
	CHECK("is not too short", syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) == 0 && attr.runtime == 100000 && attr.nice == 3);
	attr.runtime = 12000000;
	CHECK("or longer", syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
	CHECK("and is told in ticks", sched_rr_get_interval(0, &interval) == 0 && interval.tv_nsec == 12000000);
	attr.runtime = attr.nice = 0;
	syscall(SYS_sched_setattr, 0, &attr, 0);
	policy(SCHED_RR, 1);
	CHECK("a round is", sched_rr_get_interval(0, &interval) == 0 && interval.tv_nsec == 100000000);
	policy(SCHED_OTHER, 0);
}

static void several(void)
{
	double until = now(CLOCK_MONOTONIC) + 50;
	pid_t pids[4];
	int least = 1000, most = 0;

	for (int i = 0; i < 4; i++)
		pids[i] = spinner(until, 0, SCHED_OTHER, 0);
	for (int i = 0; i < 4; i++) {
		int had = share(pids[i]);

		least = had < least ? had : least;
		most = had > most ? had : most;
	}
	CHECK("four on two CPUs have half each", least > 85 && most < 115);
	if (least <= 85 || most >= 115)
		printf("# %d to %d\n", least, most);
}

int main(int argc, char **argv)
{
	(void)argv;
	order = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc > 1) {
		several();
		return guest_done("shares");
	}
	two("equals", 0, SCHED_OTHER, 0.9, 1.1);
	two("five steps of nice are a third", 5, SCHED_OTHER, 2.7, 3.5);
	two("a nicer one gets less", 10, SCHED_OTHER, 7, 12);
	two("who is idle gets next to nothing", 0, SCHED_IDLE, 50, 1e9);
	two("batch is as good", 0, SCHED_BATCH, 0.85, 1.2);
	realtime();
	wakes();
	requests();
	return guest_done("shares");
}
