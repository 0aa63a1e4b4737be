"""Filters over images: blurring, edges, and how alike two images look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.convolution import depthwise_conv
from layerkit.ops.elementwise import cast, exp, square
from layerkit.ops.image.layout import as_batch, pair, require_float, unknown
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import mean
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import GetItem, broadcast_to, concatenate, reshape, transpose


def gaussian_window(size: int, sigma: object, dtype: str) -> Tensor:
    """The weights [size] of a Gaussian around the middle; they sum to 1. Sigma may be a tensor, and has a gradient."""
    places = (np.arange(size) - (size - 1) / 2).astype(dtype)
    weights = exp(-0.5 * square(places / cast(sigma, dtype)))
    return weights / reduce_sum(weights)


def _filtered(x: Tensor, down: Tensor, across: Tensor, padding: str) -> Tensor:
    """Images [N, H, W, C] filtered down and across by one window each."""
    channels = x.shape[-1]
    for window, shape in ((down, (-1, 1, 1, 1)), (across, (1, -1, 1, 1))):
        taps = reshape(window, shape)
        x = depthwise_conv(x, broadcast_to(taps, (*taps.shape[:2], channels, 1)), 1, padding, "channels_last")
    return x


def gaussian_blur(
    images: object,
    kernel_size: Sequence[int] = (3, 3),
    sigma: object = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Images blurred by a Gaussian, with zeros beyond the border.

    Args:
        images: floats [N, H, W, C] or [H, W, C].
        kernel_size: of the window across and down, as Keras has it (on JAX and PyTorch).
        sigma: the deviations across and down, in pixels; it may be a tensor, and has a gradient.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes, DtypeError for integers, ValueError for other arguments.

    >>> gaussian_blur(np.ones((5, 5, 1), "float32")).numpy()[2, 2].round(4).tolist()
    [1.0]
    """
    x, restore = as_batch("gaussian_blur", images, data_format)
    require_float("gaussian_blur", x)
    across, down = (int(n) for n in pair(kernel_size, "gaussian_blur", "kernel_size"))
    if min(across, down) < 1:
        raise ValueError(f"ops.image.gaussian_blur: kernel_size has to be positive; got {kernel_size!r}.")
    deviations = as_tensor(sigma)
    if deviations.shape != (2,):
        raise ValueError(f"ops.image.gaussian_blur: sigma has two numbers; got shape {deviations.shape}.")
    if None in x.shape:
        return restore(unknown(x.shape, x.dtype))
    windows = (gaussian_window(size, deviations[at], x.dtype) for at, size in ((1, down), (0, across)))
    return restore(_filtered(x, *windows, "same"))


def sobel_edges(images: object, data_format: str | None = None) -> Tensor:
    """The slopes of images down and across by Sobel's filters, with zeros beyond the border.

    TensorFlow reflects the images at the border; inside of it all backends agree.

    Args:
        images: floats, int32 or int64 [N, H, W, C].
        data_format: where the channels are; None: as `layerkit.config` says.

    Returns [N, H, W, C, 2], or [N, C, H, W, 2] for "channels_first", in the dtype of the images.
    Raises ShapeError for other shapes, DtypeError for integers that are unsigned or of fewer bits.

    >>> sobel_edges(np.arange(9, dtype="float32").reshape(1, 3, 3, 1)).numpy()[0, 1, 1].tolist()
    [[24.0, 8.0]]
    """
    x = as_tensor(images)
    if x.ndim != 4:
        raise ShapeError(f"ops.image.sobel_edges takes a batch of images with 4 axes; got shape {x.shape}.")
    x, _ = as_batch("sobel_edges", x, data_format)
    if x.dtype in ("int32", "int64"):  # whole numbers of float64 are exact
        return cast(sobel_edges(cast(images, "float64"), data_format), x.dtype)
    require_float("sobel_edges", x)
    if None in x.shape:
        edges = unknown((*x.shape, 2), x.dtype)
    else:
        across = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], x.dtype)
        taps = np.stack([across.T, across], -1)[:, :, None]
        edges = depthwise_conv(x, np.repeat(taps, x.shape[-1], 2), 1, "same", "channels_last")
        edges = reshape(edges, (*x.shape, 2))
    return transpose(edges, (0, 3, 1, 2, 4)) if standardize_data_format(data_format) == "channels_first" else edges


def ssim(
    image1: object,
    image2: object,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """How alike two images look, from -1 to 1 for equal ones (the index of structural similarity).

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004.

    Args:
        image1: [N, H, W, C] or [H, W, C].
        image2: as the first.
        max_val: the largest value that a pixel can have.
        filter_size: of the Gaussian window; only places where it lies inside of the images count.
        filter_sigma: its deviation.
        k1: steadies the comparison of brightness.
        k2: steadies the comparison of contrast.
        data_format: where the channels are; None: as `layerkit.config` says.

    Returns [N] or [], in the dtype of the images as Keras has it: cast integers to floats first.
    Raises ShapeError for other shapes.

    >>> image = np.random.default_rng(0).random((16, 16, 3))
    >>> round(ssim(image, image).item(), 6)
    1.0
    """
    given = as_tensor(image1)
    x, _ = as_batch("ssim", image1, data_format)
    y, _ = as_batch("ssim", image2, data_format)
    if as_tensor(image2).ndim != given.ndim or any(
        n != m and None not in (n, m) for n, m in zip(x.shape, y.shape, strict=True)
    ):
        raise ShapeError(
            f"ops.image.ssim takes two images of one shape; got {given.shape} and {as_tensor(image2).shape}."
        )
    if any(n is not None and n < filter_size for n in x.shape[1:3]):
        raise ShapeError(f"ops.image.ssim: images of shape {given.shape} are smaller than filter_size={filter_size}.")
    single = given.ndim == 3
    if None in x.shape or None in y.shape:
        return unknown(() if single else (x.shape[0] if x.shape[0] is not None else y.shape[0],), given.dtype)
    x, y = as_float(x), as_float(y)
    window = gaussian_window(filter_size, filter_sigma, x.dtype)
    moments = _filtered(concatenate([x, y, x * x, y * y, x * y], -1), window, window, "valid")
    channels = x.shape[-1]
    mean_x, mean_y, square_x, square_y, product = (
        GetItem.at(moments, (..., slice(at * channels, (at + 1) * channels))) for at in range(5)
    )
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    both, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    similarity = (2.0 * both + c1) * (2.0 * (product - both) + c2)
    similarity = similarity / ((squares + c1) * (square_x + square_y - squares + c2))
    result = cast(mean(similarity, (1, 2, 3)), given.dtype)
    return reshape(result, ()) if single else result
