// Advanced SIMD: loops that compilers vectorise and arm_neon.h intrinsics, against the same arithmetic one element at a time
// (volatile, so that it stays scalar); instructions of later versions where the compiler's options allow them.
#include "isa.h"
#include <arm_neon.h>

enum { Count = 512 };

static u8 bytes[3][Count];
static u16 halves[3][Count];
static u32 words[3][Count];
static u64 doubles[3][Count];
static int8_t sbytes[3][Count];
static int16_t shalves[3][Count];

static u64 mix(const void *data, size_t n) {
    u64 h = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const u8 *)data)[i]) * 0x100000001b3;
    return h;
}

static void fill(void) {
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < Count; i++) {
            u64 r = random64();
            bytes[s][i] = (u8)(r >> 8);
            halves[s][i] = (u16)(r >> 16);
            words[s][i] = (u32)(r >> 24);
            doubles[s][i] = r;
            sbytes[s][i] = (int8_t)(r >> 32);
            shalves[s][i] = (int16_t)(r >> 40);
        }
}

// One kernel for every element type: fast is free to be vector code, slow is not.
#define KERNEL(name, type, array, expression)                                                         \
    static void name(void) {                                                                          \
        static type slow[Count];                                                                      \
        for (int i = 0; i < Count; i++) {                                                             \
            type a = array[0][i], b = array[1][i];                                                    \
            array[2][i] = (type)(expression);                                                         \
        }                                                                                             \
        for (volatile int i = 0; i < Count; i++) {                                                    \
            volatile type a = array[0][i], b = array[1][i];                                           \
            slow[i] = (type)(expression);                                                             \
        }                                                                                             \
        check(#name, memcmp(array[2], slow, sizeof slow) == 0);                                       \
        printf("%016llx\n", (unsigned long long)mix(slow, sizeof slow));                              \
    }

#define KERNELS(prefix, type, array)                                                                  \
    KERNEL(prefix##_arithmetic, type, array, a + b * 3 - (a ^ b))                                     \
    KERNEL(prefix##_multiply, type, array, a * b)                                                     \
    KERNEL(prefix##_minimum, type, array, (a < b ? a : b) + (a > b ? a : b) * 5)                      \
    KERNEL(prefix##_difference, type, array, a > b ? a - b : b - a)                                   \
    KERNEL(prefix##_shifts, type, array, (a >> 3) + (b << 2) + (a >> 1 & b))                          \
    KERNEL(prefix##_select, type, array, (a & 1) == (b & 1) ? a | b : ~a & b)                         \
    KERNEL(prefix##_average, type, array, (a >> 1) + (b >> 1) + ((a | b) & 1))

KERNELS(u8, u8, bytes)
KERNELS(u16, u16, halves)
KERNELS(u32, u32, words)
KERNELS(u64, u64, doubles)
KERNELS(s8, int8_t, sbytes)
KERNELS(s16, int16_t, shalves)
KERNEL(u32_divide, u32, words, a / (b | 1) + a % 10)
KERNEL(u8_saturate, u8, bytes, a + b > 255 ? 255 : a + b)
KERNEL(s16_saturate, int16_t, shalves, a + b > 32767 ? 32767 : a + b < -32768 ? -32768 : a + b)

static void reductions(void) {
    u64 fast[8] = { 0 }, slow[8] = { 0 };
    for (int i = 0; i < Count; i++)
        fast[0] += bytes[0][i];
    for (int i = 0; i < Count; i++)
        fast[1] += (u32)bytes[0][i] * bytes[1][i];
    for (int i = 0; i < Count; i++)
        fast[2] += (u64)((int64_t)sbytes[0][i] * shalves[1][i]);
    for (int i = 0; i < Count; i++)
        fast[3] = words[0][i] > fast[3] ? words[0][i] : fast[3];
    for (int i = 0; i < Count; i++)
        fast[4] ^= doubles[0][i];
    for (int i = 0; i < Count; i++)
        fast[5] += (u64)abs((int)bytes[0][i] - bytes[1][i]);
    for (int i = 0; i < Count / 2; i++)
        fast[6] += (u64)halves[0][2 * i] * halves[1][2 * i + 1];
    for (int i = 0; i < Count; i++)
        fast[7] += (u64)__builtin_popcountll(doubles[1][i]);
    for (volatile int v = 0; v < Count; v++) {
        int i = v;
        slow[0] += bytes[0][i];
        slow[1] += (u32)bytes[0][i] * bytes[1][i];
        slow[2] += (u64)((int64_t)sbytes[0][i] * shalves[1][i]);
        slow[3] = words[0][i] > slow[3] ? words[0][i] : slow[3];
        slow[4] ^= doubles[0][i];
        slow[5] += (u64)(bytes[0][i] > bytes[1][i] ? bytes[0][i] - bytes[1][i] : bytes[1][i] - bytes[0][i]);
        if (i % 2 == 0)
            slow[6] += (u64)halves[0][i] * halves[1][i + 1];
        for (u64 rest = doubles[1][i]; rest; rest &= rest - 1)
            slow[7]++;
    }
    check("reductions", memcmp(fast, slow, sizeof fast) == 0);
    printf("%016llx\n", (unsigned long long)mix(fast, sizeof fast));
}

static int32_t clamp(int64_t v, int64_t low, int64_t high) { return (int32_t)(v < low ? low : v > high ? high : v); }

static void saturating(void) {
    int good = 1;
    for (volatile int v = 0; v + 8 <= Count; v += 8) {
        int i = v;
        int16x8_t a = vld1q_s16(&shalves[0][i]), b = vld1q_s16(&shalves[1][i]);
        int16_t sum[8], less[8], doubling[8], shifted[8];
        int8_t narrow[8];
        u8 unsigned_narrow[8];
        int32_t wide[4];
        vst1q_s16(sum, vqaddq_s16(a, b));
        vst1q_s16(less, vqsubq_s16(a, b));
        vst1q_s16(doubling, vqrdmulhq_s16(a, b));
        vst1q_s16(shifted, vqshlq_n_s16(a, 3));
        vst1_s8(narrow, vqmovn_s16(a));
        vst1_u8(unsigned_narrow, vqrshrun_n_s16(b, 4));
        vst1q_s32(wide, vqdmlal_s16(vdupq_n_s32(0x7ff00000), vget_low_s16(a), vget_low_s16(b)));
        for (int k = 0; k < 8; k++) {
            int64_t x = shalves[0][i + k], y = shalves[1][i + k];
            good &= sum[k] == clamp(x + y, -32768, 32767) && less[k] == clamp(x - y, -32768, 32767);
            good &= doubling[k] == clamp((2 * x * y + 0x8000) >> 16, -32768, 32767) && shifted[k] == clamp(x * 8, -32768, 32767);
            good &= narrow[k] == clamp(x, -128, 127) && unsigned_narrow[k] == clamp((y + 8) >> 4, 0, 255);
            if (k < 4)
                good &= wide[k] == clamp(0x7ff00000 + (int64_t)clamp(2 * x * y, INT32_MIN, INT32_MAX), INT32_MIN, INT32_MAX);
        }
    }
    check("saturating intrinsics", good);
}

static void permutes(void) {
    int good = 1;
    u8 out[16], table[64];
    for (int i = 0; i < 64; i++)
        table[i] = (u8)(i * 5 + 1);
    uint8x16x4_t tables = { { vld1q_u8(table), vld1q_u8(table + 16), vld1q_u8(table + 32), vld1q_u8(table + 48) } };
    for (int i = 0; i + 16 <= Count; i += 16) {
        uint8x16_t index = vandq_u8(vld1q_u8(&bytes[0][i]), vdupq_n_u8(127));
        vst1q_u8(out, vqtbl4q_u8(tables, index));
        for (int k = 0; k < 16; k++) {
            u8 at = bytes[0][i + k] & 127;
            good &= out[k] == (at < 64 ? table[at] : 0);
        }
        uint8x16x3_t three = vld3q_u8(table);
        u8 back[48];
        vst3q_u8(back, three);
        good &= memcmp(back, table, 48) == 0 && vgetq_lane_u8(three.val[1], 2) == table[7];
        vst1q_u8(out, vextq_u8(index, vld1q_u8(table), 5));
        good &= out[0] == (bytes[0][i + 5] & 127) && out[15] == table[4];
        vst1q_u8(out, vrbitq_u8(vrev64q_u8(index)));
        u8 first = bytes[0][i + 7] & 127, turned = 0;
        for (int k = 0; k < 8; k++)
            turned |= (u8)((first >> k & 1) << (7 - k));
        good &= out[0] == turned;
        uint8x16x2_t zipped = vzipq_u8(index, vcntq_u8(index));
        vst1q_u8(out, zipped.val[1]);
        good &= out[0] == (bytes[0][i + 8] & 127) && out[1] == __builtin_popcount(bytes[0][i + 8] & 127);
    }
    check("table look-ups and permutes", good);
}

#ifdef __ARM_FEATURE_DOTPROD
static void dot_products(void) {
    int good = 1;
    for (int i = 0; i + 16 <= Count; i += 16) {
        u32 out[4];
        int32_t sout[4], lane[4];
        vst1q_u32(out, vdotq_u32(vdupq_n_u32(7), vld1q_u8(&bytes[0][i]), vld1q_u8(&bytes[1][i])));
        vst1q_s32(sout, vdotq_s32(vdupq_n_s32(-7), vld1q_s8(&sbytes[0][i]), vld1q_s8(&sbytes[1][i])));
        vst1q_s32(lane, vdotq_laneq_s32(vdupq_n_s32(1), vld1q_s8(&sbytes[0][i]), vld1q_s8(&sbytes[1][i]), 2));
        for (int k = 0; k < 4; k++) {
            u32 u = 7;
            int32_t s = -7, l = 1;
            for (int j = 0; j < 4; j++) {
                u += (u32)bytes[0][i + 4 * k + j] * bytes[1][i + 4 * k + j];
                s += sbytes[0][i + 4 * k + j] * sbytes[1][i + 4 * k + j];
                l += sbytes[0][i + 4 * k + j] * sbytes[1][i + 8 + j];
            }
            good &= out[k] == u && sout[k] == s && lane[k] == l;
        }
    }
    check("+dot products", good);
}
#endif

#ifdef __ARM_FEATURE_MATMUL_INT8
static void matrix_products(void) {
    int good = 1;
    for (int i = 0; i + 16 <= Count; i += 16) {
        int32_t s[4], us[4], mixed[4];
        u32 u[4];
        vst1q_s32(s, vmmlaq_s32(vdupq_n_s32(0), vld1q_s8(&sbytes[0][i]), vld1q_s8(&sbytes[1][i])));
        vst1q_u32(u, vmmlaq_u32(vdupq_n_u32(0), vld1q_u8(&bytes[0][i]), vld1q_u8(&bytes[1][i])));
        vst1q_s32(us, vusmmlaq_s32(vdupq_n_s32(0), vld1q_u8(&bytes[0][i]), vld1q_s8(&sbytes[1][i])));
        vst1q_s32(mixed, vusdotq_s32(vdupq_n_s32(0), vld1q_u8(&bytes[0][i]), vld1q_s8(&sbytes[1][i])));
        for (int k = 0; k < 4; k++) {
            int32_t es = 0, eus = 0, em = 0;
            u32 eu = 0;
            for (int j = 0; j < 8; j++) {
                int row = i + k / 2 * 8 + j, column = i + k % 2 * 8 + j;
                es += sbytes[0][row] * sbytes[1][column];
                eu += (u32)bytes[0][row] * bytes[1][column];
                eus += bytes[0][row] * sbytes[1][column];
                if (j < 4)
                    em += bytes[0][i + 4 * k + j] * sbytes[1][i + 4 * k + j];
            }
            good &= s[k] == es && u[k] == eu && us[k] == eus && mixed[k] == em;
        }
    }
    check("+matrix products of bytes", good);
}
#endif

#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
static void bfloat(void) {
    u16 a[8], b[8];
    float out[4], matrix[4], low[4];
    u64 sum = 0;
    for (int i = 0; i + 8 <= Count; i += 8) {
        for (int k = 0; k < 8; k++) {
            a[k] = (u16)(0x3f80 + (halves[0][i + k] & 0x80ff));
            b[k] = (u16)(0x4000 + (halves[1][i + k] & 0x807f));
        }
        bfloat16x8_t x = vreinterpretq_bf16_u16(vld1q_u16(a)), y = vreinterpretq_bf16_u16(vld1q_u16(b));
        float32x4_t one = vdupq_n_f32(1);
        vst1q_f32(out, vbfdotq_f32(one, x, y));
        vst1q_f32(matrix, vbfmmlaq_f32(one, x, y));
        vst1q_f32(low, vbfmlalbq_f32(one, x, y));
        sum += mix(out, 16) + 3 * mix(matrix, 16) + 5 * mix(low, 16);
        bfloat16x8_t narrow = vcvtq_low_bf16_f32(vld1q_f32(out));
        sum += mix(&narrow, 16);
    }
    printf("+ bfloat16 %016llx\n", (unsigned long long)sum);
}
#endif

#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
static void half_floats(void) {
    u64 sum = 0;
    for (int i = 0; i + 8 <= Count; i += 8) {
        float16x8_t a = vreinterpretq_f16_u16(vld1q_u16(&halves[0][i])), b = vreinterpretq_f16_u16(vld1q_u16(&halves[1][i]));
        float16x8_t results[] = {
            vaddq_f16(a, b), vmulq_f16(a, b), vdivq_f16(a, b), vfmaq_f16(a, a, b), vsqrtq_f16(vabsq_f16(a)), vmaxnmq_f16(a, b),
            vrndnq_f16(a), vcvtq_f16_s16(vld1q_s16(&shalves[0][i])), vabdq_f16(a, b), vrecpeq_f16(a), vrsqrtsq_f16(a, b), vpaddq_f16(a, b),
        };
        sum = sum * 7 + mix(results, sizeof results);
        uint16x8_t compared[] = { vcgtq_f16(a, b), vceqzq_f16(a), vreinterpretq_u16_s16(vcvtaq_s16_f16(a)) };
        sum = sum * 7 + mix(compared, sizeof compared);
#ifdef __ARM_FEATURE_FP16_FML
        float32x4_t wide = vfmlalq_low_f16(vdupq_n_f32(2), a, b);
        sum = sum * 7 + mix(&wide, sizeof wide);
#endif
    }
    printf("+ half precision %016llx\n", (unsigned long long)sum);
}
#endif

#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_AES)
static void aes(void) {
    // FIPS 197 appendix B; the round keys from appendix A.1.
    static const char *const keys[] = {
        "2b7e151628aed2a6abf7158809cf4f3c", "a0fafe1788542cb123a339392a6c7605", "f2c295f27a96b9435935807a7359f67f",
        "3d80477d4716fe3e1e237e446d7a883b",
        "ef44a541a8525b7fb671253bdb0bad00", "d4d1c6f87c839d87caf2b8bc11f915bc", "6d88a37a110b3efddbf98641ca0093fd",
        "4e54f70e5f5fc9f384a64fb24ea6dc4f",
        "ead27321b58dbad2312bf5607f8d292f", "ac7766f319fadc2128d12941575c006e", "d014f9a8c9ee2589e13f0cc8b6630ca6" };
    uint8x16_t k[11];
    u8 block[16];
    for (int i = 0; i < 11; i++) {
        unhex(keys[i], block);
        k[i] = vld1q_u8(block);
    }
    unhex("3243f6a8885a308d313198a2e0370734", block);
    uint8x16_t s = vld1q_u8(block);
    for (int i = 0; i < 9; i++)
        s = vaesmcq_u8(vaeseq_u8(s, k[i]));
    s = veorq_u8(vaeseq_u8(s, k[9]), k[10]);
    vst1q_u8(block, s);
    check_hex("+aes instructions", block, "3925841d02dc09fbdc118597196a0b32");
    s = vaesdq_u8(s, k[10]);
    for (int i = 9; i > 0; i--)
        s = vaesdq_u8(vaesimcq_u8(s), vaesimcq_u8(k[i]));
    vst1q_u8(block, veorq_u8(s, k[0]));
    check_hex("+aes back", block, "3243f6a8885a308d313198a2e0370734");
    int good = 1;
    for (int i = 0; i < Count; i++) {
        poly128_t p = vmull_p64((poly64_t)doubles[0][i], (poly64_t)doubles[1][i]);
        u128 q = 0;
        for (int bit = 0; bit < 64; bit++)
            if (doubles[1][i] >> bit & 1)
                q ^= (u128)doubles[0][i] << bit;
        good &= (u128)p == q;
    }
    check("+polynomial multiplication", good);
}
#endif

#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_SHA2)
static void sha(void) {
    static const u32 k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
        0x243185be, 0x550c7dc3, 0x72be5d74,
        0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
        0x76f988da, 0x983e5152, 0xa831c66d,
        0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
        0x650a7354, 0x766a0abb, 0x81c2c92e,
        0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5,
        0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb,
        0xbef9a3f7, 0xc67178f2 };
    static const u32 start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    static const u32 start1[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
    static const u32 k1[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    u32 block[16] = { 0x61626380, [15] = 24 };
    u8 out[32];
    uint32x4_t w[4], abcd = vld1q_u32(start), efgh = vld1q_u32(start + 4), abcd0 = abcd, efgh0 = efgh;
    for (int i = 0; i < 4; i++)
        w[i] = vld1q_u32(block + 4 * i);
    for (int i = 0; i < 16; i++) {
        uint32x4_t wk = vaddq_u32(w[0], vld1q_u32(k + 4 * i)), before = abcd;
        abcd = vsha256hq_u32(abcd, efgh, wk);
        efgh = vsha256h2q_u32(efgh, before, wk);
        uint32x4_t next = vsha256su1q_u32(vsha256su0q_u32(w[0], w[1]), w[2], w[3]);
        w[0] = w[1];
        w[1] = w[2];
        w[2] = w[3];
        w[3] = next;
    }
    vst1q_u8(out, vrev32q_u8(vreinterpretq_u8_u32(vaddq_u32(abcd, abcd0))));
    vst1q_u8(out + 16, vrev32q_u8(vreinterpretq_u8_u32(vaddq_u32(efgh, efgh0))));
    check_hex("+sha256 instructions", out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (int i = 0; i < 4; i++)
        w[i] = vld1q_u32(block + 4 * i);
    uint32x4_t state = vld1q_u32(start1);
    u32 e = 0xc3d2e1f0;
    for (int i = 0; i < 20; i++) {
        uint32x4_t wk = vaddq_u32(w[0], vdupq_n_u32(k1[i / 5]));
        u32 following = vsha1h_u32(vgetq_lane_u32(state, 0));
        state = i < 5 ? vsha1cq_u32(state, e, wk) : i >= 10 && i < 15 ? vsha1mq_u32(state, e, wk) : vsha1pq_u32(state, e, wk);
        e = following;
        uint32x4_t next = vsha1su1q_u32(vsha1su0q_u32(w[0], w[1], w[2]), w[3]);
        w[0] = w[1];
        w[1] = w[2];
        w[2] = w[3];
        w[3] = next;
    }
    vst1q_u8(out, vrev32q_u8(vreinterpretq_u8_u32(vaddq_u32(state, vld1q_u32(start1)))));
    check_hex("+sha1 instructions", out, "a9993e364706816aba3e25717850c26c");
    e += 0xc3d2e1f0;
    check("+sha1 last word", e == 0x9cd0d89d);
}
#endif

#ifdef __ARM_FEATURE_SHA3
static u64 turned(u64 x, int n) { return n ? x >> n | x << (64 - n) : x; }

static void sha3_and_sha512(void) {
    int good = 1;
    u64 sum = 0;
    for (int i = 0; i + 6 <= Count; i += 2) {
        const u64 *p = &doubles[0][i], *q = &doubles[1][i];
        uint64x2_t a = vld1q_u64(p), b = vld1q_u64(q), c = vld1q_u64(p + 2);
        u64 out[4][2];
        vst1q_u64(out[0], veor3q_u64(a, b, c));
        vst1q_u64(out[1], vbcaxq_u64(a, b, c));
        vst1q_u64(out[2], vrax1q_u64(a, b));
        vst1q_u64(out[3], vxarq_u64(a, b, 37));
        for (int k = 0; k < 2; k++) {
            good &= out[0][k] == (p[k] ^ q[k] ^ p[k + 2]) && out[1][k] == (p[k] ^ (q[k] & ~p[k + 2]));
            good &= out[2][k] == (p[k] ^ turned(q[k], 63)) && out[3][k] == turned(p[k] ^ q[k], 37);
        }
        uint64x2_t s[] = { vsha512hq_u64(a, b, c), vsha512h2q_u64(a, b, c), vsha512su0q_u64(a, b), vsha512su1q_u64(a, b, c) };
        vst1q_u64(out[0], s[2]);
        u64 x = p[1];
        good &= out[0][0] == p[0] + (turned(x, 1) ^ turned(x, 8) ^ x >> 7);
        x = q[0];
        good &= out[0][1] == p[1] + (turned(x, 1) ^ turned(x, 8) ^ x >> 7);
        sum = sum * 5 + mix(s, sizeof s);
    }
    check("+sha3 and sha512 instructions", good);
    printf("+ %016llx\n", (unsigned long long)sum);
}
#endif

#if defined(__ARM_FEATURE_SM3) && defined(__ARM_FEATURE_SM4)
static u32 rolled(u32 x, int n) { return n % 32 ? x << n % 32 | x >> (32 - n % 32) : x; }

static void sm(void) {
    // SM4: the example of GB/T 32907.
    static const u32 fk[4] = { 0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc };
    u8 key[16], out[32];
    unhex("0123456789abcdeffedcba9876543210", key);
    uint32x4_t plain = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(key)));
    uint32x4_t round = veorq_u32(plain, vld1q_u32(fk)), state = plain;
    for (int i = 0; i < 8; i++) {
        u32 ck[4];
        for (int k = 0; k < 4; k++) {
            u32 base = (u32)(16 * i + 4 * k);
            ck[k] = (base * 7 & 255) << 24 | ((base + 1) * 7 & 255) << 16 | ((base + 2) * 7 & 255) << 8 | ((base + 3) * 7 & 255);
        }
        round = vsm4ekeyq_u32(round, vld1q_u32(ck));
        state = vsm4eq_u32(state, round);
    }
    u8 reversed[16];
    vst1q_u8(reversed, vreinterpretq_u8_u32(state));
    for (int i = 0; i < 16; i++)
        out[i] = reversed[15 - i];
    check_hex("+sm4 instructions", out, "681edf34d206965e86b3e94f536e4246");

    // SM3 of "abc", GB/T 32905: the message expansion by instructions, the rounds too.
    static const u32 iv[8] = { 0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e };
    u32 w[68] = { 0x61626380, [15] = 24 };
    for (int i = 0; i < 13; i++) {
        uint32x4_t w0 = vld1q_u32(w + 4 * i), w4 = vld1q_u32(w + 4 * i + 4), w8 = vld1q_u32(w + 4 * i + 8), w12 = vld1q_u32(w + 4 * i + 12);
        uint32x4_t w7 = vextq_u32(w4, w8, 3), w3 = vextq_u32(w0, w4, 3), w10 = vextq_u32(w8, w12, 2);
        uint32x4_t part = vsm3partw1q_u32(w0, w7, w12);
        vst1q_u32(w + 4 * i + 16, vsm3partw2q_u32(part, w10, w3));
    }
    u32 turned[4] = { iv[3], iv[2], iv[1], iv[0] }, turned2[4] = { iv[7], iv[6], iv[5], iv[4] };
    uint32x4_t abcd = vld1q_u32(turned), efgh = vld1q_u32(turned2);
    for (int i = 0; i < 64; i++) {
        u32 t = rolled(i < 16 ? 0x79cc4519 : 0x7a879d8a, i), one[4] = { 0, 0, 0, t }, w0[4] = { w[i] }, w1[4] = { w[i] ^ w[i + 4] };
        uint32x4_t ss1 = vsm3ss1q_u32(abcd, efgh, vld1q_u32(one));
        uint32x4_t a = i < 16 ? vsm3tt1aq_u32(abcd, ss1, vld1q_u32(w1), 0) : vsm3tt1bq_u32(abcd, ss1, vld1q_u32(w1), 0);
        efgh = i < 16 ? vsm3tt2aq_u32(efgh, ss1, vld1q_u32(w0), 0) : vsm3tt2bq_u32(efgh, ss1, vld1q_u32(w0), 0);
        abcd = a;
    }
    u32 last[8];
    vst1q_u32(last, abcd);
    vst1q_u32(last + 4, efgh);
    for (int i = 0; i < 8; i++) {
        u32 word = last[i / 4 * 4 + 3 - i % 4] ^ iv[i];
        for (int k = 0; k < 4; k++)
            out[4 * i + k] = (u8)(word >> 8 * (3 - k));
    }
    check_hex("+sm3 instructions", out, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}
#endif

#define RUN(prefix) \
    prefix##_arithmetic(); prefix##_multiply(); prefix##_minimum(); prefix##_difference(); \
    prefix##_shifts(); prefix##_select(); prefix##_average()

int main(void) {
    fill();
    RUN(u8);
    RUN(u16);
    RUN(u32);
    RUN(u64);
    RUN(s8);
    RUN(s16);
    u32_divide();
    u8_saturate();
    s16_saturate();
    reductions();
    saturating();
    permutes();
#ifdef __ARM_FEATURE_DOTPROD
    dot_products();
#endif
#ifdef __ARM_FEATURE_MATMUL_INT8
    matrix_products();
#endif
#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
    bfloat();
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
    half_floats();
#endif
#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_AES)
    aes();
#endif
#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_SHA2)
    sha();
#endif
#ifdef __ARM_FEATURE_SHA3
    sha3_and_sha512();
#endif
#if defined(__ARM_FEATURE_SM3) && defined(__ARM_FEATURE_SM4)
    sm();
#endif
    return finish("vector");
}
