// Threads on shared words: with -march=armv8-a -mno-outline-atomics by exclusives, with +lse by atomic instructions.
#include "isa.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { Threads = 4, Rounds = 1500 };

static _Atomic u64 sum64, maximum, bits, parity;
static _Atomic u32 sum32, tickets, serving;
static _Atomic u16 sum16;
static _Atomic u8 sum8;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static u64 guarded, by_ticket;
static _Atomic(struct Node *) top;
static _Alignas(16) struct { u64 low, high; } pair;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static u64 by_mutex;

static struct Node {
    struct Node *next;
    u64 value;
} nodes[Threads][Rounds];

// Both halves of a pair change together: compare and swap of 16 bytes (CASP, or LDAXP with STLXP).
static void add_pair(u64 low, u64 high) {
    u64 l, h;
#ifdef __ARM_FEATURE_ATOMICS
    for (;;) {
        u64 old_l = *(volatile u64 *)&pair.low, old_h = *(volatile u64 *)&pair.high;
        register u64 x0 __asm__("x0") = old_l, x1 __asm__("x1") = old_h;
        register u64 x2 __asm__("x2") = old_l + low, x3 __asm__("x3") = old_h + high;
        __asm__ volatile("caspal x0, x1, x2, x3, [%4]" : "+r"(x0), "+r"(x1) : "r"(x2), "r"(x3), "r"(&pair) : "memory");
        l = x0;
        h = x1;
        if (l == old_l && h == old_h)
            return;
    }
#else
    int failed;
    do {
        __asm__ volatile("ldaxp %0, %1, [%2]" : "=&r"(l), "=&r"(h) : "r"(&pair) : "memory");
        l += low;
        h += high;
        __asm__ volatile("stlxp %w0, %1, %2, [%3]" : "=&r"(failed) : "r"(l), "r"(h), "r"(&pair) : "memory");
    } while (failed);
#endif
}

static void *work(void *argument) {
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < Rounds; i++) {
        atomic_fetch_add(&sum64, (u64)i);
        atomic_fetch_sub_explicit(&sum32, 3, memory_order_relaxed);
        atomic_fetch_add_explicit(&sum16, 5, memory_order_acquire);
        atomic_fetch_add_explicit(&sum8, 7, memory_order_release);
        atomic_fetch_or(&bits, 1ull << (i + me) % 64);
        atomic_fetch_xor(&parity, (u64)i << me);
        u64 candidate = (u64)(i * 7919 % 10007) * 4 + (u64)me, seen = atomic_load(&maximum);
        while (seen < candidate && !atomic_compare_exchange_weak(&maximum, &seen, candidate)) {
        }
        struct Node *node = &nodes[me][i];
        node->value = (u64)i;
        node->next = atomic_load_explicit(&top, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(&top, &node->next, node, memory_order_release, memory_order_relaxed)) {
        }
        add_pair(1, (u64)me);
        if (i % 4)
            continue;
        while (atomic_flag_test_and_set_explicit(&spin, memory_order_acquire))
            sched_yield();
        guarded += (u64)i;
        atomic_flag_clear_explicit(&spin, memory_order_release);
        u32 mine = atomic_fetch_add(&tickets, 1);
        while (atomic_load_explicit(&serving, memory_order_acquire) != mine)
            sched_yield();
        by_ticket++;
        atomic_store_explicit(&serving, mine + 1, memory_order_release);
        pthread_mutex_lock(&mutex);
        by_mutex++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[Threads];
    for (intptr_t i = 0; i < Threads; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < Threads; i++)
        pthread_join(threads[i], NULL);
    u64 n = (u64)Threads * Rounds, series = (u64)Rounds * (Rounds - 1) / 2, quarter = 0, listed = 0, total = 0, mixed = 0, most = 0;
    for (u64 i = 0; i < Rounds; i += 4)
        quarter += i;
    for (struct Node *node = top; node; node = node->next, listed++)
        total += node->value;
    for (int me = 0; me < Threads; me++)
        for (u64 i = 0; i < Rounds; i++) {
            mixed ^= i << me;
            u64 candidate = i * 7919 % 10007 * 4 + (u64)me;
            most = candidate > most ? candidate : most;
        }
    check("add of 64 bits", sum64 == Threads * series);
    check("subtract of 32 bits", sum32 == (u32)(0 - 3 * n));
    check("add of 16 bits", sum16 == (u16)(5 * n));
    check("add of 8 bits", sum8 == (u8)(7 * n));
    check("or", bits == ~0ull);
    check("exclusive or", parity == mixed);
    check("maximum", maximum == most);
    check("list without locks", listed == n && total == Threads * series);
    check("pair of 16 bytes", pair.low == n && pair.high == Rounds * (0 + 1 + 2 + 3));
    check("spin lock", guarded == Threads * quarter);
    check("ticket lock", by_ticket == n / 4 && tickets == serving);
    check("mutex", by_mutex == n / 4);
    _Atomic u32 word = 5;
    u32 wrong = 6;
    check("exchange", atomic_exchange(&word, 9) == 5 && word == 9);
    check("failed compare", !atomic_compare_exchange_strong(&word, &wrong, 1) && wrong == 9);
    return finish("atomics");
}
