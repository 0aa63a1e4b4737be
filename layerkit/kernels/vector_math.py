"""Elementary functions that LLVM vectorises: kernels call them on scalars inside loops.

Every function f has the names `f_float32` and `f_float64`. It is inlined whatever its size and has no branches, table
look-ups or calls: special values are put in by selects, so a loop over any of them becomes packed instructions. The
exceptions, which call the C library's scalar function because correctness over the whole range matters more there:
`sin`, `cos`, `tan`, `pow`, `arctan`, `arctan2`, `arcsin`, `arccos` in float64, and `mod` and `floor_divide` in both
types (their fmod is exact). `pow_float32` computes in float64 inside, and still vectorises.

With AVX-512, exp, log, tanh and sigmoid are those of `vector_registers`; elsewhere the ones here, which tests call by
the names `portable_exp_float32` and so on.

Errors are at most 2 units of the last place, but 2.5 for tanh, sigmoid, arctan, arcsin, arctanh (and arcsinh, arccosh
and softplus in float64), 3 for tan, float32's sigmoid, and tanh in float64 and with AVX-512, 3.5 for arctan2, 5 for
erfc in float32 and 6 in float64; `test_vector_math.py` asserts each. sin, cos and tan in float32 keep that for
|x| <= 100,000; the error grows with |x| beyond.

Infinities, NaN and signed zeros come out as in C; overflow gives infinity. Arguments and results below the smallest
normal number are zero, since plans run with subnormal numbers flushed (walker.py).

Coefficients are minimax polynomials fitted by Remez' exchange with 50 digits; the reductions are Cody and Waite's
("Software Manual for the Elementary Functions", 1980), log's is Sun's fdlibm's, and erfc's variable
(x - k) / (x + k) is Shepherd and Laframboise's (Math. Comp. 36, 1981). They hold only in the written order of
operations, so everything here allows contraction and nothing else. Speed is a matter of the number of instructions and
of divisions; `python -m benchmarks.elementwise` measures it, and docs/performance.md has the floors.
"""

from __future__ import annotations

import math

from layerkit.kernels import vector_registers
from layerkit.kernels.vector_primitives import (
    FLOAT,
    absolute,
    ceil,
    constant,
    copysign,
    elementary,
    exact_remainder,
    exponent_added,
    floor,
    high_half,
    narrowed,
    nearest,
    nearest_small,
    nearest_with_exponent,
    nearest_with_power,
    polynomial,
    power_of_two,
    select,
    split_exponent,
    split_exponent_scaled,
    square_root,
    trunc,
    widened,
)
from layerkit.kernels.vector_trigonometry import TRIGONOMETRIC

# fmt: off
_log_series = polynomial(
    (0.66666776, 0.39977518, 0.29872426),
    (
        0.6666666666666735, 0.3999999999941301, 0.2857142874279246, 0.22222198528169698, 0.18183566837111412,
        0.15313982171408771, 0.14796673006487082,
    ),
)
# fmt: on


def log_of_fraction(f):
    """log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2))."""
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    return f - (half_square - s * (half_square + z * _log_series(z)))


# Exponentials

_LOG2_E = constant(1.442695, 1.4426950408889634)
_LN2_HIGH = constant(0.693359375, 0.6931471803691238)
_LN2_LOW = constant(-2.1219444e-4, 1.9082149292705877e-10)
_EXP_LOWEST = constant(-105.0, -746.0)
_EXP_HIGHEST = constant(90.0, 711.0)
_EXP_NORMAL = constant(-87.33654022216797, -708.3964185322641)  # below, exp is subnormal
_EXP_FINITE = constant(88.72283172607422, 709.782712893384)  # above, it is infinite
_SIGMOID_LOWEST = constant(-87.0, -708.0)
_SIGMOID_HIGHEST = constant(89.0, 710.0)
_HALF_EXPONENTS = constant(64.0, 512.0)
_HALF_LN2 = constant(0.34657359, 0.34657359027997264)
_EXPM1_LOWEST = constant(-30.0, -60.0)
_EXPM1_HIGHEST = constant(88.8, 709.8)  # still 2**128 or 2**1024 times something near 1
_TANH_HIGHEST = constant(10.0, 20.0)  # tanh rounds to 1 from 9.1 or 19.1
_TINY = constant(1e-30, 1e-300)

# fmt: off
_EXP_COEFFICIENTS = (
    (0.5, 0.16666542, 0.04166628, 0.008366711, 0.0013946535),
    (
        0.5000000000000006, 0.16666666666666685, 0.0416666666665722, 0.00833333333331426, 0.0013888888932878432,
        0.00019841269903822148, 2.480150381216963e-05, 2.7557227192490197e-06, 2.7626590076925455e-07,
        2.5114728841585493e-08,
    ),
)
# fmt: on
_exp_series = polynomial(*_EXP_COEFFICIENTS)


def clamp(x, lowest, highest):
    """Limit x to lowest..highest; NaN stays NaN."""
    x = select(x < lowest, lowest, x)
    return select(x > highest, highest, x)


def _expm1_of_rest(x, n):
    """expm1(x - n ln 2), the rest being at most ln(2) / 2."""
    r = x - n * _LN2_HIGH(x)
    r = r - n * _LN2_LOW(x)
    return r + r * r * _exp_series(r)


def _exp_reduced(x):
    """(2**n, expm1(r)) with x = n ln 2 + r and |r| <= ln(2) / 2."""
    n, power = nearest_with_power(x, _LOG2_E(x))
    return power, _expm1_of_rest(x, n)


def _exp_scaled(x, k):
    """exp(x) * 2**k; the power is applied in two factors, so only the result itself overflows or is subnormal."""
    x = clamp(x, _EXP_LOWEST(x), _EXP_HIGHEST(x))
    n = nearest_small(x * _LOG2_E(x))
    m = _expm1_of_rest(x, n)
    negative, distance = x < 0.0, _HALF_EXPONENTS(x)
    first = select(negative, 1.0 / power_of_two(distance), power_of_two(distance))
    n = n + (k - select(negative, -distance, distance))
    return (1.0 + m) * power_of_two(n) * first


def exp(x):
    """The exponential e**x."""
    n, exponent = nearest_with_exponent(x, _LOG2_E(x))
    y = exponent_added(1.0 + _expm1_of_rest(x, n), exponent)
    y = select(x <= _EXP_FINITE(x), y, x + math.inf)
    return select(x < _EXP_NORMAL(x), 0.0, y)


def expm1(x):
    """The exponential less one, e**x - 1."""
    z = clamp(x, _EXPM1_LOWEST(x), _EXPM1_HIGHEST(x))
    n = nearest_small(z * _LOG2_E(x))
    m = _expm1_of_rest(z, n)
    half_scale = power_of_two(n - 1.0)
    y = 2.0 * (half_scale * m + (half_scale - 0.5))
    return select(absolute(x) < _TINY(x), x, y)


_tanh_series = polynomial(  # (expm1(2h) - 2h) / (2h**2)
    tuple(c * 2.0 ** (k + 1) for k, c in enumerate(_EXP_COEFFICIENTS[0])),
    tuple(c * 2.0 ** (k + 1) for k, c in enumerate(_EXP_COEFFICIENTS[1])),
)


def tanh(x):
    """Hyperbolic tangent u / (u + 1), u = expm1(2 abs(x)) / 2."""
    a = absolute(x)
    a = select(a > _TANH_HIGHEST(x), _TANH_HIGHEST(x), a)
    n, power = nearest_with_power(a, 2.0 * _LOG2_E(x))
    if x.type == FLOAT:
        h = a - n * _HALF_LN2(x)  # n is at most 29: what half of ln 2 lacks of a float does not matter
    else:
        h = (a - n * (0.5 * _LN2_HIGH(x))) - n * (0.5 * _LN2_LOW(x))
    u = power * (h + h * h * _tanh_series(h)) + (0.5 * power - 0.5)
    return copysign(u / (u + 1.0), x)


def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)); from an infinite exponential on it is subnormal."""
    power, m = _exp_reduced(clamp(-x, _SIGMOID_LOWEST(x), _SIGMOID_HIGHEST(x)))
    return 1.0 / (1.0 + (1.0 + m) * power)


# fmt: off
_sinh_series = polynomial(
    (0.16666667, 0.0083333505, 0.00019836066, 2.817441e-06),
    (
        0.16666666666666666, 0.008333333333333333, 0.0001984126984126959, 2.7557319224120253e-06,
        2.5052108345638527e-08, 1.6059050706307748e-10, 7.646476329135413e-13, 2.8483992004481247e-15,
    ),
)
# fmt: on


def sinh(x):
    """Hyperbolic sine."""
    a = absolute(x)
    e = _exp_scaled(a, -1.0)
    z = x * x
    small = a + a * (z * _sinh_series(z))
    return copysign(select(a < 1.0, small, e - 0.25 / e), x)


def cosh(x):
    """Hyperbolic cosine."""
    e = _exp_scaled(absolute(x), -1.0)
    return e + 0.25 / e


# Logarithms

_LOG10_E = constant(0.43429449, 0.4342944819032518)
_LOG10_2_HIGH = constant(0.301025390625, 0.301029995663157)
_LOG10_2_LOW = constant(4.605038981e-06, 8.241712586023572e-13)
_NAN = constant(math.nan, math.nan)


def _log_reduced(x):
    """(log(m), e) with x = m * 2**e; for x > 0."""
    m, e = split_exponent(x)
    return log_of_fraction(m - 1.0), e


def _log_special(x, y):
    """y, or the special value of a logarithm at x."""
    y = select(x < math.inf, y, x)
    return select(x > 0.0, y, select(x == 0.0, x.like(-math.inf), math.nan))


_log_polynomial = polynomial(  # (log(1 + f) - f) / f**2 from sqrt(1/2) - 1 to sqrt(2) - 1
    (
        -0.49999988079071045,
        0.33333325386047363,
        -0.2500157952308655,
        0.2000194936990738,
        -0.1660916656255722,
        0.14182373881340027,
        -0.13242866098880768,
        0.12900836765766144,
        -0.07617584615945816,
    ),
    (math.nan,),
)


def _log_float32(x):
    """Natural logarithm; a longer polynomial in place of the division, which alone takes as long as all of this."""
    m, e = split_exponent_scaled(x)
    f = m - 1.0
    y = f + f * f * _log_polynomial(f)
    return _log_special(x, e * (math.log(2.0) * 2.0**-23) + y)


def _log_float64(x):
    """Natural logarithm."""
    y, e = _log_reduced(x)
    return _log_special(x, e * _LN2_HIGH(x) + (y + e * _LN2_LOW(x)))


def log(x):
    """Natural logarithm."""
    return _log_float32(x) if x.type == FLOAT else _log_float64(x)


def log2(x):
    """Logarithm to base 2."""
    y, e = _log_reduced(x)
    return _log_special(x, e + y * _LOG2_E(x))


def log10(x):
    """Logarithm to base 10."""
    y, e = _log_reduced(x)
    return _log_special(x, e * _LOG10_2_HIGH(x) + (y * _LOG10_E(x) + e * _LOG10_2_LOW(x)))


def _log1p_finite(x):
    """log1p of a finite x > -1: what 1 + x lost to rounding is added to the fraction."""
    u = 1.0 + x
    lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x))
    m, e = split_exponent(u)
    limit = 64.0  # keeps the power normal; what such a large u lost is beyond its bits anyhow
    y = log_of_fraction((m - 1.0) + lost * power_of_two(-select(e > limit, limit, e)))
    return e * _LN2_HIGH(x) + (y + e * _LN2_LOW(x))


def log1p(x):
    """Natural logarithm of 1 + x."""
    y = _log_special(1.0 + x, _log1p_finite(x))
    return select(absolute(x) < _TINY(x), x, y)


def softplus(x):
    """log(1 + exp(x))."""
    e = exp(-absolute(x))
    tail = select(e < _TINY(x), e, _log1p_finite(e))
    return select(x < 0.0, 0.0, x) + tail


def arcsinh(x):
    """Inverse hyperbolic sine."""
    a = absolute(x)
    huge = a > 2.0**28
    z = select(huge, 1.0, a)
    near = _log1p_finite(z + z * z / (1.0 + square_root(z * z + 1.0)))
    y = select(huge, log(a) + 0.6931471805599453, near)
    y = select(a < _TINY(x), a, y)
    return copysign(select(x == x, y, x), x)


def arccosh(x):
    """Inverse hyperbolic cosine; NaN below 1."""
    huge = x > 2.0**28
    t = select(huge, 1.0, x) - 1.0
    near = _log1p_finite(t + square_root(2.0 * t + t * t))
    y = select(huge, log(x) + 0.6931471805599453, near)
    return select(x >= 1.0, y, _NAN(x))


def arctanh(x):
    """Inverse hyperbolic tangent; NaN outside -1..1."""
    a = absolute(x)
    y = 0.5 * log1p(2.0 * a / (1.0 - a))
    y = select(a <= 1.0, y, _NAN(x))
    return copysign(select(a < _TINY(x), a, y), x)


# Error function

# fmt: off
_erf_series = polynomial(  # erf(x) / x - 1 in x**2 up to 1
    (0.12837917, -0.37612626, 0.112836, -0.026854442, 0.005189531, -0.0008020803, 7.888991e-05),
    (
        0.1283791670955126, -0.3761263890318375, 0.11283791670954885, -0.026866170645077864, 0.005223977624828321,
        -0.0008548326981419694, 0.00012055331132756152, -1.4925595767675424e-05, 1.646100840978948e-06,
        -1.6350395543361748e-07, 1.4660324411389128e-08, -1.1374940005371312e-09, 5.960660208517486e-11,
    ),
)
# fmt: on
_erf_log_series = polynomial(  # log(erfc(x)) from 1 to 4
    (7.963618e-05, -1.1290871, -0.634153, -0.10745739, 0.024629073, -0.0040006866, 0.00040257385, -1.8620545e-05),
    (math.nan,),
)
# fmt: off
_erfc_series = polynomial(  # (1 + 2x) exp(x**2) erfc(x) in (x - k) / (x + k)
    (
        1.2769784, -0.092763886, -0.16603142, 0.1640528, -0.054204497, -0.008041451, 0.008636698, 0.0012630404,
        -0.001254917, -0.0003532388, 3.3015447e-05,
    ),
    (
        1.2329951186255526, -0.1396211168405629, 0.015379652102619922, 0.06809705425473522, -0.10103906603630872,
        0.09373283499686492, -0.06633036581241855, 0.03716751556130891, -0.01619773404989766, 0.005031969767382261,
        -0.0007577733959646496, -0.00019925557657842635, 0.00015062243779257782, -2.4402905927655356e-05,
        -1.1225201539407283e-05, 5.71725107522434e-06, 3.018349134924057e-07, -8.342213651668705e-07,
        6.249172033883355e-08, 1.1457431041446651e-07, -7.817654792026876e-09, -1.3398522850127966e-08,
        -1.716095072595214e-09,
    ),
)
# fmt: on
_ERFC_CENTRE = constant(2.0, 4.0)
_ERFC_HIGHEST = constant(10.5, 28.0)  # erfc rounds to 0 from 10.06 or 27.3


def _erfc_positive(a):
    """erfc(a) for 0 <= a."""
    a = select(a > _ERFC_HIGHEST(a), _ERFC_HIGHEST(a), a)
    p = _erfc_series((a - _ERFC_CENTRE(a)) / (a + _ERFC_CENTRE(a)))
    scaled = p / (1.0 + 2.0 * a)
    # exp(-a*a) needs a*a in more than a float's bits: half a last place at 100 would be 50 of them in the result.
    high = high_half(a)
    low = a - high
    square = a * a
    rest = ((high * high - square) + 2.0 * high * low) + low * low
    return (scaled - scaled * rest) * exp(-square)


def erfc(x):
    """Complementary error function 1 - erf(x)."""
    y = _erfc_positive(absolute(x))
    return select(x < 0.0, 2.0 - y, y)


def _erf_float32(x):
    """Error function."""
    a = absolute(x)
    z = x * x
    b = clamp(a, 1.0, 4.0)
    scale, m = _exp_reduced(_erf_log_series(b))
    large = (1.0 - scale) - scale * m
    return select(a < 1.0, x + x * _erf_series(z), copysign(large, x))


def _erf_float64(x):
    """Error function."""
    a = absolute(x)
    return select(a < 1.0, x + x * _erf_series(x * x), copysign(1.0 - _erfc_positive(a), x))


# Powers, roots, signs, rounding


def _pow_float32(x, y):
    """Power x**y, special values as C's pow."""
    base, power = widened(x), widened(y)
    size = absolute(base)
    magnitude = exp(power * log(size))
    whole = nearest(power) == power
    odd = select(nearest(power * 0.5) == power * 0.5, 0.0, select(whole, base.like(1.0), 0.0))
    # A negative base has a power only where that is whole; zero and infinity have one with any exponent.
    valid = (base >= 0.0) | whole | (size == 0.0) | (size == math.inf) | (base != base)
    result = select(valid, magnitude, math.nan)
    result = select((size == 1.0) & (absolute(power) == math.inf), 1.0, result)
    result = select(copysign(base.like(1.0), base) * odd < 0.0, -result, result)
    return narrowed(select((power == 0.0) | (base == 1.0), 1.0, result))


def rsqrt(x):
    """Reciprocal of the square root."""
    return 1.0 / square_root(x)


def sign(x):
    """One of -1, 0, 1, NaN."""
    y = select(x > 0.0, 1.0, select(x == 0.0, 0.0, x))
    return select(x < 0.0, -1.0, y)


def mod(x, y):
    """Remainder x - y floor(x / y), exact, with the sign of y."""
    m = exact_remainder(x, y)
    m = select((m != 0.0) & ((y < 0.0) ^ (m < 0.0)), m + y, m)
    return select(m == 0.0, copysign(y.like(0.0), y), m)


def floor_divide(x, y):
    """floor(x / y) of the exact quotient."""
    m = exact_remainder(x, y)
    quotient = (x - m) / y
    quotient = select((m != 0.0) & ((y < 0.0) ^ (m < 0.0)), quotient - 1.0, quotient)
    whole = floor(quotient)
    whole = select(quotient - whole > 0.5, whole + 1.0, whole)
    whole = select(quotient == 0.0, copysign(x.like(0.0), x / y), whole)
    return select(y == 0.0, x / y, whole)


# What kernels call

_OF_BOTH_TYPES = {
    "exp": exp,
    "expm1": expm1,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "sinh": sinh,
    "cosh": cosh,
    "log": log,
    "log1p": log1p,
    "log2": log2,
    "log10": log10,
    "arcsinh": arcsinh,
    "arccosh": arccosh,
    "arctanh": arctanh,
    "erfc": erfc,
    "sqrt": square_root,
    "rsqrt": rsqrt,
    "floor": floor,
    "ceil": ceil,
    "trunc": trunc,
    "round": nearest,
    "sign": sign,
    "mod": mod,
    "floor_divide": floor_divide,
}
_FUNCTIONS = {
    **{f"{name}_{dtype}": function for name, function in _OF_BOTH_TYPES.items() for dtype in ("float32", "float64")},
    "erf_float32": _erf_float32,
    "erf_float64": _erf_float64,
    "pow_float32": _pow_float32,
    **TRIGONOMETRIC,
}
_BINARY = {"pow", "arctan2", "mod", "floor_divide"}
for _name, _function in _FUNCTIONS.items():
    _operation, _, _dtype = _name.rpartition("_")
    globals()[_name] = elementary(_function, _dtype, 2 if _operation in _BINARY else 1)
    if _operation in vector_registers.FUNCTIONS:
        globals()[f"portable_{_name}"] = globals()[_name]  # what other processors compute, for tests
        if vector_registers.available():
            globals()[_name] = vector_registers.in_registers(_operation, _dtype)
__all__ = list(_FUNCTIONS)  # generated kernels find every function here
