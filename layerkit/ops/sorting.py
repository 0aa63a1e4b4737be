"""Sorting along an axis and the largest elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Launch, Operand
from layerkit.kernels.sorting_launch import SORTABLE, argsort_launches, sort_launches, top_k_launches
from layerkit.ops.comparison import less
from layerkit.ops.elementwise import where
from layerkit.ops.indexing import AddAlongAxis, as_indices
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import expand_dims, reshape


class _Sorting(Kernelled, abstract=True):
    axis: int

    def infer(self, x: Tensor) -> Spec:
        if not 0 <= self.axis < x.ndim:
            raise ShapeError(f"axis {self.axis} is out of range for a tensor with {x.ndim} axes.")
        return x.shape, x.dtype

    def supports(self, x: Tensor) -> bool:
        """The kernels sort floats and integers of 32 and 64 bits and bools."""
        return x.dtype in SORTABLE


class ArgSort(_Sorting):
    """The indices that sort along an axis; equal elements keep their order, NaN comes last."""

    def infer(self, x: Tensor) -> Spec:
        return super().infer(x)[0], "int32"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argsort(x, axis=self.axis, kind="stable")

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return argsort_launches(*inputs, *outputs, self.axis)


class Sort(_Sorting):
    """The elements in ascending order along an axis, NaN last."""

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.sort(x, axis=self.axis)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (AddAlongAxis(self.axis, x.shape[self.axis])(g, ArgSort(self.axis)(x)),)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return sort_launches(*inputs, *outputs, self.axis)


class TopK(Kernelled):
    """The k largest along the last axis, the largest (NaN) first, and their indices; of equals the first come first."""

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

    def supports(self, x: Tensor) -> bool:
        """The kernels compare floats and integers of 32 and 64 bits and bools."""
        return x.dtype in SORTABLE

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return top_k_launches(*inputs, *outputs)


def argsort(x: object, axis: int | None = -1) -> Tensor:
    """The indices that sort along an axis, or the flattened x (None); int32. Equal elements keep their order.

    >>> argsort(np.array([3, 1, 2, 1])).tolist()
    [1, 3, 2, 0]
    """
    x = reshape(x, (-1,)) if axis is None else as_tensor(x)
    return ArgSort(*normalize_axes(0 if axis is None else axis, x.ndim))(x)


def sort(x: object, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis, or all of the flattened x (None); NaN last."""
    x = reshape(x, (-1,)) if axis is None else as_tensor(x)
    return Sort(*normalize_axes(0 if axis is None else axis, x.ndim))(x)


def top_k(x: object, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:  # noqa: A002
    """The k largest along the last axis and their int32 indices; they are always sorted."""
    values, indices = TopK(int(k))(x)
    return values, indices


def in_top_k(targets: object, predictions: object, k: int) -> Tensor:
    """Whether the prediction [N, C] at each target [N] is among the k largest of its row; ties count as in.

    Raises ShapeError for other shapes.
    """
    targets, predictions = as_indices("in_top_k", targets, "targets"), as_tensor(predictions)
    sizes = {*targets.shape, *predictions.shape[:1]} - {None}
    if predictions.ndim != 2 or targets.ndim != 1 or len(sizes) > 1:
        raise ShapeError(
            f"ops.in_top_k takes targets [N] and predictions [N, C]; got {targets.shape} and {predictions.shape}."
        )
    hit = IndexAlong(1)(predictions) == expand_dims(targets, 1)
    chosen = reduce_sum(where(hit, predictions, 0), 1, keepdims=True)
    return less(reduce_sum(predictions > chosen, 1), k)
