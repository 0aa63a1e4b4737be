"""Layers that change the images' size: scaled or cut to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from layerkit import ops
from layerkit.checks import check_choice, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import GeometricLayer, Shape, Transformation, uniform
from layerkit.layers.reshaping import INTERPOLATIONS
from layerkit.ops.blocks import sized

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
        check_choice(self, INTERPOLATIONS, interpolation=interpolation)
        check_choice(self, ("constant",), fill_mode=fill_mode)
        check_numbers(self, "(-inf, inf)", fill_value=fill_value)
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

    def shape_before(self, transformation: Any) -> Shape:
        """With the height and the width that were drawn."""
        shape = [None] * 3
        shape[self.height_axis], shape[self.width_axis] = transformation
        return tuple(shape)

    def size_after(self, height: Any, width: Any) -> tuple[int, int]:
        """The layer's."""
        return self.height, self.width

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes in the new size; boxes of four times 0 or -1 are padding, of which 0 is made."""
        given = as_tensor(bounding_boxes["boxes"])
        padding = [ops.all(given == number, axis=-1, keepdims=True) for number in (-1, 0)]
        found = super().transform_bounding_boxes(bounding_boxes, transformation, training)
        return {**found, "boxes": ops.where(ops.logical_or(*padding), 0.0, found["boxes"])}

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes, scaled and moved."""
        (across, right), (down, lower) = self._scales(*(size or 1 for size in transformation))
        return boxes * _twice(across, down, boxes.dtype) + _twice(right, lower, boxes.dtype)

    def _scales(self, rows: int, columns: int) -> list[tuple[float, float]]:
        """By what columns and rows are multiplied, and how many pixels of the new size are added, negative if cut."""
        sizes = ((self.width, columns), (self.height, rows))
        if not (self.pad_to_aspect_ratio or self.crop_to_aspect_ratio):
            return [(new / old, 0.0) for new, old in sizes]
        scale = (min if self.pad_to_aspect_ratio else max)(new / old for new, old in sizes)
        # Half of what is left, in whole pixels; the small number is for quotients such as 9 / 7 * 7 in floats.
        halves = [math.floor(abs(new - old * scale) / 2 + 1e-6) for new, old in sizes]
        return [(scale, float(half if self.pad_to_aspect_ratio else -half)) for half in halves]


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

    def size_after(self, height: Any, width: Any) -> tuple[int, int]:
        """The layer's."""
        return self.height, self.width

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes as seen in the middle."""
        rows, columns = shape[self.height_axis] or 1, shape[self.width_axis] or 1
        if rows < self.height or columns < self.width:
            return largest_window_of_boxes(self, boxes, rows, columns)
        return boxes - _twice((columns - self.width) // 2, (rows - self.height) // 2, boxes.dtype)


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
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self.height, self.width = checked_size(self, height, width)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Transformation:
        """The first row and column of the part that is kept, at random; those of the largest one where it is scaled."""
        if training:
            return super().get_random_transformation(data, seed=seed)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        self._check_rank(shape)
        return self._largest(shape)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The first row and column: (int32, int32), which know the images' shape."""
        rows, columns = shape[self.height_axis], shape[self.width_axis]
        _require_known(self, shape, rows, columns)
        if rows < self.height or columns < self.width:
            return self._largest(shape)
        room = (rows - self.height + 1, columns - self.width + 1)
        return _Place([ops.cast(uniform((), (0.0, float(places)), seed), "int32") for places in room], shape, False)

    def _largest(self, shape: Shape) -> Transformation:
        rows, columns = shape[self.height_axis], shape[self.width_axis]
        _require_known(self, shape, rows, columns)
        top, left, _, _ = largest_part(self, rows, columns)
        return _Place((top, left), shape, True)

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

    def shape_before(self, transformation: Any) -> Shape:
        """The shape that the first row and column know. Raises ValueError for a mere pair of them."""
        shape = getattr(transformation, "input_shape", None)
        if shape is None:
            raise ValueError(
                "RandomCrop.transform_bounding_boxes takes what get_random_transformation() gave, which knows the "
                f"images' size; got {transformation!r}."
            )
        return shape

    def size_after(self, height: Any, width: Any) -> tuple[int, int]:
        """The layer's."""
        return self.height, self.width

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes as seen in the same part."""
        if not training:
            transformation = self._largest(self.shape_before(transformation))
        return super().transform_bounding_boxes(bounding_boxes, transformation, training)

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes as seen in the part of the images."""
        rows, columns = shape[self.height_axis], shape[self.width_axis]
        if transformation.scaled:
            return largest_window_of_boxes(self, boxes, rows, columns)
        top, left = (ops.cast(place, boxes.dtype) for place in transformation)
        return boxes - ops.stack([left, top, left, top])


class _Place(tuple):
    """The first row and column of a part.

    Attributes:
        input_shape: of the images.
        scaled: whether it is the largest part, which is scaled.
    """

    input_shape: Shape
    scaled: bool

    def __new__(cls, place: Sequence[Any], input_shape: Shape, scaled: bool) -> Self:
        made = super().__new__(cls, place)
        made.input_shape, made.scaled = input_shape, scaled
        return made


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


def largest_part(layer: Any, rows: int, columns: int) -> tuple[int, int, int, int]:
    """The first row and column, the height and the width of the part that `largest_window` scales."""
    height = max(min(rows, columns * layer.height // layer.width), 1)
    width = max(min(columns, rows * layer.width // layer.height), 1)
    return (rows - height) // 2, (columns - width) // 2, height, width


def largest_window_of_boxes(layer: Any, boxes: Tensor, rows: int, columns: int) -> Tensor:
    """Boxes [N, M, 4] as seen in `largest_window` of images with so many rows and columns."""
    top, left, height, width = largest_part(layer, rows, columns)
    return (boxes - _twice(left, top, boxes.dtype)) * _twice(layer.width / width, layer.height / height, boxes.dtype)


def _twice(across: float, down: float, dtype: str) -> Tensor:
    """Numbers for the columns and rows of boxes, as a constant that comes from sizes."""
    return sized(np.array([across, down, across, down]), dtype)


def window(layer: Any, images: Tensor, top: Any, left: Any) -> Tensor:
    """The part of a layer's height and width from a row and a column on; they may be tensors."""
    for axis, first, size in ((layer.height_axis, top, layer.height), (layer.width_axis, left, layer.width)):
        places = as_tensor(first) + np.arange(size, dtype=np.int32)
        images = ops.take(images, places, axis=axis)
    return images
