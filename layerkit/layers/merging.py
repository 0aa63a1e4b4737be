"""Layers of several inputs: sums, products, extremes, concatenation, dot products."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_integers
from layerkit.errors import ShapeError
from layerkit.graph.operation import broadcast_shapes
from layerkit.graph.tensor import Tensor
from layerkit.layers.layer import Layer

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip

EPSILON = 1e-12
"""Keeps a zero vector's square length from dividing by zero."""


class _Merge(Layer, registered=False):
    """Combines a list of tensors element by element. A subclass says in `merge` how.

    Inputs of fewer axes get axes of size 1 after the batch's.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The combination."""
        raise NotImplementedError

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Check that the shapes fit."""
        if not input_shape or not isinstance(input_shape[0], list | tuple):
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={input_shape} (not a "
                "list of shapes)"
            )
        batches = {shape[0] for shape in input_shape if shape} - {None}
        if len(batches) > 1:
            raise ShapeError(
                f"Cannot merge tensors with different batch sizes. Received tensors with shapes {list(input_shape)}"
            )
        try:
            broadcast_shapes(*(shape[1:] for shape in input_shape))
        except ShapeError as error:
            raise ShapeError(
                f"{type(self).__name__}: inputs have incompatible shapes: expected shapes that broadcast behind the "
                f"batch axis. Received shapes {list(input_shape)}"
            ) from error

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Combine the inputs."""
        if not isinstance(inputs, list | tuple):
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: inputs={inputs} (not a list of tensors)"
            )
        rank = max(x.ndim for x in inputs)
        return self.merge(
            [ops.expand_dims(x, list(range(1, 1 + rank - x.ndim))) if x.ndim < rank else x for x in inputs]
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """Where any input counts, if all have masks."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(ops.logical_or, previous_mask)


class Add(_Merge):
    """The sum of the inputs.

    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The sum."""
        return functools.reduce(ops.add, inputs)


class Subtract(_Merge):
    """The first of two inputs less the second.

    >>> Subtract()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[-2.0, 1.0]]
    """

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Check that there are two."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(
                f"A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape={input_shape}"
            )

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The difference."""
        if len(inputs) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: {len(inputs)}")
        return ops.subtract(*inputs)


class Multiply(_Merge):
    """The product of the inputs; masked steps of an input count as 1.

    >>> Multiply()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[3.0, 20.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The product."""
        return functools.reduce(ops.multiply, inputs)


class Average(_Merge):
    """The mean of the inputs.

    >>> Average()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[2.0, 4.5]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The mean."""
        return functools.reduce(ops.add, inputs) / len(inputs)


class Maximum(_Merge):
    """The largest of the inputs in each place.

    >>> Maximum()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[3.0, 5.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The largest."""
        return functools.reduce(ops.maximum, inputs)


class Minimum(_Merge):
    """The smallest of the inputs in each place.

    >>> Minimum()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[1.0, 4.0]]
    """

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The smallest."""
        return functools.reduce(ops.minimum, inputs)


class Concatenate(_Merge):
    """The inputs one after the other along an axis.

    >>> Concatenate()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[1.0, 5.0, 3.0, 4.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_integers(self, -math.inf, axis=axis)
        self.axis = axis

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Check that all sizes but those along the axis fit."""
        if not input_shape or not isinstance(input_shape[0], list | tuple):
            raise ValueError(
                "A `Concatenate` layer should be called on a list of at least 1 input. Received: "
                f"input_shape={input_shape}"
            )
        rank = len(input_shape[0])
        if not -rank <= self.axis < rank:
            raise ShapeError(
                f"Concatenate: axis={self.axis} is out of range: expected from {-rank} to {rank - 1} for inputs of "
                f"{rank} axes. Received: input_shape={list(input_shape)}"
            )
        others = [axis for axis in range(rank) if axis != self.axis % rank]
        for shape in input_shape:
            if len(shape) != rank or any(
                len({s[axis] for s in input_shape} - {None}) > 1 for axis in others if len(shape) == rank
            ):
                raise ShapeError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
                    f"axis. Received: input_shape={list(input_shape)}"
                )

    def merge(self, inputs: list[Tensor]) -> Tensor:
        """The inputs in a row."""
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """The masks in a row; where an input has none, all of it counts."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            whole = ops.ones_like(x, dtype="bool")
            masks.append(
                whole
                if mask is None
                else ops.logical_and(ops.expand_dims(mask, -1), whole)
                if mask.ndim < x.ndim
                else mask
            )
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)


class Dot(_Merge):
    """The dot products of the entries of two inputs along an axis of each.

    Args:
        axes: the axis, or one for each input; not 0.
        normalize: whether vectors are scaled to length 1 first, which gives cosines.

    >>> Dot(axes=1)([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[23.0]]
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, list | tuple):
                raise TypeError(
                    f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}"
                )
            if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
                raise ValueError(
                    f"Invalid format for argument `axes`: it should contain two integers. Received: axes={axes}"
                )
        if 0 in (axes if isinstance(axes, list | tuple) else (axes,)):
            raise ValueError(f"A `Dot` layer can't take the batch axis, 0. Received: axes={axes}")
        self.axes = axes
        self.normalize = normalize

    def _axes_of(self, shapes: Sequence[Sequence[int | None]]) -> list[int]:
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        for axis, shape in zip(axes, shapes, strict=True):
            if not -len(shape) <= axis < len(shape):
                raise ShapeError(
                    f"Dot: axes={self.axes} does not fit: expected an axis from 1 to {len(shape) - 1} for an input of "
                    f"shape {tuple(shape)}, got {axis}."
                )
        return [axis % len(shape) for axis, shape in zip(axes, shapes, strict=True)]

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Check that the axes are equally long."""
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(
                f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape}"
            )
        first, second = self._axes_of(input_shape)
        a, b = input_shape
        if 0 in (first, second):
            raise ValueError(f"A `Dot` layer can't take the batch axis, 0. Received: axes={self.axes}")
        if None not in (a[first], b[second]) and a[first] != b[second]:
            raise ShapeError(
                f"Incompatible input shapes: axis values {a[first]} (at axis {first}) != {b[second]} (at axis "
                f"{second}). Full input shapes: {a}, {b}"
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The products."""
        if len(inputs) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Received: {len(inputs)} inputs")
        a, b = inputs
        first, second = self._axes_of([a.shape, b.shape])
        if self.normalize:
            a, b = _unit(a, first), _unit(b, second)
        rows = ops.transpose(a, (0, *(axis for axis in range(1, a.ndim) if axis != first), first))
        columns = ops.transpose(b, (0, second, *(axis for axis in range(1, b.ndim) if axis != second)))
        kept = (*rows.shape[1:-1], *columns.shape[2:])
        batch = rows.shape[0] if rows.shape[0] is not None else columns.shape[0]
        y = ops.matmul(_with_three_axes(rows, 1, -1), _with_three_axes(columns, 2, 1))
        return ops.reshape(y, (batch, *(kept or (1,))))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None."""
        return None


def _with_three_axes(x: Tensor, at: int, kept: int) -> Tensor:
    """[N, ..., K] as [N, M, K] (`at=1, kept=-1`), or [N, K, ...] as [N, K, M] (`at=2, kept=1`)."""
    others = [size for axis, size in enumerate(x.shape) if axis not in (0, kept % x.ndim)]
    merged = None if None in others else functools.reduce(lambda a, b: a * b, others, 1)
    shape = (x.shape[0], merged, x.shape[kept]) if at == 1 else (x.shape[0], x.shape[kept], merged)
    return ops.reshape(x, shape)


def _unit(x: Tensor, axis: int) -> Tensor:
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), EPSILON))


def add(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Add` on a list of inputs."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Subtract` on a list of two inputs."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Multiply` on a list of inputs."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Average` on a list of inputs."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Maximum` on a list of inputs."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Minimum` on a list of inputs."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Tensor], axis: int = -1, **kwargs: Any) -> Tensor:
    """`Concatenate` on a list of inputs."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Tensor], axes: int | Sequence[int] = -1, **kwargs: Any) -> Tensor:
    """`Dot` on a list of two inputs."""
    return Dot(axes=axes, **kwargs)(inputs)
