"""Random numbers as functions of a key: element i of a tensor depends on the key and on i alone.

So a compiled plan draws a dropout's mask inside the kernel that uses it, and again in the backward pass; nothing is
stored, and the numbers are the same on any number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_float, is_int, standardize_dtype
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Elementwise, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels import inverse_normal
from layerkit.kernels.threefry import random_bits, random_bits_pair, uniform_float32, uniform_float64
from layerkit.ops.elementwise import cast, floor, log, sqrt, where
from layerkit.ops.indexing import take
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import argmax
from layerkit.ops.sorting import argsort


class _Draw(Elementwise, abstract=True):
    """Element i is a function of i and of the key, whose two words every element reads."""

    whole: ClassVar[tuple[int, ...]] = (0,)

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return [as_tensor(x) for x in inputs]

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> tuple:
        return (None,) * len(x)


class RandomBits(_Draw):
    """32 random bits for each element of a shape, uint32, from a key (uint32 [2])."""

    shape: tuple[int, ...]
    scalar = "random_bits(a[0], a[1], i)"
    whole = (0,)

    def infer(self, key: Tensor) -> Spec:
        _check_key(key)
        return tuple(self.shape), "uint32"

    def reference(self, key: np.ndarray) -> np.ndarray:
        return random_bits(_words(key), 0, math.prod(self.shape)).reshape(self.shape)


class RandomUniform(_Draw):
    """Numbers in [0, 1) for each element of a shape, from a key (uint32 [2])."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    scalar = "uniform(a[0], a[1], i)"

    def infer(self, key: Tensor) -> Spec:
        _check_key(key)
        return tuple(self.shape), self.dtype

    def reference(self, key: np.ndarray) -> np.ndarray:
        return _uniform(key, math.prod(self.shape), self.dtype).reshape(self.shape)


class RandomUniformLike(_Draw):
    """Numbers in [0, 1) in the shape of x, from x (whose elements are not read) and a key (uint32 [2])."""

    dtype: str = "float32"
    scalar = "uniform(b[0], b[1], i)"
    shape_only: ClassVar[tuple[int, ...]] = (0,)
    whole: ClassVar[tuple[int, ...]] = (1,)

    def infer(self, x: Tensor, key: Tensor) -> Spec:
        _check_key(key)
        return x.shape, self.dtype

    def reference(self, x: np.ndarray, key: np.ndarray) -> np.ndarray:
        return _uniform(key, x.size, self.dtype).reshape(x.shape)


class _NormalDraw(_Draw, abstract=True):
    """Numbers of a distribution of `kernels/inverse_normal.py` for each element of a shape, from a key (uint32 [2])."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    costly: ClassVar[bool] = True

    def infer(self, key: Tensor) -> Spec:
        _check_key(key)
        return tuple(self.shape), self.dtype

    def reference(self, key: np.ndarray) -> np.ndarray:
        drawn = inverse_normal.draw(self.distribution, _words(key), math.prod(self.shape), self.dtype)
        return drawn.reshape(self.shape)


class RandomNormal(_NormalDraw):
    """Numbers of the normal distribution with mean 0 and deviation 1."""

    scalar = "normal(a[0], a[1], i)"
    distribution: ClassVar[str] = "normal"


class RandomTruncatedNormal(_NormalDraw):
    """Numbers of the normal distribution with mean 0 and deviation 1, cut off at two deviations."""

    scalar = "truncated_normal(a[0], a[1], i)"
    distribution: ClassVar[str] = "truncated_normal"


class Scaled(Elementwise):
    """a * b + c with two roundings, in kernels too, which contract a product and a sum of operators into one.

    So drawn numbers are the same bits eagerly and compiled after scaling.
    """

    scalar = "scaled(a, b, c)"
    result = "float"

    def reference(self, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            return inverse_normal.scaled(a, b, c)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor, c: Tensor) -> tuple:
        return g * b, g * a, g


def _uniform(key: np.ndarray, count: int, dtype: str) -> np.ndarray:
    if dtype == "float64":
        return uniform_float64(*random_bits_pair(_words(key), 0, count))
    return uniform_float32(random_bits(_words(key), 0, count))


def _check_key(key: Tensor) -> None:
    if key.shape != (2,) or key.dtype != "uint32":
        raise ShapeError("a key is two words of dtype uint32.")


def _words(key: np.ndarray) -> tuple[int, int]:
    return int(key[0]), int(key[1])


def _float_dtype(dtype: object) -> str:
    dtype = standardize_dtype(dtype)
    if not is_float(dtype):
        raise DtypeError(f"random numbers of this distribution are floats; got dtype={dtype!r}.")
    return dtype


def random_uniform(
    shape: Sequence[int], key: object, minval: object = 0.0, maxval: object = 1.0, dtype: object = None
) -> Tensor:
    """Numbers of the uniform distribution on [minval, maxval)."""
    dtype = _float_dtype(dtype)
    unit = RandomUniform(tuple(shape), _drawn_dtype(dtype))(key)
    if type(minval) in (int, float) and type(maxval) in (int, float):
        if (minval, maxval) == (0, 1):
            return cast(unit, dtype)
        return cast(Scaled()(unit, float(maxval - minval), float(minval)), dtype)
    minval, maxval = cast(minval, unit.dtype), cast(maxval, unit.dtype)
    return cast(Scaled()(unit, maxval - minval, minval), dtype)


def random_normal(
    shape: Sequence[int], key: object, mean: object = 0.0, stddev: object = 1.0, dtype: object = None
) -> Tensor:
    """Numbers of the normal distribution, by its inverse."""
    return _about(RandomNormal, shape, key, mean, stddev, dtype)


def random_truncated_normal(
    shape: Sequence[int], key: object, mean: object = 0.0, stddev: object = 1.0, dtype: object = None
) -> Tensor:
    """Numbers of the normal distribution cut off at two deviations, by the inverse of its distribution function."""
    return _about(RandomTruncatedNormal, shape, key, mean, stddev, dtype)


def _about(
    draw: type[_NormalDraw], shape: Sequence[int], key: object, mean: object, stddev: object, dtype: object
) -> Tensor:
    dtype = _float_dtype(dtype)
    drawn = draw(tuple(shape), _drawn_dtype(dtype))(key)
    if all(type(x) in (int, float) for x in (mean, stddev)):
        if (mean, stddev) != (0, 1):
            drawn = Scaled()(drawn, float(stddev), float(mean))
    else:
        drawn = Scaled()(drawn, cast(stddev, drawn.dtype), cast(mean, drawn.dtype))
    return cast(drawn, dtype)


def _drawn_dtype(dtype: str) -> str:
    """What is computed in: half precision is rounded to at the end."""
    return "float64" if dtype == "float64" else "float32"


def random_integers(shape: Sequence[int], key: object, minval: int, maxval: int, dtype: object = "int32") -> Tensor:
    """Integers of the uniform distribution from minval to below maxval.

    Raises ValueError for an empty range or one of more than 2**32.
    """
    dtype, span = standardize_dtype(dtype), int(maxval) - int(minval)
    if not 0 < span <= 2**32:
        raise ValueError(f"minval has to be below maxval by at most 2**32; got {minval} and {maxval}.")
    if not is_int(dtype):
        raise DtypeError(f"random integers have an integer dtype; got {dtype!r}.")
    if span <= 2**20:  # 24 bits hold each value to 1 in 16; the remainder is not needed
        return cast(floor(RandomUniform(tuple(shape))(key) * float(span)), dtype) + np.asarray(minval, dtype)
    remainder = cast(RandomBits(tuple(shape))(key), "int64") % np.asarray(span, "int64")
    return cast(remainder + np.asarray(minval, "int64"), dtype)


def random_permutation(x: object, key: object, axis: int = 0) -> Tensor:
    """The slices of x along an axis in random order."""
    x = as_tensor(x)
    order = argsort(RandomBits((x.shape[axis],))(key))
    return take(x, order, axis)


def random_categorical(logits: object, num_samples: int, key: object, dtype: object = "int32") -> Tensor:
    """Class indices [N, num_samples] drawn with the probabilities softmax(logits [N, C]), by Gumbel's trick."""
    logits = as_float(as_tensor(logits))
    if logits.ndim != 2:
        raise ShapeError(f"random.categorical takes logits [N, C]; got shape {logits.shape}.")
    rows, classes = logits.shape
    unit = cast(RandomUniform((rows, num_samples, classes))(key), logits.dtype) + 2.0**-25
    return cast(argmax(logits[:, None, :] - log(-log(unit)), -1), dtype)


def dropout(x: object, rate: float, key: object, noise_shape: Sequence[int | None] | None = None) -> Tensor:
    """X with a share `rate` of its elements set to 0 and the others scaled by 1 / (1 - rate).

    Args:
        x: the data.
        rate: from 0 to 1.
        key: uint32 [2]; the same key drops the same elements.
        noise_shape: the shape of the mask, which broadcasts to x; None in it: x's size. None: x's shape.

    Raises ValueError for another rate.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"the rate of dropout is from 0 to 1; got {rate!r}.")
    x = as_float(as_tensor(x))
    if rate in (0, 1):
        return x if rate == 0 else x * 0
    if noise_shape is None:
        unit = RandomUniformLike()(x, key)
    else:
        unit = RandomUniform(tuple(n if m is None else int(m) for n, m in zip(x.shape, noise_shape, strict=True)))(key)
    return where(unit >= rate, x * (1 / (1 - rate)), 0)


# Coefficients of Giles, "Approximating the erfinv function" (GPU Computing Gems, 2010): single precision, in
# w - 2.5 where w = -log(1 - x**2) < 5, in sqrt(w) - 3 beyond; highest power first.
_ERFINV_CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_ERFINV_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def erfinv(x: object) -> Tensor:
    """The inverse of the error function, in single precision."""
    x = as_float(as_tensor(x))
    w = -log((1.0 - x) * (1.0 + x))
    centre = w < 5.0
    t = where(centre, w - 2.5, sqrt(w) - 3.0)
    factor = where(centre, _ERFINV_CENTRE[0], _ERFINV_TAIL[0])
    for near, far in zip(_ERFINV_CENTRE[1:], _ERFINV_TAIL[1:], strict=True):
        factor = factor * t + where(centre, near, far)
    return cast(factor, x.dtype) * x
