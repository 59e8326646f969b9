// Hash functions with published vectors: MD5 (RFC 1321), SHA-1, SHA-256, SHA-512 (FIPS 180-4), SipHash-2-4, CRC-32, Adler-32.
#include "isa.h"

static u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }
static u32 ror(u32 x, int n) { return x >> n | x << (32 - n); }
static u64 ror64(u64 x, int n) { return x >> n | x << (64 - n); }
static u64 rol64(u64 x, int n) { return x << n | x >> (64 - n); }
static u32 be32(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }
static u64 be64(const u8 *p) { return (u64)be32(p) << 32 | be32(p + 4); }

static void md5_block(void *state, const u8 *p) {
    static const u8 shifts[] = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 };
    static const u32 k[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1,
        0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453,
        0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
        0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
        0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d,
        0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391 };
    u32 *h = state, m[16], a = h[0], b = h[1], c = h[2], d = h[3];
    memcpy(m, p, 64);
    for (int i = 0; i < 64; i++) {
        u32 f;
        int g;
        switch (i / 16) {
        case 0: f = (b & c) | (~b & d); g = i; break;
        case 1: f = (d & b) | (~d & c); g = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d; g = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d); g = 7 * i % 16; break;
        }
        u32 next = b + rol(a + f + k[i] + m[g], shifts[i / 16 * 4 + i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

static void sha1_block(void *state, const u8 *p) {
    u32 *h = state, w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? be32(p + 4 * i) : rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        u32 f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
            : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
        u32 next = rol(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = rol(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

// The constants of SHA-2 are the fractions of cube roots of primes; initial values of square roots. Found by integer Newton
// iteration, so that the known answers check 128-bit multiplication and division too.
static u64 root_fraction(u32 prime, int power) {
    u64 low = 0, high = ~0ull;
    u32 whole = 1;
    while ((power == 2 ? (whole + 1) * (whole + 1) : (whole + 1) * (whole + 1) * (whole + 1)) <= prime)
        whole++;
    while (low < high) {
        u64 middle = low + (high - low) / 2 + 1;
        // x = whole + middle / 2^64; x^power <= prime? The product is kept to 2^-120, rounded down.
        u128 x = (u128)whole << 64 | middle;
        u128 x2 = 0; // x * x / 2^64 with 64 fraction bits, and the rest below
        u64 a = (u64)(x >> 64), b = (u64)x;
        u128 bb = (u128)b * b, ab = (u128)a * b;
        x2 = ((u128)(a * a) << 64) + 2 * ab + (bb >> 64);
        u64 x2low = (u64)bb;
        int above;
        if (power == 2) {
            above = (x2 >> 64) >= prime;
        } else {
            // x2 * x, 128 fraction bits of x2: (A + B/2^64 + C/2^128) * (a + b/2^64)
            u64 A = (u64)(x2 >> 64), B = (u64)x2;
            u128 fraction = (u128)B * b + (u128)x2low * a; // units of 2^-128, may carry
            u128 carry = fraction < (u128)B * b;
            u128 middle64 = (fraction >> 64) + (carry << 64);
            u128 top = (u128)A * b;
            u128 total = (u128)(A * a) << 64;
            total += top;
            total += (u128)B * a;
            total += middle64;
            above = (total >> 64) >= prime;
        }
        if (above)
            high = middle - 1;
        else
            low = middle;
    }
    return low;
}

static u64 k512[80], h512[8];

static void sha2_init(void) {
    int found = 0;
    for (u32 n = 2; found < 80; n++) {
        int prime = 1;
        for (u32 d = 2; d * d <= n; d++)
            prime &= n % d != 0;
        if (!prime)
            continue;
        k512[found] = root_fraction(n, 3);
        if (found < 8)
            h512[found] = root_fraction(n, 2);
        found++;
    }
}

static void sha256_block(void *state, const u8 *p) {
    u32 *h = state, w[64], s[8];
    for (int i = 0; i < 64; i++)
        w[i] = i < 16 ? be32(p + 4 * i)
            : w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (ror(w[i - 2], 17) ^ ror(w[i - 2],
        19) ^ w[i - 2] >> 10);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        u32 t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + (u32)(k512[i] >> 32) + w[i];
        u32 t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

static void sha512_block(void *state, const u8 *p) {
    u64 *h = state, w[80], s[8];
    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? be64(p + 8 * i)
            : w[i - 16] + (ror64(w[i - 15], 1) ^ ror64(w[i - 15], 8) ^ w[i - 15] >> 7) + w[i - 7] + (ror64(w[i - 2],
        19) ^ ror64(w[i - 2], 61) ^ w[i - 2] >> 6);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 80; i++) {
        u64 t1 = s[7] + (ror64(s[4], 14) ^ ror64(s[4], 18) ^ ror64(s[4], 41)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k512[i] + w[i];
        u64 t2 = (ror64(s[0], 28) ^ ror64(s[0], 34) ^ ror64(s[0], 39)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

// Merkle-Damgard: whole blocks, then padding with the length in bits.
static void digest(void (*block)(void *, const u8 *), void *state, int size, int big, const u8 *data, size_t n) {
    u8 last[256] = { 0 };
    size_t whole = n / (size_t)size * (size_t)size, rest = n - whole, field = (size_t)size / 8;
    for (size_t i = 0; i < whole; i += (size_t)size)
        block(state, data + i);
    memcpy(last, data + whole, rest);
    last[rest] = 0x80;
    size_t total = rest + 1 + field <= (size_t)size ? (size_t)size : 2 * (size_t)size;
    for (size_t i = 0; i < 8; i++)
        last[big ? total - 1 - i : total - 8 + i] = (u8)((u64)n * 8 >> 8 * i);
    for (size_t i = 0; i < total; i += (size_t)size)
        block(state, last + i);
}

static void store_be(const void *words, int width, int count, u8 *out) {
    for (int i = 0; i < count * width; i++)
        out[i] = width == 4 ? (u8)(((const u32 *)words)[i / 4] >> 8 * (3 - i % 4)) : (u8)(((const u64 *)words)[i / 8] >> 8 * (7 - i % 8));
}

static u8 result[64];

static u8 *md5(const void *data, size_t n) {
    u32 h[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
    digest(md5_block, h, 64, 0, data, n);
    return memcpy(result, h, 16);
}

static u8 *sha1(const void *data, size_t n) {
    u32 h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    digest(sha1_block, h, 64, 1, data, n);
    store_be(h, 4, 5, result);
    return result;
}

static u8 *sha256(const void *data, size_t n) {
    u32 h[8];
    for (int i = 0; i < 8; i++)
        h[i] = (u32)(h512[i] >> 32);
    digest(sha256_block, h, 64, 1, data, n);
    store_be(h, 4, 8, result);
    return result;
}

static u8 *sha512(const void *data, size_t n) {
    u64 h[8];
    memcpy(h, h512, sizeof h);
    digest(sha512_block, h, 128, 1, data, n);
    store_be(h, 8, 8, result);
    return result;
}

static void sip_round(u64 v[4]) {
    v[0] += v[1]; v[1] = rol64(v[1], 13) ^ v[0]; v[0] = rol64(v[0], 32);
    v[2] += v[3]; v[3] = rol64(v[3], 16) ^ v[2];
    v[0] += v[3]; v[3] = rol64(v[3], 21) ^ v[0];
    v[2] += v[1]; v[1] = rol64(v[1], 17) ^ v[2]; v[2] = rol64(v[2], 32);
}

static u64 siphash(const u8 key[16], const u8 *data, size_t n) {
    u64 k0, k1, word;
    memcpy(&k0, key, 8);
    memcpy(&k1, key + 8, 8);
    u64 v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
    for (size_t i = 0;; i += 8) {
        int whole = i + 8 <= n;
        word = (u64)n << 56;
        memcpy(&word, data + i, whole ? 8 : n - i);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
        if (!whole)
            break;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static u32 crc32_bitwise(const u8 *data, size_t n) {
    u32 c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= data[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (0xedb88320 & -(c & 1));
    }
    return ~c;
}

static u32 adler32(const u8 *data, size_t n) {
    u32 a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

int main(void) {
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static u8 as[40000];
    u8 key[16], bytes[15];
    sha2_init();
    memset(as, 'a', sizeof as);
    check_hex("md5 of nothing", md5("", 0), "d41d8cd98f00b204e9800998ecf8427e");
    check_hex("md5 of abc", md5("abc", 3), "900150983cd24fb0d6963f7d28e17f72");
    check_hex("md5 of the alphabet", md5("abcdefghijklmnopqrstuvwxyz", 26), "c3fcd3d76192e4007dfb496cca67e13b");
    check_hex("sha1 of abc", sha1("abc", 3), "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_hex("sha1 of two blocks", sha1(two_blocks, 56), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check_hex("sha256 of nothing", sha256("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hex("sha256 of abc", sha256("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hex("sha256 of two blocks", sha256(two_blocks, 56), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_hex("sha512 of abc", sha512("abc", 3),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    check_hex("sha512 of nothing", sha512("", 0),
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    check_hex("md5 of 40000 a", md5(as, sizeof as), "15725c9aaac02fda4d458ad5416f6992");
    check_hex("sha1 of 40000 a", sha1(as, sizeof as), "21359ae00fdae480d2157c838dd5690570febaeb");
    check_hex("sha256 of 40000 a", sha256(as, sizeof as), "72a2f8d2643328a2e03dcb1b66fdc6610b95ba3019d88d8849ce060d0be634ce");
    check_hex("sha512 of 40000 a", sha512(as, sizeof as),
        "857c86d5463583d54be191946f8a42d0b03f65afc5d1fd32be7eee245fc95ea77fa58b423648221115ddbf9a18d67e780430d7d7da0611160064d5972829a0b5");
    for (int i = 0; i < 16; i++)
        key[i] = (u8)i;
    for (int i = 0; i < 15; i++)
        bytes[i] = (u8)i;
    check("siphash of 15 bytes", siphash(key, bytes, 15) == 0xa129ca6149be45e5);
    check("siphash of nothing", siphash(key, bytes, 0) == 0x726fdb47dd0e0e31);
    check("crc32 of 123456789", crc32_bitwise((const u8 *)"123456789", 9) == 0xcbf43926);
    check("adler32 of Wikipedia", adler32((const u8 *)"Wikipedia", 9) == 0x11e60398);
    return finish("hashes");
}
