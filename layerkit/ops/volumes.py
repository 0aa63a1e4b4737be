"""Windows over volumes [N, D, H, W, C] as windows over their slices, for which there are kernels.

A convolution of volumes is one of images that have the slices which a window sees as further channels. A maximum or
mean over a box is that over its slices' rectangles and then over depth; equal maxima are met in the same order.
"""

from __future__ import annotations

from collections.abc import Callable

from layerkit.graph.tensor import Tensor
from layerkit.ops.shape import Pad, concatenate, reshape, transpose


def splits_volumes(x: Tensor) -> bool:
    """Whether x is volumes of known size in a trace; references take volumes as they are."""
    return x.ndim == 5 and x.symbolic and None not in x.shape[1:] and 0 not in x.shape[1:]


def by_slices(window: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What a function of images makes of each slice: [N, D, H, W, C] to [N, D, OH, OW, F]."""
    y = window(reshape(x, (-1, *x.shape[2:])))
    return reshape(y, (-1, x.shape[1], *y.shape[1:]))


def over_depth(window: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What a function of sequences [N, D, C] makes of volumes, channel by channel."""
    y = window(reshape(x, (-1, x.shape[1], x.shape[2] * x.shape[3] * x.shape[4])))
    return reshape(y, (-1, y.shape[1], *x.shape[2:]))


def slices_as_channels(x: Tensor, taps: int, stride: int, padding: tuple[int, int], dilation: int) -> Tensor:
    """[N, D, H, W, C] to [N, OD, H, W, taps * C]: the slices that each window over depth sees."""
    if any(padding):
        x = Pad(((0, 0), padding, (0, 0), (0, 0), (0, 0)), 0)(x)
    length = x.shape[1] - (taps - 1) * dilation
    if taps == 1 and stride == 1:
        return x
    return concatenate([x[:, tap * dilation : tap * dilation + length : stride] for tap in range(taps)], axis=-1)


def filters_of_slices(w: Tensor) -> Tensor:
    """Filters [kd, kh, kw, C, F] for `slices_as_channels`: [kh, kw, kd * C, F]."""
    depth, height, width, channels, filters = w.shape
    return reshape(transpose(w, (1, 2, 0, 3, 4)), (height, width, depth * channels, filters))
