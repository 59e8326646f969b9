// A codec in the manner of deflate: LZ77 with hash chains, then canonical Huffman codes; round trips of several inputs.
#include "isa.h"
#ifdef __ARM_FEATURE_CRC32
#include <arm_acle.h>
#endif

enum { Window = 32768, MinMatch = 4, MaxMatch = 258, Symbols = 256 + 32, Distances = 32, MaxBits = 15, HashBits = 13 };

static u32 crc_table[256];

static void crc_init(void) {
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
        crc_table[i] = c;
    }
}

static u32 crc32_of(const u8 *data, size_t n) {
    u32 c = ~0u;
    while (n--)
        c = crc_table[(c ^ *data++) & 255] ^ c >> 8;
    return ~c;
}

// ---- bits ----
typedef struct { u8 *at; u64 hold; int count; } BitWriter;
typedef struct { const u8 *at; u64 hold; int count; } BitReader;

static void put(BitWriter *w, u32 value, int bits) {
    w->hold |= (u64)value << w->count;
    w->count += bits;
    while (w->count >= 8) {
        *w->at++ = (u8)w->hold;
        w->hold >>= 8;
        w->count -= 8;
    }
}

static u32 get(BitReader *r, int bits) {
    while (r->count < bits) {
        r->hold |= (u64)*r->at++ << r->count;
        r->count += 8;
    }
    u32 value = (u32)(r->hold & ((1ull << bits) - 1));
    r->hold >>= bits;
    r->count -= bits;
    return value;
}

// ---- Huffman ----
// Code lengths by repeatedly joining the two lightest trees; frequencies are flattened until no code is too long.
static void code_lengths(const u32 *given, int n, u8 *lengths) {
    u32 weight[2 * Symbols], frequency[Symbols];
    int parent[2 * Symbols];
    memcpy(frequency, given, (size_t)n * sizeof *given);
    for (;;) {
        int nodes = n, alive = 0;
        for (int i = 0; i < n; i++) {
            weight[i] = frequency[i];
            parent[i] = frequency[i] ? -1 : -2;
            alive += frequency[i] != 0;
        }
        int used = alive;
        while (alive > 1) {
            int a = -1, b = -1;
            for (int i = 0; i < nodes; i++) {
                if (parent[i] != -1)
                    continue;
                if (a < 0 || weight[i] < weight[a]) {
                    b = a;
                    a = i;
                } else if (b < 0 || weight[i] < weight[b]) {
                    b = i;
                }
            }
            weight[nodes] = weight[a] + weight[b];
            parent[nodes] = -1;
            parent[a] = parent[b] = nodes++;
            alive--;
        }
        int longest = 0;
        for (int i = 0; i < n; i++) {
            int depth = 0;
            if (parent[i] != -2)
                for (int p = parent[i]; p >= 0; p = parent[p])
                    depth++;
            lengths[i] = (u8)(used == 1 && parent[i] != -2 ? 1 : depth);
            if (depth > longest)
                longest = depth;
        }
        if (longest <= MaxBits)
            return;
        for (int i = 0; i < n; i++)
            if (frequency[i])
                frequency[i] = (frequency[i] >> 2) + 1;
    }
}

static u32 reversed(u32 code, int bits) {
    u32 r = 0;
    while (bits--) {
        r = r << 1 | (code & 1);
        code >>= 1;
    }
    return r;
}

static void canonical_codes(const u8 *lengths, int n, u16 *codes) {
    u32 code = 0;
    for (int bits = 1; bits <= MaxBits; bits++, code <<= 1)
        for (int i = 0; i < n; i++)
            if (lengths[i] == bits)
                codes[i] = (u16)reversed(code++, bits);
}

typedef struct { u16 count[MaxBits + 1], symbol[Symbols]; } Decoder;

static void decoder_init(Decoder *d, const u8 *lengths, int n) {
    memset(d->count, 0, sizeof d->count);
    int at = 0;
    for (int bits = 1; bits <= MaxBits; bits++)
        for (int i = 0; i < n; i++)
            if (lengths[i] == bits) {
                d->count[bits]++;
                d->symbol[at++] = (u16)i;
            }
}

static int decode(const Decoder *d, BitReader *r) {
    int code = 0, first = 0, index = 0;
    for (int bits = 1; bits <= MaxBits; bits++) {
        code |= (int)get(r, 1);
        int count = d->count[bits];
        if (code - first < count)
            return d->symbol[index + code - first];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

// ---- LZ77 ----
typedef struct { u16 length, distance; } Token; // length 0: distance is a literal

static Token tokens[1 << 18];
static int heads[1 << HashBits], chain[1 << 18];

static int bit_class(u32 value) { return 31 - __builtin_clz(value + 1); }

static int tokenise(const u8 *in, int n) {
    int count = 0;
    memset(heads, -1, sizeof heads);
    for (int i = 0; i < n;) {
        int best = 0, where = 0;
        if (i + MinMatch <= n) {
            u32 four;
            memcpy(&four, in + i, 4);
            u32 hash = four * 2654435761u >> (32 - HashBits);
            int tries = 16;
            for (int j = heads[hash]; j >= 0 && i - j < Window && tries--; j = chain[j]) {
                int length = 0, limit = n - i < MaxMatch ? n - i : MaxMatch;
                while (length < limit && in[j + length] == in[i + length])
                    length++;
                if (length > best) {
                    best = length;
                    where = j;
                }
            }
            chain[i] = heads[hash];
            heads[hash] = i;
        }
        if (best >= MinMatch) {
            tokens[count++] = (Token) { (u16)best, (u16)(i - where) };
            i += best;
        } else {
            tokens[count++] = (Token) { 0, in[i++] };
        }
    }
    return count;
}

static size_t compress(const u8 *in, int n, u8 *out) {
    int count = tokenise(in, n);
    u32 frequency[Symbols] = { 0 }, distances[Distances] = { 0 };
    for (int i = 0; i < count; i++) {
        frequency[tokens[i].length ? 256 + bit_class(tokens[i].length) : tokens[i].distance]++;
        if (tokens[i].length)
            distances[bit_class(tokens[i].distance)]++;
    }
    u8 lengths[Symbols], distance_lengths[Distances];
    u16 codes[Symbols] = { 0 }, distance_codes[Distances] = { 0 };
    code_lengths(frequency, Symbols, lengths);
    code_lengths(distances, Distances, distance_lengths);
    canonical_codes(lengths, Symbols, codes);
    canonical_codes(distance_lengths, Distances, distance_codes);
    BitWriter w = { out, 0, 0 };
    put(&w, (u32)count, 24);
    for (int i = 0; i < Symbols; i++)
        put(&w, lengths[i], 4);
    for (int i = 0; i < Distances; i++)
        put(&w, distance_lengths[i], 4);
    for (int i = 0; i < count; i++) {
        Token t = tokens[i];
        if (!t.length) {
            put(&w, codes[t.distance], lengths[t.distance]);
            continue;
        }
        int c = bit_class(t.length), d = bit_class(t.distance);
        put(&w, codes[256 + c], lengths[256 + c]);
        put(&w, t.length + 1u - (1u << c), c);
        put(&w, distance_codes[d], distance_lengths[d]);
        put(&w, t.distance + 1u - (1u << d), d);
    }
    put(&w, 0, 7);
    return (size_t)(w.at - out);
}

static int expand(const u8 *in, u8 *out) {
    BitReader r = { in, 0, 0 };
    int count = (int)get(&r, 24), n = 0;
    u8 lengths[Symbols], distance_lengths[Distances];
    for (int i = 0; i < Symbols; i++)
        lengths[i] = (u8)get(&r, 4);
    for (int i = 0; i < Distances; i++)
        distance_lengths[i] = (u8)get(&r, 4);
    static Decoder literal, distance;
    decoder_init(&literal, lengths, Symbols);
    decoder_init(&distance, distance_lengths, Distances);
    while (count--) {
        int symbol = decode(&literal, &r);
        if (symbol < 0)
            return -1;
        if (symbol < 256) {
            out[n++] = (u8)symbol;
            continue;
        }
        int c = symbol - 256, length = (int)(get(&r, c) + (1u << c) - 1);
        int d = decode(&distance, &r), back = (int)(get(&r, d) + (1u << d) - 1);
        for (; length--; n++)
            out[n] = out[n - back];
    }
    return n;
}

static u8 input[1 << 16], packed[1 << 18], output[1 << 17];

static void round_trip(const char *name, int n) {
    size_t size = compress(input, n, packed);
    int back = expand(packed, output);
    printf("%s: %d bytes, crc %08x, packed %zu, crc %08x\n", name, n, crc32_of(input, (size_t)n), size, crc32_of(packed, size));
    check(name, back == n && memcmp(input, output, (size_t)n) == 0);
}

int main(void) {
    static const char *words[] = { "the ", "cycle", " of ", "a ", "counter", "branch ", "and", "\n", "memory ", "page ", "0123456789",
        "fault; ", "x" };
    crc_init();
    check("crc32 of 123456789", crc32_of((const u8 *)"123456789", 9) == 0xcbf43926);
    int n = 0;
    while (n < 24000) {
        const char *word = words[random64() >> 32 & 0xffff ? (random64() >> 40) % 13 : 0];
        n += sprintf((char *)input + n, "%s", word);
    }
    round_trip("text", n);
    memset(input, 'z', 20000);
    round_trip("run", 20000);
    for (int i = 0; i < 6000; i++)
        input[i] = (u8)(random64() >> 56);
    round_trip("noise", 6000);
    for (int i = 0; i < 12000; i++)
        input[i] = (u8)(i * i >> 7 ^ i >> 3);
    round_trip("pattern", 12000);
    round_trip("one", 1);
#ifdef __ARM_FEATURE_CRC32
    u32 c = ~0u, cc = ~0u;
    for (int i = 0; i + 15 <= 12000; i += 15) {
        u64 eight;
        u32 four;
        u16 two;
        memcpy(&eight, input + i, 8);
        memcpy(&four, input + i + 8, 4);
        memcpy(&two, input + i + 12, 2);
        c = __crc32b(__crc32h(__crc32w(__crc32d(c, eight), four), two), input[i + 14]);
    }
    check("+crc32 instructions", ~c == crc32_of(input, 12000));
    for (const char *p = "123456789"; *p; p++)
        cc = __crc32cb(cc, (u8)*p);
    check("+crc32c instructions", ~cc == 0xe3069283);
#endif
    return finish("compress");
}
