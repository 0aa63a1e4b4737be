"""Images distorted as if printed on rubber."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit.dtypes import floatx, is_float
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import sized
from layerkit.ops.image.filters import gaussian_blur
from layerkit.ops.image.layout import as_batch, require_one_of, unknown
from layerkit.ops.image.sampling import FILL_MODES, ORDERS
from layerkit.ops.image.transforms import sampled_images
from layerkit.ops.random import random_normal
from layerkit.ops.shape import GetItem


class Keys:
    """Where the keys of draws come from: `layerkit.random`, which stands above, sets it."""

    draw: Callable[[object], Tensor]


def elastic_transform(
    images: object,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: object = None,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are moved at random, neighbours alike.

    Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis",
    2003.

    Args:
        images: [N, H, W, C] or [H, W, C] of any dtype, which stays.
        alpha: how far pixels are moved.
        sigma: how smooth the motion is: the deviation of a Gaussian, in pixels (a number, not a tensor of a trace).
        interpolation: "bilinear" or "nearest".
        fill_mode: what counts outside; see `map_coordinates`.
        fill_value: what "constant" counts outside.
        seed: an integer, a `layerkit.random.SeedGenerator`, or None for the global one.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, ValueError for an unknown word.

    >>> image = np.random.default_rng(0).random((32, 32, 3))
    >>> elastic_transform(image, seed=1).shape
    (32, 32, 3)
    """
    x, restore = as_batch("elastic_transform", images, data_format)
    require_one_of("elastic_transform", "interpolation", interpolation, tuple(ORDERS))
    require_one_of("elastic_transform", "fill_mode", fill_mode, tuple(FILL_MODES))
    key = Keys.draw(seed)
    if None in x.shape:
        return restore(unknown(x.shape, x.dtype))
    across, down = elastic_motion(x.shape[:3], float(sigma), key, x.dtype if is_float(x.dtype) else floatx())
    down = sized(np.arange(x.shape[1])[:, None], down.dtype) + down * alpha
    across = sized(np.arange(x.shape[2]), across.dtype) + across * alpha
    return restore(sampled_images(x, down, across, interpolation, fill_mode, fill_value))


def elastic_motion(shape: tuple[int, ...], sigma: float, key: object, dtype: str) -> tuple[Tensor, Tensor]:
    """Smooth random numbers [N, H, W] for the two directions, by one key."""
    batch, height, width = shape
    size = int(6 * sigma) | 1
    noise = random_normal((batch, height, width, 2), as_tensor(key), 0.0, sigma, dtype)
    smooth = gaussian_blur(noise, (size, size), (sigma, sigma), "channels_last")
    return GetItem.at(smooth, (..., 0)), GetItem.at(smooth, (..., 1))
