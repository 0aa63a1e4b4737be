"""Layers that change colours at random, each image of a batch in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops, random
from layerkit.config import epsilon
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import (
    Factor,
    ImageLayer,
    Shape,
    Transformation,
    limits_of,
    per_image,
    range_of_values,
    rescaled,
    uniform,
)  # fmt: skip

__all__ = [
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomGrayscale",
    "RandomHue", "RandomSaturation",
]  # fmt: skip


class RandomBrightness(ImageLayer):
    """Each image made brighter or darker by a number.

    Args:
        factor: of the range of values: a number f for changes from -f to f, or a pair.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.

    >>> RandomBrightness((0.5, 0.5), value_range=(0, 1))(np.zeros((1, 1, 3)), training=True).tolist()
    [[[0.5, 0.5, 0.5]]]
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor = limits_of(factor, (-1, 1))
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """What is added, [N, 1, 1, 1]."""
        low, high = self.value_range
        return {"rgb_delta": uniform((shape[0], 1, 1, 1), self.factor, seed, high - low)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The sums, inside of the range."""
        return ops.clip(images + ops.cast(transformation["rgb_delta"], images.dtype), *self.value_range)


class RandomContrast(ImageLayer):
    """Each image with its colours moved away from their mean, or towards it.

    Args:
        factor: a number f for multiples from 1 - f to 1 + f of the distance from the mean, or a pair of what is
            subtracted from and added to 1.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.

    >>> RandomContrast(0.5, seed=1)(np.ones((2, 2, 3)), training=True).shape
    (2, 2, 3)
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The multiples, [N, 1, 1, 1]."""
        low, high = self.factor
        return {"contrast_factor": uniform((shape[0], 1, 1, 1), (1.0 - low, 1.0 + high), seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, inside of the range."""
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        mean = ops.mean(images, axis=(self.height_axis, self.width_axis), keepdims=True)
        low, high = self.value_range
        return ops.clip((images - mean) * factor + mean, low, high)


class RandomHue(ImageLayer):
    """Each image with its hues turned.

    Args:
        factor: of half of the colour circle: a number f for turns up to f to either side, or a pair.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomHue(0.5, seed=1)(np.ones((2, 2, 3)), training=True).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The turns, [N], of a circle of length 1."""
        sign = ops.where(random.uniform((shape[0],), seed=seed) > 0.5, -0.5, 0.5)
        return {"factor": sign * uniform((shape[0],), self.factor, seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, inside of the range."""
        turn = per_image(transformation["factor"], images.dtype)
        hsv = ops.image.rgb_to_hsv(rescaled(images, self.value_range, (0, 1)), data_format=self.data_format)
        hue, saturation, value = self._channels(hsv)
        hue = hue + turn
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        rgb = ops.image.hsv_to_rgb(self._joined(hue, saturation, value), data_format=self.data_format)
        return rescaled(ops.clip(rgb, 0, 1), (0, 1), self.value_range)

    def _channels(self, images: Tensor) -> list[Tensor]:
        return ops.split(images, 3, axis=self.channel_axis)

    def _joined(self, *channels: Tensor) -> Tensor:
        return ops.concatenate(channels, axis=self.channel_axis)


class RandomSaturation(RandomHue):
    """Each image with its colours made stronger or weaker.

    Args:
        factor: 0 for gray, 0.5 for the image itself, 1 for colours as strong as can be. A pair; or a number f for one
            from -f to f, where negative ones are gray.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> layer = RandomSaturation((0.0, 0.0), value_range=(0, 1))
    >>> layer(np.array([[[1.0, 0.5, 0.0]]]), training=True).tolist()
    [[[1.0, 1.0, 1.0]]]
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        ImageLayer.__init__(self, data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (-1, 1))
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """What the saturation is multiplied by, [N]."""
        factor = uniform((shape[0],), self.factor, seed)
        return {"factor": factor / (1 - factor + epsilon())}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        factor = per_image(transformation["factor"], images.dtype)
        hue, saturation, value = self._channels(ops.image.rgb_to_hsv(images, data_format=self.data_format))
        saturation = ops.clip(saturation * factor, *self.value_range)
        return ops.image.hsv_to_rgb(self._joined(hue, saturation, value), data_format=self.data_format)


class RandomColorDegeneration(ImageLayer):
    """Each image with its colours moved towards gray.

    Args:
        factor: 0 for the image itself, 1 for gray. A pair; or a number f for one from -f to f, where negative ones make
            colours stronger.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> layer = RandomColorDegeneration((1.0, 1.0))
    >>> layer(np.array([[[10.0, 0.0, 0.0]]]), training=True).numpy().round(2).tolist()
    [[[2.990000009536743, 2.990000009536743, 2.990000009536743]]]
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (-1, 1))
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """How gray, [N, 1, 1, 1]."""
        return {"factor": uniform((shape[0], 1, 1, 1), self.factor, seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, inside of the range."""
        factor = ops.cast(transformation["factor"], images.dtype)
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.clip(images + factor * (gray - images), *self.value_range)


class RandomGrayscale(ImageLayer):
    """Some images in shades of gray, with as many channels as before.

    Args:
        factor: the probability of that.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomGrayscale(0.0)(np.array([[[10.0, 0.0, 0.0]]]), training=True).tolist()
    [[[10.0, 0.0, 0.0]]]
    """

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images become gray, [N, 1, 1, 1]."""
        return random.uniform((shape[0], 1, 1, 1), seed=seed) < self.factor

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(as_tensor(transformation), gray, images)


class RandomColorJitter(ImageLayer):
    """Brightness, contrast, saturation and hue changed at random, in this order; those whose factor is given.

    Args:
        value_range: the lowest and the highest value of a pixel.
        brightness_factor: of RandomBrightness; None: it stays.
        contrast_factor: of RandomContrast.
        saturation_factor: of RandomSaturation.
        hue_factor: of RandomHue.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomColorJitter(brightness_factor=0.1, hue_factor=0.2)(np.ones((2, 2, 3)), training=True).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Factor | None = None,
        contrast_factor: Factor | None = None,
        saturation_factor: Factor | None = None,
        hue_factor: Factor | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._set_seed(seed)
        kinds = {
            "brightness": (RandomBrightness, brightness_factor),
            "contrast": (RandomContrast, contrast_factor),
            "saturation": (RandomSaturation, saturation_factor),
            "hue": (RandomHue, hue_factor),
        }
        for name, (kind, factor) in kinds.items():
            layer = None
            if factor is not None:
                layer = kind(
                    factor, value_range=value_range, seed=seed, data_format=data_format, dtype=self.dtype_policy
                )
            setattr(self, f"random_{name}", layer)

    def _steps(self) -> list[ImageLayer]:
        steps = (self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue)
        return [layer for layer in steps if layer is not None]

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """A transformation for each of the steps, by the layer's class."""
        return {type(layer).__name__: layer.draw(shape, seed) for layer in self._steps()}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images after all steps."""
        for layer in self._steps():
            images = layer.change(images, transformation[type(layer).__name__])
        return images
