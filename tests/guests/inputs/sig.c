#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <unistd.h>
#include <errno.h>
static sigjmp_buf jb; static volatile sig_atomic_t alarms, usr; static volatile char *volatile page;
static void segv(int s, siginfo_t *i, void *u) { if (i->si_addr == page) { mprotect((void *)page, 4096, PROT_READ|PROT_WRITE); return; } siglongjmp(jb, 1 + (i->si_code == SEGV_MAPERR)); }
static void alrm(int s) { alarms++; }
static void usr1(int s, siginfo_t *i, void *u) { usr += i->si_value.sival_int; }
int main(void) {
  stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 }; sigaltstack(&ss, 0);
  struct sigaction sa = { .sa_sigaction = segv, .sa_flags = SA_SIGINFO|SA_ONSTACK }; sigaction(SIGSEGV, &sa, 0); sa.sa_sigaction = usr1; sigaction(SIGRTMIN, &sa, 0);
  page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0); page[0] = 42; printf("fixed up: %d\n", (int)page[0]);
  int r = sigsetjmp(jb, 1); if (!r) *(volatile int *)16 = 1; printf("jumped: %d\n", r);
  signal(SIGALRM, alrm); struct itimerval it = { {0, 20000}, {0, 20000} }; setitimer(ITIMER_REAL, &it, 0); while (alarms < 5) pause(); memset(&it, 0, sizeof it); setitimer(ITIMER_REAL, &it, 0); printf("alarms: ok\n");
  sigset_t b, o; sigemptyset(&b); sigaddset(&b, SIGRTMIN); sigprocmask(SIG_BLOCK, &b, &o); for (int i = 1; i <= 5; i++) { union sigval v = { .sival_int = i }; sigqueue(getpid(), SIGRTMIN, v); } printf("queued, got %d\n", usr); sigprocmask(SIG_SETMASK, &o, 0); printf("delivered %d\n", usr);
  pid_t p = fork(); if (!p) { signal(SIGTERM, SIG_DFL); raise(SIGTERM); _exit(9); } int st; waitpid(p, &st, 0); printf("child signal %d\n", WTERMSIG(st));
  p = fork(); if (!p) { signal(SIGSEGV, SIG_DFL); *(volatile int *)0 = 1; _exit(9); } waitpid(p, &st, 0); printf("child signal %d\n", WTERMSIG(st));
  int pf[2]; pipe(pf); close(pf[0]); signal(SIGPIPE, SIG_IGN); r = write(pf[1], "x", 1); printf("write %d %s\n", r, strerror(errno)); return 0; }
