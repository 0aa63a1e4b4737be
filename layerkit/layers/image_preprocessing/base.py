"""What the layers that change images share: batches and single images, draws, ranges of values, dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from layerkit import ops, random
from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.bounding_boxes import as_bounding_boxes, clip_to_image_size, convert_format
from layerkit.layers.layer import Layer
from layerkit.ops.reduction import size_constant

Transformation = dict[str, Any] | tuple | Tensor | None
Shape = tuple[int | None, ...]
Factor = float | Sequence[float]


class ImageLayer(Layer, registered=False):
    """A change of images [N, H, W, C] or of one, [H, W, C]; or of a dictionary with "images".

    The dictionary may have "labels" [N, ...], "segmentation_masks" [N, H, W, C] and "bounding_boxes", a dictionary of
    "boxes" [N, M, 4] and "labels" [N, M] or [N, M, C], which are changed to fit; or these of one image.

    `get_random_transformation` draws a change, `transform_images` and its kin apply one, as in Keras. A subclass states
    `draw` and `change`. A single image is a batch of one to both.

    Args:
        bounding_box_format: of the boxes in dictionaries, as `utils.bounding_boxes.convert_format` has them.
        data_format: where the channels are; None: as `layerkit.config` says.
        kwargs: of Layer.
    """

    random: ClassVar[bool] = True
    """Whether it draws; then it changes nothing without a transformation."""
    only_in_training: ClassVar[bool] = True
    keeps_dtype: ClassVar[bool] = False
    """Whether images stay in their dtype; others are computed in the layer's."""
    takes_box_format: ClassVar[bool] = True
    """Whether bounding boxes need a format."""

    def __init__(
        self, *, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)

    def _set_seed(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    # What a subclass states.

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """A transformation for images of a shape with four axes."""
        return {}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """Images with four axes, transformed."""
        raise NotImplementedError(f"{type(self).__name__} does not state how it changes images.")

    # Keras' names.

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Transformation:
        """Draw what `transform_images` does, for images or a dictionary with "images".

        Returns None where nothing is to be done. Raises ShapeError where images have neither three nor four axes.
        """
        if not training and self.only_in_training:
            return None
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        self._check_rank(shape)
        drawn_from = getattr(self, "generator", None) if seed is None else seed
        return self.draw(shape if len(shape) == 4 else (1, *shape), drawn_from)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Tensor:
        """Images or one image, changed by a transformation; as they are when not training."""
        x = as_tensor(images)
        self._check_rank(x.shape)
        if not self.keeps_dtype:
            x = ops.cast(x, self.compute_dtype)
        if self._idle(transformation, training):
            return x
        return _as_batch(x, lambda batch: self.change(batch, transformation))

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """Labels; most changes of an image leave them."""
        return labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """Masks [N, H, W, C]; changes of colours leave them."""
        return segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """A dictionary of "boxes" [N, M, 4] and "labels"; changes of colours leave it."""
        return bounding_boxes

    def call(self, data: Any, training: bool = True) -> Any:
        """The images, changed; of a dictionary also the labels, bounding boxes and segmentation masks, to fit them."""
        transformation = self.get_random_transformation(data, training=training)
        if not isinstance(data, dict):
            return self.transform_images(data, transformation, training)
        single = len(data["images"].shape) == 3
        changed = {**data, "images": self.transform_images(data["images"], transformation, training)}
        if "bounding_boxes" in data:
            changed["bounding_boxes"] = self._transform_boxes(data["bounding_boxes"], single, transformation, training)
        for name, transform in (
            ("labels", self.transform_labels),
            ("segmentation_masks", self.transform_segmentation_masks),
        ):
            if name in data:
                x = as_tensor(data[name])
                y = transform(ops.expand_dims(x, 0) if single else x, transformation, training=training)
                changed[name] = ops.squeeze(y, 0) if single else y
        return changed

    def _transform_boxes(self, given: Any, single: bool, transformation: Any, training: bool) -> dict[str, Any]:
        """The bounding boxes of images, or of a single one."""
        if self.takes_box_format and not self.bounding_box_format:
            raise ValueError(
                "You passed an input with a 'bounding_boxes' key, but you didn't specify a bounding box format. Pass a "
                f"`bounding_box_format` argument to your {type(self).__name__} layer, e.g. "
                "`bounding_box_format='xyxy'`."
            )
        found = as_bounding_boxes(given)
        if (found["boxes"].ndim == 2) != single:
            raise ShapeError(
                f"{type(self).__name__}: expected boxes of shape {'(M, 4)' if single else '(N, M, 4)'} for "
                f"{'one image' if single else 'a batch of images'}, got {tuple(found['boxes'].shape)}."
            )
        if not single:
            return self.transform_bounding_boxes(found, transformation, training=training)
        several = {**found, **{name: ops.expand_dims(found[name], 0) for name in ("boxes", "labels")}}
        changed = self.transform_bounding_boxes(several, transformation, training=training)
        return {**changed, **{name: ops.squeeze(changed[name], 0) for name in ("boxes", "labels")}}

    # Helpers.

    @property
    def height_axis(self) -> int:
        """Where the rows are, from the end."""
        return -3 if self.data_format == "channels_last" else -2

    @property
    def width_axis(self) -> int:
        """Where the columns are, from the end."""
        return -2 if self.data_format == "channels_last" else -1

    @property
    def channel_axis(self) -> int:
        """Where the channels are, from the end."""
        return -1 if self.data_format == "channels_last" else -3

    def _idle(self, transformation: Any, training: bool) -> bool:
        return (self.only_in_training and not training) or (self.random and transformation is None)

    def _check_rank(self, shape: Shape) -> None:
        if len(shape) not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__} takes one image (three axes) or a batch of images (four); got shape {shape}."
            )


class GeometricLayer(ImageLayer, registered=False):
    """Moves pixels, and with them bounding boxes and segmentation masks.

    Each place of a mask takes the class of the nearest one.
    """

    interpolation: str = "nearest"

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """Images with four axes, of any dtype, moved."""
        raise NotImplementedError(f"{type(self).__name__} does not state how it moves pixels.")

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, moved."""
        return self.move(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """Masks [N, H, W, C] or [H, W, C], which keep their dtype."""
        x = as_tensor(segmentation_masks)
        if self._idle(transformation, training):
            return x
        return _as_batch(x, lambda batch: self.move(batch, transformation, "nearest"))

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """Boxes [N, M, 4] (left, top, right, bottom, in pixels), moved as the pixels of images of a shape."""
        raise NotImplementedError(f"{type(self).__name__} does not state how it moves boxes.")

    def shape_before(self, transformation: Any) -> Shape | None:
        """The shape of the images that a transformation was drawn for."""
        return transformation["input_shape"]

    def size_after(self, height: Any, width: Any) -> tuple[Any, Any]:
        """The height and width of moved images."""
        return height, width

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Boxes [N, M, 4] around where the pixels in them come to, cut at the images' borders.

        What has left the image gets the label -1.
        """
        if self._idle(transformation, training):
            return bounding_boxes
        shape = self.shape_before(transformation)
        height, width = self._size(shape)
        found = convert_format(bounding_boxes, self.bounding_box_format, "xyxy", height, width)
        found["boxes"] = self.move_boxes(found["boxes"], shape, transformation)
        height, width = self.size_after(height, width)
        found = clip_to_image_size(found, height, width)
        return convert_format(found, "xyxy", self.bounding_box_format, height, width)

    def _size(self, shape: Shape) -> tuple[Tensor, Tensor]:
        """The height and width, as numbers that a plan's structure does not depend on."""
        return tuple(size_constant(float(shape[at] or 0), "float32") for at in (self.height_axis, self.width_axis))


def refuse_boxes(layer: ImageLayer) -> None:
    """Raises NotImplementedError, as Keras does, for a layer after which no box says where things are."""
    raise NotImplementedError(
        f"{type(layer).__name__} does not transform bounding boxes: what was in a box is in none, or in several, after "
        "it. Leave 'bounding_boxes' out of its input."
    )


def _as_batch(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    return function(x) if x.ndim == 4 else ops.squeeze(function(ops.expand_dims(x, 0)), 0)


def uniform(shape: Sequence[int | None], limits: Sequence[float], seed: Any, scale: float = 1.0) -> Tensor:
    """Numbers between two limits times a scale."""
    low, high = limits
    return random.uniform(tuple(shape), low * scale, high * scale, seed=seed)


def chosen(shape: Shape, factor: tuple[float, float], seed: Any) -> Tensor:
    """Which images [N] are changed, each with a probability drawn between the factor's ends; bool."""
    probability = uniform((shape[0],), factor, seed)
    return random.uniform((shape[0],), seed=seed) < probability


def per_image(x: Any, dtype: str | None = None) -> Tensor:
    """One value for each image, [N], as [N, 1, 1, 1]."""
    x = as_tensor(x)
    return ops.reshape(x if dtype is None else ops.cast(x, dtype), (-1, 1, 1, 1))


def limits_of(factor: Any, bounds: tuple[float, float], name: str = "factor", owner: str = "") -> tuple[float, float]:
    """The ends of the range that a factor is drawn from.

    A pair stays as it is; a number gives the range around 0, cut to the bounds.

    Raises ValueError for anything else and for factors that lie beyond the bounds.
    """
    low, high = bounds
    if isinstance(factor, list | tuple) and len(factor) == 2 and factor[0] <= high and factor[1] >= low:
        return tuple(sorted(factor))
    if isinstance(factor, int | float) and low <= factor <= high:
        return max(-abs(factor), low), abs(factor)
    raise ValueError(
        f"The `{name}` argument should be a number (or a list of two numbers) in the range [{low}, {high}]. "
        f"Received: {name}={factor}"
    )


def strict_limits(
    factor: Any, name: str, low: float, high: float, symmetric: bool = True, open_below: bool = False
) -> tuple[float, float]:
    """As `limits_of`, where each number has to be inside of the bounds and a number's range is around 0 or from 0."""
    given = factor if isinstance(factor, list | tuple) else [factor]
    fits = len(given) == (2 if given is factor else 1) and all(
        isinstance(one, int | float) and (low < one if open_below else low <= one) and one <= high for one in given
    )
    if not fits:
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range "
            f"{'(' if open_below else '['}{low}, {high}]. Received: {name}={factor}"
        )
    if given is factor:
        return tuple(sorted(factor))
    return (-abs(factor) if symmetric else 0), abs(factor)


def range_of_values(value_range: Any) -> list[float]:
    """The lowest and the highest value of a pixel. Raises ValueError for anything but a pair."""
    if not isinstance(value_range, list | tuple) or len(value_range) != 2:
        raise ValueError(
            f"The `value_range` argument should be a list of two numbers. Received: value_range={value_range}"
        )
    return sorted(value_range)


def rescaled(x: Tensor, given: Sequence[float], wanted: Sequence[float]) -> Tensor:
    """Values of one range in another."""
    if tuple(given) == tuple(wanted):
        return x
    (low, high), (new_low, new_high) = given, wanted
    return (x - low) / (high - low) * (new_high - new_low) + new_low
