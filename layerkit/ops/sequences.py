"""Sequences of numbers by a rule, windows of signals, and what is computed along a signal."""

from __future__ import annotations

import math

import numpy as np

from layerkit.dtypes import floatx
from layerkit.errors import ShapeError, unknown_name
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrangement import diff
from layerkit.ops.arrays import flip, linspace
from layerkit.ops.convolution import conv
from layerkit.ops.cumulative import cumprod
from layerkit.ops.elementwise import Divide, cast, clip, exp, log, power, sqrt, square
from layerkit.ops.matrix_product import matmul
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import mean, normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import GetItem, broadcast_to, concatenate, expand_dims, ones_like, reshape, swapaxes


def logspace(
    start: object,
    stop: object,
    num: int = 50,
    endpoint: bool = True,
    base: object = 10,
    dtype: object = None,
    axis: int = 0,
) -> Tensor:
    """Powers of a base whose exponents go evenly from start to stop."""
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    y = power(cast(base, exponents.dtype), exponents)
    return y if dtype is None else cast(y, dtype)


def geomspace(
    start: object, stop: object, num: int = 50, endpoint: bool = True, dtype: object = None, axis: int = 0
) -> Tensor:
    """Numbers from start to stop, each the same multiple of the one before; both have the same sign.

    >>> geomspace(1.0, 8.0, 4).numpy().round(4).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    start, stop = as_float(as_tensor(start)), as_float(as_tensor(stop))
    logs = log(stop / start)
    shares = linspace(logs * 0, logs, num, endpoint, axis=axis)
    first = expand_dims(broadcast_to(start, logs.shape), axis % (logs.ndim + 1))
    y = first * exp(shares)
    return y if dtype is None else cast(y, dtype)


def vander(x: object, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements [n, N], N the vector's size where it is None, the highest first."""
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"ops.vander takes a vector; got shape {x.shape}.")
    count = x.shape[0] if N is None else N
    column = expand_dims(x, 1)
    # Products, not powers: their gradient is right at 0 too.
    factors = [ones_like(column)] + [column] * (count - 1)
    powers = cumprod(concatenate(factors, 1), 1)
    powers = GetItem.at(powers, (slice(None), slice(0, count)))
    return powers if increasing else flip(powers, 1)


def _window(values: np.ndarray) -> Tensor:
    return Tensor.of(values.astype(floatx()))


def _length(x: object) -> int:
    return int(as_tensor(x).numpy())


def bartlett(x: object) -> Tensor:
    """Bartlett's window of length x: a triangle with zeros at both ends."""
    return _window(np.bartlett(_length(x)))


def blackman(x: object) -> Tensor:
    """Blackman's window of length x."""
    return _window(np.blackman(_length(x)))


def hamming(x: object) -> Tensor:
    """Hamming's window of length x: a raised cosine."""
    return _window(np.hamming(_length(x)))


def hanning(x: object) -> Tensor:
    """Hann's window of length x: a cosine with zeros at both ends."""
    return _window(np.hanning(_length(x)))


def kaiser(x: object, beta: object) -> Tensor:
    """Kaiser's window of length x; the larger beta, the narrower."""
    return _window(np.kaiser(_length(x), float(as_tensor(beta).numpy())))


def trapezoid(y: object, x: object = None, dx: object = 1.0, axis: int = -1) -> Tensor:
    """The integral of samples along an axis by the trapezoidal rule, at places x, or dx apart."""
    y = as_float(as_tensor(y))
    (axis,) = normalize_axes(axis, y.ndim)
    if x is None:
        widths = dx
    else:
        x = as_tensor(x)
        widths = diff(x, axis=0 if x.ndim == 1 else axis)
        if x.ndim == 1:
            widths = reshape(widths, [-1 if at == axis else 1 for at in range(y.ndim)])
    before = (slice(None),) * axis
    pairs = GetItem.at(y, (*before, slice(1, None))) + GetItem.at(y, (*before, slice(None, -1)))
    return reduce_sum(pairs * widths, axis) * 0.5


def correlate(x1: object, x2: object, mode: str = "valid") -> Tensor:
    """The sums of products of two vectors, the one moved along the other, in floats.

    `mode` is "valid" (where both overlap whole), "same" (as many as the longer has) or "full" (all that overlap).
    Raises ShapeError for other shapes and UnknownNameError for another mode.
    """
    a, b = Divide().prepare([x1, x2])
    if a.ndim != 1 or b.ndim != 1 or not a.size or not b.size:
        raise ShapeError(f"ops.correlate takes two vectors that are not empty; got shapes {a.shape} and {b.shape}.")
    swapped = a.shape[0] < b.shape[0]
    if swapped:
        a, b = b, a
    reach = b.shape[0] - 1
    paddings = {"valid": (0, 0), "same": (b.shape[0] // 2, reach - b.shape[0] // 2), "full": (reach, reach)}
    if mode not in paddings:
        raise unknown_name("mode of a correlation", mode, paddings)
    y = conv(reshape(a, (1, -1, 1)), reshape(b, (-1, 1, 1)), 1, (paddings[mode],), "channels_last")
    y = reshape(y, (-1,))
    return flip(y) if swapped else y


def corrcoef(x: object) -> Tensor:
    """Pearson's correlations of the rows of a matrix [variables, samples]: [variables, variables]."""
    x = as_float(as_tensor(x))
    if x.ndim > 2:
        raise ShapeError(f"ops.corrcoef takes a matrix or a vector; got shape {x.shape}.")
    rows = reshape(x, (1, -1)) if x.ndim < 2 else x
    centred = rows - mean(rows, 1, keepdims=True)
    scale = sqrt(reduce_sum(square(centred), 1, keepdims=True))
    scaled = centred / scale
    y = clip(matmul(scaled, swapaxes(scaled, 0, 1)), -1, 1)
    return y if x.ndim == 2 else reshape(y, ())


def cdist(x: object, y: object) -> Tensor:
    """The Euclidean distances between vectors [..., m, d] and [..., n, d]: [..., m, n]."""
    x, y = Divide().prepare([x, y])
    return sqrt(reduce_sum(square(expand_dims(x, -2) - expand_dims(y, -3)), -1))


def psnr(x1: object, x2: object, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio of two signals of one shape, in decibels, for a largest possible value."""
    a, b = as_tensor(x1), as_tensor(x2)
    if a.shape != b.shape:
        raise ShapeError(f"ops.psnr compares signals of one shape; got {a.shape} and {b.shape}.")
    return (2 * math.log(max_val) - log(mean(square(a - b)))) * (10 / math.log(10))
