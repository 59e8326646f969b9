// What the programs here share: checks that print "ok WHAT" or "FAILED WHAT", and "NAME: N failed" at the end. Lines that
// begin with '+' exist only when the program was compiled for a CPU that has the feature.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned __int128 u128;

static int failures;

__attribute__((unused)) static void check(const char *what, int good) {
    printf("%s%s %s\n", what[0] == '+' ? "+ " : "", good ? "ok" : "FAILED", what[0] == '+' ? what + 1 : what);
    failures += !good;
}

__attribute__((unused)) static size_t unhex(const char *hex, u8 *out) {
    size_t n = 0;
    for (; hex[0] && hex[1]; hex += 2) {
        char two[3] = { hex[0], hex[1], 0 };
        out[n++] = (u8)strtoul(two, NULL, 16);
    }
    return n;
}

// Compares bytes with their hexadecimal text and shows both when they differ.
__attribute__((unused)) static void check_hex(const char *what, const void *bytes, const char *hex) {
    u8 expected[512];
    size_t n = unhex(hex, expected);
    int good = memcmp(bytes, expected, n) == 0;
    check(what, good);
    if (good)
        return;
    printf("  expected %s\n  got      ", hex);
    for (size_t i = 0; i < n; i++)
        printf("%02x", ((const u8 *)bytes)[i]);
    printf("\n");
}

static u64 random_state = 0x9e3779b97f4a7c15;

// xorshift64*
__attribute__((unused)) static u64 random64(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1d;
}

__attribute__((unused)) static int finish(const char *name) {
    printf("%s: %d failed\n", name, failures);
    return failures != 0;
}
