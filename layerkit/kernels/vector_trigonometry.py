"""Trigonometric functions: of float32 as polynomials that are vectorised, of float64 the C library's.

`vector_math` gives all of them, and says what their errors are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from layerkit.kernels.vector_primitives import (
    absolute,
    copysign,
    exact,
    floor,
    like,
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


@exact
def _quarter_turns(x):
    """(n, r) with x = n pi/2 + r and |r| <= pi/4; pi/2 in four parts, the first two short enough for exact products."""
    n = nearest(x * like(2.0 / math.pi, x))
    r = x - n * like(1.5703125, x)
    r = r - n * like(4.837512969970703125e-4, x)
    r = r - n * like(7.5497899548918824e-08, x)
    r = r - n * like(-1.7151245e-15, x)
    return n, r


@exact
def _remainder(n, divisor):
    """Remainder of whole n by a power of two."""
    return n - divisor * floor(n / divisor)


@exact
def _sine_of_turns(n, r):
    """sin(r + n pi/2)."""
    one, two = like(1.0, r), like(2.0, r)
    z = r * r
    sine = r + r * (z * _sin_series(z))
    cosine = one - (like(0.5, r) * z - z * z * _cos_series(z))
    quadrant = _remainder(n, like(4.0, r))
    y = select(_remainder(n, two) == one, cosine, sine)
    return select(quadrant >= two, -y, y)


@exact
def sin_float32(x):
    """Sine."""
    n, r = _quarter_turns(x)
    return select(x == like(0.0, x), x, _sine_of_turns(n, r))


@exact
def cos_float32(x):
    """Cosine."""
    n, r = _quarter_turns(x)
    return _sine_of_turns(n + like(1.0, x), r)


@exact
def tan_float32(x):
    """Tangent."""
    n, r = _quarter_turns(x)
    z = r * r
    y = r + r * (z * _tan_series(z))
    y = select(_remainder(n, like(2.0, x)) == like(1.0, x), like(-1.0, x) / y, y)
    return select(x == like(0.0, x), x, y)


@exact
def _arctan_unit(a):
    """arctan(a) for 0 <= a <= 1."""
    z = a * a
    return a + a * (z * _arctan_series(z))


@exact
def arctan_float32(x):
    """Inverse tangent."""
    a = absolute(x)
    one = like(1.0, x)
    steep = a > one
    y = _arctan_unit(select(steep, one / a, a))
    return copysign(select(steep, like(math.pi / 2, x) - y, y), x)


@exact
def arctan2_float32(y, x):
    """Angle of the point (x, y) in -pi..pi."""
    ax, ay = absolute(x), absolute(y)
    zero = like(0.0, x)
    steep = ay > ax
    larger, smaller = select(steep, ay, ax), select(steep, ax, ay)
    ratio = select(smaller == larger, select(larger == zero, zero, like(1.0, x)), smaller / larger)
    angle = _arctan_unit(ratio)
    angle = select(steep, like(math.pi / 2, x) - angle, angle)
    angle = select(copysign(like(1.0, x), x) < zero, like(math.pi, x) - angle, angle)
    angle = select(x == x, angle, x)
    return copysign(select(y == y, angle, y), y)


@exact
def _arcsin_half(a, z):
    """arcsin(a) for a <= 1/2 where z = a**2."""
    return a + a * (z * _arcsin_series(z))


@exact
def arcsin_float32(x):
    """Inverse sine; NaN outside -1..1."""
    a = absolute(x)
    half = like(0.5, x)
    large = a > half
    z = select(large, half * (like(1.0, x) - a), a * a)
    y = _arcsin_half(select(large, square_root(z), a), z)
    return copysign(select(large, like(math.pi / 2, x) - like(2.0, x) * y, y), x)


@exact
def arccos_float32(x):
    """Inverse cosine; NaN outside -1..1."""
    a = absolute(x)
    half, two = like(0.5, x), like(2.0, x)
    large = a > half
    z = select(large, half * (like(1.0, x) - a), a * a)
    y = _arcsin_half(select(large, square_root(z), a), z)
    outer = select(x < like(0.0, x), like(math.pi, x) - two * y, two * y)
    return select(large, outer, like(math.pi / 2, x) - copysign(y, x))


# Float64 functions of the C library


def _libm(function: Callable, arity: int = 1) -> Callable:
    if arity == 2:
        return exact(lambda x, y: function(x, y))
    return exact(lambda x: function(x))


sin_float64 = _libm(math.sin)
cos_float64 = _libm(math.cos)
tan_float64 = _libm(math.tan)
arctan_float64 = _libm(math.atan)
arcsin_float64 = _libm(math.asin)
arccos_float64 = _libm(math.acos)
arctan2_float64 = _libm(math.atan2, 2)
pow_float64 = _libm(math.pow, 2)
