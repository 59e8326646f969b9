// Integer work in registers: hashing, shifts, multiplications, conditional selects, short loops with predictable branches.
#include "bench.h"

int main(int argc, char **argv) {
    uint64_t n = rounds(argc, argv, 400000), x = 88172645463325252, sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint32_t low = (uint32_t)x;
        sum += low * 2654435761u ^ (x >> 33);
        sum = low & 1 ? sum + i : sum ^ i << 3;
        for (uint32_t k = low & 3; k; k--)
            sum = (sum << 5 | sum >> 59) + k;
    }
    return result("intmix", sum);
}
