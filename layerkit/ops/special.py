"""Elementwise functions beyond the common ones: powers and logarithms of sums, error function, whole numbers' divisors.

Most are made of other operations, which the compiler fuses; those with a class have a gradient or a range of their own.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from layerkit.dtypes import dtype_of, is_float, is_int, result_type, standardize_dtype
from layerkit.errors import DtypeError
from layerkit.graph.operation import Operation, Spec, as_tensor, broadcast_shapes, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import _Test, equal, isnan, less
from layerkit.ops.elementwise import (
    Mod,
    _function,
    _Smooth,
    absolute,
    cast,
    clip,
    divide,
    exp,
    floor_divide,
    maximum,
    minimum,
    mod,
    power,
    softplus,
    where,
)
from layerkit.ops.neural import as_float
from layerkit.ops.trigonometry import sin


class Cbrt(_Smooth):
    """Cube root."""

    scalar = "sign(a) * pow(absolute(a), 0.3333333333333333)"
    function = staticmethod(np.cbrt)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (y * y * 3),)


class Erfc(_Smooth):
    """One less the error function, exact where that is near 1."""

    scalar = "erfc(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.vectorize(math.erfc, otypes=[x.dtype])(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * (-2 / math.sqrt(math.pi)) * exp(-x * x),)


_LARGER = "maximum(absolute(a), absolute(b))"
# The maximum with 0 changes nothing, but keeps the compiler from squaring above and below the line.
_RATIO = f"maximum(minimum(absolute(a), absolute(b)) / {_LARGER}, zero)"


class Hypot(_Smooth):
    """sqrt(a * a + b * b), scaled by the larger one so that no square overflows."""

    scalar = f"{_LARGER} if {_LARGER} == 0 or {_LARGER} - {_LARGER} != 0 else {_LARGER} * sqrt(1 + {_RATIO} * {_RATIO})"
    function = staticmethod(np.hypot)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        # At the origin, where there is no slope, 0.
        scaled = g / where(equal(y, 0), 1, y)
        return scaled * a, scaled * b


class Signbit(_Test):
    """Whether it is below 0, or -0.0. NaN is not."""

    scalar = "a < 0 or (a == 0 and 1 / a < 0)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.signbit(x) & ~np.isnan(x)


class _Pairwise(Operation, abstract=True):
    """A function of two operands of one dtype, broadcast, that NumPy has and kernels have not."""

    function: ClassVar[object] = None

    def prepare(self, inputs: tuple) -> list[Tensor]:
        tensors = [x if type(x) in (int, float, bool) else as_tensor(x) for x in inputs]
        dtype = result_type(*(dtype_of(x) for x in tensors))
        return [cast_to(as_tensor(x, dtype), dtype) for x in tensors]

    def infer(self, a: Tensor, b: Tensor) -> Spec:
        return broadcast_shapes(a.shape, b.shape), a.dtype

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return type(self).function(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return None, None


class _OfWholeNumbers(_Pairwise, abstract=True):
    def infer(self, a: Tensor, b: Tensor) -> Spec:
        if not is_int(a.dtype):
            raise DtypeError(f"both have to be integers, not {a.dtype}.")
        return super().infer(a, b)


class Gcd(_OfWholeNumbers):
    """The greatest common divisor of two integers."""

    function = staticmethod(np.gcd)


class Lcm(_OfWholeNumbers):
    """The least common multiple of two integers."""

    function = staticmethod(np.lcm)


class NextAfter(_Pairwise):
    """The float next to a in the direction of b."""

    function = staticmethod(np.nextafter)

    def prepare(self, inputs: tuple) -> list[Tensor]:
        return Hypot().prepare(inputs)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g, None


class ModifiedBessel(Operation):
    """I_n(x), the modified Bessel function of the first kind, for a small order n from 0 on."""

    order: int

    def infer(self, x: Tensor) -> Spec:
        if not is_float(x.dtype):
            raise DtypeError("the input has to be a float.")
        return x.shape, x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        size = np.abs(x.astype("float64"))
        small = np.minimum(size, BESSEL_SERIES_END)
        with np.errstate(all="ignore"):
            y = np.where(
                size > BESSEL_SERIES_END, _bessel_expansion(self.order, size), _bessel_series(self.order, small)
            )
            return np.where(x < 0, (-1) ** self.order * y, y).astype(x.dtype)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # I_-1 is I_1.
        return (g * (ModifiedBessel(abs(self.order - 1))(x) + ModifiedBessel(self.order + 1)(x)) * 0.5,)


BESSEL_SERIES_END = 30.0
"""From here on the expansion for large arguments reaches float64's precision, for orders up to 4."""


def _bessel_series(order: int, x: np.ndarray) -> np.ndarray:
    """The power series around 0, whose terms are all positive (Abramowitz and Stegun, 9.6.10)."""
    term = (x / 2) ** order / math.factorial(order)
    total = term.copy()
    for k in range(1, 70):
        term = term * (x * x / 4) / (k * (k + order))
        total += term
    return total


def _bessel_expansion(order: int, x: np.ndarray) -> np.ndarray:
    """The expansion for large arguments (Abramowitz and Stegun, 9.7.1)."""
    term = np.ones_like(x)
    total = term.copy()
    for k in range(1, 30):
        term = term * ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k * x)
        total += term
    # In two factors, as exp(x) overflows before its quotient does.
    half = np.exp(x / 2)
    return np.where(np.isinf(x), x, half / np.sqrt(2 * math.pi * x) * total * half)


cbrt, erfc = _function(Cbrt, "cbrt"), _function(Erfc, "erfc")
hypot = _function(Hypot, "hypot", 2)
gcd, lcm = _function(Gcd, "gcd", 2), _function(Lcm, "lcm", 2)
nextafter = _function(NextAfter, "nextafter", 2)


def _floats(x1: object, x2: object) -> list[Tensor]:
    """Both in their common float dtype."""
    return Hypot().prepare([x1, x2])


def i0(x: object) -> Tensor:
    """The modified Bessel function of the first kind and order 0; integers become floats.

    >>> i0(np.array([0.0, 1.0])).numpy().round(4).tolist()
    [1.0, 1.2661]
    """
    return ModifiedBessel(0)(as_float(as_tensor(x)))


def exp2(x: object) -> Tensor:
    """2 ** x."""
    return power(2.0, as_float(as_tensor(x)))


def fabs(x: object) -> Tensor:
    """|x| in floats."""
    return absolute(as_float(as_tensor(x)))


def deg2rad(x: object) -> Tensor:
    """Degrees as radians."""
    return as_float(as_tensor(x)) * (math.pi / 180)


def rad2deg(x: object) -> Tensor:
    """Radians as degrees."""
    return as_float(as_tensor(x)) * (180 / math.pi)


def sinc(x: object) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0."""
    x = as_float(as_tensor(x))
    zero = equal(x, 0)
    angle = where(zero, 1, x) * math.pi
    return where(zero, 1, sin(angle) / angle)


def logaddexp(x1: object, x2: object) -> Tensor:
    """log(exp(x1) + exp(x2)), in the form that does not overflow.

    >>> logaddexp(1000.0, 0.0).item()
    1000.0
    """
    a, b = _floats(x1, x2)
    # Equal ones may both be infinite: their difference is 0 all the same.
    distance = where(equal(a, b), 0, absolute(a - b))
    return maximum(a, b) + softplus(-distance)


def logaddexp2(x1: object, x2: object) -> Tensor:
    """log2(2 ** x1 + 2 ** x2), in the form that does not overflow."""
    a, b = _floats(x1, x2)
    distance = where(equal(a, b), 0, absolute(a - b))
    return maximum(a, b) + softplus(distance * -math.log(2)) / math.log(2)


def heaviside(x1: object, x2: object) -> Tensor:
    """0 where x1 is below 0, 1 where it is above, x2 where it is 0; NaN stays."""
    a, b = _floats(x1, x2)
    return where(equal(a, 0), b, where(isnan(a), a, cast(a > 0, a.dtype)))


def fmod(x1: object, x2: object) -> Tensor:
    """The remainder of a division that cuts towards zero; it has the sign of x1.

    >>> fmod(-7.0, 3.0).item(), fmod(7.0, -3.0).item()
    (-1.0, 1.0)
    """
    a, b = Mod().prepare([x1, x2])
    size = mod(absolute(a), absolute(b))
    return where(less(a, 0), -size, size)


def fmax(x1: object, x2: object) -> Tensor:
    """The larger; where one is NaN, the other."""
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


def fmin(x1: object, x2: object) -> Tensor:
    """The smaller; where one is NaN, the other."""
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


def isposinf(x: object) -> Tensor:
    """Whether it is infinite and above 0."""
    return equal(as_float(as_tensor(x)), math.inf)


def isneginf(x: object) -> Tensor:
    """Whether it is infinite and below 0."""
    return equal(as_float(as_tensor(x)), -math.inf)


def signbit(x: object) -> Tensor:
    """Whether it is below 0, or -0.0. NaN is not."""
    x = as_tensor(x)
    return Signbit()(x) if is_float(x.dtype) else less(x, 0)


def ldexp(x1: object, x2: object) -> Tensor:
    """x1 * 2 ** x2 for integers x2. Raises DtypeError where they are none."""
    x, exponent = as_float(as_tensor(x1)), as_tensor(x2)
    if not is_int(exponent.dtype):
        raise DtypeError(f"ops.ldexp takes integers as exponents; got {exponent.dtype}.")
    # In two factors, so that only the result itself overflows.
    half = floor_divide(exponent, 2)
    base = np.asarray(2, x.dtype)
    return x * power(base, cast(half, x.dtype)) * power(base, cast(exponent - half, x.dtype))


def saturate_cast(x: object, dtype: object) -> Tensor:
    """Convert to another dtype; what is outside of its range becomes its nearest end."""
    x, dtype = as_tensor(x), standardize_dtype(dtype)
    if is_float(dtype) or x.dtype == "bool":
        return cast(x, dtype)
    limits = np.iinfo(dtype) if dtype != "bool" else None
    low, high = (limits.min, limits.max) if limits else (0, 1)
    if is_float(x.dtype):
        high_float = np.asarray(high, x.dtype)
        if int(high_float) > high:  # the largest float that is not above the integer's range
            high_float = np.nextafter(high_float, np.asarray(0, x.dtype))
        return cast(clip(x, np.asarray(low, x.dtype), high_float), dtype)
    own = np.iinfo(x.dtype)
    return cast(clip(x, max(low, own.min), min(high, own.max)), dtype)


def reciprocal(x: object) -> Tensor:
    """1 / x."""
    return divide(1.0, x)
