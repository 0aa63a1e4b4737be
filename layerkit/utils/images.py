"""Images in files and as arrays; reading and writing them takes Pillow (the extra `images`)."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.config import floatx, standardize_data_format
from layerkit.errors import refuse_unknown
from layerkit.graph.tensor import Tensor
from layerkit.utils.extras import optional_module

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}


def _pillow(purpose: str) -> Any:
    return optional_module("PIL.Image", "pillow", "images", purpose)


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array [H, W, C] (or [C, H, W]) as a Pillow image.

    Args:
        x: with one, three or four channels.
        data_format: where the channels are; None: as `layerkit.config` says.
        scale: whether values are spread from 0 to 255.
        dtype: to compute in; None: float32, or what `layerkit.config.floatx` says.

    Raises ValueError for other shapes, ImportError without Pillow.
    """
    first = standardize_data_format(data_format) == "channels_first"
    image = _pillow("array_to_img")
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    x = x.transpose(1, 2, 0) if first else x
    if scale:
        x = x - x.min()
        x = x / (x.max() or 1) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}")
    if channels == 1:
        return image.fromarray(x[:, :, 0].astype("int32" if x.max() > 255 else "uint8"))
    return image.fromarray(x.astype("uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image (or anything NumPy takes) as an array [H, W, C] (or [C, H, W]).

    Raises ValueError for other shapes.

    >>> img_to_array(np.zeros((2, 3), "uint8")).shape
    (2, 3, 1)
    """
    first = standardize_data_format(data_format) == "channels_first"
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    x = x if x.ndim == 3 else x[:, :, None]
    return x.transpose(2, 0, 1) if first else x


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Args:
        path: or a binary file.
        x: [H, W, C] (or [C, H, W]).
        data_format: where the channels are; None: as `layerkit.config` says.
        file_format: as Pillow calls it; None: by the path's ending.
        scale: whether values are spread from 0 to 255.
        kwargs: for Pillow's `save`.
    """
    if file_format is None and isinstance(path, str | os.PathLike):
        file_format = Path(path).suffix[1:]
    file_format = {"jpg": "jpeg"}.get((file_format or "").lower(), (file_format or "").lower()) or None
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A Pillow image from a file.

    Args:
        path: or an `io.BytesIO`.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width) to resize to; None: the file's.
        interpolation: Pillow's "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: whether to cut off what does not fit the new shape, evenly at both ends.

    Raises TypeError for another path, ValueError for an unknown word, ImportError without Pillow.
    """
    module = _pillow("load_img")
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, io.BytesIO | str | os.PathLike):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if color_mode not in MODES:
        raise ValueError(f'color_mode must be "grayscale", "rgb", or "rgba". Received: color_mode={color_mode!r}')
    with module.open(path) as opened:
        opened.load()
        image = opened if opened.mode in MODES[color_mode] else opened.convert(MODES[color_mode][0])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    if interpolation not in RESAMPLING:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(RESAMPLING)}"
        )
    height, width = target_size
    box = _middle(image.size, width, height) if keep_aspect_ratio else None
    return image.resize((width, height), module.Resampling[interpolation.upper()], box=box)


def _middle(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, upper, right and lower end of the largest part in the proportions of a new size."""
    own_width, own_height = size
    columns = min(own_width, own_height * width // height)
    rows = min(own_height, own_width * height // width)
    left, top = (own_width - columns) // 2, (own_height - rows) // 2
    return left, top, left + columns, top + rows


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Images in another size without distortion: their largest part in the new proportions.

    An array gives an array, a tensor a tensor. Raises ValueError for a size that is no pair, and TypeError for further
    arguments; `backend_module` may be None, for there is one backend.

    >>> smart_resize(np.ones((4, 8, 1)), (2, 2)).shape
    (2, 2, 1)
    """
    if kwargs.pop("backend_module", None) is not None:
        raise NotImplementedError("smart_resize doesn't support `backend_module`: layerkit is its own backend.")
    refuse_unknown("smart_resize", kwargs)
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    y: Tensor = ops.image.resize(
        x, size, interpolation=interpolation, crop_to_aspect_ratio=True, data_format=data_format
    )
    return y.numpy() if isinstance(x, np.ndarray) else y
