"""Windows that slide over spatial axes: how many fit, how they are padded, views of them. Channels come last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.ops.shape import transpose

Pads = tuple[tuple[int, int], ...]


def window_count(size: int | None, kernel: int, stride: int, padding: tuple[int, int], dilation: int = 1) -> int | None:
    """How many windows fit along an axis; None for an unknown size. Raises ShapeError where none does."""
    if size is None:
        return None
    extent = (kernel - 1) * dilation + 1
    count = (size + sum(padding) - extent) // stride + 1
    if count < 1:
        raise ShapeError(f"a window over {extent} elements does not fit an axis of {size} with padding {padding}.")
    return count


def window_padding(
    padding: str | Sequence[Sequence[int]],
    size: Sequence[int | None],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> Pads:
    """Elements to add before and after each spatial axis, as TensorFlow does: "same" gives ceil(size / stride) windows.

    Of an odd number the larger half comes after. Pairs of numbers are taken as they are.
    Raises ValueError for another word.
    """
    if not isinstance(padding, str):
        return tuple((int(before), int(after)) for before, after in padding)
    if padding.lower() == "valid":
        return ((0, 0),) * len(kernel)
    if padding.lower() != "same":
        raise ValueError(f"padding is 'valid' or 'same'; got {padding!r}.")
    pads = []
    for n, k, s, d in zip(size, kernel, strides, dilation, strict=True):
        # An unknown size takes what a multiple of the stride would: only shapes are asked for then.
        remainder = s if n is None or n % s == 0 else n % s
        total = max((k - 1) * d + 1 - remainder, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def padded(x: np.ndarray, padding: Pads, value: float) -> np.ndarray:
    """The spatial axes of [N, *size, C] padded with a value; a negative number after the end cuts off."""
    if any(after < 0 for _, after in padding):
        x = x[(slice(None), *(slice(None, min(after, 0) or None) for _, after in padding))]
    if not any(before > 0 or after > 0 for before, after in padding):
        return x
    widths = [(before, max(after, 0)) for before, after in padding]
    return np.pad(x, ((0, 0), *widths, (0, 0)), constant_values=value)


def window_view(x: np.ndarray, kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> np.ndarray:
    """[N, *pixels, C, *kernel]: the elements under each window of [N, *size, C], as a view."""
    rank = len(kernel)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(x, extents, axis=tuple(range(1, 1 + rank)))
    every = tuple(slice(None, None, s) for s in strides)
    taps = tuple(slice(None, None, d) for d in dilation)
    return windows[(slice(None), *every, slice(None), *taps)]


def tap_slices(
    tap: Sequence[int], pixels: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[slice, ...]:
    """Where one tap of the windows lies in a padded [N, *size, C]."""
    spatial = (
        slice(t * d, t * d + (n - 1) * s + 1, s) for t, n, s, d in zip(tap, pixels, strides, dilation, strict=True)
    )
    return (slice(None), *spatial, slice(None))


def add_windows(
    per_tap: np.ndarray,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    padding: Pads,
    size: Sequence[int],
) -> np.ndarray:
    """What each tap gives, [taps, N, *pixels, C], summed where the tap lies in [N, *size, C]."""
    pixels = per_tap.shape[2:-1]
    ends = [
        max(before + n, (p - 1) * s + (k - 1) * d + 1)
        for (before, _), n, p, s, k, d in zip(padding, size, pixels, strides, kernel, dilation, strict=True)
    ]
    whole = np.zeros((per_tap.shape[1], *ends, per_tap.shape[-1]), per_tap.dtype)
    for values, tap in zip(per_tap, np.ndindex(*kernel), strict=True):
        whole[tap_slices(tap, pixels, strides, dilation)] += values
    inside = tuple(slice(before, before + n) for (before, _), n in zip(padding, size, strict=True))
    return whole[(slice(None), *inside, slice(None))]


def per_axis(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """A number for each spatial axis. Raises ValueError for another count or a number below 1."""
    values = (value,) * rank if isinstance(value, (int, np.integer)) else tuple(value)
    if len(values) != rank or any(v < 1 for v in values):
        raise ValueError(f"{name} is a positive integer, or {rank} of them; got {value!r}.")
    return tuple(int(v) for v in values)


def to_channels_last(x: Tensor) -> Tensor:
    """[N, C, *size] as [N, *size, C]."""
    return transpose(x, (0, *range(2, x.ndim), 1))


def to_channels_first(x: Tensor) -> Tensor:
    """[N, *size, C] as [N, C, *size]."""
    return transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))
