"""Reductions that leave NaN out, and what counts or spans elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_float
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import equal, isnan, logical_not, not_equal
from layerkit.ops.cumulative import cumprod, cumsum
from layerkit.ops.elementwise import cast, sqrt, square, where
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import all as reduce_all
from layerkit.ops.reduction import argmax, argmin, prod
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import min as reduce_min
from layerkit.ops.reduction import sum as reduce_sum

Axis = int | Sequence[int] | None


def _filled(x: object, value: float) -> Tensor:
    """The tensor with a value in place of NaN."""
    x = as_tensor(x)
    return where(isnan(x), value, x) if is_float(x.dtype) else x


def nan_to_num(x: object, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Numbers in place of NaN and infinities; by default 0 and the ends of the dtype's range.

    >>> nan_to_num(np.array([np.nan, 1.0, -np.inf]), neginf=-9).tolist()
    [0.0, 1.0, -9.0]
    """
    x = as_tensor(x)
    if not is_float(x.dtype):
        return x
    limits = np.finfo(x.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    return where(isnan(x), nan, where(equal(x, math.inf), high, where(equal(x, -math.inf), low, x)))


def nansum(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over axes (all with None) of what is not NaN."""
    return reduce_sum(_filled(x, 0), axis, keepdims)


def nanprod(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over axes (all with None) of what is not NaN."""
    return prod(_filled(x, 1), axis, keepdims)


def nanmax(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest over axes (all with None) of what is not NaN; NaN where all is."""
    y = reduce_max(_filled(x, -math.inf), axis, keepdims)
    return where(_all_nan(x, axis, keepdims), math.nan, y) if is_float(y.dtype) else y


def nanmin(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest over axes (all with None) of what is not NaN; NaN where all is."""
    y = reduce_min(_filled(x, math.inf), axis, keepdims)
    return where(_all_nan(x, axis, keepdims), math.nan, y) if is_float(y.dtype) else y


def nanargmax(x: object, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first largest element that is not NaN is; -1 where all is NaN. int32."""
    at = argmax(_filled(x, -math.inf), axis, keepdims)
    return where(_all_nan(x, axis, keepdims), -1, at)


def nanargmin(x: object, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first smallest element that is not NaN is; -1 where all is NaN. int32."""
    at = argmin(_filled(x, math.inf), axis, keepdims)
    return where(_all_nan(x, axis, keepdims), -1, at)


def _all_nan(x: object, axis: Axis, keepdims: bool) -> Tensor:
    return reduce_all(isnan(x), axis, keepdims)


def _count(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return reduce_sum(cast(logical_not(isnan(x)), x.dtype), axis, keepdims)


def nanmean(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over axes (all with None) of what is not NaN; NaN where all is."""
    x = as_float(as_tensor(x))
    return nansum(x, axis, keepdims) / _count(x, axis, keepdims)


def nanvar(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean squared distance from the mean over axes (all with None) of what is not NaN; NaN where all is."""
    x = as_float(as_tensor(x))
    distance = where(isnan(x), 0, _filled(x, 0) - nanmean(x, axis, keepdims=True))
    return reduce_sum(square(distance), axis, keepdims) / _count(x, axis, keepdims)


def nanstd(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The square root of the variance of what is not NaN."""
    return sqrt(nanvar(x, axis, keepdims))


def nancumsum(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Sums of the elements up to each one along an axis, or of the flattened x (None); NaN counts as 0."""
    return cumsum(_filled(x, 0), axis, dtype)


def nancumprod(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Products of the elements up to each one along an axis, or of the flattened x (None); NaN counts as 1."""
    return cumprod(_filled(x, 1), axis, dtype)


def count_nonzero(x: object, axis: Axis = None) -> Tensor:
    """How many elements over axes (all with None) are not 0; int32."""
    return reduce_sum(cast(not_equal(x, 0), "int32"), axis)


def ptp(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest less the smallest over axes (all with None)."""
    return reduce_max(x, axis, keepdims) - reduce_min(x, axis, keepdims)
