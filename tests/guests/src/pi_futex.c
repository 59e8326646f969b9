// SPDX-License-Identifier: MIT
/* Futexes with an owner: ordinary operations do not touch their waiters, a lock is handed over, a wait is moved to a lock. */
#include "guest.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>

static uint32_t lock, other, condition;
static volatile int waiter_result = -1, moved_result = -1;

static long futex(void *word, int op, long value, long timeout_or_count, void *second, long third)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout_or_count, second, third);
}


static void *waiter(void *unused)
{
	(void)unused;
	if (futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0))
		return NULL;
	waiter_result = futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) ? errno : 0;
	return NULL;
}

static void *mover(void *unused)
{
	(void)unused;
	long result = futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, 0, &lock, 0);

	if (result)
		return NULL;
	moved_result = (lock & FUTEX_TID_MASK) == (uint32_t)syscall(SYS_gettid) ? 0 : 1;
	futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0);
	return NULL;
}

static void *unlocker(void *word)
{
	return (void *)(futex(word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == -1 ? (long)errno : 0);
}

int main(void)
{
	uint32_t self = syscall(SYS_gettid);
	pthread_t thread;
	void *result;

	lock = self;
	pthread_create(&thread, NULL, waiter, NULL);
	for (int i = 0; i < 2000 && !(__atomic_load_n(&lock, __ATOMIC_RELAXED) & FUTEX_WAITERS); i++)
		usleep(500);
	usleep(2000);
	CHECK("a waiter marks the word", lock == (self | FUTEX_WAITERS));
	FAILS("requeue onto itself", EINVAL, futex(&lock, FUTEX_REQUEUE, 0, 1, &lock, 0));
	FAILS("requeue of a waiter for a lock", EINVAL, futex(&lock, FUTEX_REQUEUE, 1, 1, &other, 0));
	FAILS("requeue that would only wake it", EINVAL, futex(&lock, FUTEX_REQUEUE, 1, 0, &other, 0));
	FAILS("wake of a waiter for a lock", EINVAL, futex(&lock, FUTEX_WAKE, 1, 0, NULL, 0));
	FAILS("wake_op on it", EINVAL, futex(&lock, FUTEX_WAKE_OP, 1, 1, &other, FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)));
	FAILS("one's own lock", EDEADLK, futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0));
	FAILS("one's own lock, trying", EDEADLK, futex(&lock, FUTEX_TRYLOCK_PI, 0, 0, NULL, 0));
	CHECK("unlock", futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0);
	pthread_join(thread, NULL);
	CHECK("the waiter had it and gave it back", waiter_result == 0 && lock == 0);
	FAILS("unlock of a free lock", EPERM, futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0));
	lock = 999999;
	FAILS("an owner that is not there", ESRCH, futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0));
	lock = self;
	pthread_create(&thread, NULL, unlocker, &lock);
	pthread_join(thread, &result);
	CHECK("unlock of another's lock", (long)result == EPERM);
	lock = FUTEX_OWNER_DIED;
	CHECK("the lock of one that died", futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0) == 0 && lock == (self | FUTEX_OWNER_DIED));
	lock = self;
	pthread_create(&thread, NULL, mover, NULL);
	usleep(10000);
	FAILS("wake of a wait for a lock", EINVAL, futex(&condition, FUTEX_WAKE, 1, 0, NULL, 0));
	FAILS("moving to another lock", EINVAL, futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, &other, 0));
	FAILS("moving when the word changed", EAGAIN, futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, &lock, 5));
	CHECK("moving to the lock", futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, &lock, 0) == 1 && lock == (self | FUTEX_WAITERS));
	CHECK("and unlocking it", futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0);
	pthread_join(thread, NULL);
	CHECK("the one that was moved owned it", moved_result == 0 && lock == 0);
	return guest_done("pi_futex");
}
