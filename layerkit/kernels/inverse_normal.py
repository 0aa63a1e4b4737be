"""The inverse of the normal distribution's function: one text for kernels and for NumPy, of equal bits.

The functions here are ordinary Python over + - * / and a few functions of an `Arithmetic`. Given NumPy arrays they
compute; given the numbers of `random.py` they emit LLVM instructions. Each step is rounded once as IEEE 754
says and nothing may be contracted or reordered, so that both ways give the same bits.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from layerkit.kernels.threefry import random_bits, random_bits_pair

TRUNCATED_AT = 2.0
INSIDE = math.erf(TRUNCATED_AT / math.sqrt(2))
"""The share of a normal distribution that is less than TRUNCATED_AT deviations from its mean."""


class Arithmetic(Protocol):
    """What the functions need beside operators, of numbers of one float type."""

    double: bool

    def smaller(self, x: object, limit: float) -> object:
        """The smaller of x and a number."""

    def split_exponent(self, x: object) -> tuple[object, object]:
        """(m, e) with x = m * 2**e and m in [sqrt(1/2), sqrt(2)), for a normal x > 0."""


class Floats:
    """The arithmetic of NumPy arrays."""

    def __init__(self, dtype: str) -> None:
        self.kind = np.dtype(dtype).type
        self.double = dtype == "float64"
        self.integer, self.mantissa = (np.int64, 52) if self.double else (np.int32, 23)
        self.root = self.kind(math.sqrt(0.5)).view(self.integer)

    def smaller(self, x: np.ndarray, limit: float) -> np.ndarray:
        """The smaller of x and a number."""
        return np.minimum(x, self.kind(limit))

    def split_exponent(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, e) with x = m * 2**e and m in [sqrt(1/2), sqrt(2))."""
        word = x.view(self.integer)
        e = (word - self.root) >> self.integer(self.mantissa)
        return (word - (e << self.integer(self.mantissa))).view(self.kind), e.astype(self.kind)


# log(m) = 2 atanh(s) = 2 s + s**3 P(s**2) with s = (m - 1) / (m + 1), for m in [sqrt(1/2), sqrt(2)]; here P, in float32
# by least squares, in float64 the series, whose next term is below 1e-14.
_LOG = {
    False: (0.66666778, 0.39977346, 0.29876095),
    True: tuple(2 / (2 * k + 3) for k in range(7)),
}

# z / a as a function of w = -log(1 - a**2), where a share a of the distribution is between -z and z. Rational functions
# by reweighted least squares: relative error 1.2e-7 up to w = 21.6 and 4e-12 up to 36.8, in half the time of Wichura's
# AS 241 with its 1e-16, which no draws would show. No coefficient is negative, so nothing cancels.
_RATIO_FLOAT32 = (
    (1.25331428, 0.452897174, 0.0899878751, 0.0119022942, 0.00100250769, 2.92124182e-05),
    (1.0, 0.0995631228, 0.0326912523, 0.00229139807, 0.000169753482, 1.0038259e-06),
)
_RATIO_FLOAT64 = (
    (1.253314137318741, 0.614898675459354, 0.1712275300159042, 0.032958993102195355, 0.004709644586580074,
     0.0005118961788017779, 4.258652977865367e-05, 2.7454639776188324e-06, 1.4827455902926243e-07,
     3.7120929539314826e-09, 1.6317986297306712e-11),
    (1.0, 0.22881877198407888, 0.0636831492555092, 0.009278175923174778, 0.001246184115376586,
     0.00010955544816785129, 8.37239242108691e-06, 4.765905053527995e-07, 1.9924075791935784e-08,
     2.2900896052279843e-10, 2.5657607212859887e-13),
)  # fmt: skip


def horner(x: object, coefficients: tuple[float, ...]) -> object:
    """The polynomial with the coefficients, constant term first."""
    result = x * coefficients[-1] + coefficients[-2]
    for coefficient in reversed(coefficients[:-2]):
        result = result * x + coefficient
    return result


def minus_log(m: Arithmetic, x: object) -> object:
    """-log(x) for 0 < x <= 1: relative error 2e-7 in float32, 1e-13 in float64, near 1 absolute."""
    fraction, e = m.split_exponent(x)
    s = (fraction - 1.0) / (fraction + 1.0)
    square = s * s
    rest = s * square * horner(square, _LOG[m.double])
    return e * -math.log(2) - (s + s + rest)


def deviation(m: Arithmetic, share: object, rest: object) -> object:
    """The z >= 0 with a share of a normal distribution in (-z, z); `rest` is 1 less the share, with all its digits."""
    numerator, denominator = _RATIO_FLOAT64 if m.double else _RATIO_FLOAT32
    w = minus_log(m, rest * (2.0 - rest))
    return share * (horner(w, numerator) / horner(w, denominator))


def truncated_deviation(m: Arithmetic, share: object, rest: object) -> object:
    """|z| of a normal number that is cut off at TRUNCATED_AT deviations, of a share of what is inside."""
    inside = share * INSIDE
    return m.smaller(deviation(m, inside, 1.0 - inside), TRUNCATED_AT)


# By the name of the distribution: |z| of an arithmetic, of a share in (0, 1) and of 1 less the share.
DEVIATIONS = {"normal": deviation, "truncated_normal": truncated_deviation}


def shares(m: Arithmetic, high: object, low: object | None) -> object:
    """A number in (0, 1) of whole numbers as floats: 31 bits, and in float64 22 more."""
    if low is None:
        return (high + 0.5) * 2.0**-31
    return (high * 2.0**22 + low + 0.5) * 2.0**-53


def draw(name: str, key: tuple[int, int], count: int, dtype: str) -> np.ndarray:
    """The first numbers of a key's stream, of the distribution DEVIATIONS[name] about 0.

    The first bit of a word is the sign. The others are a share and, all inverted, 1 less the share, so that small
    numbers and tails have all digits of a float: float32 reaches 6.3 deviations, float64 8.2.
    """
    m = Floats(dtype)
    high, low = random_bits_pair(key, 0, count) if m.double else (random_bits(key, 0, count), None)
    sign = high.view(np.int32) >> np.int32(31)
    high = high.view(np.int32) & np.int32(0x7FFFFFFF)
    low = None if low is None else (low >> np.uint32(10)).view(np.int32)

    def share(mask: int, low_mask: int) -> np.ndarray:
        low_part = None if low is None else (low ^ np.int32(low_mask)).astype(m.kind)
        return shares(m, (high ^ np.int32(mask)).astype(m.kind), low_part)

    z = DEVIATIONS[name](m, share(0, 0), share(0x7FFFFFFF, 0x3FFFFF))
    return np.where(sign < 0, -z, z)


def scaled(x: object, scale: object, shift: object) -> object:
    """The product and then the sum, each rounded."""
    return x * scale + shift
