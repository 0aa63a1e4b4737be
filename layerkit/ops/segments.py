"""Rows combined by segment: sums, maxima, minima and products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.indexing_launch import NUMBERS, neutral_element, segment_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.elementwise import cast, maximum, where
from layerkit.ops.index_checks import INDEX_DTYPES, as_indices, check_indices, inside_only
from layerkit.ops.indexing import ScatterAddRows, TakeRows


class _Segments(Kernelled, abstract=True):
    segments: int
    combine: ClassVar[str] = ""
    join: ClassVar[np.ufunc] = np.add

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        if x.shape[: indices.ndim] != indices.shape:
            raise ShapeError(f"the rows' leading axes have to have the indices' shape, {indices.shape}.")
        return (self.segments, *x.shape[indices.ndim :]), x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        shape = (self.segments, *x.shape[indices.ndim :])
        combined = np.full(shape, neutral_element(x.dtype, self.combine), x.dtype)
        self.join.at(combined, *inside_only(indices, self.segments, x))
        return combined

    def supports(self, x: Tensor, indices: Tensor) -> bool:
        """The kernels combine floats and integers of 32 and 64 bits."""
        return x.dtype in NUMBERS and indices.dtype in INDEX_DTYPES

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return segment_launches(*inputs, *outputs, self.combine)


class _SegmentExtreme(_Segments, abstract=True):
    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        # Equal elements share the gradient, as with `max` and `min`.
        pick = TakeRows(zero_outside=True)
        hit = cast(x == pick(y, indices), x.dtype)
        hits = ScatterAddRows(self.segments)(hit, indices)
        return hit * pick(g / maximum(hits, 1), indices), None


class SegmentMax(_SegmentExtreme):
    """The largest of the rows [*N, ...] of each segment, by indices [*N]; the dtype's lowest for an empty one."""

    combine = "max"
    join = np.maximum


class SegmentMin(_SegmentExtreme):
    """The smallest of the rows [*N, ...] of each segment, by indices [*N]; the dtype's highest for an empty one."""

    combine = "min"
    join = np.minimum


class SegmentProd(_Segments):
    """The product of the rows [*N, ...] of each segment, by segment indices [*N]; 1 for an empty one."""

    combine = "mul"
    join = np.multiply

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        pick = TakeRows(zero_outside=True)
        zero = x == 0
        others = SegmentProd(self.segments)(where(zero, 1, x), indices)  # the product without the zeros
        zeros = ScatterAddRows(self.segments)(cast(zero, x.dtype), indices)
        # Of a segment with one zero only that element has a slope, with two none has.
        one, none = pick(where(zeros == 1, others, 0), indices), pick(where(zeros == 0, others, 0), indices)
        return pick(g, indices) * where(zero, one, none / where(zero, 1, x)), None


def segment_sum(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The sum of the rows [N, ...] of each segment, by segment indices [N].

    A negative index belongs to no segment. Raises IndexError for a known index from `num_segments` on; in compiled code
    that belongs to none either.

    >>> segment_sum(np.array([1, 2, 3]), [0, 2, 2]).tolist()
    [1, 0, 5]
    """
    return _of_segments("segment_sum", ScatterAddRows, data, segment_ids, num_segments)


def segment_max(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The largest of the rows [N, ...] of each segment, by segment indices [N] as of `segment_sum`."""
    return _of_segments("segment_max", SegmentMax, data, segment_ids, num_segments)


def segment_min(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The smallest of the rows [N, ...] of each segment, by segment indices [N] as of `segment_sum`."""
    return _of_segments("segment_min", SegmentMin, data, segment_ids, num_segments)


def segment_prod(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The product of the rows [N, ...] of each segment, by segment indices [N] as of `segment_sum`."""
    return _of_segments("segment_prod", SegmentProd, data, segment_ids, num_segments)


def _of_segments(function: str, kind: type, data: object, segment_ids: object, num_segments: int | None) -> Tensor:
    data, ids = as_tensor(data), as_indices(function, segment_ids, "segment_ids")
    # How many there are: as given, or one more than the largest index.
    count = int(ids.numpy().max(initial=-1)) + 1 if num_segments is None else int(num_segments)
    ids = maximum(ids, -1)
    check_indices(function, maximum(ids, 0), (max(count, int(not ids.size)),), 0)
    return kind(count)(data, where(ids < 0, count, ids))
