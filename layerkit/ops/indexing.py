"""Reading and writing elements by index: take, scatter, segments, sorting, cumulative sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_int
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Kernelled, Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.indexing_launch import NUMBERS, gather_rows_launches, scatter_add_rows_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.comparison import less
from layerkit.ops.elementwise import cast, maximum, where
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import Pad, Slice, SliceGradient, expand_dims, reshape, transpose

INDEX_DTYPES = ("int32", "int64")


class TakeRows(Kernelled):
    """Rows of a table [rows, ...] by integer indices of any shape; a negative index counts from the end."""

    def infer(self, table: Tensor, indices: Tensor) -> Spec:
        if table.ndim < 1:
            raise ShapeError("the table needs an axis of rows.")
        if not is_int(indices.dtype):
            raise DtypeError(f"indices have to be integers, not {indices.dtype}.")
        return indices.shape + table.shape[1:], table.dtype

    def reference(self, table: np.ndarray, indices: np.ndarray) -> np.ndarray:
        return np.take(table, indices, axis=0)

    def gradient(self, g: Tensor, y: Tensor, table: Tensor, indices: Tensor) -> tuple:
        return ScatterAddRows(table.shape[0])(g, indices), None

    def supports(self, table: Tensor, indices: Tensor) -> bool:
        """The kernel moves elements of any dtype but float16."""
        return table.dtype != "float16" and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return gather_rows_launches(*inputs, *outputs)


class ScatterAddRows(Kernelled):
    """Zeros [rows, ...] with each slice of g added to the row that its index names: the gradient of `TakeRows`."""

    rows: int

    def infer(self, g: Tensor, indices: Tensor) -> Spec:
        if g.shape[: indices.ndim] != indices.shape:
            raise ShapeError(f"the values' leading axes have to have the indices' shape, {indices.shape}.")
        return (self.rows, *g.shape[indices.ndim :]), g.dtype

    def reference(self, g: np.ndarray, indices: np.ndarray) -> np.ndarray:
        sums = np.zeros((self.rows, *g.shape[indices.ndim :]), g.dtype)
        np.add.at(sums, indices, g)
        return sums

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return TakeRows()(g, indices), None

    def supports(self, g: Tensor, indices: Tensor) -> bool:
        """The kernel adds floats and integers of 32 and 64 bits."""
        return g.dtype in NUMBERS and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return scatter_add_rows_launches(*inputs, *outputs)


class UpdateRows(Operation):
    """Rows of a table [rows, ...] replaced by those of updates [*indices, ...]; of equal indices the last counts."""

    def infer(self, table: Tensor, indices: Tensor, updates: Tensor) -> Spec:
        if updates.shape != indices.shape + table.shape[1:]:
            raise ShapeError(f"the updates have to have shape {indices.shape + table.shape[1:]}.")
        return table.shape, table.dtype

    def reference(self, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        updated = table.copy()
        updated[indices] = updates
        return updated

    def gradient(self, g: Tensor, y: Tensor, table: Tensor, indices: Tensor, updates: Tensor) -> tuple:
        return UpdateRows()(g, indices, updates * 0), None, TakeRows()(g, indices)


class TakeAlongAxis(Operation):
    """The elements whose indices along one axis are given, the other axes going together."""

    axis: int

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        fits = indices.ndim == x.ndim and all(
            at == self.axis or m == n or None in (m, n)
            for at, (m, n) in enumerate(zip(x.shape, indices.shape, strict=True))
        )
        if not fits:
            raise ShapeError(f"all sizes but those of axis {self.axis} have to be equal.")
        return indices.shape, x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        return np.take_along_axis(x, indices, self.axis)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return AddAlongAxis(self.axis, x.shape[self.axis])(g, indices), None


class AddAlongAxis(Operation):
    """Zeros with g added where the indices along one axis say: the gradient of `TakeAlongAxis`."""

    axis: int
    size: int

    def infer(self, g: Tensor, indices: Tensor) -> Spec:
        return tuple(self.size if at == self.axis else n for at, n in enumerate(g.shape)), g.dtype

    def reference(self, g: np.ndarray, indices: np.ndarray) -> np.ndarray:
        sums = np.zeros([self.size if at == self.axis else n for at, n in enumerate(g.shape)], g.dtype)
        places = list(np.indices(g.shape, sparse=True))
        places[self.axis] = indices
        np.add.at(sums, tuple(places), g)
        return sums

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        return TakeAlongAxis(self.axis)(g, indices), None


class ArgSort(Operation):
    """The indices that sort along an axis; equal elements keep their order."""

    axis: int

    def infer(self, x: Tensor) -> Spec:
        return x.shape, "int32"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argsort(x, axis=self.axis, kind="stable")

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


class TopK(Operation):
    """The k largest along the last axis, the largest first, and their indices; of equals the first come first."""

    k: int
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        if x.ndim < 1 or (x.shape[-1] is not None and not 0 <= self.k <= x.shape[-1]):
            raise ShapeError(f"the last axis has to have at least k={self.k} elements.")
        shape = (*x.shape[:-1], self.k)
        return [(shape, x.dtype), (shape, "int32")]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # A stable sort of the mirrored row, mirrored back, is a stable descending one.
        order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., : self.k]
        return np.take_along_axis(x, order, -1), order

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        if g[0] is None:
            return (None,)
        return (AddAlongAxis(x.ndim - 1, x.shape[-1])(g[0], y[1]),)


class CumSum(Operation):
    """Sums of the elements up to each one along an axis; `reverse` sums from each one to the end."""

    axis: int
    reverse: bool = False

    def infer(self, x: Tensor) -> Spec:
        return x.shape, x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        if self.reverse:
            return np.flip(np.cumsum(np.flip(x, self.axis), self.axis, x.dtype), self.axis)
        return np.cumsum(x, self.axis, x.dtype)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (CumSum(self.axis, not self.reverse)(g),)


class SegmentMax(Operation):
    """The largest of the rows [N, ...] of each segment, by segment indices [N]; the dtype's lowest for an empty one."""

    segments: int

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        return (self.segments, *x.shape[1:]), x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        largest = np.full((self.segments, *x.shape[1:]), lowest, x.dtype)
        np.maximum.at(largest, indices, x)
        return largest

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        # Equal elements share the gradient, as with `max`.
        hit = cast(x == TakeRows()(y, indices), x.dtype)
        hits = ScatterAddRows(self.segments)(hit, indices)
        return hit * TakeRows()(g / maximum(hits, 1), indices), None


def as_indices(indices: object) -> Tensor:
    """Indices as an int32 or int64 tensor; floats are cut to whole numbers."""
    indices = as_tensor(indices)
    return indices if indices.dtype in INDEX_DTYPES else cast(indices, "int32")


def take(x: object, indices: object, axis: int | None = None) -> Tensor:
    """Slices of x by indices along an axis, or elements of the flattened x (None).

    >>> take(np.array([[1, 2], [3, 4]]), [1, 0], axis=0).tolist()
    [[3, 4], [1, 2]]
    """
    x, indices = as_tensor(x), as_indices(indices)
    if axis is None:
        return TakeRows()(reshape(x, (-1,)), indices)
    (axis,) = normalize_axes(axis, x.ndim)
    rows_first = transpose(x, (axis, *(at for at in range(x.ndim) if at != axis)))
    taken = TakeRows()(rows_first, indices)
    new = tuple(range(indices.ndim))
    rest = tuple(range(indices.ndim, taken.ndim))
    return transpose(taken, rest[:axis] + new + rest[axis:])


def take_along_axis(x: object, indices: object, axis: int | None = None) -> Tensor:
    """The elements whose indices along one axis are given; None flattens both."""
    x, indices = as_tensor(x), as_indices(indices)
    if axis is None:
        return TakeAlongAxis(0)(reshape(x, (-1,)), reshape(indices, (-1,)))
    return TakeAlongAxis(*normalize_axes(axis, x.ndim))(x, indices)


def argsort(x: object, axis: int | None = -1) -> Tensor:
    """The indices that sort along an axis, or the flattened x (None); int32."""
    x = as_tensor(x)
    return ArgSort(0)(reshape(x, (-1,))) if axis is None else ArgSort(*normalize_axes(axis, x.ndim))(x)


def sort(x: object, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis, or all of the flattened x (None)."""
    x = reshape(x, (-1,)) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis
    return take_along_axis(x, argsort(x, axis), axis)


def top_k(x: object, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:  # noqa: A002
    """The k largest along the last axis and their int32 indices; they are always sorted."""
    values, indices = TopK(int(k))(x)
    return values, indices


def in_top_k(targets: object, predictions: object, k: int) -> Tensor:
    """Whether the prediction [N, C] at each target [N] is among the k largest of its row; ties count as in.

    Raises ShapeError for other shapes.
    """
    targets, predictions = as_indices(targets), as_tensor(predictions)
    if predictions.ndim != 2 or targets.ndim != 1:
        raise ShapeError(
            f"ops.in_top_k takes targets [N] and predictions [N, C]; got {targets.shape} and {predictions.shape}."
        )
    hit = IndexAlong(1)(predictions) == expand_dims(targets, 1)
    chosen = reduce_sum(where(hit, predictions, 0), 1, keepdims=True)
    return less(reduce_sum(predictions > chosen, 1), k)


def cumsum(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Sums of the elements up to each one along an axis, or of the flattened x (None)."""
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype == "bool":
        x = cast(x, "int32")
    return CumSum(*normalize_axes(0 if axis is None else axis, x.ndim))(x)


def cumprod(x: object, axis: int | None = None, dtype: object = None) -> Tensor:
    """Products of the elements up to each one along an axis, or of the flattened x (None).

    Made of shifted products that double their reach, so that the gradient is right where an element is 0 as well.
    """
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype == "bool":
        x = cast(x, "int32")
    (axis,) = normalize_axes(0 if axis is None else axis, x.ndim)
    shift = 1
    while shift < x.shape[axis]:
        start, step = (0,) * x.ndim, (1,) * x.ndim
        size = tuple(n - shift if at == axis else n for at, n in enumerate(x.shape))
        widths = tuple((shift if at == axis else 0, 0) for at in range(x.ndim))
        x = x * Pad(widths, 1)(Slice(start, size, step)(x))
        shift *= 2
    return x


def segment_sum(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The sum of the rows [N, ...] of each segment, by segment indices [N]."""
    data, ids = as_tensor(data), as_indices(segment_ids)
    return ScatterAddRows(segment_count(ids, num_segments))(data, ids)


def segment_max(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The largest of the rows [N, ...] of each segment, by segment indices [N]."""
    data, ids = as_tensor(data), as_indices(segment_ids)
    return SegmentMax(segment_count(ids, num_segments))(data, ids)


def segment_count(ids: Tensor, num_segments: int | None) -> int:
    """How many segments there are: as given, or (None) one more than the largest index."""
    if num_segments is not None:
        return int(num_segments)
    return int(ids.numpy().max(initial=-1)) + 1


def _flat_places(indices: Tensor, shape: Sequence[int]) -> Tensor:
    """Index vectors [..., d] into the leading axes of a shape, as row-major numbers [...]."""
    depth = indices.shape[-1]
    if depth > len(shape):
        raise ShapeError(f"indices with {depth} numbers each do not fit shape {tuple(shape)}.")
    sizes = np.asarray(shape[:depth], np.int64)
    strides = np.cumprod(np.append(sizes[1:], 1)[::-1])[::-1]
    return reduce_sum(indices * strides.astype(indices.dtype), -1)


def scatter(indices: object, values: object, shape: Sequence[int]) -> Tensor:
    """Zeros of a shape with values [..., *rest] added at index vectors [..., d] into its leading axes."""
    indices, values, shape = as_indices(indices), as_tensor(values), tuple(shape)
    depth = indices.shape[-1]
    rows = int(np.prod(shape[:depth], dtype=np.int64))
    return reshape(ScatterAddRows(rows)(values, _flat_places(indices, shape)), shape)


def scatter_update(inputs: object, indices: object, updates: object, reduction: str | None = None) -> Tensor:
    """The inputs with updates [..., *rest] put at index vectors [..., d]; of equal ones the last stays.

    `reduction="add"` adds them instead. Raises NotImplementedError for another reduction.
    """
    x, indices, updates = as_tensor(inputs), as_indices(indices), as_tensor(updates)
    if reduction not in (None, "add"):
        raise NotImplementedError(f"ops.scatter_update has reduction=None and 'add'; got {reduction!r}.")
    if reduction == "add":
        return x + cast(scatter(indices, updates, x.shape), x.dtype)
    depth = indices.shape[-1]
    rows = reshape(x, (int(np.prod(x.shape[:depth], dtype=np.int64)), *x.shape[depth:]))
    return reshape(UpdateRows()(rows, _flat_places(indices, x.shape), cast(updates, x.dtype)), x.shape)


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
