"""`x[key]` with arrays among the indices, as NumPy has it, in terms of `TakeRows`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_int
from layerkit.errors import ShapeError
from layerkit.graph.operation import Operation, as_tensor, broadcast_shapes
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import logical_and
from layerkit.ops.elementwise import cast, where
from layerkit.ops.index_checks import INDEX_DTYPES, check_indices
from layerkit.ops.indexing import TakeRows
from layerkit.ops.shape import GetItem, broadcast_to, reshape, transpose


class GetArrays:
    """NumPy's advanced indexing: integer arrays, and masks whose elements are known."""

    @staticmethod
    def at(x: Tensor, keys: Sequence[object]) -> Tensor:
        """`x[keys]` where an index is an array.

        Index arrays are broadcast with one another and with integers. Their axes stand where the indexed ones stood, or
        in front where a slice, None or ... separates these. An index outside reads NaN, or 0 for integers and bools.
        Raises IndexError for a known index outside, and ShapeError for a mask whose elements are not known, for the
        result's shape depends on them.
        """
        keys = [k if k is None or k is Ellipsis or isinstance(k, slice) else _index_tensor(k) for k in keys]
        used = sum(_axes_of(k) for k in keys)
        if used > x.ndim:
            raise IndexError(f"ops.get_item: {used} indices for a tensor of shape {x.shape}.")
        rest = [slice(None)] * (x.ndim - used)
        dots = next((place for place, k in enumerate(keys) if k is Ellipsis), len(keys))
        keys = [*keys[:dots], *rest, *keys[dots + 1 :]]
        basic: list[slice | None] = []
        arrays: dict[int, Tensor] = {}  # by their axis once the other indices are done
        axis = 0
        for k in keys:
            for part in _parts(k, x, axis):
                if isinstance(part, Tensor):
                    check_indices("get_item", part, x.shape, axis)
                    arrays[len(basic)] = part
                    part = slice(None)
                basic.append(part)
                axis += part is not None
        return _take_at(GetItem.at(x, tuple(basic)), arrays)


Operation.registry["GetArrays"] = GetArrays


def _index_tensor(key: object) -> Tensor:
    key = as_tensor(key)
    if key.dtype != "bool" and not is_int(key.dtype):
        raise IndexError(
            f"ops.get_item: indices are integers, slices, ..., None and arrays of integers or bools; got {key.dtype}."
        )
    return key if key.dtype in ("bool", *INDEX_DTYPES) else cast(key, "int32")


def _axes_of(key: object) -> int:
    """How many axes an index takes."""
    if isinstance(key, Tensor) and key.dtype == "bool":
        return key.ndim
    return int(key is not None and key is not Ellipsis)


def _parts(key: object, x: Tensor, axis: int) -> list[object]:
    """An index as itself, or a mask of some axes as indices into each of them."""
    if not isinstance(key, Tensor) or key.dtype != "bool":
        return [key]
    if key.symbolic:
        raise ShapeError(
            "ops.get_item: a mask whose elements are not known is no index, for the shape of the result depends on "
            "them; ops.where has a fixed one."
        )
    if not key.ndim or x.shape[axis : axis + key.ndim] != key.shape:
        raise IndexError(
            f"ops.get_item: a mask of shape {key.shape} does not fit axis {axis} of a tensor of shape {x.shape}."
        )
    return [Tensor.of(at) for at in np.nonzero(key.numpy())]


def _take_at(x: Tensor, arrays: dict[int, Tensor]) -> Tensor:
    """The elements at indices along some axes, broadcast with one another, and the other axes whole."""
    axes = sorted(arrays)
    others = [at for at in range(x.ndim) if at not in arrays]
    shape = broadcast_shapes(*(indices.shape for indices in arrays.values()))
    if len(axes) == 1:
        return TakeRows(axis=axes[0])(x, arrays[axes[0]])
    # The axes next to each other, where they are: then as one.
    first = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    table = transpose(x, (*others[:first], *axes, *others[first:]))
    sizes = tuple(x.shape[at] for at in axes)
    table = reshape(table, (*table.shape[:first], math.prod(sizes), *table.shape[first + len(axes) :]))
    return TakeRows(axis=first)(table, broadcast_to(_row_major([arrays[at] for at in axes], sizes), shape))


def _row_major(indices: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """One number for an index along each of several axes; one outside where any is outside."""
    places, inside = 0, True
    for at, size in zip(indices, sizes, strict=True):
        at = where(at < 0, at + size, at)
        inside = logical_and(inside, logical_and(at >= 0, at < size))
        places = places * size + at
    return where(inside, places, math.prod(sizes))
