"""Images [N, C, H, W] as the columns of their windows (im2col), and back (col2im)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Operation, Spec
from layerkit.graph.tensor import Tensor
from layerkit.ops.windows import Pads, add_windows, padded, per_axis, window_count, window_view


class _Windows(Operation, abstract=True):
    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: Pads
    dilation: tuple[int, int]

    def _counts(self, size: Sequence[int | None]) -> list[int | None]:
        """How many windows there are along each spatial axis."""
        return list(map(window_count, size, self.kernel, self.strides, self.padding, self.dilation))


class Unfold(_Windows):
    """The windows of images [N, C, H, W] as columns [N, C * kernel, windows], both in row-major order."""

    def infer(self, x: Tensor) -> Spec:
        if x.ndim != 4:
            raise ShapeError("the input has to have 4 axes (batch, channels, height, width).")
        batch, channels, *size = x.shape
        counts = self._counts(size)
        rows = None if channels is None else channels * math.prod(self.kernel)
        return (batch, rows, None if None in counts else math.prod(counts)), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        images = padded(x.transpose(0, 2, 3, 1), self.padding, 0)
        windows = window_view(images, self.kernel, self.strides, self.dilation)  # [N, h, w, C, *kernel]
        columns = windows.transpose(0, 3, 4, 5, 1, 2)
        batch, channels, *_ = columns.shape
        counts = math.prod(windows.shape[1:3])
        return columns.reshape(batch, channels * math.prod(self.kernel), counts)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Fold(self.kernel, self.strides, self.padding, self.dilation, x.shape[2:])(g),)


class Fold(_Windows):
    """Columns [N, C * kernel, windows] summed where they lie in images [N, C, *size]: the transpose of `Unfold`."""

    size: tuple[int, int]

    def infer(self, x: Tensor) -> Spec:
        if x.ndim != 3:
            raise ShapeError("the input has to have 3 axes (batch, channels times the kernel's size, windows).")
        taps, windows = math.prod(self.kernel), math.prod(self._counts(self.size))
        batch, rows, columns = x.shape
        if rows is not None and rows % taps:
            raise ShapeError(f"the size of axis 1 has to be a multiple of the kernel's, {taps}.")
        if columns not in (None, windows):
            raise ShapeError(
                f"images of size {self.size} have {windows} windows, and so many the last axis has to have."
            )
        return (batch, None if rows is None else rows // taps, *self.size), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        taps = math.prod(self.kernel)
        batch, rows, _ = x.shape
        split = x.reshape(batch, rows // taps, taps, *self._counts(self.size))
        per_tap = split.transpose(2, 0, 3, 4, 1)  # [taps, N, h, w, C]
        images = add_windows(per_tap, self.kernel, self.strides, self.dilation, self.padding, self.size)
        return images.transpose(0, 3, 1, 2)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Unfold(self.kernel, self.strides, self.padding, self.dilation)(g),)


def unfold(
    x: object,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of images [N, C, H, W] as columns [N, C * kernel, windows] (im2col).

    Args:
        x: the images, channels first.
        kernel_size: the window's height and width, or one number for both.
        dilation: distance of its elements.
        padding: zeros before and after each spatial axis.
        stride: the window's steps.

    Raises ShapeError for other shapes and for images that are smaller than a window.

    >>> unfold(np.arange(4.0).reshape(1, 1, 2, 2), (1, 2)).tolist()
    [[[0.0, 2.0], [1.0, 3.0]]]
    """
    return Unfold(*_window(kernel_size, stride, padding, dilation))(x)


def fold(
    x: object,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Columns [N, C * kernel, windows] summed where they lie in images [N, C, *output_size] (col2im).

    Args:
        x: the columns, as `unfold` gives them.
        output_size: the images' height and width, or one number for both.
        kernel_size: the window's height and width.
        dilation: distance of its elements.
        padding: zeros that `unfold` had added, and that are cut off.
        stride: the window's steps.

    Raises ShapeError where the columns do not fit the images.

    >>> fold(np.ones((1, 2, 2)), (1, 3), (1, 2)).tolist()
    [[[[1.0, 2.0, 1.0]]]]
    """
    size = per_axis(output_size, 2, "output_size")
    return Fold(*_window(kernel_size, stride, padding, dilation), size)(x)


def _window(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int],
    padding: int | Sequence[int],
    dilation: int | Sequence[int],
) -> tuple[tuple[int, ...], tuple[int, ...], Pads, tuple[int, ...]]:
    """The attributes that the operations take. Raises ValueError for numbers that do not fit."""
    pads = (padding, padding) if isinstance(padding, (int, np.integer)) else tuple(padding)
    if len(pads) != 2 or any(pad < 0 for pad in pads):
        raise ValueError(f"padding is an integer from 0 on, or 2 of them; got {padding!r}.")
    return (
        per_axis(kernel_size, 2, "kernel_size"),
        per_axis(stride, 2, "stride"),
        tuple((int(pad), int(pad)) for pad in pads),
        per_axis(dilation, 2, "dilation"),
    )
