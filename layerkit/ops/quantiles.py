"""Medians, quantiles and percentiles, by sorting."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerkit.errors import ShapeError, unknown_name
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrays import moveaxis
from layerkit.ops.comparison import isnan
from layerkit.ops.elementwise import cast, ceil, floor, maximum, where
from layerkit.ops.indexing import take_along_axis
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import reshape, squeeze, transpose
from layerkit.ops.sorting import sort

Axis = int | Sequence[int] | None
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(x: object, q: object, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The values below which shares q, from 0 to 1, of the elements over axes (all with None) lie.

    Args:
        x: a tensor; integers become floats. Where it has NaN, the result is NaN.
        q: a number, or a vector, whose axis comes first in the result.
        axis: one axis or several.
        method: between two elements "linear", "midpoint", "lower", "higher" or "nearest" counts.
        keepdims: whether the axes stay, with size 1.

    >>> quantile(np.array([1.0, 2.0, 4.0]), [0.5, 0.75]).tolist()
    [2.0, 3.0]
    """
    return _quantile(x, q, axis, method, keepdims, leave_out=False)


def nanquantile(x: object, q: object, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The quantiles of what is not NaN; see `quantile`."""
    return _quantile(x, q, axis, method, keepdims, leave_out=True)


def percentile(x: object, q: object, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The quantiles of shares from 0 to 100; see `quantile`."""
    return quantile(x, as_float(as_tensor(q)) / 100, axis, method, keepdims)


def nanpercentile(x: object, q: object, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The quantiles of shares from 0 to 100 of what is not NaN; see `quantile`."""
    return nanquantile(x, as_float(as_tensor(q)) / 100, axis, method, keepdims)


def median(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle element in order over axes (all with None), or the mean of the middle two; NaN where one is."""
    return quantile(x, 0.5, axis, "midpoint", keepdims)


def nanmedian(x: object, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The median of what is not NaN."""
    return nanquantile(x, 0.5, axis, "midpoint", keepdims)


def _quantile(x: object, q: object, axis: Axis, method: str, keepdims: bool, leave_out: bool) -> Tensor:
    if method not in METHODS:
        raise unknown_name("method of a quantile", method, METHODS)
    x = as_float(as_tensor(x))
    q = cast(as_tensor(q), x.dtype)
    if q.ndim > 1:
        raise ShapeError(f"a quantile's q is a number or a vector; got shape {q.shape}.")
    if not q.symbolic and not ((q.numpy() >= 0) & (q.numpy() <= 1)).all():
        raise ValueError(
            f"a quantile's q lies from 0 to 1 (a percentile's from 0 to 100); got the shares {q.tolist()}."
        )
    axes = normalize_axes(axis, x.ndim)
    rows = _as_rows(x, axes)
    if rows.shape[-1] == 0:
        raise ShapeError(f"no elements have no quantile: got shape {x.shape} with axis {axis}.")
    missing = reduce_sum(cast(isnan(rows), x.dtype), -1, keepdims=True)
    # Where the size is not known, only the shape is asked for. A row with NaN is overwritten unless they are left out.
    last = (rows.shape[-1] or 1) - 1.0 - missing
    place = maximum(reshape(q, (-1,)) * last, 0)
    y = _between(sort(rows, -1), place, method)  # NaN comes last
    if not leave_out:
        y = where(missing > 0, math.nan, y)
    kept = tuple(1 if at in axes else n for at, n in enumerate(x.shape))
    rest = kept if keepdims else tuple(n for at, n in enumerate(x.shape) if at not in axes)
    return reshape(moveaxis(y, -1, 0), (q.size, *rest)) if q.ndim else reshape(squeeze(y, -1), rest)


def _as_rows(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The tensor with the named axes together as the last one."""
    others = tuple(at for at in range(x.ndim) if at not in axes)
    sizes = [x.shape[at] for at in axes]
    size = None if None in sizes else math.prod(sizes)
    return reshape(transpose(x, others + axes), (*(x.shape[at] for at in others), size))


def _between(ordered: Tensor, place: Tensor, method: str) -> Tensor:
    """The elements [..., Q] at places [..., Q] of ordered ones [..., N], which may lie between two."""

    def at(places: Tensor) -> Tensor:
        return take_along_axis(ordered, cast(places, "int32"), -1)

    if method == "nearest":
        return at(ceil(place - 0.5))  # halfway the lower one, as in JAX
    if method == "lower":
        return at(floor(place))
    if method == "higher":
        return at(ceil(place))
    below, above = at(floor(place)), at(ceil(place))
    share = 0.5 if method == "midpoint" else place - floor(place)
    # Between two equal infinities there is no distance to share.
    return where(below == above, below, below * (1 - share) + above * share)
