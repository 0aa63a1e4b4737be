"""Reductions over axes: sum, mean, variance, extremes, logical ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import floatx, is_complex, is_inexact
from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Reduction, Spec, as_tensor
from layerkit.graph.tensor import SIZE_CONSTANT, Tensor
from layerkit.kernels.indexing_launch import NUMBERS, arg_extreme_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.comparison import logical_not
from layerkit.ops.elementwise import absolute, cast, maximum, minimum, sqrt, square, where
from layerkit.ops.shape import broadcast_to, reshape, squeeze


class Sum(Reduction):
    """The sum over axes, which stay with size 1. Integers narrower than 32 bits are summed in 32."""

    accumulate = "sum"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.sum(x, axis=self.axes, keepdims=True, dtype=x.dtype)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (broadcast_to(g, x.shape),)


class Prod(Reduction):
    """The product over axes, which stay with size 1."""

    accumulate = "prod"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.prod(x, axis=self.axes, keepdims=True, dtype=x.dtype)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # Where an element is 0 the quotient y / x is not defined: there, take the product of the others.
        zeros = sum(cast(x == 0, x.dtype), self.axes, keepdims=True)
        others = Prod(self.axes)(where(x == 0, 1, x))
        return (g * where(x == 0, where(zeros == 1, others, 0), y / where(x == 0, 1, x)),)


class _Extreme(Reduction, abstract=True):
    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # Equal extremes share the gradient, as in JAX.
        hit = cast(x == y, x.dtype)
        return (g * hit / sum(hit, self.axes, keepdims=True),)


class Max(_Extreme):
    """The largest over axes, which stay with size 1; NaN where any is."""

    accumulate = "max"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.max(x, axis=self.axes, keepdims=True)


class Min(_Extreme):
    """The smallest over axes, which stay with size 1; NaN where any is."""

    accumulate = "min"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.min(x, axis=self.axes, keepdims=True)


class _ArgExtreme(Kernelled, abstract=True):
    axis: int
    largest: ClassVar[bool]

    def infer(self, x: Tensor) -> Spec:
        return x.shape[: self.axis] + x.shape[self.axis + 1 :], "int32"

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)

    def supports(self, x: Tensor) -> bool:
        """The kernel goes along axes that are not empty."""
        return x.shape[self.axis] != 0 and x.dtype in NUMBERS

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return arg_extreme_launches(*inputs, *outputs, self.axis, self.largest)


class ArgMax(_ArgExtreme):
    """Where the first largest element along an axis is."""

    largest = True

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argmax(x, axis=self.axis)


class ArgMin(_ArgExtreme):
    """Where the first smallest element along an axis is."""

    largest = False

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argmin(x, axis=self.axis)


def normalize_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes as sorted non-negative numbers. Raises ShapeError for one that does not exist or stands twice.

    >>> normalize_axes((-1, 0), 3)
    (0, 2)
    """
    if axis is None:
        return tuple(range(ndim))
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    for one in axes:
        if not -ndim <= one < ndim:
            raise ShapeError(f"axis {one} is out of range for a tensor with {ndim} axes.")
    found = tuple(sorted(one % ndim for one in axes))
    if len(set(found)) < len(found):
        raise ShapeError(f"axis {axis} names an axis twice.")
    return found


def _reduce(kind: type[Reduction], x: Tensor, axis: int | Sequence[int] | None, keepdims: bool) -> Tensor:
    axes = normalize_axes(axis, x.ndim)
    kept = kind(axes)(x) if axes else x
    if keepdims or not axes:
        return kept
    return (
        reshape(kept, tuple(size for at, size in enumerate(kept.shape) if at not in axes))
        if None not in kept.shape
        else squeeze(kept, axes)
    )


def sum(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The sum over axes (all with None); integers narrower than 32 bits become 32 wide."""
    return _reduce(Sum, _widened(as_tensor(x)), axis, keepdims)


def _widened(x: Tensor) -> Tensor:
    """Bools and integers of fewer bits in 32 bits, so that their sums and products fit."""
    if x.dtype in ("bool", "int8", "int16"):
        return cast(x, "int32")
    return cast(x, "uint32") if x.dtype in ("uint8", "uint16") else x


def prod(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False, dtype: object = None) -> Tensor:
    """The product over axes (all with None), in `dtype`; None: of x, integers narrower than 32 bits 32 wide."""
    x = as_tensor(x)
    return _reduce(Prod, _widened(x) if dtype is None else cast(x, dtype), axis, keepdims)


def max(  # noqa: A001
    x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False, initial: object = None
) -> Tensor:
    """The largest over axes (all with None), and of `initial`, which is what an empty axis gives.

    >>> max(np.array([[1, 5], [2, 3]]), axis=1, initial=4).tolist()
    [5, 4]
    """
    return _extreme(Max, maximum, x, axis, keepdims, initial)


def min(  # noqa: A001
    x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False, initial: object = None
) -> Tensor:
    """The smallest over axes (all with None), and of `initial`, which is what an empty axis gives."""
    return _extreme(Min, minimum, x, axis, keepdims, initial)


def _extreme(
    kind: type[Reduction],
    of_two: Callable,
    x: object,
    axis: int | Sequence[int] | None,
    keepdims: bool,
    initial: object,
) -> Tensor:
    x = as_tensor(x)
    if initial is None:
        return _reduce(kind, x, axis, keepdims)
    initial, axes = cast(initial, x.dtype), normalize_axes(axis, x.ndim)
    if 0 in [x.shape[at] for at in axes]:
        rest = [1 if at in axes else size for at, size in enumerate(x.shape) if keepdims or at not in axes]
        return broadcast_to(initial, tuple(rest))
    return of_two(_reduce(kind, x, axis, keepdims), initial)


amax, amin = max, min


def size_constant(value: float, dtype: str) -> Tensor:
    """A number that comes from sizes, as 1/n in a mean.

    A plan's structure never depends on its value, so that a batch of one sample, where it may be 1, needs no kernels
    of its own.

    >>> size_constant(0.5, "float32").item()
    0.5
    """
    return Tensor((), dtype, np.asarray(value, dtype), name=SIZE_CONSTANT)


def mean(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The mean over axes (all with None); integers become floats."""
    x = as_tensor(x)
    if not is_inexact(x.dtype):
        x = cast(x, floatx())
    axes = normalize_axes(axis, x.ndim)
    total = sum(x, axes, keepdims)
    sizes = [x.shape[axis] for axis in axes]
    if None in sizes:
        return total  # a shape is all that a symbolic call with unknown sizes is asked for
    count = int(np.prod(sizes, dtype=np.int64))
    return total * size_constant(1.0 / count if count else np.nan, x.dtype)


def var(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The mean squared distance from the mean over axes (all with None)."""
    x = as_tensor(x)
    distance = x - mean(x, axis, keepdims=True)
    return mean(square(absolute(distance) if is_complex(x.dtype) else distance), axis, keepdims)


def std(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The square root of the variance."""
    return sqrt(var(x, axis, keepdims))


def any(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether any element holds."""
    return cast(_reduce(Max, cast(cast(x, "bool"), "int32"), axis, keepdims), "bool")


def all(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether all elements hold."""
    return logical_not(any(logical_not(x), axis, keepdims))


def argmax(x: object, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first largest element is, along an axis or (None) in the flattened array; int32."""
    return _arg(ArgMax, x, axis, keepdims)


def argmin(x: object, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the first smallest element is, along an axis or (None) in the flattened array; int32."""
    return _arg(ArgMin, x, axis, keepdims)


def _arg(kind: type[_ArgExtreme], x: object, axis: int | None, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    if axis is None:
        found = kind(0)(reshape(x, (-1,)))
        return reshape(found, (1,) * x.ndim) if keepdims else found
    (axis,) = normalize_axes(axis, x.ndim)
    found = kind(axis)(x)
    return reshape(found, x.shape[:axis] + (1,) + x.shape[axis + 1 :]) if keepdims else found
