// Floating point: linear algebra, Fourier transform, Newton's iteration, libm, conversions, rounding. Results are printed as
// exact hexadecimal numbers: compiled without contraction (-ffp-contract=off) they do not depend on compiler or options.
#include "isa.h"
#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <math.h>

enum { N = 24, Points = 256 };

static double a[N][N], b[N][N], c[N][N];
static float single[1024], other[1024];

static void matrix(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = 1.0 / (i + j + 1) + (i == j ? 2 : 0);
            b[i][j] = (double)(i * 7 + j * 3) / 11 - 4;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            c[i][j] = 0;
            for (int k = 0; k < N; k++)
                c[i][j] += a[i][k] * b[k][j];
        }
    printf("product %a %a %a\n", c[0][0], c[N / 2][N / 3], c[N - 1][N - 1]);
    // Gaussian elimination of a x = c gives b back.
    double determinant = 1;
    for (int p = 0; p < N; p++) {
        determinant *= a[p][p];
        for (int i = p + 1; i < N; i++) {
            double factor = a[i][p] / a[p][p];
            for (int j = p; j < N; j++)
                a[i][j] -= factor * a[p][j];
            for (int j = 0; j < N; j++)
                c[i][j] -= factor * c[p][j];
        }
    }
    double worst = 0;
    for (int p = N - 1; p >= 0; p--)
        for (int j = 0; j < N; j++) {
            for (int k = p + 1; k < N; k++)
                c[p][j] -= a[p][k] * c[k][j];
            c[p][j] /= a[p][p];
            worst = fmax(worst, fabs(c[p][j] - b[p][j]));
        }
    printf("determinant %a\n", determinant);
    check("elimination gives the factor back", worst < 1e-12);
}

static void transform(double complex *x, int n, int sign) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
    for (int size = 2; size <= n; size *= 2)
        for (int i = 0; i < n; i += size)
            for (int k = 0; k < size / 2; k++) {
                double angle = sign * 2 * M_PI * k / size, re = cos(angle), im = sin(angle);
                double complex low = x[i + k], high = x[i + k + size / 2];
                double hr = creal(high) * re - cimag(high) * im, hi = creal(high) * im + cimag(high) * re;
                x[i + k] = __builtin_complex(creal(low) + hr, cimag(low) + hi);
                x[i + k + size / 2] = __builtin_complex(creal(low) - hr, cimag(low) - hi);
            }
}

static void fourier(void) {
    static double complex x[Points], y[Points];
    double worst = 0;
    for (int i = 0; i < Points; i++)
        x[i] = y[i] = __builtin_complex(sin(i * 0.37) + (i % 5), cos(i * 1.1));
    transform(y, Points, -1);
    printf("spectrum %a %a %a\n", creal(y[1]), cimag(y[17]), creal(y[200]));
    transform(y, Points, 1);
    for (int i = 0; i < Points; i++)
        worst = fmax(worst, cabs(y[i] / Points - x[i]));
    check("transform and back", worst < 1e-13);
}

static void newton(void) {
    double x = 1;
    for (int i = 0; i < 8; i++)
        x = (x + 2 / x) / 2;
    printf("newton %a, square root %a\n", x, sqrt(2.0));
    check("newton finds the square root of 2", fabs(x - sqrt(2.0)) <= DBL_EPSILON);
    float y = 0.5f;
    for (int i = 0; i < 6; i++)
        y = y * (1.5f - 0.5f * 3 * y * y);
    check("newton finds the inverse square root", fabsf(y - 0.5773502692f) < 2e-7f);
}

static void library(void) {
    static const double arguments[] = { 0.1, 0.7, 1.0, 2.5, 10.75, 123.456, 1e10 };
    for (unsigned i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        double x = arguments[i];
        printf("x %g: %a %a %a %a %a %a\n", x, sin(x), cos(x), tan(x), log(x), cbrt(x), atan(x));
        printf("  %a %a %a %a %a\n", sqrt(x), pow(x, 0.3), tgamma(fmin(x, 20)), erf(x), exp(-fmin(x, 700)));
        printf("  %a %a %a %a\n", sinf((float)x), expf(-(float)x), logf((float)x), powf((float)x, 1.3f));
        check("sine and cosine", fabs(sin(x) * sin(x) + cos(x) * cos(x) - 1) < 1e-15);
        check("exponential and logarithm", fabs(exp(log(x)) / x - 1) < 1e-14);
    }
}

static volatile double d;
static volatile float f;
static volatile long long ll;
static volatile unsigned long long ull;
static volatile int in;
static volatile unsigned un;

static void conversions(void) {
    static const double values[] = { 0.5, 1.5, 2.5, -0.5, -1.5, 3.7, -3.7, 2147483647.5, 1e18, -1e18, 4294967295.0, 0.1, 16777217.0 };
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        d = values[i];
        f = (float)d;
        printf("%a: %a %.0f %a %a %a %a %a", d, f, d, floor(d), ceil(d), trunc(d), round(d), rint(d));
        ll = (long long)d;
        in = (int)ll;
        un = (unsigned)ll;
        printf(" %lld %ld %a %a", ll, lrint(d), (double)ll, (float)ll);
        ull = (unsigned long long)ll;
        printf(" %a %a %a %a\n", (double)ull, (float)ull, (double)in, (float)un);
    }
    static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    for (int m = 0; m < 4; m++) {
        volatile double one = 1, ten = 10, big = 1e308;
        volatile float third = 3, unit = 1;
        fesetround(modes[m]);
        feclearexcept(FE_ALL_EXCEPT);
        printf("mode %d: %a %a %a %a %a %a", m, one / ten, -one / ten, unit / third, sqrt(one + one), big * ten, rint(ten / 4));
        printf(" flags %x\n", (unsigned)fetestexcept(FE_ALL_EXCEPT));
        printf("  %.3f %.2e %g\n", 2.0005, 1.0 / 3, 0.1 + 0.2);
    }
    fesetround(FE_TONEAREST);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double zero = 0, tiny = DBL_MIN, huge = DBL_MAX;
    d = 1 / zero;
    check("division by zero", fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO && isinf(d));
    feclearexcept(FE_ALL_EXCEPT);
    d = zero / zero;
    check("invalid", fetestexcept(FE_ALL_EXCEPT) == FE_INVALID && isnan(d));
    feclearexcept(FE_ALL_EXCEPT);
    d = tiny / 3;
    check("underflow", fetestexcept(FE_ALL_EXCEPT) == (FE_UNDERFLOW | FE_INEXACT) && d > 0);
    feclearexcept(FE_ALL_EXCEPT);
    d = huge * 2;
    check("overflow", fetestexcept(FE_ALL_EXCEPT) == (FE_OVERFLOW | FE_INEXACT) && isinf(d));
    check("fused multiply-add rounds once", fma(1 + DBL_EPSILON, 1 - DBL_EPSILON, -1) == -DBL_EPSILON * DBL_EPSILON);
    check("comparisons with NaN", !(NAN < 1) && !(NAN > 1) && NAN != NAN && isunordered(NAN, 1.0));
    check("minimum and maximum", fmin(NAN, 1) == 1 && fmax(-0.0, 0.0) == 0 && fmin(2, -3) == -3);
}

// Loops that compilers turn into vector code. Sums are of integers small enough to be exact in any order.
static void loops(void) {
    double sum = 0, dot = 0;
    float most = 0;
    int counted = 0;
    for (int i = 0; i < 1024; i++) {
        single[i] = (float)(i * 37 % 101) / 4;
        other[i] = (float)(i % 17) - 8;
    }
    for (int i = 0; i < 1024; i++)
        single[i] = single[i] * other[i] + 0.25f;
    for (int i = 0; i < 1024; i++) {
        sum += single[i];
        dot += (double)single[i] * other[i];
        most = single[i] > most ? single[i] : most;
        counted += single[i] < other[i];
    }
    printf("loops %a %a %a %d\n", sum, dot, most, counted);
    for (int i = 0; i < 1024; i++)
        single[i] = sqrtf(fabsf(single[i])) / (1 + other[i] * other[i]);
    static int32_t whole[1024];
    static uint16_t small[1024];
    static double wide[1024];
    for (int i = 0; i < 1024; i++) {
        whole[i] = (int32_t)(single[i] * 1000);
        wide[i] = floor(single[i] * 8);
    }
    for (int i = 0; i < 1024; i++)
        small[i] = (uint16_t)single[i];
    u64 mix = 0;
    for (int i = 0; i < 1024; i++)
        mix = mix * 31 + (u64)whole[i] + small[i] + (u64)wide[i];
    printf("mix %016llx\n", (unsigned long long)mix);
}

static void half(void) {
    u32 mix = 0;
    for (u32 bits = 0; bits < 0x7c00; bits += 7) {
        u16 pattern = (u16)bits;
        __fp16 h;
        memcpy(&h, &pattern, 2);
        float wide = h;
        double doubled = h;
        __fp16 back = (__fp16)(wide * 1.0009765625f);
        u16 result;
        memcpy(&result, &back, 2);
        mix = mix * 33 + result + (wide == (float)doubled);
    }
    printf("half %08x\n", mix);
}

static void printing(void) {
    printf("%.17g %.3e %g %f %.10f\n", 0.1, 12345.6789, 1e100, 2.0 / 3, M_PI);
    printf("%.0f %.0f %.0f %.1f %.20f\n", 0.5, 1.5, 2.5, 0.25, 1.1);
    printf("%Lg %La %.30Lf\n", 1.0L / 3, 1.0L / 3, 2.0L / 7);
    check("strtod", strtod("3.14159265358979323846", NULL) == M_PI && strtod("0x1.8p-3", NULL) == 0.1875);
}

int main(void) {
    matrix();
    fourier();
    newton();
    library();
    conversions();
    loops();
    half();
    printing();
    return finish("floats");
}
