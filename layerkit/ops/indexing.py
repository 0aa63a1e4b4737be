"""Reading and writing elements by index: take, scatter, slices.

A negative index counts from the end. What an index outside of its axis does:

- eagerly, and in a trace where the indices are known, the functions raise an IndexError that names the function, the
  axis and the index;
- in compiled code, which cannot raise, it reads NaN (0 for integers and bools) and writes nothing, as in JAX.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_complex, is_int
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.indexing_launch import (
    NUMBERS,
    add_along_launches,
    gather_rows_launches,
    scatter_add_rows_launches,
    take_along_launches,
    update_rows_launches,
)
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.elementwise import cast, where
from layerkit.ops.index_checks import INDEX_DTYPES, as_indices, check_indices, inside_only, missing_value, places_of
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.shape import Slice, SliceGradient, broadcast_to, reshape, transpose, zeros, zeros_like


def _moves(dtype: str) -> bool:
    return dtype != "float16" and not is_complex(dtype)


class _Reading(Kernelled, abstract=True):
    def supports(self, x: Tensor, indices: Tensor) -> bool:
        """The kernels move elements of any dtype but float16 and complex ones."""
        return _moves(x.dtype) and indices.dtype in INDEX_DTYPES

    def _missing(self) -> float | None:
        return 0 if self.zero_outside else None

    def _bordered(self, x: np.ndarray, axis: int) -> np.ndarray:
        """One element more along an axis: the one that is read outside."""
        border = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), missing_value(x.dtype, self.zero_outside), x.dtype)
        return np.concatenate([x, border], axis)


class TakeRows(_Reading):
    """Rows of a table [rows, ...] by integer indices of any shape; a negative index counts from the end.

    The rows may lie along another `axis`; the axes of the indices then stand in its place. The row of an index outside
    is NaN; 0 for integers, bools and with `zero_outside`.
    """

    zero_outside: bool = False
    axis: int = 0

    def infer(self, table: Tensor, indices: Tensor) -> Spec:
        if table.ndim <= self.axis:
            raise ShapeError(f"the table needs an axis {self.axis} of rows.")
        if not is_int(indices.dtype):
            raise DtypeError(f"indices have to be integers, not {indices.dtype}.")
        return table.shape[: self.axis] + indices.shape + table.shape[self.axis + 1 :], table.dtype

    def reference(self, table: np.ndarray, indices: np.ndarray) -> np.ndarray:
        rows = table.shape[self.axis]
        places, outside = places_of(indices, rows)
        if outside is None:
            return np.take(table, places, axis=self.axis)
        return np.take(self._bordered(table, self.axis), np.where(outside, rows, places), axis=self.axis)

    def gradient(self, g: Tensor, y: Tensor, table: Tensor, indices: Tensor) -> tuple:
        rows, axis = table.shape[self.axis], self.axis
        if not axis:
            return ScatterAddRows(rows)(g, indices), None
        new = tuple(range(axis, axis + indices.ndim))
        others = tuple(at for at in range(g.ndim) if at not in new)
        sums = ScatterAddRows(rows)(transpose(g, new + others), indices)
        return transpose(sums, (*range(1, axis + 1), 0, *range(axis + 1, table.ndim))), None

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return gather_rows_launches(*inputs, *outputs, self.axis, self._missing())


class ScatterAddRows(Kernelled):
    """Zeros [rows, ...] with each slice of g added to the row that its index names: the gradient of `TakeRows`."""

    rows: int

    def infer(self, g: Tensor, indices: Tensor) -> Spec:
        if g.shape[: indices.ndim] != indices.shape:
            raise ShapeError(f"the values' leading axes have to have the indices' shape, {indices.shape}.")
        return (self.rows, *g.shape[indices.ndim :]), g.dtype

    def reference(self, g: np.ndarray, indices: np.ndarray) -> np.ndarray:
        sums = np.zeros((self.rows, *g.shape[indices.ndim :]), g.dtype)
        np.add.at(sums, *inside_only(indices, self.rows, g))
        return sums

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return TakeRows(zero_outside=True)(g, indices), None

    def supports(self, g: Tensor, indices: Tensor) -> bool:
        """The kernel adds floats and integers of 32 and 64 bits."""
        return g.dtype in NUMBERS and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return scatter_add_rows_launches(*inputs, *outputs)


class UpdateRows(Kernelled):
    """Rows of a table [rows, ...] replaced by those of updates [*indices, ...]; of equal indices the last counts."""

    def infer(self, table: Tensor, indices: Tensor, updates: Tensor) -> Spec:
        if updates.shape != indices.shape + table.shape[1:]:
            raise ShapeError(f"the updates have to have shape {indices.shape + table.shape[1:]}.")
        return table.shape, table.dtype

    def reference(self, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        updated = table.copy()
        places, rows = inside_only(indices, len(table), updates)
        updated[places] = rows
        return updated

    def gradient(self, g: Tensor, y: Tensor, table: Tensor, indices: Tensor, updates: Tensor) -> tuple:
        flat = reshape(indices, (-1,))
        order = IndexAlong(0)(flat)
        last = UpdateRows()(zeros((table.shape[0],), "int32"), flat, order)
        counts = reshape(TakeRows()(last, flat) == order, indices.shape + (1,) * (table.ndim - 1))
        taken = TakeRows(zero_outside=True)(g, indices)
        return UpdateRows()(g, indices, zeros_like(updates)), None, where(counts, taken, zeros((), g.dtype))

    def supports(self, table: Tensor, indices: Tensor, updates: Tensor) -> bool:
        """The kernel moves elements of any dtype but float16 and complex ones."""
        return _moves(table.dtype) and table.dtype == updates.dtype and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return update_rows_launches(*inputs, *outputs)


class TakeAlongAxis(_Reading):
    """The elements whose indices along one axis are given, the other axes going together.

    The element of an index outside is NaN; 0 for integers, bools and with `zero_outside`.
    """

    axis: int
    zero_outside: bool = False

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        fits = indices.ndim == x.ndim and all(
            at == self.axis or m == n or None in (m, n)
            for at, (m, n) in enumerate(zip(x.shape, indices.shape, strict=True))
        )
        if not fits:
            raise ShapeError(f"all sizes but those of axis {self.axis} have to be equal.")
        return indices.shape, x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        places, outside = places_of(indices, x.shape[self.axis])
        if outside is None:
            return np.take_along_axis(x, places, self.axis)
        places = np.where(outside, x.shape[self.axis], places)
        return np.take_along_axis(self._bordered(x, self.axis), places, self.axis)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return AddAlongAxis(self.axis, x.shape[self.axis])(g, indices), None

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return take_along_launches(*inputs, *outputs, self.axis, self._missing())


class AddAlongAxis(Kernelled):
    """Zeros with g added where the indices along one axis say: the gradient of `TakeAlongAxis`."""

    axis: int
    size: int

    def infer(self, g: Tensor, indices: Tensor) -> Spec:
        return tuple(self.size if at == self.axis else n for at, n in enumerate(g.shape)), g.dtype

    def reference(self, g: np.ndarray, indices: np.ndarray) -> np.ndarray:
        # One more than there are takes what lies outside.
        sums = np.zeros([self.size + 1 if at == self.axis else n for at, n in enumerate(g.shape)], g.dtype)
        at, outside = places_of(indices, self.size)
        places = list(np.indices(g.shape, sparse=True))
        places[self.axis] = at if outside is None else np.where(outside, self.size, at)
        np.add.at(sums, tuple(places), g)
        return sums[(np.s_[:],) * self.axis + (np.s_[: self.size],)]

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return TakeAlongAxis(self.axis, zero_outside=True)(g, indices), None

    def supports(self, g: Tensor, indices: Tensor) -> bool:
        """The kernel adds floats and integers of 32 and 64 bits."""
        return g.dtype in NUMBERS and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return add_along_launches(*inputs, *outputs, self.axis)


def take(x: object, indices: object, axis: int | None = None) -> Tensor:
    """Slices of x by indices along an axis, or elements of the flattened x (None).

    Raises IndexError for a known index outside of the axis; in compiled code that reads NaN, or 0 for integers.
    Raises DtypeError for indices that are floats.

    >>> take(np.array([[1, 2], [3, 4]]), [1, 0], axis=0).tolist()
    [[3, 4], [1, 2]]
    """
    x, indices = as_tensor(x), as_indices("take", indices)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = normalize_axes(axis, x.ndim)
    check_indices("take", indices, x.shape, axis)
    return TakeRows(axis=axis)(x, indices)


def take_along_axis(x: object, indices: object, axis: int | None = None) -> Tensor:
    """The elements whose indices along one axis are given; None flattens both. Other axes of size 1 are repeated.

    Raises IndexError for a known index outside of the axis; in compiled code that reads NaN, or 0 for integers.
    """
    x, indices = as_tensor(x), as_indices("take_along_axis", indices)
    if axis is None:
        x, indices, axis = reshape(x, (-1,)), reshape(indices, (-1,)), 0
    (axis,) = normalize_axes(axis, x.ndim)
    check_indices("take_along_axis", indices, x.shape, axis)
    if indices.ndim == x.ndim:
        common = [n if m == 1 else m for m, n in zip(x.shape, indices.shape, strict=True)]
        x = broadcast_to(x, tuple(x.shape[axis] if at == axis else n for at, n in enumerate(common)))
        indices = broadcast_to(indices, tuple(indices.shape[axis] if at == axis else n for at, n in enumerate(common)))
    return TakeAlongAxis(axis)(x, indices)


def slice(inputs: object, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:  # noqa: A001
    """The block of a shape that starts at the given indices; -1 in the shape: to the end."""
    x = as_tensor(inputs)
    start = tuple(int(at) for at in start_indices)
    size = tuple(n - at if m == -1 else int(m) for n, at, m in zip(x.shape, start, shape, strict=True))
    if any(n is not None and at + m > n for n, at, m in zip(x.shape, start, size, strict=True)):
        raise ShapeError(f"ops.slice: a block of shape {size} from {start} does not lie in shape {x.shape}.")
    return Slice(start, size, (1,) * x.ndim)(x)


def slice_update(inputs: object, start_indices: Sequence[int], updates: object) -> Tensor:
    """The inputs with a block replaced by `updates`, from the given indices on."""
    x, updates = as_tensor(inputs), as_tensor(updates)
    start = tuple(int(at) for at in start_indices)
    step = (1,) * x.ndim
    inside = SliceGradient(start, step, x.shape)(np.ones(updates.shape, "bool"))
    return where(inside, SliceGradient(start, step, x.shape)(cast(updates, x.dtype)), x)


def unstack(x: object, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, which they lose."""
    x = as_tensor(x)
    (axis,) = normalize_axes(axis, x.ndim)
    count = x.shape[axis] if x.shape[axis] is not None else num
    if count is None or (num is not None and num != count):
        raise ShapeError(f"ops.unstack: axis {axis} of shape {x.shape} does not give num={num} slices.")
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    size = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    starts = (tuple(at if place == axis else 0 for place in range(x.ndim)) for at in range(count))
    return [reshape(Slice(start, size, (1,) * x.ndim)(x), rest) for start in starts]
