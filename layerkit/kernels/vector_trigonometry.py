"""Trigonometric functions: of float32 as polynomials that are vectorised, of float64 the C library's.

`vector_math` gives all of them, and says what their errors are.
"""

from __future__ import annotations

import math

from layerkit.kernels.vector_primitives import (
    absolute,
    called,
    copysign,
    floor,
    nearest,
    polynomial,
    select,
    square_root,
)

_sin_series = polynomial((-0.16666667, 0.008333329, -0.00019839327, 2.7182366e-06), (math.nan,))
_cos_series = polynomial((0.041666668, -0.0013888886, 2.4799967e-05, -2.7244567e-07), (math.nan,))
_tan_series = polynomial((0.33333138, 0.13339272, 0.053375263, 0.024549779, 0.0029396855, 0.009486332), (math.nan,))
_arctan_series = polynomial(
    (-0.33333167, 0.19994137, -0.14214204, 0.10678908, -0.07580487, 0.043552253, -0.016580299, 0.0029743505),
    (math.nan,),
)
_arcsin_series = polynomial((0.16666754, 0.07495241, 0.04547725, 0.024146855, 0.04221981), (math.nan,))


def _quarter_turns(x):
    """(n, r) with x = n pi/2 + r and |r| <= pi/4; pi/2 in four parts, the first two short enough for exact products."""
    n = nearest(x * (2.0 / math.pi))
    r = x - n * 1.5703125
    r = r - n * 4.837512969970703125e-4
    r = r - n * 7.5497899548918824e-08
    r = r - n * -1.7151245e-15
    return n, r


def _remainder(n, divisor):
    """Remainder of whole n by a power of two."""
    return n - divisor * floor(n / divisor)


def _sine_of_turns(n, r):
    """sin(r + n pi/2)."""
    z = r * r
    sine = r + r * (z * _sin_series(z))
    cosine = 1.0 - (0.5 * z - z * z * _cos_series(z))
    quadrant = _remainder(n, 4.0)
    y = select(_remainder(n, 2.0) == 1.0, cosine, sine)
    return select(quadrant >= 2.0, -y, y)


def _sin(x):
    """Sine."""
    n, r = _quarter_turns(x)
    return select(x == 0.0, x, _sine_of_turns(n, r))


def _cos(x):
    """Cosine."""
    n, r = _quarter_turns(x)
    return _sine_of_turns(n + 1.0, r)


def _tan(x):
    """Tangent."""
    n, r = _quarter_turns(x)
    z = r * r
    y = r + r * (z * _tan_series(z))
    y = select(_remainder(n, 2.0) == 1.0, -1.0 / y, y)
    return select(x == 0.0, x, y)


def _arctan_unit(a):
    """arctan(a) for 0 <= a <= 1."""
    z = a * a
    return a + a * (z * _arctan_series(z))


def _arctan(x):
    """Inverse tangent."""
    a = absolute(x)
    steep = a > 1.0
    y = _arctan_unit(select(steep, 1.0 / a, a))
    return copysign(select(steep, math.pi / 2 - y, y), x)


def _arctan2(y, x):
    """Angle of the point (x, y) in -pi..pi."""
    ax, ay = absolute(x), absolute(y)
    steep = ay > ax
    larger, smaller = select(steep, ay, ax), select(steep, ax, ay)
    ratio = select(smaller == larger, select(larger == 0.0, x.like(0.0), 1.0), smaller / larger)
    angle = _arctan_unit(ratio)
    angle = select(steep, math.pi / 2 - angle, angle)
    angle = select(copysign(x.like(1.0), x) < 0.0, math.pi - angle, angle)
    angle = select(x == x, angle, x)
    return copysign(select(y == y, angle, y), y)


def _arcsin_half(a, z):
    """arcsin(a) for a <= 1/2 where z = a**2."""
    return a + a * (z * _arcsin_series(z))


def _arcsin(x):
    """Inverse sine; NaN outside -1..1."""
    a = absolute(x)
    large = a > 0.5
    z = select(large, 0.5 * (1.0 - a), a * a)
    y = _arcsin_half(select(large, square_root(z), a), z)
    return copysign(select(large, math.pi / 2 - 2.0 * y, y), x)


def _arccos(x):
    """Inverse cosine; NaN outside -1..1."""
    a = absolute(x)
    large = a > 0.5
    z = select(large, 0.5 * (1.0 - a), a * a)
    y = _arcsin_half(select(large, square_root(z), a), z)
    outer = select(x < 0.0, math.pi - 2.0 * y, 2.0 * y)
    return select(large, outer, math.pi / 2 - copysign(y, x))


TRIGONOMETRIC = {
    "sin_float32": _sin,
    "cos_float32": _cos,
    "tan_float32": _tan,
    "arctan_float32": _arctan,
    "arctan2_float32": _arctan2,
    "arcsin_float32": _arcsin,
    "arccos_float32": _arccos,
    "sin_float64": lambda x: called("llvm.sin.f64", x),
    "cos_float64": lambda x: called("llvm.cos.f64", x),
    "tan_float64": lambda x: called("tan", x),
    "arctan_float64": lambda x: called("atan", x),
    "arctan2_float64": lambda y, x: called("atan2", y, x),
    "arcsin_float64": lambda x: called("asin", x),
    "arccos_float64": lambda x: called("acos", x),
    "pow_float64": lambda x, y: called("llvm.pow.f64", x, y),
}
"""Name and type -> the function; those of float64, and its power, are the C library's."""
