"""Layers that turn, move and distort images at random, each image of a batch in its own way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from layerkit import ops, random
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import (
    Factor,
    GeometricLayer,
    Shape,
    Transformation,
    chosen,
    limits_of,
    per_image,
    refuse_boxes,
    strict_limits,
    uniform,
)
from layerkit.layers.image_preprocessing.bounding_boxes import carried
from layerkit.ops.blocks import sized
from layerkit.ops.image.layout import as_batch
from layerkit.ops.image.transforms import homography, sampled_images
from layerkit.ops.reduction import size_constant

__all__ = [
    "RandomElasticTransform", "RandomFlip", "RandomPerspective", "RandomRotation", "RandomShear", "RandomTranslation",
    "RandomZoom",
]  # fmt: skip


class RandomFlip(GeometricLayer):
    """Each image mirrored or not, with equal chances.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical" (both at once).
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomFlip("horizontal")(np.arange(3.0).reshape(1, 3, 1), training=False).numpy().ravel().tolist()
    [0.0, 1.0, 2.0]
    """

    modes: ClassVar[tuple[str, ...]] = ("horizontal", "vertical", "horizontal_and_vertical")

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if mode not in self.modes:
            raise ValueError(f"RandomFlip: mode is one of {', '.join(map(repr, self.modes))}; got {mode!r}.")
        self.mode = mode
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are mirrored."""
        return {"flips": random.uniform((shape[0], 1, 1, 1), seed=seed) <= 0.5, "input_shape": shape}

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images, some mirrored."""
        axes = [
            axis
            for axis, word in ((self.width_axis, "horizontal"), (self.height_axis, "vertical"))
            if word in self.mode.split("_and_")
        ]
        return ops.where(as_tensor(transformation["flips"]), ops.flip(images, axes), images)

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes, some mirrored."""
        height, width = self._size(shape)
        left, top, right, bottom = ops.split(boxes, 4, axis=-1)
        if "horizontal" in self.mode:
            left, right = width - right, width - left
        if "vertical" in self.mode:
            top, bottom = height - bottom, height - top
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        return ops.where(flips, ops.concatenate([left, top, right, bottom], axis=-1), boxes)


class _Affine(GeometricLayer, registered=False):
    """Maps the pixels by a matrix for each image, which `matrices` makes of what was drawn."""

    fill_modes: ClassVar[tuple[str, ...]] = ("reflect", "wrap", "constant", "nearest")

    def _set_sampling(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        check_words(self, fill_mode=(fill_mode, self.fill_modes), interpolation=(interpolation, INTERPOLATIONS))
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def matrices(self, shape: Shape, transformation: Any) -> Tensor:
        """The transforms [N, 8] of `ops.image.affine_transform` for images of a shape."""
        raise NotImplementedError(f"{type(self).__name__} does not state its matrices.")

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images, mapped."""
        return ops.image.affine_transform(
            images,
            self.matrices(images.shape, transformation),
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes around the mapped ones."""
        return carried(boxes, ops.reshape(ops.cast(self.matrices(shape, transformation), boxes.dtype), (-1, 8)))

    def _middle(self, shape: Shape) -> tuple[Any, Any]:
        """Half of the width and of the height less 1: the centre's column and row. They come from sizes."""
        sizes = (shape[self.width_axis], shape[self.height_axis])
        return tuple(size_constant(0.0 if size is None else (size - 1) / 2, "float32") for size in sizes)


INTERPOLATIONS = ("nearest", "bilinear")


def check_words(layer: Any, **words: tuple[str, Sequence[str]]) -> None:
    """Raises NotImplementedError, as Keras does, for a word that is not known."""
    for name, (word, known) in words.items():
        if word not in known:
            raise NotImplementedError(
                f"{type(layer).__name__}: unknown `{name}` {word!r}; expected one of {', '.join(map(repr, known))}."
            )


def _rows(*columns: Any) -> Tensor:
    """Transforms [N, 8] of six columns [N] or numbers; the projective part is 0."""
    like = next(column for column in columns if isinstance(column, Tensor))
    zero = ops.zeros_like(like)
    full = [column if isinstance(column, Tensor) else zero + float(column) for column in (*columns, 0, 0)]
    return ops.stack(full, axis=1)


class RandomRotation(_Affine):
    """Each image turned around its middle.

    Args:
        factor: of a full turn: a number f for angles from -f to f, or a pair.
        fill_mode: what counts outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: for the same draws in each run.
        fill_value: what "constant" counts outside.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> layer = RandomRotation(factor=(0.25, 0.25), interpolation="nearest")
    >>> layer(np.arange(4.0).reshape(2, 2, 1), training=True).numpy().ravel().tolist()
    [1.0, 3.0, 0.0, 2.0]
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (-1, 1))
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The angles in degrees, the matrices, and the size of the images."""
        angle = uniform((shape[0],), self.factor, seed, 360.0)
        radians = angle * (math.pi / 180)
        cosine, sine = ops.cos(radians), ops.sin(radians)
        across, down = self._middle(shape)
        matrix = _rows(
            cosine,
            -sine,
            across - across * cosine + down * sine,
            sine,
            cosine,
            down - across * sine - down * cosine,
        )
        height, width = shape[self.height_axis], shape[self.width_axis]
        return {
            "angle": angle, "rotation_matrix": matrix, "image_height": height, "image_width": width,
            "batch_size": shape[0], "input_shape": shape,
        }  # fmt: skip

    def matrices(self, shape: Shape, transformation: Any) -> Tensor:
        """The drawn ones."""
        return as_tensor(transformation["rotation_matrix"])


class RandomZoom(_Affine):
    """Each image made larger or smaller around its middle.

    Args:
        height_factor: a number f for heights seen from 1 - f to 1 + f times the image's (less than 1 is a zoom in), or
            a pair of what is added to 1.
        width_factor: the same for the width; None: as the height, keeping the proportions.
        fill_mode: what counts outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: for the same draws in each run.
        fill_value: what "constant" counts outside.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> layer = RandomZoom((-0.5, -0.5), interpolation="nearest")
    >>> layer(np.arange(16.0).reshape(4, 4, 1), training=True).numpy()[1, :, 0].tolist()
    [5.0, 5.0, 6.0, 6.0]
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = strict_limits(height_factor, "height_factor", -1.0, 1.0, open_below=True)
        if width_factor is not None:
            self._width = strict_limits(width_factor, "width_factor", -1.0, 1.0, open_below=True)
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """How much of the height and of the width is seen, [N, 1] each."""
        height = uniform((shape[0], 1), [1.0 + end for end in self._height], seed)
        width = height
        if self.width_factor is not None:
            width = uniform((shape[0], 1), [1.0 + end for end in self._width], seed)
        return {"height_zoom": height, "width_zoom": width, "input_shape": shape}

    def matrices(self, shape: Shape, transformation: Any) -> Tensor:
        """Around the middle."""
        height, width = (
            ops.cast(as_tensor(transformation[name]), "float32")[:, 0] for name in ("height_zoom", "width_zoom")
        )
        across, down = self._middle(shape)
        return _rows(width, 0, across * (1.0 - width), 0, height, down * (1.0 - height))


class RandomTranslation(_Affine):
    """Each image moved.

    Args:
        height_factor: a number f for moves down from -f to f times the height, or a pair.
        width_factor: the same to the right, of the width.
        fill_mode: what counts outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: for the same draws in each run.
        fill_value: what "constant" counts outside.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> layer = RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
    >>> layer(np.arange(4.0).reshape(1, 4, 1), training=True).numpy().ravel().tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = strict_limits(height_factor, "height_factor", -1.0, 1.0)
        self._width = strict_limits(width_factor, "width_factor", -1.0, 1.0)
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """How far to move across and down, [N, 2], in pixels."""
        rows, columns = (size_constant(float(shape[at] or 0), "float32") for at in (self.height_axis, self.width_axis))
        down = uniform((shape[0], 1), self._height, seed) * rows
        across = uniform((shape[0], 1), self._width, seed) * columns
        return {"translations": ops.concatenate([across, down], axis=1), "input_shape": shape}

    def matrices(self, shape: Shape, transformation: Any) -> Tensor:
        """A pixel is the one from which it was moved."""
        moves = as_tensor(transformation["translations"])
        return _rows(1, 0, -moves[:, 0], 0, 1, -moves[:, 1])


class RandomShear(_Affine):
    """Each image slanted, around its upper left corner.

    Args:
        x_factor: a number f from 0 to 1 for slants of the rows from -f to f, or a pair.
        y_factor: the same of the columns.
        interpolation: "bilinear" or "nearest".
        fill_mode: what counts outside: "reflect", "wrap", "constant" or "nearest".
        fill_value: what "constant" counts outside.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomShear(0.5, seed=1)(np.ones((4, 4, 1)), training=True).shape
    (4, 4, 1)
    """

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = _shear(x_factor, "x_factor")
        self.y_factor = _shear(y_factor, "y_factor")
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The slants [N, 2] of rows and columns."""
        sign = ops.where(random.uniform((shape[0], 1), seed=seed) > 0.5, -1.0, 1.0)
        y, x = (uniform((shape[0], 1), factor, seed) for factor in (self.y_factor, self.x_factor))
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def matrices(self, shape: Shape, transformation: Any) -> Tensor:
        """Slanted rows and columns."""
        factor = as_tensor(transformation["shear_factor"])
        return _rows(1, factor[:, 0], 0, factor[:, 1], 1, 0)


def _shear(factor: Any, name: str) -> tuple[float, float]:
    """The range of slants; a pair with a negative end is what a configuration has for a number."""
    if isinstance(factor, list | tuple) and len(factor) == 2 and -factor[0] == factor[1]:
        factor = factor[1]
    return strict_limits(factor, name, 0.0, 1.0)


class RandomPerspective(GeometricLayer):
    """Some images seen in a perspective: their corners moved.

    Args:
        factor: how likely an image is changed: a number f for a probability drawn from 0 to f, or a pair.
        scale: how far corners may be moved, from 0 to 1.
        interpolation: "bilinear" or "nearest".
        fill_value: what counts outside.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomPerspective(seed=1)(np.ones((4, 4, 1)), training=True).shape
    (4, 4, 1)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        if not 0 <= scale <= 1:
            raise ValueError(f"The `scale` argument should be a number in the range [0,1]. Received: scale={scale}")
        check_words(self, interpolation=(interpolation, INTERPOLATIONS))
        self.scale = scale
        self.interpolation, self.fill_value = interpolation, fill_value
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are changed, and where their corners (x, y) come to, [N, 4, 2]."""
        apply = chosen(shape, self.factor, seed)
        moves = uniform((shape[0], 4, 2), (-0.5, 0.5), seed, self.scale)
        across, down = (max((shape[at] or 1) - 1, 0) for at in (self.width_axis, self.height_axis))
        corners = np.array([[0, 0], [across, 0], [0, down], [across, down]], "float32")
        start = ops.zeros_like(moves) + sized(corners, "float32")
        return {
            "apply_perspective": apply, "start_points": start, "end_points": start + start * moves,
            "input_shape": shape,
        }  # fmt: skip

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images in perspective."""
        seen = ops.image.perspective_transform(
            images,
            transformation["start_points"],
            transformation["end_points"],
            interpolation=interpolation,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )
        return ops.where(per_image(transformation["apply_perspective"]), seen, images)

    def move_boxes(self, boxes: Tensor, shape: Shape, transformation: Any) -> Tensor:
        """The boxes around those in perspective."""
        points = (ops.cast(transformation[name], boxes.dtype) for name in ("start_points", "end_points"))
        applied = ops.reshape(ops.cast(transformation["apply_perspective"], "bool"), (-1, 1, 1))
        return ops.where(applied, carried(boxes, homography(*points)), boxes)


class RandomElasticTransform(GeometricLayer):
    """Some images distorted as if printed on rubber.

    Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document analysis",
    2003.

    Args:
        factor: how likely an image is changed: a number f for a probability drawn from 0 to f, or a pair.
        scale: how much: a number s from 0 to 1 for strengths from 0 to s, or a pair.
        interpolation: "bilinear" or "nearest".
        fill_mode: what counts outside: "reflect", "wrap", "constant", "nearest" or "mirror".
        fill_value: what "constant" counts outside.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomElasticTransform(seed=1)(np.ones((8, 8, 1)), training=True).shape
    (8, 8, 1)
    """

    fill_modes: ClassVar[tuple[str, ...]] = ("constant", "nearest", "wrap", "mirror", "reflect")

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.scale = limits_of(scale, (0, 1), "scale")
        check_words(self, interpolation=(interpolation, INTERPOLATIONS), fill_mode=(fill_mode, self.fill_modes))
        self.interpolation, self.fill_mode, self.fill_value = interpolation, fill_mode, fill_value
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are changed, how much, and the generator (or seed) that draws the motion."""
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        apply = chosen(shape, self.factor, seed)
        return {"apply_transform": apply, "distortion_factor": uniform((), self.scale, seed), "seed": seed}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, distorted, inside of their range."""
        low, high = self.value_range
        return ops.clip(super().change(images, transformation), low, high)

    def move(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        """The images, distorted: noise, smoothed by a Gaussian, moves the pixels.

        The window that smooths has the size for the largest strength: a size can't be drawn in a compiled step.
        """
        x, restore = as_batch("elastic_transform", images, self.data_format)
        batch, rows, columns, _ = x.shape
        if None in x.shape:
            return images
        strength = ops.cast(as_tensor(transformation["distortion_factor"]), "float32")
        alpha = strength * size_constant(0.1 * max(rows, columns), "float32")
        # Far below a pixel, so that a strength of 0 smooths nothing and divides nothing by 0.
        sigma = strength * size_constant(0.05 * min(rows, columns), "float32") + 1e-6
        noise = random.normal((batch, rows, columns, 2), seed=transformation["seed"]) * sigma
        size = int(6 * 0.05 * min(rows, columns) * self.scale[1]) | 1
        smooth = ops.image.gaussian_blur(noise, (size, size), ops.stack([sigma, sigma]), "channels_last") * alpha
        across = sized(np.arange(columns), "float32") + smooth[..., 0]
        down = sized(np.arange(rows)[:, None], "float32") + smooth[..., 1]
        moved = restore(sampled_images(x, down, across, interpolation, self.fill_mode, self.fill_value))
        return ops.where(per_image(transformation["apply_transform"]), moved, images)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Raises NotImplementedError."""
        refuse_boxes(self)
