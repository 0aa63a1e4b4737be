"""Minima and products of the rows of each segment; sums and maxima are in `indexing`."""

from __future__ import annotations

import numpy as np

from layerkit.graph.operation import Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import cast, maximum, where
from layerkit.ops.indexing import ScatterAddRows, TakeRows, as_indices, segment_count


class SegmentMin(Operation):
    """The smallest of the rows [N, ...] of each segment, by indices [N]; the dtype's highest for an empty one."""

    segments: int

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        return (self.segments, *x.shape[1:]), x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        highest = np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max
        smallest = np.full((self.segments, *x.shape[1:]), highest, x.dtype)
        np.minimum.at(smallest, indices, x)
        return smallest

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        # Equal elements share the gradient, as with `min`.
        hit = cast(x == TakeRows()(y, indices), x.dtype)
        hits = ScatterAddRows(self.segments)(hit, indices)
        return hit * TakeRows()(g / maximum(hits, 1), indices), None


class SegmentProd(Operation):
    """The product of the rows [N, ...] of each segment, by segment indices [N]; 1 for an empty one."""

    segments: int

    def infer(self, x: Tensor, indices: Tensor) -> Spec:
        return (self.segments, *x.shape[1:]), x.dtype

    def reference(self, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        products = np.ones((self.segments, *x.shape[1:]), x.dtype)
        np.multiply.at(products, indices, x)
        return products

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple:
        zero = x == 0
        others = SegmentProd(self.segments)(where(zero, 1, x), indices)  # the product without the zeros
        zeros = ScatterAddRows(self.segments)(cast(zero, x.dtype), indices)
        # Of a segment with one zero only that element has a slope, with two none has.
        one, none = TakeRows()(where(zeros == 1, others, 0), indices), TakeRows()(where(zeros == 0, others, 0), indices)
        return TakeRows()(g, indices) * where(zero, one, none / where(zero, 1, x)), None


def segment_min(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The smallest of the rows [N, ...] of each segment, by segment indices [N]."""
    data, ids = as_tensor(data), as_indices(segment_ids)
    return SegmentMin(segment_count(ids, num_segments))(data, ids)


def segment_prod(data: object, segment_ids: object, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: A002
    """The product of the rows [N, ...] of each segment, by segment indices [N]."""
    data, ids = as_tensor(data), as_indices(segment_ids)
    return SegmentProd(segment_count(ids, num_segments))(data, ids)
