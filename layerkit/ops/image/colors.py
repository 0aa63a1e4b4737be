"""Colours: gray values, and red-green-blue to hue-saturation-value and back."""

from __future__ import annotations

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import absolute, cast, clip, maximum, minimum, where
from layerkit.ops.image.layout import as_batch, require_float, unknown
from layerkit.ops.neural import as_float
from layerkit.ops.shape import GetItem

# How bright the colours look (ITU-R BT.601); the same three numbers as TensorFlow's.
LUMA = (0.2989, 0.5870, 0.1140)


def _channels(name: str, x: Tensor, counts: tuple[int, ...] = (3,)) -> list[Tensor]:
    """The channels [N, H, W, 1] of images [N, H, W, C]."""
    if x.shape[-1] not in (*counts, None):
        expected = " or ".join(map(str, counts))
        raise ShapeError(f"ops.image.{name} takes images with {expected} channels, not {x.shape[-1]}.")
    return [GetItem.at(x, (..., slice(at, at + 1))) for at in range(x.shape[-1] or 0)]


def rgb_to_grayscale(images: object, data_format: str | None = None) -> Tensor:
    """Gray images (one channel) of coloured ones; gray images stay.

    Args:
        images: [N, H, W, C] or [H, W, C] of any dtype, which stays; C is 3 or 1.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes.

    >>> rgb_to_grayscale(np.ones((2, 4, 4, 3), "float32")).shape
    (2, 4, 4, 1)
    """
    x, restore = as_batch("rgb_to_grayscale", images, data_format)
    channels = _channels("rgb_to_grayscale", x, (1, 3))
    if None in x.shape:
        return restore(unknown((*x.shape[:-1], 1), x.dtype))
    if len(channels) == 1:
        return as_tensor(images)
    red, green, blue = (as_float(channel) for channel in channels)
    return restore(cast(red * LUMA[0] + green * LUMA[1] + blue * LUMA[2], x.dtype))


def rgb_to_hsv(images: object, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value (each from 0 to 1) of images in red, green and blue (each from 0 to 1).

    Args:
        images: floats [N, H, W, 3] or [H, W, 3].
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, DtypeError for integers.

    >>> rgb_to_hsv(np.array([[[0.0, 0.5, 0.0]]], "float32")).numpy().round(3).tolist()
    [[[0.3330000042915344, 1.0, 0.5]]]
    """
    x, restore = as_batch("rgb_to_hsv", images, data_format)
    require_float("rgb_to_hsv", x)
    channels = _channels("rgb_to_hsv", x)
    if None in x.shape:
        return restore(unknown((*x.shape[:-1], 3), x.dtype))
    least = float(np.finfo(x.dtype).eps)
    red, green, blue = (where(absolute(channel) < least, 0, channel) for channel in channels)
    value = maximum(maximum(red, green), blue)
    spread = value - minimum(minimum(red, green), blue)
    coloured = spread > 0
    # Both branches of a choice are computed: none may divide by zero, or its gradient is NaN.
    sixth = 1.0 / (6.0 * where(coloured, spread, 1.0))
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    hue = where(value == green, sixth * (blue - red) + 2.0 / 6.0, sixth * (red - green) + 4.0 / 6.0)
    hue = where(value == red, sixth * (green - blue), hue)
    hue = where(coloured, where(hue < 0, hue + 1.0, hue), 0.0)
    return restore(_joined(hue, saturation, value))


def hsv_to_rgb(images: object, data_format: str | None = None) -> Tensor:
    """Red, green and blue of images in hue, saturation and value: the way back from `rgb_to_hsv`.

    Args:
        images: floats [N, H, W, 3] or [H, W, 3].
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, DtypeError for integers.

    >>> hsv_to_rgb(np.array([[[0.0, 1.0, 0.5]]], "float32")).tolist()
    [[[0.5, 0.0, 0.0]]]
    """
    x, restore = as_batch("hsv_to_rgb", images, data_format)
    require_float("hsv_to_rgb", x)
    channels = _channels("hsv_to_rgb", x)
    if None in x.shape:
        return restore(unknown((*x.shape[:-1], 3), x.dtype))
    hue, saturation, value = channels
    sector = (hue % 1.0) * 6.0
    red = clip(absolute(sector - 3.0) - 1.0, 0.0, 1.0)
    green = clip(2.0 - absolute(sector - 2.0), 0.0, 1.0)
    blue = clip(2.0 - absolute(sector - 4.0), 0.0, 1.0)
    return restore(value * ((1.0 - saturation) + saturation * _joined(red, green, blue)))


def _joined(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """Three channels [N, H, W, 1] as one tensor [N, H, W, 3], by choice: so all of it is one fused kernel."""
    channel = np.arange(3, dtype=np.int32)
    return where(channel == 0, first, where(channel == 1, second, third))
