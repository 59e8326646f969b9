#include <stdio.h>
#include <math.h>
int main(int argc, char **argv) { double s = 0; for (int i = 1; i <= 1000; i++) s += sqrt(i); printf("hello from %s: %.6f\n", "the guest", s); return argc - 1; }
