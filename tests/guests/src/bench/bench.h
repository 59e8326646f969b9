// Programs to measure speed with: the same work each time, a sum printed at the end, no library but the C startup code. The
// first argument multiplies the work.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t rounds(int argc, char **argv, uint64_t usual) { return argc > 1 ? usual * strtoull(argv[1], NULL, 10) : usual; }

static inline int result(const char *name, uint64_t sum) {
    printf("%s %016llx\n", name, (unsigned long long)sum);
    return 0;
}
