// Memory: pointers chased through 4 MiB in random order, and copies of 64 bytes to 16 KiB.
#include "bench.h"

enum { Nodes = 1 << 16 };

typedef struct Node {
    struct Node *next;
    uint64_t value[7];
} Node;

static Node nodes[Nodes];
static unsigned char from[1 << 16], to[1 << 16];

int main(int argc, char **argv) {
    uint64_t n = rounds(argc, argv, 600000), sum = 0, x = 12345;
    static uint32_t order[Nodes];
    for (uint32_t i = 0; i < Nodes; i++)
        order[i] = i;
    for (uint32_t i = Nodes - 1; i; i--) {
        x = x * 6364136223846793005 + 1442695040888963407;
        uint32_t j = (uint32_t)(x >> 33) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < Nodes; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % Nodes]];
        nodes[i].value[0] = i;
    }
    Node *at = nodes;
    for (uint64_t i = 0; i < n; i++) {
        sum += at->value[0];
        at = at->next;
    }
    for (uint64_t i = 0; i < n / 100; i++) {
        size_t size = (size_t)64 << i % 9;
        memcpy(to + i % 64, from + i % 48, size);
        from[i % 65536] = (unsigned char)i;
        sum += to[i % 64 + size / 2];
    }
    return result("memory", sum);
}
