"""Patches of images and volumes, each as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import take_block
from layerkit.ops.image.layout import as_batch, unknown
from layerkit.ops.shape import Pad, Slice, reshape, transpose
from layerkit.ops.windows import per_axis, window_count, window_padding


def extract_patches(
    images: object,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The patches of images or volumes, each one vector of its pixels in row-major order, the channels innermost.

    Args:
        images: [N, H, W, C] or [H, W, C]; with three sizes [N, D, H, W, C] or [D, H, W, C].
        size: of a patch: a number or (height, width), or (depth, height, width) for volumes.
        strides: from one patch to the next; None: the size.
        dilation_rate: from one pixel of a patch to its next. Together with strides it works here, not on TensorFlow.
        padding: "valid", or "same" with zeros beyond the border.
        data_format: where the channels are; None: as `layerkit.config` says.

    Returns [N, rows, columns, height * width * C] in the order of axes and the dtype of the images.
    Raises ShapeError for other shapes, TypeError and ValueError for other arguments.

    >>> extract_patches(np.ones((2, 20, 20, 3), "float32"), (5, 5)).shape
    (2, 4, 4, 75)
    """
    if not isinstance(size, int | tuple | list):
        raise TypeError(f"ops.image.extract_patches: size is a number or a tuple; got {type(size).__name__}.")
    rank = 2 if isinstance(size, int) else len(size)
    if rank not in (2, 3):
        raise ValueError(f"ops.image.extract_patches: size has two numbers, or three for volumes; got {size!r}.")
    return _patches("extract_patches", images, rank, size, strides, dilation_rate, padding, data_format)


def extract_patches_3d(
    volumes: object,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The patches of volumes [N, D, H, W, C] or [D, H, W, C]; see `extract_patches`.

    >>> extract_patches_3d(np.ones((2, 10, 10, 10, 3), "float32"), 3).shape
    (2, 3, 3, 3, 81)
    """
    return _patches("extract_patches_3d", volumes, 3, size, strides, dilation_rate, padding, data_format)


def _patches(
    name: str,
    images: object,
    rank: int,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    dilation_rate: int | Sequence[int],
    padding: str,
    data_format: str | None,
) -> Tensor:
    x, restore = as_batch(name, images, data_format, rank)
    size = per_axis(size, rank, "size")
    strides = size if not strides else per_axis(strides, rank, "strides")
    dilation = per_axis(dilation_rate, rank, "dilation_rate")
    pads = window_padding(padding, x.shape[1:-1], size, strides, dilation)
    counts = [
        window_count(n, k, s, pad, d)
        for n, k, s, pad, d in zip(x.shape[1:-1], size, strides, pads, dilation, strict=True)
    ]
    channels = None if x.shape[-1] is None else int(np.prod(size)) * x.shape[-1]
    if None in x.shape:
        return restore(unknown((x.shape[0], *counts, channels), x.dtype))
    if any(pad != (0, 0) for pad in pads):
        x = Pad(((0, 0), *pads, (0, 0)))(x)
    cut = _side_by_side if size == strides and set(dilation) == {1} else _overlapping
    return restore(reshape(cut(x, size, strides, dilation, counts), (x.shape[0], *counts, channels)))


def _side_by_side(
    x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], counts: list[int]
) -> Tensor:
    """Patches that touch: only an order of axes."""
    batch, channels, rank = x.shape[0], x.shape[-1], len(size)
    used = (batch, *(n * k for n, k in zip(counts, size, strict=True)), channels)
    if used != x.shape:
        x = Slice((0,) * x.ndim, used, (1,) * x.ndim)(x)
    split = [n for both in zip(counts, size, strict=True) for n in both]
    x = reshape(x, (batch, *split, channels))
    return transpose(x, (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1))


def _overlapping(
    x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], counts: list[int]
) -> Tensor:
    """Patches by the numbers of their pixels."""
    rank = len(size)
    pixel = np.zeros((), np.int64)
    for axis in range(rank):
        along = np.arange(counts[axis])[:, None] * strides[axis] + np.arange(size[axis]) * dilation[axis]
        shape = [1] * (2 * rank)
        shape[axis], shape[rank + axis] = along.shape
        pixel = pixel * x.shape[1 + axis] + along.reshape(shape)
    return take_block(x, 1, rank + 1, pixel)
