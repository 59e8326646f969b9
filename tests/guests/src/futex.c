// SPDX-License-Identifier: MIT
/* Waiting: the C library's mutexes, conditions, barriers and semaphores, and the futex call below them. */
#include "guest.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 4, TURNS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static int turn, plain, phases[TURNS], torn;
static long pair[2];
static atomic_int word, woken;
static __thread int local;

static long futex(void *address, int operation, unsigned value, const void *timeout, void *second, unsigned third)
{
	return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

/* Each thread in its turn. */
static void *ping_pong(void *argument)
{
	int self = (int)(long)argument;

	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % THREADS != self)
			pthread_cond_wait(&condition, &mutex);
		turn++;
		local++;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return (void *)(long)local;
}

static void *contend(void *argument)
{
	(void)argument;
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		plain++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* Nobody may begin a phase before all have ended the one before. */
static void *in_phase(void *argument)
{
	long wrong = 0;

	(void)argument;
	for (int i = 0; i < TURNS; i++) {
		__atomic_add_fetch(&phases[i], 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&barrier);
		wrong += __atomic_load_n(&phases[i], __ATOMIC_SEQ_CST) != THREADS;
	}
	return (void *)wrong;
}

static void *readers_and_writers(void *argument)
{
	for (int i = 0; i < 1000; i++) {
		if ((long)argument == 0 || i % 16 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			pair[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			if (pair[0] != pair[1])
				__atomic_add_fetch(&torn, 1, __ATOMIC_SEQ_CST);
			pthread_rwlock_unlock(&rwlock);
		}
	}
	return NULL;
}

static void *wait_on_word(void *argument)
{
	(void)argument;
	while (word == 0)
		futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	woken++;
	return NULL;
}

static long run(void *(*body)(void *))
{
	pthread_t thread[THREADS];
	long sum = 0;

	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, body, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(thread[i], &result);
		sum += (long)result;
	}
	return sum;
}

static void *post(void *argument)
{
	(void)argument;
	for (int i = 0; i < 100; i++)
		sem_post(&semaphore);
	return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int times;
static void first_time(void) { times++; }
static void *do_once(void *argument)
{
	pthread_once(&once, first_time);
	return argument;
}

int main(void)
{
	CHECK("conditions in turn", run(ping_pong) == THREADS * TURNS && turn == THREADS * TURNS);
	run(contend);
	CHECK("contended mutex", plain == THREADS * 5000);
	pthread_barrier_init(&barrier, NULL, THREADS);
	CHECK("barrier", run(in_phase) == 0);
	run(readers_and_writers);
	CHECK("readers and writers", !torn && pair[0] == 1000 + 3 * 63 && pair[1] == pair[0]);
	sem_init(&semaphore, 0, 0);
	run(post);
	int value;
	for (int i = 0; i < THREADS * 100; i++)
		sem_wait(&semaphore);
	sem_getvalue(&semaphore, &value);
	CHECK("semaphore", value == 0);
	run(do_once);
	CHECK("once", times == 1);

	pthread_t thread[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, wait_on_word, NULL);
	usleep(2000);
	word = 1;
	futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	CHECK("wake of all", woken == THREADS);

	struct timespec short_time = { 0, 1000000 }, past = { 1, 0 };
	CHECK("value has changed", futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == -1 && errno == EAGAIN);
	CHECK("wait times out", futex(&word, FUTEX_WAIT_PRIVATE, 1, &short_time, NULL, 0) == -1 && errno == ETIMEDOUT);
	CHECK("absolute time in the past", futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, &past, NULL, FUTEX_BITSET_MATCH_ANY) == -1
		&& errno == ETIMEDOUT);
	CHECK("nobody to wake", futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
	CHECK("no bits", futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
	CHECK("unaligned", futex((char *)&word + 1, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
	CHECK("no such operation", futex(&word, 99, 0, NULL, NULL, 0) == -1 && errno == ENOSYS);

	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 2000000;
	if (soon.tv_nsec >= 1000000000) {
		soon.tv_sec++;
		soon.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&mutex);
	CHECK("timed condition", pthread_cond_timedwait(&condition, &mutex, &soon) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);

	/* Between processes: a word in shared memory. */
	atomic_int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	if (!pid) {
		for (int i = 0; i < 100; i++) {
			while (*shared != 2 * i + 1)
				futex(shared, FUTEX_WAIT, *shared == 2 * i + 1 ? INT_MAX : 2 * i, NULL, NULL, 0);
			*shared = 2 * i + 2;
			futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		*shared = 2 * i + 1;
		futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0);
		while (*shared != 2 * i + 2)
			futex(shared, FUTEX_WAIT, 2 * i + 1, NULL, NULL, 0);
	}
	int status;
	waitpid(pid, &status, 0);
	CHECK("ping-pong of processes", status == 0 && *shared == 200);

	pthread_mutexattr_t attributes;
	pthread_mutex_t checked;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checked, &attributes);
	pthread_mutex_lock(&checked);
	CHECK("locked twice", pthread_mutex_lock(&checked) == EDEADLK);
	return guest_done("futex");
}
