using ArmVdso.Emulator.FloatingPoint;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>Operands where floating-point arithmetic goes wrong: boundaries, NaNs, denormals, halfway cases, near misses.</summary>
public sealed class FpOperands(int seed)
{
    private readonly Random _random = new(seed);

    private static int Fraction(int bits) => bits == 64 ? 52 : bits == 32 ? 23 : 10;

    private ulong Bits() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue);

    /// <summary>FPCR with random RMode, FZ, DN, AHP, FZ16.</summary>
    public ulong Fpcr() => _random.Next(4) == 0 ? (ulong)_random.Next(4) << 22
        : ((ulong)_random.Next(32) << 22) | ((ulong)_random.Next(2) << 19);

    /// <summary>A question for operands of the given formats (0: an integer).</summary>
    public FpQuestion Next(int bits, bool product)
    {
        ulong fpcr = Fpcr();
        if (bits == 0)
            return new FpQuestion(fpcr, Integer(), Bits(), Bits());
        ulong a = Number(bits), b = _random.Next(4) == 0 ? Near(a, bits) : Number(bits), c = _random.Next(4) == 0 ? Near(a, bits)
            : Number(bits);
        if (product && _random.Next(3) == 0)
        {
            // An addend that nearly cancels the product.
            uint ignored = 0;
            c = Near(Fp.Mul(a, b, bits, (uint)fpcr, ref ignored), bits);
        }
        // What lies above the element must not matter.
        ulong above = bits == 64 ? 0 : Bits() << bits;
        return new FpQuestion(fpcr, a | above, b | above, c | above);
    }

    /// <summary>A question whose operands are vectors of elements.</summary>
    public FpQuestion NextVector(int bits, int accumulatorBits)
    {
        ulong fpcr = Fpcr();
        return new FpQuestion(fpcr, Vector(bits), Vector(bits), Vector(accumulatorBits));
    }

    private ulong Vector(int bits)
    {
        ulong vector = 0;
        for (int at = 0; at < 64; at += bits)
            vector |= Number(bits) << at;
        return vector;
    }

    /// <summary>A BFloat16 or other number by the top of a wider format.</summary>
    public ulong TopsOfSingles()
    {
        ulong vector = 0;
        for (int at = 0; at < 64; at += 16)
            vector |= (Number(32) >> 16) << at;
        return vector;
    }

    private ulong Integer()
    {
        ulong value = Bits() >> _random.Next(64);
        switch (_random.Next(5))
        {
            case 0:
                value = (1UL << _random.Next(64)) + (ulong)_random.Next(-3, 4);
                break;
            case 1: // halfway between neighbours of some format
                value = ((Bits() >> 40 << 1) | 1) << _random.Next(40);
                break;
            case 2:
                value = ((Bits() >> 11 << 1) | 1) << _random.Next(11);
                break;
        }
        return _random.Next(2) == 0 ? value : 0 - value;
    }

    /// <summary>The neighbourhood of a number: itself, its negation, a few units away, another exponent.</summary>
    private ulong Near(ulong value, int bits)
    {
        ulong mask = ulong.MaxValue >> (64 - bits);
        value = (value + (ulong)_random.Next(-2, 3)) & mask;
        if (_random.Next(2) == 0)
            value ^= 1UL << (bits - 1);
        if (_random.Next(2) == 0)
            value += (ulong)_random.Next(-Fraction(bits) - 3, Fraction(bits) + 4) << Fraction(bits);
        return value & mask;
    }

    /// <summary>One number of the format.</summary>
    public ulong Number(int bits)
    {
        int f = Fraction(bits);
        ulong fractionMask = (1UL << f) - 1, exponents = (1UL << (bits - 1 - f)) - 1;
        ulong sign = (ulong)_random.Next(2) << (bits - 1);
        ulong bias = exponents >> 1;
        ulong fraction = Bits() & fractionMask, exponent = Bits() % (exponents + 1);
        switch (_random.Next(10))
        {
            case 0: // ends of the exponent range and of the fraction, zeros, infinities and NaNs among them
                exponent = _random.Next(6) switch { 0 => 0, 1 => 1, 2 => exponents, 3 => exponents - 1, 4 => bias, _ => bias + 1 };
                fraction = _random.Next(7) switch
                {
                    0 => 0,
                    1 => 1,
                    2 => fractionMask,
                    3 => fractionMask - 1,
                    4 => 1UL << (f - 1),
                    5 => (1UL << (f - 1)) - 1,
                    _ => (1UL << (f - 1)) + 1
                };
                break;
            case 1: // denormals of every size
                exponent = 0;
                fraction >>= _random.Next(f);
                break;
            case 2: // NaNs
                exponent = _random.Next(3) == 0 ? exponents : exponent;
                break;
            case 3: // few significant bits: exact results and ties
            case 4:
                fraction = fraction >> _random.Next(f) << _random.Next(f) & fractionMask;
                exponent = bias + (ulong)_random.Next(-f - 2, f + 3);
                break;
            case 5: // long runs of ones or zeros: ties in narrower formats
                fraction = (fractionMask >> _random.Next(f)) ^ (_random.Next(2) == 0 ? fractionMask : 0) ^ (1UL << _random.Next(f));
                exponent = bias + (ulong)_random.Next(-30, 70);
                break;
            case 6: // around the limits of half and single precision
                exponent = bias + (ulong)(_random.Next(4) switch { 0 => -14, 1 => 15, 2 => -126, _ => 127 } + _random.Next(-12, 3));
                break;
            case 7: // around integers of 32 and 64 bits
                exponent = bias + (ulong)_random.Next(28, 68);
                if (_random.Next(2) == 0)
                    fraction = _random.Next(2) == 0 ? 0 : fractionMask;
                break;
        }
        return sign | ((exponent & exponents) << f) | fraction;
    }
}
