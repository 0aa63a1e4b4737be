"""Images of another size: each axis by a matrix of weights, or (nearest) by a choice of its elements."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from layerkit.dtypes import is_int
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import sized, take_block
from layerkit.ops.comparison import logical_and
from layerkit.ops.elementwise import absolute, cast, maximum, where
from layerkit.ops.elementwise import round as nearest_whole
from layerkit.ops.image.layout import as_batch, pair, require_one_of, unknown
from layerkit.ops.matrix_product import MatMul
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import size_constant
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import GetItem, Pad, expand_dims, reshape, swapaxes
from layerkit.ops.special import saturate_cast
from layerkit.ops.trigonometry import sin

# Sums of weights below are taken for nothing: the place lies outside.
_LEAST_SUM = 1000 * float(np.finfo(np.float32).eps)


def _triangle(x: Tensor) -> Tensor:
    return maximum(1.0 - x, 0.0)


def _cubic(x: Tensor) -> Tensor:
    # R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2.
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return where(x >= 2.0, 0.0, where(x >= 1.0, far, near))


def _lanczos(radius: float, x: Tensor) -> Tensor:
    near = x <= 1e-3  # the limit, 1, is right to six digits there
    phase = math.pi * where(near, 1.0, x)
    wave = radius * sin(phase) * sin(phase / radius) / (phase * phase)
    return where(x > radius, 0.0, where(near, 1.0, wave))


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": _triangle,
    "bilinear": _triangle,
    "trilinear": _triangle,
    "cubic": _cubic,
    "bicubic": _cubic,
    "tricubic": _cubic,
    "lanczos3": functools.partial(_lanczos, 3.0),
    "lanczos5": functools.partial(_lanczos, 5.0),
}
"""How much an element counts by its distance, by the method's name."""


TAPS = {"bilinear": 2, "bicubic": 4}
"""How many elements count for each new one, where they are few."""
FEW_CHANNELS = 16
"""With fewer channels than that a loop over them is short, and a product of matrices as narrow."""


def resize(
    images: object,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images of another height and width.

    Args:
        images: [N, H, W, C] or [H, W, C]. Their dtype stays; integers are rounded and held in its range.
        size: (height, width).
        interpolation: "bilinear", "nearest", "bicubic" (Keys, a = -1/2), "lanczos3" or "lanczos5".
        antialias: whether a smaller image is made of all pixels that it covers; "nearest" takes no heed of it.
        crop_to_aspect_ratio: whether to cut off what does not fit the new shape, evenly at both ends.
        pad_to_aspect_ratio: whether to fill up to the new shape, evenly at both ends.
        fill_mode: "constant".
        fill_value: what is filled up with.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, ValueError for other arguments.

    >>> resize(np.array([[[0.0], [4.0]]]), (1, 4)).numpy().ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    x, restore = as_batch("resize", images, data_format)
    require_one_of("resize", "interpolation", interpolation, ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic"))
    require_one_of("resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("ops.image.resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.")
    size = tuple(int(n) for n in pair(size, "resize", "size"))
    if min(size) < 1:
        raise ValueError(f"ops.image.resize: the sizes have to be positive; got size={size}.")
    if None in x.shape:
        return restore(unknown((x.shape[0], *size, x.shape[3]), x.dtype))
    if 0 in x.shape[1:3]:
        raise ShapeError(f"ops.image.resize takes images with pixels; got shape {x.shape}.")
    y = x
    if interpolation != "nearest" or pad_to_aspect_ratio:
        y = as_float(y)
    if crop_to_aspect_ratio:
        y = _cropped(y, *size)
    elif pad_to_aspect_ratio:
        y = _padded(y, *size, fill_value)
    if interpolation == "nearest" and size != y.shape[1:3]:
        rows, columns = (_nearest(m, n) for m, n in zip(y.shape[1:3], size, strict=True))
        y = take_block(y, 1, 3, rows[:, None] * y.shape[2] + columns)
    for axis, n in enumerate(size, 1):
        if y.shape[axis] != n:
            y = _resized(y, axis, n, interpolation, bool(antialias))
    return restore(_in_dtype(y, x.dtype))


def _in_dtype(y: Tensor, dtype: str) -> Tensor:
    if y.dtype == dtype:
        return y
    return saturate_cast(nearest_whole(y) if is_int(dtype) else y, dtype)


def _cropped(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of images, in the proportions of a size."""
    _, own_height, own_width, _ = x.shape
    rows = max(min(own_height, own_width * height // width), 1)
    columns = max(min(own_width, own_height * width // height), 1)
    top, left = (own_height - rows) // 2, (own_width - columns) // 2
    return GetItem.at(x, (slice(None), slice(top, top + rows), slice(left, left + columns)))


def _padded(x: Tensor, height: int, width: int, value: float) -> Tensor:
    """Images filled up, as much before as after, to the proportions of a size."""
    _, own_height, own_width, _ = x.shape
    rows = max(own_width * height // width - own_height, 0) // 2
    columns = max(own_height * width // height - own_width, 0) // 2
    return Pad(((0, 0), (rows, rows), (columns, columns), (0, 0)), value)(x) if rows or columns else x


def _nearest(size: int, count: int) -> np.ndarray:
    """Which of `size` elements each of `count` takes; in float32 as the other libraries, where halves meet."""
    return np.floor((np.arange(count, dtype=np.float32) + np.float32(0.5)) * size / np.float32(count)).astype(np.int32)


def _resized(x: Tensor, axis: int, count: int, method: str, antialias: bool) -> Tensor:
    """One axis with another size: by the few elements that count for each new one, or by a product with all.

    Measured, bilinear from 224 to 160 pixels: with 3 channels the few take a tenth of the product's time; from 32 to 64
    pixels with 64 channels, four times as much.
    """
    size = x.shape[axis]
    if method in TAPS and x.shape[-1] < FEW_CHANNELS and not (antialias and count < size):
        return _tapped(x, axis, *_resizing_taps(size, count, method))
    return _weighted(x, sized(_resizing_weights(size, count, method, antialias), x.dtype), axis)


@functools.lru_cache(maxsize=64)
def _resizing_taps(size: int, count: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """The elements [count, taps] that each new one is made of, and their weights."""
    taps = min(TAPS[method], size)
    lower = np.floor((np.arange(count) + 0.5) * size / count - 0.5).astype(np.int64)
    first = np.clip(lower + 1 - TAPS[method] // 2, 0, size - taps)
    numbers = first[:, None] + np.arange(taps)
    return numbers, np.take_along_axis(_resizing_weights(size, count, method, False), numbers, 1)


def _tapped(x: Tensor, axis: int, numbers: np.ndarray, weights: np.ndarray) -> Tensor:
    """The axis as weighted sums of the elements [count, taps] by their numbers."""
    after = int(np.prod(x.shape[axis + 1 :], dtype=np.int64))
    flat = (*x.shape[:axis], numbers.shape[0] * after)
    total = None
    for number, weight in zip(numbers.T, weights.T, strict=True):
        value = take_block(x, axis, axis + 1, number)
        shape = value.shape
        if after < FEW_CHANNELS:
            # One long loop with a weight for each number is faster than one of few turns for each weight.
            value, weight = reshape(value, flat), np.repeat(weight, after)
        else:
            weight = weight.reshape(-1, *(1,) * (x.ndim - axis - 1))
        value = value * sized(weight, x.dtype)
        total = value if total is None else total + value
    return reshape(total, shape)


@functools.lru_cache(maxsize=64)
def _resizing_weights(size: int, count: int, method: str, antialias: bool) -> np.ndarray:
    """The weights float64 [count, size] by which `size` elements become `count`."""
    scale = as_tensor(np.asarray(count / size))
    return _weights(size, count, scale, as_tensor(np.asarray(0.0)), method, antialias).numpy()


def _weights(size: int, count: int, scale: Tensor, translation: Tensor, method: str, antialias: bool) -> Tensor:
    """The weights [count, size] by which elements become others at a scale and a translation, floats [].

    Where an element would come from outside they are all 0.
    """
    dtype = scale.dtype
    step = 1.0 / scale
    # The centre of each new element, in elements of the old ones.
    centre = (sized(np.arange(count) + 0.5, dtype) - translation) * step - 0.5
    distance = absolute(expand_dims(centre, 1) - sized(np.arange(size), dtype))
    if antialias:  # a coarser grid has a wider kernel
        distance = distance / maximum(step, 1.0)
    weights = KERNELS[method](distance)
    total = reduce_sum(weights, 1, keepdims=True)
    counts = absolute(total) > _LEAST_SUM
    weights = where(counts, weights / where(counts, total, 1.0), 0.0)
    inside = logical_and(centre >= -0.5, centre <= size_constant(size - 0.5, dtype))
    return where(expand_dims(inside, 1), weights, 0.0)


def _weighted(x: Tensor, weights: Tensor, axis: int) -> Tensor:
    """The axis [.., size, ..] as sums [.., count, ..] of its elements with weights [count, size]."""
    before, after = (int(np.prod(part, dtype=np.int64)) for part in (x.shape[:axis], x.shape[axis + 1 :]))
    shape = (*x.shape[:axis], weights.shape[0], *x.shape[axis + 1 :])
    if after == 1:
        y = MatMul()(reshape(x, (before, x.shape[axis])), swapaxes(weights, 0, 1))
    else:
        y = MatMul()(weights, reshape(x, (before, x.shape[axis], after)))
    return reshape(y, shape)


def scale_and_translate(
    images: object,
    output_shape: Sequence[int],
    scale: object,
    translation: object,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved: what was at y is at y * scale + translation, with pixels' centres at y + 1/2.

    Args:
        images: any shape; integers become floats.
        output_shape: of the result; only the sizes of the spatial axes may differ from the images'.
        scale: a number for each spatial axis; it may be a tensor, and has a gradient.
        translation: as the scale.
        spatial_dims: which axes are scaled and moved.
        method: "linear", "bilinear", "trilinear", "cubic", "bicubic", "tricubic", "lanczos3" or "lanczos5".
        antialias: whether a smaller image is made of all pixels that it covers.

    What lies outside of the images is 0. Raises ShapeError for shapes that do not fit, ValueError for another method.

    >>> image = np.arange(9, dtype="float32").reshape(3, 3)
    >>> scale_and_translate(image, (5, 5), [2.0, 2.0], [-0.5, -0.5], (0, 1), "linear").numpy()[0].tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    require_one_of("scale_and_translate", "method", method, tuple(KERNELS))
    x = as_float(as_tensor(images))
    shape, axes = tuple(output_shape), [_axis(axis, x) for axis in spatial_dims]
    scale, translation = as_float(as_tensor(scale)), as_float(as_tensor(translation))
    if scale.shape != (len(axes),) or translation.shape != (len(axes),):
        raise ShapeError(
            f"ops.image.scale_and_translate takes a scale and a translation for each of spatial_dims={spatial_dims}; "
            f"got shapes {scale.shape} and {translation.shape}."
        )
    fits = len(shape) == x.ndim and all(
        at in axes or None in (n, m) or n == m for at, (n, m) in enumerate(zip(x.shape, shape, strict=True))
    )
    if not fits:
        raise ShapeError(
            f"ops.image.scale_and_translate: output_shape {shape} has to have the sizes of the images, {x.shape}, on "
            f"all axes but spatial_dims={spatial_dims}."
        )
    if None in x.shape:
        return unknown(shape, x.dtype)
    for at, axis in enumerate(axes):
        weights = _weights(x.shape[axis], shape[axis], scale[at], translation[at], method, antialias)
        x = _weighted(x, cast(weights, x.dtype), axis)
    return x


def _axis(axis: int, x: Tensor) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"ops.image.scale_and_translate: images of shape {x.shape} have no axis {axis}.")
    return axis % x.ndim
