#include "begin.h"

int main(void)
{
	char name[16];
	struct sched_param param = { 0 };
	gid_t groups[3] = { 1, 2, 3 };
	begin();
	getuid();
	geteuid();
	getgid();
	getegid();
	syscall(SYS_setresuid, -1, 0, 0);
	syscall(SYS_setregid, -1, 0);
	syscall(SYS_setgroups, 3, groups);
	syscall(SYS_getgroups, 3, groups);
	uid_t a, b, c;
	getresuid(&a, &b, &c);
	prctl(PR_SET_NAME, "a name", 0, 0, 0);
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_GET_DUMPABLE);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sched_yield();
	sched_getscheduler(0);
	sched_getparam(0, &param);
	sched_setscheduler(0, SCHED_OTHER, &param);
	sched_get_priority_max(SCHED_FIFO);
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	syscall(SYS_sched_setaffinity, 0, 8, &cpus);
	syscall(SYS_getpriority, PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, 1);
	syscall(SYS_setpgid, 0, 77777);
	int word = 0;
	syscall(SYS_futex, &word, 129, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, 128, 1, NULL, NULL, 0);
	syscall(SYS_futex, &word, 128, 0, &(struct timespec){ 0, 1000 }, NULL, 0);
	syscall(SYS_futex, &word, 128 + 256 + 9, 1, NULL, NULL, -1);
	syscall(SYS_futex, &word, 4, 1, 1, &word, 0);
	syscall(SYS_set_robust_list, 16, 3);
	syscall(SYS_getrandom, name, 4, 9);
	syscall(SYS_unshare, 0);
	syscall(SYS_kill, 77777, 0);
	syscall(SYS_membarrier, 0x40000000, 0, 0);
	syscall(SYS_personality, 0xffffffff);
	syscall(SYS_close_range, 900, 1000, 0);
	return 0;
}
