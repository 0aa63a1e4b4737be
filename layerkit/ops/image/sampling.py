"""Values between the elements of an array: the nearest one, or the linear interpolation of those around."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence

import numpy as np

from layerkit.dtypes import is_float, is_int
from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import index_dtype
from layerkit.ops.comparison import logical_and
from layerkit.ops.elementwise import absolute, cast, clip, floor, floor_divide, maximum, minimum, trunc, where
from layerkit.ops.indexing import TakeRows
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import size_constant
from layerkit.ops.shape import expand_dims

ORDERS = {"nearest": 0, "bilinear": 1}
"""The order of interpolation by its name."""

# An index beyond is held here before it becomes an integer, so that no rule below overflows 32 bits.
_FAR = 2**29


def _mirrored(index: Tensor, size: int) -> Tensor:
    half = size_constant(max(size - 1, 1), "int32")  # of one element every index is 0
    return minimum(absolute((index + half) % (half * 2) - half), size_constant(size - 1, "int32"))


def _reflected(index: Tensor, size: int) -> Tensor:
    # Mirrored at the elements' outer edges: that is at whole places where elements stand at odd ones.
    return floor_divide(_mirrored(index * 2 + 1, 2 * size + 1) - 1, 2)


def _held(index: Tensor, size: int) -> Tensor:
    return maximum(minimum(index, size_constant(size - 1, "int32")), 0)


FILL_MODES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "constant": _held,
    "nearest": _held,
    "wrap": lambda index, size: index % size_constant(size, "int32"),
    "mirror": _mirrored,
    "reflect": _reflected,
}
"""What index is read for one outside of an axis, as in scipy.ndimage."""


def rounded(x: Tensor) -> Tensor:
    """The nearest whole number, halves away from zero."""
    whole = trunc(x)
    return whole + where(absolute(x - whole) >= 0.5, where(x < 0, -1.0, 1.0), 0.0)


class _Node:
    """One of the elements along an axis that a value is made of: its index, its weight, whether it exists."""

    def __init__(self, index: Tensor, weight: Tensor | None, size: int, fill_mode: str) -> None:
        self.weight = weight
        self.exists = None
        if fill_mode == "constant":
            self.exists = logical_and(index >= 0, index < size_constant(size, "int32"))
        self.index = FILL_MODES[fill_mode](index, size)


def _nodes(coordinate: Tensor, size: int, order: int, fill_mode: str) -> list[_Node]:
    if order == 0:
        nearest = rounded(coordinate) if is_float(coordinate.dtype) else coordinate
        return [_Node(_as_index(nearest), None, size, fill_mode)]
    coordinate = as_float(coordinate)
    lower = floor(coordinate)
    share, index = coordinate - lower, _as_index(lower)
    return [_Node(index, 1 - share, size, fill_mode), _Node(index + 1, share, size, fill_mode)]


def _as_index(whole: Tensor) -> Tensor:
    return cast(clip(whole, -_FAR, _FAR), "int32")


def sample(
    rows: Tensor,
    sizes: Sequence[int],
    coordinates: Sequence[Tensor],
    order: int,
    fill_mode: str,
    fill_value: float,
    block: Tensor | None = None,
) -> Tensor:
    """The values at places between the elements of arrays.

    Args:
        rows: the elements [elements] or [elements, C] of one or more arrays, one after the other.
        sizes: the shape of each array.
        coordinates: for each axis of an array the places, in elements; they broadcast.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what counts outside of the array, a name in `FILL_MODES`.
        fill_value: what "constant" counts there.
        block: the number of each place's array; None: there is only one.

    Returns [*places] or [*places, C] in the dtype of the rows; integers are rounded, halves away from zero. It has a
    gradient by the rows, and of order 1 by the coordinates too.
    """
    wide = rows.ndim > 1
    dtype = index_dtype(rows.shape[0])
    fill = np.asarray(fill_value).astype(rows.dtype)
    axes = [_nodes(place, n, order, fill_mode) for place, n in zip(coordinates, sizes, strict=True)]
    total = None
    for corner in itertools.product(*axes):
        row = block
        for node, n in zip(corner, sizes, strict=True):
            index = cast(node.index, dtype)
            row = index if row is None else row * size_constant(n, dtype) + index
        value = TakeRows()(rows, row)
        if fill_mode == "constant":
            exists = functools.reduce(logical_and, (node.exists for node in corner))
            value = where(expand_dims(exists, -1) if wide else exists, value, fill)
        if order:
            weight = functools.reduce(operator.mul, (node.weight for node in corner))
            value = value * (expand_dims(weight, -1) if wide else weight)
        total = value if total is None else total + value
    if not order:
        return total
    return cast(rounded(total) if is_int(rows.dtype) else total, rows.dtype)
