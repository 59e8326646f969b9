// Ciphers in plain C: AES (FIPS 197), AES-GCM (the vectors of its specification), ChaCha20-Poly1305 (RFC 8439), X25519 (RFC 7748).
#include "isa.h"

// ---- AES ----
static u8 sbox[256], inverse[256];

static u8 times2(u8 a) { return (u8)(a << 1 ^ (a >> 7) * 0x1b); }

static void aes_init(void) {
    // p runs through the field by multiplication with 3, q by division: q is always the inverse of p.
    u8 p = 1, q = 1;
    do {
        p ^= times2(p);
        q ^= (u8)(q << 1);
        q ^= (u8)(q << 2);
        q ^= (u8)(q << 4);
        q ^= (u8)((q >> 7) * 9);
        u8 x = (u8)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4) ^ 0x63);
        sbox[p] = x;
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++)
        inverse[sbox[i]] = (u8)i;
}

typedef struct { u8 round[15][16]; int rounds; } Aes;

static void aes_key(Aes *aes, const u8 *key, int bytes) {
    int words = bytes / 4;
    u8 *w = aes->round[0], rcon = 1;
    aes->rounds = words + 6;
    memcpy(w, key, (size_t)bytes);
    for (int i = words; i < 4 * (aes->rounds + 1); i++) {
        u8 t[4];
        memcpy(t, w + 4 * (i - 1), 4);
        if (i % words == 0) {
            u8 first = t[0];
            t[0] = sbox[t[1]] ^ rcon;
            t[1] = sbox[t[2]];
            t[2] = sbox[t[3]];
            t[3] = sbox[first];
            rcon = times2(rcon);
        } else if (words > 6 && i % words == 4) {
            for (int k = 0; k < 4; k++)
                t[k] = sbox[t[k]];
        }
        for (int k = 0; k < 4; k++)
            w[4 * i + k] = w[4 * (i - words) + k] ^ t[k];
    }
}

static void add_key(u8 *s, const u8 *key) {
    for (int i = 0; i < 16; i++)
        s[i] ^= key[i];
}

static void encrypt(const Aes *aes, const u8 *in, u8 *out) {
    u8 s[16], t[16];
    memcpy(s, in, 16);
    add_key(s, aes->round[0]);
    for (int r = 1; r <= aes->rounds; r++) {
        for (int i = 0; i < 16; i++)
            t[i] = sbox[s[(i + 4 * (i % 4)) % 16]];
        for (int i = 0; i < 16 && r < aes->rounds; i += 4) {
            u8 all = t[i] ^ t[i + 1] ^ t[i + 2] ^ t[i + 3], first = t[i];
            for (int k = 0; k < 4; k++)
                s[i + k] = t[i + k] ^ all ^ times2(t[i + k] ^ (k < 3 ? t[i + k + 1] : first));
        }
        if (r == aes->rounds)
            memcpy(s, t, 16);
        add_key(s, aes->round[r]);
    }
    memcpy(out, s, 16);
}

static void decrypt(const Aes *aes, const u8 *in, u8 *out) {
    u8 s[16], t[16];
    memcpy(s, in, 16);
    for (int r = aes->rounds; r > 0; r--) {
        add_key(s, aes->round[r]);
        for (int i = 0; i < 16 && r < aes->rounds; i += 4) {
            u8 x = times2(times2(s[i] ^ s[i + 2])), y = times2(times2(s[i + 1] ^ s[i + 3]));
            u8 c[4] = { s[i] ^ x, s[i + 1] ^ y, s[i + 2] ^ x, s[i + 3] ^ y }, all = c[0] ^ c[1] ^ c[2] ^ c[3];
            for (int k = 0; k < 4; k++)
                s[i + k] = c[k] ^ all ^ times2(c[k] ^ c[(k + 1) % 4]);
        }
        for (int i = 0; i < 16; i++)
            t[(i + 4 * (i % 4)) % 16] = inverse[s[i]];
        memcpy(s, t, 16);
    }
    add_key(s, aes->round[0]);
    memcpy(out, s, 16);
}

static u64 load_be(const u8 *p) {
    u64 v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void store_be(u8 *p, u64 v) {
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (u8)v;
}

// GHASH: y = (y ^ block) * h, bit by bit.
static void ghash(u64 y[2], const u64 h[2], const u8 *data, size_t n) {
    for (size_t at = 0; at < n; at += 16) {
        u8 block[16] = { 0 };
        memcpy(block, data + at, n - at < 16 ? n - at : 16);
        u64 x0 = y[0] ^ load_be(block), x1 = y[1] ^ load_be(block + 8), z0 = 0, z1 = 0, v0 = h[0], v1 = h[1];
        for (int i = 0; i < 128; i++) {
            u64 on = 0 - ((i < 64 ? x0 >> (63 - i) : x1 >> (127 - i)) & 1);
            z0 ^= v0 & on;
            z1 ^= v1 & on;
            u64 odd = v1 & 1;
            v1 = v1 >> 1 | v0 << 63;
            v0 = v0 >> 1 ^ (0xe1ull << 56 & (0 - odd));
        }
        y[0] = z0;
        y[1] = z1;
    }
}

static void gcm(const Aes *aes, const u8 *iv, const u8 *aad, size_t aad_size, const u8 *in, size_t n, u8 *out, u8 *tag) {
    u8 zero[16] = { 0 }, counter[16] = { 0 }, pad[16], lengths[16];
    u64 h[2], y[2] = { 0, 0 };
    encrypt(aes, zero, pad);
    h[0] = load_be(pad);
    h[1] = load_be(pad + 8);
    memcpy(counter, iv, 12);
    for (size_t i = 0; i < n; i++) {
        if (i % 16 == 0) {
            store_be(counter + 8, (load_be(counter + 8) & ~0xffffffffull) | (i / 16 + 2));
            encrypt(aes, counter, pad);
        }
        out[i] = in[i] ^ pad[i % 16];
    }
    ghash(y, h, aad, aad_size);
    ghash(y, h, out, n);
    store_be(lengths, aad_size * 8);
    store_be(lengths + 8, n * 8);
    ghash(y, h, lengths, 16);
    store_be(counter + 8, (load_be(counter + 8) & ~0xffffffffull) | 1);
    encrypt(aes, counter, pad);
    store_be(tag, y[0] ^ load_be(pad));
    store_be(tag + 8, y[1] ^ load_be(pad + 8));
}

// ---- ChaCha20 and Poly1305 ----
static u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }

static void quarter(u32 *s, int a, int b, int c, int d) {
    s[a] += s[b]; s[d] = rol(s[d] ^ s[a], 16);
    s[c] += s[d]; s[b] = rol(s[b] ^ s[c], 12);
    s[a] += s[b]; s[d] = rol(s[d] ^ s[a], 8);
    s[c] += s[d]; s[b] = rol(s[b] ^ s[c], 7);
}

static void chacha(const u8 key[32], u32 counter, const u8 nonce[12], u8 out[64]) {
    u32 s[16], start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    memcpy(start + 4, key, 32);
    start[12] = counter;
    memcpy(start + 13, nonce, 12);
    memcpy(s, start, sizeof s);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 4; k++)
            quarter(s, k, k + 4, k + 8, k + 12);
        for (int k = 0; k < 4; k++)
            quarter(s, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4);
    }
    for (int i = 0; i < 16; i++)
        s[i] += start[i];
    memcpy(out, s, 64);
}

// Arithmetic modulo 2^130 - 5 on limbs of 44, 44 and 42 bits.
static void poly1305(const u8 *data, size_t n, const u8 key[32], u8 tag[16]) {
    const u64 m44 = (1ull << 44) - 1, m42 = (1ull << 42) - 1;
    u64 t0, t1, h0 = 0, h1 = 0, h2 = 0;
    memcpy(&t0, key, 8);
    memcpy(&t1, key + 8, 8);
    u64 r0 = t0 & 0xffc0fffffff, r1 = (t0 >> 44 | t1 << 20) & 0xfffffc0ffff, r2 = t1 >> 24 & 0x00ffffffc0f;
    for (size_t at = 0; at < n; at += 16) {
        u8 block[17] = { 0 };
        size_t take = n - at < 16 ? n - at : 16;
        memcpy(block, data + at, take);
        block[take] = 1;
        memcpy(&t0, block, 8);
        memcpy(&t1, block + 8, 8);
        h0 += t0 & m44;
        h1 += (t0 >> 44 | t1 << 20) & m44;
        h2 += (t1 >> 24 & m42) | (u64)block[16] << 40;
        u128 d0 = (u128)h0 * r0 + (u128)h1 * (r2 * 20) + (u128)h2 * (r1 * 20);
        u128 d1 = (u128)h0 * r1 + (u128)h1 * r0 + (u128)h2 * (r2 * 20);
        u128 d2 = (u128)h0 * r2 + (u128)h1 * r1 + (u128)h2 * r0;
        d1 += (u64)(d0 >> 44);
        h0 = (u64)d0 & m44;
        d2 += (u64)(d1 >> 44);
        h1 = (u64)d1 & m44;
        h2 = (u64)d2 & m42;
        h0 += (u64)(d2 >> 42) * 5;
        h1 += h0 >> 44;
        h0 &= m44;
    }
    for (int i = 0; i < 2; i++) {
        h2 += h1 >> 44;
        h1 &= m44;
        h0 += (h2 >> 42) * 5;
        h2 &= m42;
        h1 += h0 >> 44;
        h0 &= m44;
    }
    u64 g0 = h0 + 5, g1 = h1 + (g0 >> 44), g2 = h2 + (g1 >> 44);
    if (g2 >> 42) {
        h0 = g0 & m44;
        h1 = g1 & m44;
        h2 = g2 & m42;
    }
    memcpy(&t0, key + 16, 8);
    memcpy(&t1, key + 24, 8);
    u128 sum = ((u128)(h1 >> 20 | h2 << 24) << 64 | (h0 | h1 << 44)) + ((u128)t1 << 64 | t0);
    memcpy(tag, &sum, 16);
}

static void seal(const u8 *key, const u8 *nonce, const u8 *aad, size_t aad_size, const u8 *in, size_t n, u8 *out, u8 *tag) {
    u8 block[64], one_time[64], mac[512] = { 0 };
    chacha(key, 0, nonce, one_time);
    for (size_t i = 0; i < n; i++) {
        if (i % 64 == 0)
            chacha(key, (u32)(i / 64 + 1), nonce, block);
        out[i] = in[i] ^ block[i % 64];
    }
    size_t at = (aad_size + 15) & ~(size_t)15;
    memcpy(mac, aad, aad_size);
    memcpy(mac + at, out, n);
    at += (n + 15) & ~(size_t)15;
    u64 sizes[2] = { aad_size, n };
    memcpy(mac + at, sizes, 16);
    poly1305(mac, at + 16, one_time, tag);
}

// ---- X25519: five limbs of 51 bits ----
typedef u64 Field[5];
static const u64 m51 = (1ull << 51) - 1;

static void multiply(Field out, const Field a, const Field b) {
    u128 t[5];
    for (int i = 0; i < 5; i++) {
        t[i] = 0;
        for (int k = 0; k < 5; k++)
            t[i] += (u128)a[k] * (k <= i ? b[i - k] : b[i - k + 5] * 19);
    }
    u64 carry = 0;
    for (int i = 0; i < 5; i++) {
        t[i] += carry;
        out[i] = (u64)t[i] & m51;
        carry = (u64)(t[i] >> 51);
    }
    out[0] += carry * 19;
    out[1] += out[0] >> 51;
    out[0] &= m51;
}

static void add(Field out, const Field a, const Field b) {
    for (int i = 0; i < 5; i++)
        out[i] = a[i] + b[i];
}

static void subtract(Field out, const Field a, const Field b) {
    for (int i = 0; i < 5; i++)
        out[i] = a[i] + (i ? 0xffffffffffffe : 0xfffffffffffda) - b[i];
}

static void swap(u64 on, Field a, Field b) {
    for (int i = 0; i < 5; i++) {
        u64 t = (0 - on) & (a[i] ^ b[i]);
        a[i] ^= t;
        b[i] ^= t;
    }
}

static void x25519(u8 out[32], const u8 scalar[32], const u8 point[32]) {
    u8 k[32];
    u64 w[4];
    memcpy(k, scalar, 32);
    k[0] &= 248;
    k[31] = (u8)((k[31] & 127) | 64);
    memcpy(w, point, 32);
    Field x1 = { w[0] & m51, (w[0] >> 51 | w[1] << 13) & m51, (w[1] >> 38 | w[2] << 26) & m51, (w[2] >> 25 | w[3] << 39) & m51,
        w[3] >> 12 & m51 };
    Field x2 = { 1 }, z2 = { 0 }, x3, z3 = { 1 }, a, b, c, d, aa, bb, e, da, cb;
    static const Field a24 = { 121665 };
    memcpy(x3, x1, sizeof x3);
    u64 swapped = 0;
    for (int t = 254; t >= 0; t--) {
        u64 bit = k[t / 8] >> t % 8 & 1;
        swap(swapped ^ bit, x2, x3);
        swap(swapped ^ bit, z2, z3);
        swapped = bit;
        add(a, x2, z2);
        subtract(b, x2, z2);
        add(c, x3, z3);
        subtract(d, x3, z3);
        multiply(aa, a, a);
        multiply(bb, b, b);
        subtract(e, aa, bb);
        multiply(da, d, a);
        multiply(cb, c, b);
        add(x3, da, cb);
        multiply(x3, x3, x3);
        subtract(z3, da, cb);
        multiply(z3, z3, z3);
        multiply(z3, z3, x1);
        multiply(x2, aa, bb);
        multiply(z2, a24, e);
        add(z2, z2, aa);
        multiply(z2, z2, e);
    }
    swap(swapped, x2, x3);
    swap(swapped, z2, z3);
    // z2^(p - 2): all bits of the exponent are ones but 2 and 4.
    Field power = { 1 };
    for (int i = 254; i >= 0; i--) {
        multiply(power, power, power);
        if (i != 2 && i != 4)
            multiply(power, power, z2);
    }
    multiply(x2, x2, power);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 4; i++) {
            x2[i + 1] += x2[i] >> 51;
            x2[i] &= m51;
        }
        x2[0] += (x2[4] >> 51) * 19;
        x2[4] &= m51;
    }
    Field g;
    u64 carry = 19;
    for (int i = 0; i < 5; i++) {
        g[i] = (x2[i] + carry) & m51;
        carry = (x2[i] + carry) >> 51;
    }
    if (carry)
        memcpy(x2, g, sizeof g);
    w[0] = x2[0] | x2[1] << 51;
    w[1] = x2[1] >> 13 | x2[2] << 38;
    w[2] = x2[2] >> 26 | x2[3] << 25;
    w[3] = x2[3] >> 39 | x2[4] << 12;
    memcpy(out, w, 32);
}

int main(void) {
    static const char sunscreen[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        "sunscreen would be it.";
    u8 key[32], data[128], aad[32], iv[16], out[128], tag[16], back[16], block[64];
    Aes aes;
    aes_init();
    for (int i = 0; i < 32; i++)
        key[i] = (u8)i;
    unhex("00112233445566778899aabbccddeeff", data);
    static const char *const fips[] = { "69c4e0d86a7b0430d8cdb78070b4c55a", "dda97ca4864cdfe06eaf70a0ec0d7191",
        "8ea2b7ca516745bfeafc49904b496089" };
    for (int i = 0; i < 3; i++) {
        char name[32];
        sprintf(name, "aes-%d", 128 + 64 * i);
        aes_key(&aes, key, 16 + 8 * i);
        encrypt(&aes, data, out);
        check_hex(name, out, fips[i]);
        decrypt(&aes, out, back);
        check_hex("and back", back, "00112233445566778899aabbccddeeff");
    }
    unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
    size_t n = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39", data);
    size_t aad_size = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
    unhex("cafebabefacedbaddecaf888", iv);
    aes_key(&aes, key, 16);
    gcm(&aes, iv, aad, aad_size, data, n, out, tag);
    check_hex("aes-128-gcm", out,
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
    check_hex("its tag", tag, "5bc94fbc3221a5db94fae95ae7121a47");
    aes_key(&aes, key, 32);
    gcm(&aes, iv, aad, aad_size, data, n, out, tag);
    check_hex("aes-256-gcm", out,
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
    check_hex("its tag", tag, "76fc6ece0f4e1768cddf8853bb2d551b");
    for (int i = 0; i < 32; i++)
        key[i] = (u8)i;
    unhex("000000090000004a00000000", iv);
    chacha(key, 1, iv, block);
    check_hex("chacha20 block", block,
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    for (int i = 0; i < 32; i++)
        key[i] = (u8)(0x80 + i);
    aad_size = unhex("50515253c0c1c2c3c4c5c6c7", aad);
    unhex("070000004041424344454647", iv);
    seal(key, iv, aad, aad_size, (const u8 *)sunscreen, strlen(sunscreen), out, tag);
    check_hex("chacha20-poly1305", out, "d31a8d34648e60db7b86afbc53ef7ec2");
    check_hex("its tag", tag, "1ae10b594f09e26a7e902ecbd0600691");
    unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", key);
    unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", data);
    x25519(out, key, data);
    check_hex("x25519", out, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    memset(key, 0, 32);
    key[0] = 9;
    x25519(out, key, key);
    check_hex("x25519 of 9 and 9", out, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    return finish("crypto");
}
