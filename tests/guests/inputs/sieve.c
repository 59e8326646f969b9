#include <stdio.h>
#include <string.h>
static char f[2000001];
int main(void) { int n = 0; for (int r = 0; r < 3; r++) { n = 0; memset(f, 1, sizeof f); for (long i = 2; i <= 2000000; i++) if (f[i]) { n++; for (long j = i * i; j <= 2000000; j += i) f[j] = 0; } } printf("%d primes\n", n); return 0; }
