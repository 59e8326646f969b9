/*
 * Executes one floating-point operation per record on an AArch64 CPU and tells result and FPSR.
 *
 * oracle list      the names of the operations, one a line, in the order of their numbers
 * oracle run OP    reads records {u64 fpcr, a, b, c} from stdin until its end, writes {u64 result, high, fpsr, nzcv}
 *
 * Operands are in v0, v1, v2 (a, b, c; the upper half is a copy for 128-bit operations) and x9 (a). The result is v3, which
 * starts as c, or x10.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct in { uint64_t fpcr, a, b, c; };
struct out { uint64_t result, high, fpsr, nzcv; };

#define PROLOGUE \
	"msr fpcr, %[fpcr]\n msr fpsr, xzr\n dup v0.2d, %[a]\n dup v1.2d, %[b]\n dup v2.2d, %[c]\n" \
	"dup v3.2d, %[c]\n mov x9, %[a]\n mov x10, xzr\n msr nzcv, xzr\n"
#define EPILOGUE "mrs %[fpsr], fpsr\n mrs %[nzcv], nzcv\n msr fpcr, xzr\n"
#define OPERANDS \
	: [lo] "=&r"(lo), [hi] "=&r"(hi), [fpsr] "=&r"(fpsr), [nzcv] "=&r"(nzcv) \
	: [fpcr] "r"(in->fpcr), [a] "r"(in->a), [b] "r"(in->b), [c] "r"(in->c) \
	: "v0", "v1", "v2", "v3", "x9", "x10", "cc", "memory"

#define BODY(id, text, get) \
	static void id(const struct in *in, struct out *out) \
	{ \
		uint64_t lo, hi, fpsr, nzcv; \
		__asm__ volatile(PROLOGUE text "\n" get EPILOGUE OPERANDS); \
		out->result = lo, out->high = hi, out->fpsr = fpsr, out->nzcv = nzcv >> 28; \
	}
#define VECTOR(id, text) BODY(id, text, "mov %[lo], v3.d[0]\n mov %[hi], v3.d[1]\n")
#define GENERAL(id, text) BODY(id, text, "mov %[lo], x10\n mov %[hi], xzr\n")

/* V(name, text): result in v3; G(name, text): result in x10 (or flags only) */
#define BINARY(V, n) V(n##_h, #n " h3, h0, h1") V(n##_s, #n " s3, s0, s1") V(n##_d, #n " d3, d0, d1")
#define UNARY(V, n) V(n##_h, #n " h3, h0") V(n##_s, #n " s3, s0") V(n##_d, #n " d3, d0")
#define UNARYV(V, n) V(n##_h, #n " v3.8h, v0.8h") V(n##_s, #n " v3.4s, v0.4s") V(n##_d, #n " v3.2d, v0.2d")
#define TERNARY(V, n) V(n##_h, #n " h3, h0, h1, h2") V(n##_s, #n " s3, s0, s1, s2") V(n##_d, #n " d3, d0, d1, d2")
#define TOINT(G, n) \
	G(n##_wh, #n " w10, h0") G(n##_ws, #n " w10, s0") G(n##_wd, #n " w10, d0") \
	G(n##_xh, #n " x10, h0") G(n##_xs, #n " x10, s0") G(n##_xd, #n " x10, d0")
#define TOFIX(G, n, wb, xb) \
	G(n##_wh_##wb, #n " w10, h0, #" #wb) G(n##_ws_##wb, #n " w10, s0, #" #wb) G(n##_wd_##wb, #n " w10, d0, #" #wb) \
	G(n##_xh_##xb, #n " x10, h0, #" #xb) G(n##_xs_##xb, #n " x10, s0, #" #xb) G(n##_xd_##xb, #n " x10, d0, #" #xb)
#define FROMINT(V, n) \
	V(n##_hw, #n " h3, w9") V(n##_sw, #n " s3, w9") V(n##_dw, #n " d3, w9") \
	V(n##_hx, #n " h3, x9") V(n##_sx, #n " s3, x9") V(n##_dx, #n " d3, x9")
#define FROMFIX(V, n, wb, xb) \
	V(n##_hw_##wb, #n " h3, w9, #" #wb) V(n##_sw_##wb, #n " s3, w9, #" #wb) V(n##_dw_##wb, #n " d3, w9, #" #wb) \
	V(n##_hx_##xb, #n " h3, x9, #" #xb) V(n##_sx_##xb, #n " s3, x9, #" #xb) V(n##_dx_##xb, #n " d3, x9, #" #xb)

#define OPERATIONS(V, G) \
	BINARY(V, fadd) BINARY(V, fsub) BINARY(V, fmul) BINARY(V, fnmul) BINARY(V, fmulx) BINARY(V, fdiv) BINARY(V, fabd) \
	BINARY(V, fmax) BINARY(V, fmin) BINARY(V, fmaxnm) BINARY(V, fminnm) BINARY(V, frecps) BINARY(V, frsqrts) \
	BINARY(V, fcmeq) BINARY(V, fcmge) BINARY(V, fcmgt) BINARY(V, facge) BINARY(V, facgt) \
	TERNARY(V, fmadd) TERNARY(V, fmsub) TERNARY(V, fnmadd) TERNARY(V, fnmsub) \
	UNARY(V, fsqrt) UNARY(V, frinta) UNARY(V, frinti) UNARY(V, frintm) UNARY(V, frintn) UNARY(V, frintp) UNARY(V, frintx) \
	UNARY(V, frintz) UNARY(V, fabs) UNARY(V, fneg) UNARY(V, frecpe) UNARY(V, frsqrte) UNARY(V, frecpx) \
	V(frint32z_s, "frint32z s3, s0") V(frint32z_d, "frint32z d3, d0") V(frint32x_s, "frint32x s3, s0") \
	V(frint32x_d, "frint32x d3, d0") V(frint64z_s, "frint64z s3, s0") V(frint64z_d, "frint64z d3, d0") \
	V(frint64x_s, "frint64x s3, s0") V(frint64x_d, "frint64x d3, d0") \
	G(fcmp_h, "fcmp h0, h1") G(fcmp_s, "fcmp s0, s1") G(fcmp_d, "fcmp d0, d1") \
	G(fcmpe_h, "fcmpe h0, h1") G(fcmpe_s, "fcmpe s0, s1") G(fcmpe_d, "fcmpe d0, d1") \
	V(fcvt_sh, "fcvt s3, h0") V(fcvt_dh, "fcvt d3, h0") V(fcvt_hs, "fcvt h3, s0") V(fcvt_ds, "fcvt d3, s0") \
	V(fcvt_hd, "fcvt h3, d0") V(fcvt_sd, "fcvt s3, d0") V(fcvtxn, "fcvtxn s3, d0") V(bfcvt, "bfcvt h3, s0") \
	TOINT(G, fcvtns) TOINT(G, fcvtnu) TOINT(G, fcvtps) TOINT(G, fcvtpu) TOINT(G, fcvtms) TOINT(G, fcvtmu) \
	TOINT(G, fcvtzs) TOINT(G, fcvtzu) TOINT(G, fcvtas) TOINT(G, fcvtau) \
	TOFIX(G, fcvtzs, 1, 1) TOFIX(G, fcvtzs, 13, 29) TOFIX(G, fcvtzs, 32, 64) \
	TOFIX(G, fcvtzu, 1, 1) TOFIX(G, fcvtzu, 13, 29) TOFIX(G, fcvtzu, 32, 64) \
	V(fcvtzs_hv, "fcvtzs h3, h0") V(fcvtzu_hv, "fcvtzu h3, h0") V(fcvtas_hv, "fcvtas h3, h0") V(fcvtnu_hv, "fcvtnu h3, h0") \
	V(fcvtzs_hv_9, "fcvtzs h3, h0, #9") V(fcvtzu_hv_16, "fcvtzu h3, h0, #16") \
	G(fjcvtzs, "fjcvtzs w10, d0") \
	FROMINT(V, scvtf) FROMINT(V, ucvtf) \
	FROMFIX(V, scvtf, 1, 1) FROMFIX(V, scvtf, 13, 29) FROMFIX(V, scvtf, 32, 64) \
	FROMFIX(V, ucvtf, 1, 1) FROMFIX(V, ucvtf, 13, 29) FROMFIX(V, ucvtf, 32, 64) \
	V(scvtf_hv, "scvtf h3, h0") V(ucvtf_hv, "ucvtf h3, h0") V(scvtf_hv_16, "scvtf h3, h0, #16") V(ucvtf_hv_9, "ucvtf h3, h0, #9") \
	V(urecpe, "urecpe v3.2s, v0.2s") V(ursqrte, "ursqrte v3.2s, v0.2s") \
	V(fmlal, "fmlal v3.2s, v0.2h, v1.2h") V(fmlsl, "fmlsl v3.2s, v0.2h, v1.2h") \
	V(bfdot, "bfdot v3.2s, v0.4h, v1.4h") V(bfmmla, "bfmmla v3.4s, v0.8h, v1.8h") \
	V(bfmlalb, "bfmlalb v3.4s, v0.8h, v1.8h") V(bfmlalt, "bfmlalt v3.4s, v0.8h, v1.8h")

#define DEFINE_V(id, text) VECTOR(do_##id, text)
#define DEFINE_G(id, text) GENERAL(do_##id, text)
OPERATIONS(DEFINE_V, DEFINE_G)

#define ENTRY(id, text) { #id, do_##id },
static const struct { const char *name; void (*run)(const struct in *, struct out *); } operations[] = { OPERATIONS(ENTRY, ENTRY) };
#define COUNT (sizeof(operations) / sizeof(operations[0]))

static struct in ins[4096];
static struct out outs[4096];

static ssize_t full_read(void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(0, (char *)buffer + done, size - done);

		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

static void full_write(const void *buffer, size_t size)
{
	while (size) {
		ssize_t n = write(1, buffer, size);

		if (n <= 0)
			_exit(1);
		buffer = (const char *)buffer + n;
		size -= n;
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < COUNT; i++)
			puts(operations[i].name);
		return 0;
	}
	/* A request: {u64 operation, u64 count} and count records. */
	for (;;) {
		uint64_t head[2];

		if (full_read(head, sizeof(head)) != sizeof(head))
			return 0;
		if (head[0] >= COUNT)
			return 1;
		while (head[1]) {
			size_t n = head[1] < 4096 ? head[1] : 4096;

			if (full_read(ins, n * sizeof(ins[0])) != (ssize_t)(n * sizeof(ins[0])))
				return 1;
			for (size_t i = 0; i < n; i++)
				operations[head[0]].run(&ins[i], &outs[i]);
			full_write(outs, n * sizeof(outs[0]));
			head[1] -= n;
		}
	}
}
