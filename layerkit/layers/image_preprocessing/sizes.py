"""Layers that change the images' size: scaled or cut to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import GeometricLayer, Shape, Transformation, uniform

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]


def checked_size(layer: GeometricLayer, height: int, width: int) -> tuple[int, int]:
    """The size itself. Raises ValueError unless both are positive integers."""
    for name, given in (("height", height), ("width", width)):
        if not isinstance(given, int | np.integer) or given <= 0:
            raise ValueError(f"{type(layer).__name__}: `{name}` must be a positive integer. Received: {name}={given!r}")
    return height, width


class Resizing(GeometricLayer):
    """Images of another height and width; their dtype stays.

    Args:
        height: of the result.
        width: of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether to cut off what does not fit the new shape, evenly at both ends.
        pad_to_aspect_ratio: whether to fill up to the new shape, evenly at both ends.
        fill_mode: "constant".
        fill_value: what is filled up with.
        antialias: whether a smaller image is made of all pixels that it covers.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> Resizing(1, 2)(np.arange(4.0).reshape(1, 4, 1)).numpy().ravel().tolist()
    [0.5, 2.5]
    """

    random = False
    only_in_training = False
    keeps_dtype = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size(self, height, width)
        self.interpolation = interpolation
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value
        self.antialias = bool(antialias)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The images' height and width."""
        return shape[self.height_axis], shape[self.width_axis]

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images in the new size."""
        return ops.image.resize(
            images,
            (self.height, self.width),
            interpolation=interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )


class CenterCrop(GeometricLayer):
    """The middle of images; of images that are too small, their largest part in the new proportions, scaled.

    Args:
        height: of the result.
        width: of the result.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> CenterCrop(1, 2)(np.arange(4.0).reshape(1, 4, 1)).numpy().ravel().tolist()
    [1.0, 2.0]
    """

    random = False
    only_in_training = False
    interpolation = "bilinear"

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size(self, height, width)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The images' shape."""
        return {"input_shape": shape}

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images' middle."""
        rows, columns = known_size(self, images)
        if rows < self.height or columns < self.width:
            return largest_window(self, images, interpolation)
        top, left = (rows - self.height) // 2, (columns - self.width) // 2
        return window(self, images, top, left)


class RandomCrop(GeometricLayer):
    """A part of images at a random place, the same for all of a batch.

    When not training, and of images that are too small, it is their largest part in the new proportions, scaled.

    Args:
        height: of the result.
        width: of the result.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomCrop(2, 2, seed=1)(np.ones((4, 5, 1)), training=True).shape
    (2, 2, 1)
    """

    only_in_training = False
    interpolation = "bilinear"

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size(self, height, width)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Transformation:
        """The first row and column of the part that is kept: (int32, int32); None where nothing is drawn."""
        return super().get_random_transformation(data, seed=seed) if training else None

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The first row and column."""
        rows, columns = shape[self.height_axis], shape[self.width_axis]
        _require_known(self, shape, rows, columns)
        if rows < self.height or columns < self.width:
            return None
        room = (rows - self.height + 1, columns - self.width + 1)
        return tuple(ops.cast(uniform((), (0.0, float(places)), seed), "int32") for places in room)

    def _idle(self, transformation: Any, training: bool) -> bool:
        return False

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        """The part that a transformation says; without one, or when not training, the largest, scaled."""
        return super().transform_images(images, transformation if training else None, training)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The same part of masks."""
        kept = transformation if training else None
        return super().transform_segmentation_masks(segmentation_masks, kept, training)

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The part of the images."""
        rows, columns = known_size(self, images)
        if transformation is None or rows < self.height or columns < self.width:
            return largest_window(self, images, interpolation)
        return window(self, images, *transformation)


def known_size(layer: GeometricLayer, images: Tensor) -> tuple[int, int]:
    """The height and width of images. Raises ShapeError where they are not known."""
    rows, columns = images.shape[layer.height_axis], images.shape[layer.width_axis]
    _require_known(layer, images.shape, rows, columns)
    return rows, columns


def _require_known(layer: GeometricLayer, shape: Shape, rows: int | None, columns: int | None) -> None:
    if rows is None or columns is None:
        raise ShapeError(f"{type(layer).__name__} takes images whose height and width are known; got shape {shape}.")


def largest_window(layer: Any, images: Tensor, interpolation: str) -> Tensor:
    """The largest part around the middle that has a layer's proportions, in its height and width."""
    return ops.image.resize(
        images,
        (layer.height, layer.width),
        interpolation=interpolation,
        crop_to_aspect_ratio=True,
        data_format=layer.data_format,
    )


def window(layer: Any, images: Tensor, top: Any, left: Any) -> Tensor:
    """The part of a layer's height and width from a row and a column on; they may be tensors."""
    for axis, first, size in ((layer.height_axis, top, layer.height), (layer.width_axis, left, layer.width)):
        places = as_tensor(first) + np.arange(size, dtype=np.int32)
        images = ops.take(images, places, axis=axis)
    return images
