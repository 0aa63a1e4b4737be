"""Images seen through a change of their coordinates: affine, projective, or any."""

from __future__ import annotations

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.blocks import index_dtype, sized
from layerkit.ops.image.layout import as_batch, require_one_of, unknown
from layerkit.ops.image.sampling import FILL_MODES, ORDERS, sample
from layerkit.ops.neural import as_float
from layerkit.ops.shape import GetItem, concatenate, expand_dims, ones_like, reshape, stack, zeros_like
from layerkit.ops.solving import solve


def map_coordinates(
    inputs: object, coordinates: object, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """The values of an array at places between its elements, as `scipy.ndimage.map_coordinates`.

    Args:
        inputs: [n1, ..., nd] of any dtype, which stays.
        coordinates: [d, *places], in elements.
        order: 0 for the nearest element (halves away from zero), 1 for linear interpolation.
        fill_mode: what counts outside: "constant" (the fill value), "nearest" (the element at the border), "wrap" (the
            array again), "mirror" (reflected at the outer elements), "reflect" (reflected at their edges).
        fill_value: what "constant" counts outside.

    Returns [*places]. Raises ShapeError for other shapes, ValueError for another order or mode.

    >>> map_coordinates(np.array([0.0, 10.0, 20.0]), [[0.5, 1.75]], order=1).tolist()
    [5.0, 17.5]
    """
    x, places = as_tensor(inputs), as_tensor(coordinates)
    require_one_of("map_coordinates", "fill_mode", fill_mode, tuple(FILL_MODES))
    require_one_of("map_coordinates", "order", order, (0, 1))
    if places.ndim < 2 or places.shape[0] != x.ndim:
        raise ShapeError(
            "ops.image.map_coordinates takes inputs with d axes and coordinates [d, *places]; "
            f"got shapes {x.shape} and {places.shape}."
        )
    if None in x.shape or None in places.shape:
        return unknown(places.shape[1:], x.dtype)
    along = [GetItem.at(places, at) for at in range(x.ndim)]
    return sample(reshape(x, (-1,)), x.shape, along, order, fill_mode, fill_value)


def affine_transform(
    images: object,
    transform: object,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixel (x, y) is the one at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of the given ones.

    Here k = c0 x + c1 y + 1. That is Keras' definition and what TensorFlow gives; on JAX and PyTorch Keras takes the
    channel's number in the place of k, so that all agree where c0 = c1 = 0.

    Args:
        images: [N, H, W, C] or [H, W, C] of any dtype, which stays.
        transform: [a0, a1, a2, b0, b1, b2, c0, c1] for all images, or [N, 8].
        interpolation: "bilinear" or "nearest".
        fill_mode: what counts outside; see `map_coordinates`.
        fill_value: what "constant" counts outside.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, ValueError for an unknown word.

    >>> affine_transform(np.arange(4.0).reshape(1, 4, 1), [1, 0, 1, 0, 1, 0, 0, 0]).numpy().ravel().tolist()
    [1.0, 2.0, 3.0, 0.0]
    """
    x, restore = as_batch("affine_transform", images, data_format)
    require_one_of("affine_transform", "interpolation", interpolation, tuple(ORDERS))
    require_one_of("affine_transform", "fill_mode", fill_mode, tuple(FILL_MODES))
    t = as_float(as_tensor(transform))
    if t.ndim not in (1, 2) or t.shape[-1] != 8:
        raise ShapeError(f"ops.image.affine_transform takes a transform [8] or [N, 8]; got shape {t.shape}.")
    t = t if t.ndim == 2 else expand_dims(t, 0)
    _require_as_many("affine_transform", "transforms", t, x)
    return restore(_projected(x, t, interpolation, fill_mode, fill_value))


def perspective_transform(
    images: object,
    start_points: object,
    end_points: object,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images in a perspective that moves four points to other places.

    Args:
        images: [N, H, W, C] or [H, W, C] of any dtype, which stays.
        start_points: (x, y) of four points, [4, 2] for all images or [N, 4, 2].
        end_points: where they come to.
        interpolation: "bilinear" or "nearest".
        fill_value: what counts outside of the images.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, ValueError for an unknown interpolation, numpy.linalg.LinAlgError (a ValueError)
    where three points lie on a line.

    >>> corners = np.array([[0, 0], [0, 3], [3, 0], [3, 3]])
    >>> perspective_transform(np.ones((4, 4, 1)), corners, corners * 2).numpy()[3, 3].tolist()
    [1.0]
    """
    x, restore = as_batch("perspective_transform", images, data_format)
    require_one_of("perspective_transform", "interpolation", interpolation, tuple(ORDERS))
    start, end = (as_float(as_tensor(points)) for points in (start_points, end_points))
    if start.shape[-2:] != (4, 2) or start.ndim not in (2, 3) or start.shape != end.shape:
        raise ShapeError(
            "ops.image.perspective_transform takes start_points and end_points [4, 2] or [N, 4, 2]; "
            f"got shapes {start.shape} and {end.shape}."
        )
    start, end = (points if points.ndim == 3 else expand_dims(points, 0) for points in (start, end))
    _require_as_many("perspective_transform", "points", start, x)
    if None in x.shape or None in start.shape:
        return restore(unknown(x.shape, x.dtype))
    return restore(_projected(x, homography(start, end), interpolation, "constant", fill_value))


def homography(start: Tensor, end: Tensor) -> Tensor:
    """The projections [N, 8] (a0, a1, a2, b0, b1, b2, c0, c1) from end points [N, 4, 2] back to start points."""
    (x, y), (u, v) = ((GetItem.at(points, (..., 0)), GetItem.at(points, (..., 1))) for points in (start, end))
    zero, one = zeros_like(u), ones_like(u)
    rows_of_x = stack([u, v, one, zero, zero, zero, -x * u, -x * v], -1)
    rows_of_y = stack([zero, zero, zero, u, v, one, -y * u, -y * v], -1)
    return solve(concatenate([rows_of_x, rows_of_y], 1), concatenate([x, y], 1))


def _require_as_many(name: str, what: str, transforms: Tensor, x: Tensor) -> None:
    given, images = transforms.shape[0], x.shape[0]
    if given not in (1, None, images) and images is not None:
        raise ShapeError(f"ops.image.{name}: {given} {what} do not fit {images} images.")


def _projected(x: Tensor, t: Tensor, interpolation: str, fill_mode: str, fill_value: float) -> Tensor:
    """Images [N, H, W, C] read at where projections [N or 1, 8] take their pixels."""
    if None in x.shape or None in t.shape:
        return unknown(x.shape, x.dtype)
    _, height, width, _ = x.shape
    a0, a1, a2, b0, b1, b2, c0, c1 = (GetItem.at(t, (slice(None), at, None, None)) for at in range(8))
    across, down = sized(np.arange(width), t.dtype), sized(np.arange(height)[:, None], t.dtype)
    depth = c0 * across + c1 * down + 1
    return sampled_images(
        x,
        (b0 * across + b1 * down + b2) / depth,
        (a0 * across + a1 * down + a2) / depth,
        interpolation,
        fill_mode,
        fill_value,
    )


def sampled_images(
    x: Tensor, down: Tensor, across: Tensor, interpolation: str, fill_mode: str, fill_value: float
) -> Tensor:
    """Images [N, H, W, C] read at places [N or 1, H, W] down and across."""
    batch, height, width, channels = x.shape
    block = sized(np.arange(batch)[:, None, None], index_dtype(batch * height * width))
    rows = reshape(x, (-1, channels))
    return sample(rows, (height, width), (down, across), ORDERS[interpolation], fill_mode, fill_value, block)
