"""Layers that blur, sharpen, invert and coarsen images, and that erase parts of them, at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops, random
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import (
    Factor,
    ImageLayer,
    Shape,
    Transformation,
    chosen,
    limits_of,
    per_image,
    range_of_values,
    rescaled,
    strict_limits,
    uniform,
)
from layerkit.layers.image_preprocessing.boxes import boxes_mask, random_span

__all__ = [
    "RandomErasing", "RandomGaussianBlur", "RandomInvert", "RandomPosterization", "RandomSharpness", "Solarization",
]  # fmt: skip


class RandomGaussianBlur(ImageLayer):
    """Some images blurred by a Gaussian.

    Args:
        factor: how likely an image is blurred: a number f for a probability drawn from 0 to f, or a pair.
        kernel_size: of the window, odd: a number or a pair.
        sigma: the deviation in pixels: a number s up to 1 for one from 0 to s, or a pair.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomGaussianBlur(seed=1)(np.ones((4, 4, 3)), training=True).shape
    (4, 4, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.kernel_size = _odd_pair(kernel_size)
        self.sigma = limits_of(sigma, (0, 1), "sigma")
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are blurred, [N], and the deviations [2] across and down, the same for all."""
        apply = chosen(shape, self.factor, seed)
        sigma = ops.stack([uniform((), self.sigma, seed) for _ in range(2)])
        return {"should_apply_blur": apply, "blur_factor": sigma + 1e-6}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, inside of the range."""
        sigma = ops.cast(transformation["blur_factor"], images.dtype)
        blurred = ops.image.gaussian_blur(images, self.kernel_size, sigma, self.data_format)
        low, high = self.value_range
        return ops.clip(ops.where(per_image(transformation["should_apply_blur"]), blurred, images), low, high)


def _odd_pair(size: Any) -> tuple[int, int]:
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2 or any(not isinstance(one, int | float) or one % 2 != 1 for one in pair):
        raise ValueError(
            f"The `kernel_size` argument should be an odd number (or a list of two). Received: kernel_size={size}"
        )
    return pair


class RandomSharpness(ImageLayer):
    """Each image mixed with a smoothed one.

    Args:
        factor: 0 for the smoothed image, 0.5 for the image itself, 1 for a sharpened one. A pair; or a number f for one
            from 0 to f.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomSharpness((0.5, 0.5))(np.array([[[10.0, 0.0, 0.0]]]), training=True).tolist()
    [[[10.0, 0.0, 0.0]]]
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
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """How sharp, [N]."""
        return {"factor": uniform((shape[0],), self.factor, seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, inside of the range."""
        sharpness = per_image(transformation["factor"], images.dtype) * 2
        first = self.data_format == "channels_first"
        x = ops.transpose(images, (0, 2, 3, 1)) if first else images
        window = np.full((3, 3, 1, 1), 1 / 13)
        window[1, 1] = 5 / 13
        windows = np.repeat(window, x.shape[-1], axis=2).astype(images.dtype)
        smooth = ops.depthwise_conv(x, windows, strides=1, padding="same", data_format="channels_last")
        smooth = ops.transpose(smooth, (0, 3, 1, 2)) if first else smooth
        return ops.clip(images + (1.0 - sharpness) * (smooth - images), *self.value_range)


class RandomInvert(ImageLayer):
    """Some images with the highest value less each of theirs.

    Args:
        factor: how likely an image is inverted: a number f for a probability drawn from 0 to f, or a pair.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomInvert((1.0, 1.0))(np.array([[[10.0, 0.0, 0.0]]]), training=True).tolist()
    [[[245.0, 255.0, 255.0]]]
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are inverted, [N]."""
        return {"apply_inversion": chosen(shape, self.factor, seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        return ops.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)


class RandomPosterization(ImageLayer):
    """Each image with fewer bits for each colour.

    Args:
        factor: how many bits are left, from 1 to 8: a number n for 1 to n - 1 (1 for n = 1), or a pair, whose upper end
            is not drawn, as in Keras.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> RandomPosterization(1)(np.array([[[100.0, 128.0, 255.0]]]), training=True).tolist()
    [[[0.0, 128.0, 128.0]]]
    """

    def __init__(
        self,
        factor: int | Sequence[int],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (1, 8))
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """How many bits are lost, uint8 [N]."""
        low, high = self.factor
        high = low + 1 if low == high else high
        kept = random.randint((shape[0],), int(low), int(high), dtype="uint8", seed=seed)
        return {"shift_factor": np.uint8(8) - kept}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        shift = per_image(transformation["shift_factor"], "uint8")
        whole = ops.cast(rescaled(images, self.value_range, (0, 255)), "uint8")
        coarse = ops.bitwise_left_shift(ops.bitwise_right_shift(whole, shift), shift)
        return rescaled(ops.cast(coarse, self.compute_dtype), (0, 255), self.value_range)


class Solarization(ImageLayer):
    """Each image with its values above a threshold inverted, after a number was added.

    Args:
        addition_factor: of 255: a number f from 0 to 1 for one from 0 to f, or a pair.
        threshold_factor: the same of the threshold.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.

    >>> Solarization()(np.array([[[100.0, 128.0, 255.0]]]), training=True).tolist()
    [[[155.0, 127.0, 0.0]]]
    """

    def __init__(
        self,
        addition_factor: Factor = 0.0,
        threshold_factor: Factor = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = strict_limits(addition_factor, "addition_factor", 0.0, 1.0, symmetric=False)
        self.threshold_factor = strict_limits(threshold_factor, "threshold_factor", 0.0, 1.0, symmetric=False)
        self.value_range = range_of_values(value_range)
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """What is added and the thresholds, [N, 1, 1, 1]; the lower ends are taken as they are, as in Keras."""
        each = (shape[0], 1, 1, 1)
        (low, high), (least, most) = self.addition_factor, self.threshold_factor
        additions = uniform(each, (low, high * 255), seed)
        return {"additions": additions, "thresholds": uniform(each, (least, most * 255), seed)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        addition, threshold = (ops.cast(transformation[name], images.dtype) for name in ("additions", "thresholds"))
        x = ops.clip(rescaled(images, self.value_range, (0, 255)) + addition, 0, 255)
        return rescaled(ops.where(x < threshold, x, 255 - x), (0, 255), self.value_range)


class RandomErasing(ImageLayer):
    """Some images with a rectangle filled by noise or a colour.

    Zhong et al., "Random erasing data augmentation", https://arxiv.org/abs/1708.04896.

    Args:
        factor: how likely an image is changed: a number f for a probability drawn from 0 to f, or a pair.
        scale: the rectangle's share of the image: a number s for one from 0 to s, or a pair.
        fill_value: a number or one for each of three channels; None: normal noise, times the highest value.
        value_range: the lowest and the highest value of a pixel.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7)(np.ones((1, 2, 1)), training=True).tolist()
    [[[7.0], [7.0]]]
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = (0.02, 0.33),
        fill_value: float | Sequence[float] | None = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self.scale = limits_of(scale, (0, 1), "scale")
        three = isinstance(fill_value, list | tuple) and len(fill_value) == 3
        if not three and fill_value is not None and not isinstance(fill_value, int | float):
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three numbers). "
                f"Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value
        self.value_range = value_range
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """Which images are changed, [N]; the pixels, [N, H, W, 1]; what they are filled with."""
        share = ops.sqrt(uniform((shape[0], 2), self.scale, seed))
        across = random_span(shape[0], shape[self.width_axis], share[:, 0], seed)
        down = random_span(shape[0], shape[self.height_axis], share[:, 1], seed)
        masks = boxes_mask(shape, across, down, self.height_axis, self.width_axis)
        apply = chosen(shape, self.factor, seed)
        return {"apply_erasing": apply, "batch_masks": masks, "fill_value": self._filling(shape, seed)}

    def _filling(self, shape: Shape, seed: Any) -> Tensor:
        low, high = self.value_range
        if self.fill_value is None:
            return ops.clip(random.normal(shape, seed=seed) * float(high), low, high)
        colour = np.asarray(self.fill_value, "float32")
        if colour.ndim:
            colour = colour.reshape([-1 if at - 4 == self.channel_axis else 1 for at in range(4)])
        return as_tensor(np.clip(colour, low, high))

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        filling = ops.cast(transformation["fill_value"], images.dtype)
        erased = ops.where(as_tensor(transformation["batch_masks"]), filling, images)
        return ops.where(per_image(transformation["apply_erasing"]), erased, images)
