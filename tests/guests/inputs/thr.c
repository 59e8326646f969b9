#include <pthread.h>
#include <stdio.h>
#include <stdatomic.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static int turn; static long plain; static atomic_long at; static __thread int tl;
static void *w(void *p) { long id = (long)p; for (int i = 0; i < 200; i++) { pthread_mutex_lock(&m); while (turn % 4 != id) pthread_cond_wait(&c, &m); turn++; plain += id; tl++; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m); for (int k = 0; k < 50; k++) at++; } return (void *)(long)tl; }
int main(void) { pthread_t t[4]; long s = 0; void *r; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, w, (void *)i); for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); s += (long)r; } printf("turn %d plain %ld atomic %ld tls %ld\n", turn, plain, (long)at, s); return 0; }
