"""Changes of single images, given or drawn at random, as scripts of Keras 2 have them.

Positions and borders are those of SciPy's `ndimage.affine_transform`, which Keras calls.
"""

# ruff: noqa: NPY002 - Keras draws from NumPy's global generator, and a seed is to give the same here.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.config import floatx

__all__ = [
    "FILL_MODES", "apply_affine_transform", "apply_brightness_shift", "apply_channel_shift", "random_brightness",
    "random_channel_shift", "random_rotation", "random_shear", "random_shift", "random_zoom",
]  # fmt: skip

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image turned, moved, slanted and zoomed around its middle.

    Args:
        x: three axes.
        theta: degrees.
        tx: columns.
        ty: rows.
        shear: degrees.
        zx: how much of the width is seen.
        zy: how much of the height is seen.
        row_axis: of x.
        col_axis: of x.
        channel_axis: of x.
        fill_mode: what counts outside: "nearest", "constant", "reflect" or "wrap".
        cval: what "constant" counts outside.
        order: 1 for linear interpolation, 0 for the nearest pixel.

    Raises:
        ValueError: another number of axes, axes that are not these three, or another fill mode.
        NotImplementedError: another order.

    >>> apply_affine_transform(np.array([[[1.0, 2.0, 3.0]]]), tx=1)
    array([[[2., 3., 3.]]])
    """
    axes = (row_axis, col_axis, channel_axis)
    if x.ndim != 3:
        raise ValueError(f"apply_affine_transform takes an image of three axes. Received shape: {x.shape}")
    if sorted(axes) != [0, 1, 2]:
        raise ValueError(
            f"'row_axis', 'col_axis', and 'channel_axis' must be 0, 1 and 2 in some order. Received: {axes}"
        )
    if fill_mode not in FILL_MODES:
        raise ValueError(f"`fill_mode` is one of {', '.join(map(repr, FILL_MODES))}. Received: {fill_mode!r}")
    if order not in (0, 1):
        raise NotImplementedError(f"Images are sampled with order 0 or 1. Received: {order}")
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    turn, slant = math.radians(theta), math.radians(shear)
    sine, cosine = math.sin(turn), math.cos(turn)
    matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    )
    matrix = matrix @ np.array([[1, -math.sin(slant), 0], [0, math.cos(slant), 0], [0, 0, 1]]) @ np.diag([zx, zy, 1.0])
    image = np.moveaxis(x, axes, (0, 1, 2))
    middle = np.array([[1, 0, image.shape[1] / 2 - 0.5], [0, 1, image.shape[0] / 2 - 0.5], [0, 0, 1]])
    y = _sampled(image, middle @ matrix @ np.linalg.inv(middle), fill_mode, cval, order)
    return np.moveaxis(y, (0, 1, 2), axes)


def _sampled(image: np.ndarray, matrix: np.ndarray, fill_mode: str, cval: float, order: int) -> np.ndarray:
    """An image [H, W, C] whose pixel (x, y) is what stands at `matrix` times (x, y, 1), of the image's dtype."""
    row, column = np.indices(image.shape[:2])
    places = [matrix[n, 0] * column + matrix[n, 1] * row + matrix[n, 2] for n in (1, 0)]
    outside = [(place < 0) | (place > size - 1) for place, size in zip(places, image.shape, strict=False)]
    if fill_mode == "wrap":
        places = [_wrapped(place, size - 1) for place, size in zip(places, image.shape, strict=False)]
    firsts = [np.floor(place if order else place + 0.5).astype(int) for place in places]
    y = np.zeros(image.shape)
    for down in (0, 1)[: order + 1]:
        for right in (0, 1)[: order + 1]:
            share, index = 1.0, []
            for place, first, step, size in zip(places, firsts, (down, right), image.shape, strict=False):
                share = share * (1 if not order else place - first if step else 1 - place + first)
                index.append(_inside(first + step, size, fill_mode))
            y += np.expand_dims(share, -1) * image[tuple(index)]
    if fill_mode == "constant":
        y[outside[0] | outside[1]] = cval
    return _of_dtype(y, image.dtype)


def _wrapped(place: np.ndarray, period: int) -> np.ndarray:
    """Positions taken back into [0, period]: the last pixel counts as the first one, as SciPy has it."""
    turns = place / max(period, 1)
    back = np.where(place < 0, -(np.trunc(-turns) + 1), np.where(place > period, np.trunc(turns), 0))
    return place - back * period


def _inside(index: np.ndarray, size: int, fill_mode: str) -> np.ndarray:
    if fill_mode != "reflect":
        return np.clip(index, 0, size - 1)
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _of_dtype(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        y = np.clip(np.trunc(y + np.copysign(0.5, y)), limits.min, limits.max)
    return y.astype(dtype)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """An image with a number added, inside of its own range of values.

    >>> apply_channel_shift(np.array([[[0.0, 1.0, 4.0]]]), 2.0, channel_axis=2).tolist()
    [[[2.0, 3.0, 4.0]]]
    """
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """An image with its values, as whole numbers from 0 to 255, multiplied by a factor, and cut off there.

    Args:
        x: the image.
        brightness: the factor.
        scale: whether values are spread from 0 to 255 before; those outside of that range always are.

    >>> apply_brightness_shift(np.array([[[10.0, 100.0, 200.0]]]), 1.5, scale=False).tolist()
    [[[15.0, 150.0, 255.0]]]
    """
    low, high = x.min(), x.max()
    outside = low < 0 or high > 255
    y = (x - low) / ((high - low) or 1) * 255 if scale or outside else x
    y = np.clip(np.trunc(y.astype("uint8") * np.float32(brightness)), 0, 255).astype(floatx())
    return y / 255 * (high - low) + low if outside and not scale else y


# Drawn at random, each from NumPy's global generator, in the order in which Keras draws


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image turned by up to `rg` degrees either way; the other arguments are those of apply_affine_transform."""
    motion = {"theta": np.random.uniform(-rg, rg)}
    return apply_affine_transform(
        x, **motion, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval,
        order=interpolation_order,
    )  # fmt: skip


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image moved by up to `wrg` of its width and `hrg` of its height; see apply_affine_transform for the others.

    Keras moves columns by the share of the height and rows by that of the width.
    """
    motion = {"ty": np.random.uniform(-hrg, hrg) * x.shape[row_axis]}
    motion["tx"] = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x, **motion, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval,
        order=interpolation_order,
    )  # fmt: skip


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image slanted by up to `intensity` degrees either way; see apply_affine_transform for the others."""
    motion = {"shear": np.random.uniform(-intensity, intensity)}
    return apply_affine_transform(
        x, **motion, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval,
        order=interpolation_order,
    )  # fmt: skip


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image of which two shares between those of `zoom_range` are seen, of the width and of the height.

    The other arguments are those of apply_affine_transform. Raises ValueError for another number of shares.
    """
    if len(zoom_range) != 2:
        raise ValueError(f"`zoom_range` should be a tuple or list of two floats. Received: {zoom_range}")
    still = zoom_range[0] == zoom_range[1] == 1
    zx, zy = (1, 1) if still else np.random.uniform(zoom_range[0], zoom_range[1], 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """An image with up to `intensity_range` added or taken away, inside of its own range of values."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """An image multiplied by a number of a range, as `apply_brightness_shift` does it.

    Raises ValueError for a range that is not of two numbers.
    """
    if len(brightness_range) != 2:
        raise ValueError(f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
