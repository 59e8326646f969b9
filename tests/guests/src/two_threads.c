// SPDX-License-Identifier: MIT
/* CFLAGS: -g -O1 */
/* Two threads that call one function: what debuggers are tried on. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
int counter;
__attribute__((noinline)) int add(int a, int b) { counter += a * b; return counter; }
static void *work(void *p) { for (int i = 0; i < 3; i++) add((int)(long)p, i); return 0; }
int main(void) {
  pthread_t t[2];
  add(1, 1);
  for (long i = 0; i < 2; i++) pthread_create(&t[i], 0, work, (void *)(i + 2));
  for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
  printf("counter %d\n", counter);
  return 0;
}
