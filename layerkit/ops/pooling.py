"""Pooling over windows of one, two or three spatial axes, channels last."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np

from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Launch, Operand
from layerkit.kernels.pooling_launch import (
    average_pool_gradient_launches,
    average_pool_launches,
    max_pool_gradient_launches,
    max_pool_launches,
)
from layerkit.ops.convolution import as_images
from layerkit.ops.elementwise import Relu, relu
from layerkit.ops.neural import as_float
from layerkit.ops.volumes import by_slices, over_depth, splits_volumes
from layerkit.ops.windows import (
    Pads,
    add_windows,
    padded,
    per_axis,
    tap_slices,
    to_channels_first,
    to_channels_last,
    window_count,
    window_padding,
    window_view,
)


class _Window(Operation, abstract=True):
    """What the operations of the family share: the window, its steps and its padding along each spatial axis."""

    pool: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Pads

    def _pooled(self, x: Tensor) -> Spec:
        if x.ndim != len(self.pool) + 2:
            raise ShapeError(f"the input has to have {len(self.pool) + 2} axes (batch, spatial ones, channels).")
        pixels = map(window_count, x.shape[1:-1], self.pool, self.strides, self.padding)
        return (x.shape[0], *pixels, x.shape[-1]), x.dtype

    @property
    def _near(self) -> tuple[int, ...]:
        return (1,) * len(self.pool)

    def _taps(self, x: np.ndarray, fill: float, pixels: Sequence[int]) -> Iterator[np.ndarray]:
        """For each tap of the window, in row-major order, what every window sees at it."""
        whole = padded(x, self.padding, fill)
        for tap in np.ndindex(*self.pool):
            yield whole[tap_slices(tap, pixels, self.strides, self._near)]


class _Pooling(_Window, Kernelled, abstract=True):
    make_launches: ClassVar[Callable[..., list[Launch]]]

    def supports(self, *x: Tensor) -> bool:
        """Kernels exist for one and two spatial axes."""
        return super().supports(*x) and len(self.pool) <= 2

    def _launch_window(self) -> dict[str, tuple]:
        """The window's attributes as the kernels take them: for two axes, a sequence is an image of one row."""
        rows = 2 - len(self.pool)
        return {
            "pool": (1,) * rows + self.pool,
            "strides": (1,) * rows + self.strides,
            "padding": ((0, 0),) * rows + self.padding,
        }

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return type(self).make_launches(*map(as_images, (*inputs, *outputs)), **self._launch_window())


class MaxPool(_Pooling):
    """The largest element of each window; padding never counts."""

    make_launches = staticmethod(max_pool_launches)

    def infer(self, x: Tensor) -> Spec:
        return self._pooled(x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        windows = window_view(padded(x, self.padding, lowest(x.dtype)), self.pool, self.strides, self._near)
        return windows.max(axis=tuple(range(-len(self.pool), 0)))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (MaxPoolGradient(self.pool, self.strides, self.padding)(x, y, g),)


class MaxPoolGradient(_Pooling):
    """The gradient of `MaxPool` by x, from x, y and g: to the first of equal elements of each window."""

    make_launches = staticmethod(max_pool_gradient_launches)

    def infer(self, x: Tensor, y: Tensor, g: Tensor) -> Spec:
        return x.shape, x.dtype

    def reference(self, x: np.ndarray, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        per_tap = np.stack([np.where(first, g, 0) for first in self._firsts(x, y)])
        return add_windows(per_tap, self.pool, self.strides, self._near, self.padding, x.shape[1:-1])

    def _firsts(self, x: np.ndarray, y: np.ndarray) -> Iterator[np.ndarray]:
        """For each tap, which windows have their first largest element there."""
        found = np.zeros(y.shape, bool)
        for values in self._taps(x, lowest(x.dtype), y.shape[1:-1]):
            first = (values == y) & ~found
            found |= first
            yield first

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, pooled: Tensor, gy: Tensor) -> tuple:
        return None, None, MaxPoolPick(self.pool, self.strides, self.padding)(x, pooled, g)


class MaxPoolPick(MaxPoolGradient):
    """Of values in the shape of x, those where x has the first largest element of each window; y is MaxPool(x)."""

    def infer(self, x: Tensor, y: Tensor, values: Tensor) -> Spec:
        return y.shape, values.dtype

    def supports(self, *x: Tensor) -> bool:
        """Only second derivatives need it: there is no kernel."""
        return False

    def reference(self, x: np.ndarray, y: np.ndarray, values: np.ndarray) -> np.ndarray:
        picked = np.zeros(y.shape, values.dtype)
        for first, tap in zip(self._firsts(x, y), self._taps(values, 0, y.shape[1:-1]), strict=True):
            picked[first] = tap[first]
        return picked

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, pooled: Tensor, values: Tensor) -> tuple:
        return None, None, MaxPoolGradient(self.pool, self.strides, self.padding)(x, pooled, g)


class AveragePool(_Pooling):
    """The mean of each window's elements; padding does not count."""

    make_launches = staticmethod(average_pool_launches)

    def infer(self, x: Tensor) -> Spec:
        return self._pooled(x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        windows = window_view(padded(x, self.padding, 0), self.pool, self.strides, self._near)
        return windows.sum(axis=tuple(range(-len(self.pool), 0))) / self._counts(x.shape[1:-1], x.dtype)

    def _counts(self, size: Sequence[int], dtype: np.dtype) -> np.ndarray:
        """How many elements of the input each window has."""
        ones = padded(np.ones((1, *size, 1), dtype), self.padding, 0)
        return window_view(ones, self.pool, self.strides, self._near).sum(axis=tuple(range(-len(self.pool), 0)))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (AveragePoolGradient(self.pool, self.strides, self.padding, x.shape[1:-1])(g),)


class AveragePoolGradient(_Pooling):
    """The gradient of `AveragePool` by x [N, *size, C], from g."""

    size: tuple[int, ...]
    make_launches = staticmethod(average_pool_gradient_launches)

    def infer(self, g: Tensor) -> Spec:
        return (g.shape[0], *self.size, g.shape[-1]), g.dtype

    def reference(self, g: np.ndarray) -> np.ndarray:
        shares = g / AveragePool(self.pool, self.strides, self.padding)._counts(self.size, g.dtype)
        per_tap = np.broadcast_to(shares, (math.prod(self.pool), *shares.shape))
        return add_windows(per_tap, self.pool, self.strides, self._near, self.padding, self.size)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (AveragePool(self.pool, self.strides, self.padding)(g),)


def lowest(dtype: np.dtype) -> float | int:
    """What no element of a dtype is below."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind in "iu" else 0


def max_pool(
    inputs: object,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of each window of [N, *size, C] (channels_first: [N, C, *size]).

    Args:
        inputs: the images.
        pool_size: the window, a number or one for each spatial axis.
        strides: its steps; None: the window's size.
        padding: "valid" or "same".
        data_format: where the channels are.
    """
    x = as_tensor(inputs)
    if x.node is not None and isinstance(x.node.operation, Relu):
        # The two commute, gradients included, and a relu behind the pooling has a fraction of the elements to do.
        return relu(_pool(MaxPool, x.node.inputs[0], pool_size, strides, padding, data_format))
    return _pool(MaxPool, x, pool_size, strides, padding, data_format)


def average_pool(
    inputs: object,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window of [N, *size, C]; the arguments are those of `max_pool`."""
    return _pool(AveragePool, as_float(as_tensor(inputs)), pool_size, strides, padding, data_format)


def with_channels_last(pool: Callable[[Tensor], Tensor], x: Tensor, data_format: str | None) -> Tensor:
    """What a pooling of values [N, ..., C] makes of values in another format, in that format.

    Raises ShapeError where there are not one to three spatial axes.
    """
    if x.ndim not in (3, 4, 5):
        raise ShapeError(f"pooling takes inputs with 3 to 5 axes (batch, spatial ones, channels); got shape {x.shape}.")
    if standardize_data_format(data_format) == "channels_first":
        return to_channels_first(pool(to_channels_last(x)))
    return pool(x)


def _pool(
    kind: type[_Pooling],
    x: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> Tensor:
    def pooled(x: Tensor) -> Tensor:
        rank = x.ndim - 2
        pool = per_axis(pool_size, rank, "pool_size")
        steps = pool if strides is None else per_axis(strides, rank, "strides")
        pads = window_padding(padding, x.shape[1:-1], pool, steps, (1,) * rank)
        if splits_volumes(x) and min(map(window_count, x.shape[1:-1], pool, steps, pads)) > 0:
            rectangles = by_slices(kind(pool[1:], steps[1:], pads[1:]), x)
            return over_depth(kind(pool[:1], steps[:1], pads[:1]), rectangles)
        return kind(pool, steps, pads)(x)

    return with_channels_last(pooled, x, data_format)
