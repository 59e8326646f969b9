#include "begin.h"

int main(void)
{
	begin();
	struct timespec now, some = { 0, 1000 };
	syscall(SYS_clock_getres, CLOCK_MONOTONIC, &now);
	syscall(SYS_clock_gettime, 77, &now);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &some, NULL);
	syscall(SYS_nanosleep, &some, NULL);
	some.tv_nsec = -1;
	syscall(SYS_nanosleep, &some, NULL);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec spec = { .it_value = { 1000, 5 } };
	timerfd_settime(fd, 0, &spec, NULL);
	spec.it_value = (struct timespec){ 0, 0 };
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL);
	timerfd_gettime(fd, &spec);
	struct itimerval val;
	syscall(SYS_getitimer, ITIMER_VIRTUAL, &val);
	int id;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	syscall(SYS_timer_create, CLOCK_REALTIME, &event, &id);
	syscall(SYS_timer_settime, id, TIMER_ABSTIME, &(struct itimerspec){ .it_value = { 4000000000, 0 } }, NULL);
	syscall(SYS_timer_getoverrun, id);
	syscall(SYS_timer_delete, id);
	syscall(SYS_timer_delete, 77);
	return 0;
}
