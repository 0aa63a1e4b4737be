"""Searching in order, counting and telling apart: what NumPy computes, for the kernels have no form for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Launch, Operand
from layerkit.kernels.sorting_launch import SORTABLE, argsort_launches, search_sorted_launches
from layerkit.ops.arrays import flip, linspace
from layerkit.ops.comparison import equal, logical_and, logical_not
from layerkit.ops.elementwise import Add, cast, minimum, where
from layerkit.ops.index_checks import as_indices
from layerkit.ops.indexing import ScatterAddRows, take
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import min as reduce_min
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.shape import ones, reshape, stack, zeros
from layerkit.ops.sorting import sort


class SearchSorted(Kernelled):
    """Where each value goes into an ascending vector to keep it in order; before equals, or after with `right`."""

    right: bool = False

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return Add().prepare(inputs)

    def infer(self, ordered: Tensor, values: Tensor) -> Spec:
        if ordered.ndim != 1:
            raise ShapeError("the ordered sequence has to be a vector.")
        return values.shape, "int32"

    def reference(self, ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.searchsorted(ordered, values, "right" if self.right else "left")

    def gradient(self, g: Tensor, y: Tensor, ordered: Tensor, values: Tensor) -> tuple:
        return None, None

    def supports(self, ordered: Tensor, values: Tensor) -> bool:
        """The kernel compares floats and integers of 32 and 64 bits and bools."""
        return values.dtype in SORTABLE

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return search_sorted_launches(*inputs, *outputs, self.right)


def searchsorted(sorted_sequence: object, values: object, side: str = "left") -> Tensor:
    """Where each value goes into an ascending vector: before its equals ("left") or after ("right"). int32.

    Raises ShapeError where the sequence is no vector and ValueError for another side.
    """
    if side not in ("left", "right"):
        raise ValueError(f"ops.searchsorted: side is 'left' or 'right'; got {side!r}.")
    return SearchSorted(side == "right")(sorted_sequence, values)


class ArgPartition(Kernelled):
    """The indices that bring the elements at places `kth` of the sorted axis there, smaller ones before them.

    They sort the whole axis: the kernels sort by digits, in linear time as a selection takes.
    """

    kth: tuple[int, ...]
    axis: int

    def infer(self, x: Tensor) -> Spec:
        size = x.shape[self.axis]
        if size is not None and any(not -size <= place < size for place in self.kth):
            raise ShapeError(f"kth={self.kth} does not lie in axis {self.axis} of size {size}.")
        return x.shape, "int32"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argsort(x, axis=self.axis, kind="stable")

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)

    def supports(self, x: Tensor) -> bool:
        """The kernels of sorting."""
        return x.dtype in SORTABLE

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return argsort_launches(*inputs, *outputs, self.axis)


def argpartition(x: object, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Indices that order an axis, or the flattened x (None), so far that the kth element is in its place; int32.

    No element before it is larger, and none behind it smaller; there the order is not defined. Several places may be
    given. Raises ShapeError for a place that the axis has not.

    >>> argpartition(np.array([5.0, 7.0, 6.0]), 1).tolist()
    [0, 2, 1]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = normalize_axes(axis, x.ndim)
    return ArgPartition(tuple(int(place) for place in np.atleast_1d(np.asarray(kth))), axis)(x)


def digitize(x: object, bins: object) -> Tensor:
    """The number of the bin of each element, by ascending or descending edges; 0 before the first edge. int32.

    >>> digitize(np.array([0.2, 1.0, 9.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [1, 2, 3]
    """
    bins = as_tensor(bins)
    if bins.ndim != 1:
        raise ShapeError(f"ops.digitize takes a vector of edges; got shape {bins.shape}.")
    count = bins.shape[0]
    if not count:
        return zeros(as_tensor(x).shape, "int32")
    rising = SearchSorted(right=True)(bins, x)
    falling = count - SearchSorted()(flip(bins), x)
    return where(bins[count - 1] >= bins[0], rising, falling)


def isin(x1: object, x2: object, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of x1 is one of x2's (with `invert`: is none); `assume_unique` changes no result."""
    x1, x2 = Add().prepare([x1, x2])
    if x2.size == 0:
        found = zeros(x1.shape, "bool")
    else:
        ordered = sort(x2, None)
        at = minimum(SearchSorted()(ordered, x1), ordered.shape[0] - 1)
        found = equal(take(ordered, at), x1)
    return logical_not(found) if invert else found


def unique(
    x: object,
    sorted: bool = True,  # noqa: A002
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: float | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The distinct elements in ascending order, or slices along an axis. x has to hold an array.

    Args:
        x: a tensor; None of its NaNs equals another.
        sorted: accepted as Keras has it; they are always sorted.
        return_index: whether to give where each comes first, int32.
        return_inverse: whether to give which of them each element is, int32.
        return_counts: whether to give how often each comes, int32.
        axis: along which slices are compared; None compares elements.
        size: how many to give: the first ones, or more than there are, filled up.
        fill_value: what to fill up with; None: the smallest.

    >>> unique(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    array = as_tensor(x).numpy()
    values, index, inverse, counts = np.unique(array, True, True, True, axis=axis, equal_nan=False)
    along = 0 if axis is None else axis
    if size is not None:
        missing = max(size - values.shape[along], 0)
        kept = np.arange(min(size, values.shape[along]))
        first = np.take(values, [0], along)
        filler = first if fill_value is None else np.full_like(first, fill_value)
        values = np.concatenate([np.take(values, kept, along), np.repeat(filler, missing, along)], along)
        index = np.concatenate([index[:size], np.repeat(index[:1], missing)])
        counts = np.concatenate([counts[:size], np.zeros(missing, counts.dtype)])
    inverse = inverse.reshape(array.shape) if axis is None else inverse.reshape(-1)
    wanted = ((index, return_index), (inverse, return_inverse), (counts, return_counts))
    more = [Tensor.of(one.astype("int32")) for one, asked in wanted if asked]
    return (Tensor.of(values), *more) if more else Tensor.of(values)


def bincount(x: object, weights: object = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each whole number from 0 on comes in a vector, or in each row of a matrix; or its weights' sum.

    x has to hold an array: the largest number in it says how many there are, `minlength` at least.
    Raises ShapeError for more axes, and NotImplementedError for a sparse result.
    """
    if sparse:
        raise NotImplementedError("ops.bincount gives dense tensors; got sparse=True.")
    x = as_indices("bincount", x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"ops.bincount takes a vector or a matrix; got shape {x.shape}.")
    length = max(int(x.numpy().max(initial=-1)) + 1, minlength)
    amounts = ones(x.shape, "int32") if weights is None else as_tensor(weights)
    count = ScatterAddRows(length)
    if x.ndim == 1:
        return count(amounts, x)
    return stack([count(amounts[row], x[row]) for row in range(x.shape[0])])


def histogram(x: object, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:  # noqa: A002
    """How many elements lie in each bin, and the bins' edges.

    Args:
        x: a vector; integers become floats.
        bins: how many bins of one width there are; the last one has its upper edge.
        range: the lowest and the highest edge; None: the smallest and the largest element.

    >>> histogram(np.array([0.0, 1.0, 1.5, 2.0]), 2)[0].tolist()
    [1.0, 3.0]
    """
    x = as_float(as_tensor(x))
    if x.ndim != 1:
        raise ShapeError(f"ops.histogram takes a vector; got shape {x.shape}.")
    edges, count = _edges(x, bins, range), bins
    at = SearchSorted(right=True)(edges, x) - 1
    at = where(equal(x, edges[count]), count - 1, at)
    inside = logical_and(at >= 0, at < count)
    # What lies outside is counted in a bin more, which is then cut off.
    counts = ScatterAddRows(count + 1)(cast(inside, x.dtype), where(inside, at, count))
    return counts[:count], edges


def _edges(x: Tensor, bins: int, limits: tuple[float, float] | None) -> Tensor:
    if not isinstance(bins, int) or bins < 1:
        raise ValueError(f"ops.histogram takes a number of bins from 1 on; got {bins!r}.")
    if limits is not None and limits[0] > limits[1]:
        raise ValueError(f"ops.histogram: the range goes up; got {limits}.")
    if limits is None and not x.size:
        limits = (0.0, 1.0)
    low, high = (reduce_min(x), reduce_max(x)) if limits is None else (cast(one, x.dtype) for one in limits)
    flat = equal(low, high)  # one value alone stands in the middle of a range of 1
    low, high = where(flat, low - 0.5, low), where(flat, high + 0.5, high)
    return linspace(low, high, bins + 1)
