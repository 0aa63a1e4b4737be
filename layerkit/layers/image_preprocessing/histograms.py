"""Layers that spread the values of images over their range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import ImageLayer, range_of_values, rescaled
from layerkit.ops.blocks import sized

__all__ = ["AutoContrast", "Equalization"]


class AutoContrast(ImageLayer):
    """Each channel of each image stretched so that its values fill the range, when training or not.

    Args:
        value_range: the lowest and the highest value of a pixel.

    >>> AutoContrast()(np.array([[[10.0], [20.0], [30.0]]])).numpy().ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    random = False
    only_in_training = False

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = range_of_values(value_range)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images; a channel of one value stays."""
        x = rescaled(images, self.value_range, (0, 255))
        axes = (self.height_axis, self.width_axis)
        low, high = ops.min(x, axis=axes, keepdims=True), ops.max(x, axis=axes, keepdims=True)
        flat = high <= low
        scale = 255.0 / ops.where(flat, 1.0, high - low)
        stretched = rescaled(ops.clip(x * scale - low * scale, 0.0, 255.0), (0, 255), self.value_range)
        return ops.where(flat, images, stretched)


class Equalization(ImageLayer):
    """Each channel with its values spread so that all are about as frequent, counted over the whole batch, as in Keras.

    Args:
        value_range: the lowest and the highest value of a pixel.
        bins: how many values are told apart.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> Equalization()(np.array([[[10.0], [20.0], [30.0]]]), training=True).numpy().ravel().tolist()
    [0.0, 128.0, 255.0]
    """

    random = False

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = bins
        self.value_range = range_of_values(value_range)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images; a channel of one value stays."""
        channels, bins = images.shape[self.channel_axis], self.bins
        if channels is None or None in images.shape:
            return images
        x = rescaled(images, self.value_range, (0, 255))
        first = np.arange(channels, dtype=np.int32) * bins
        first = sized(first.reshape([-1 if at - 4 == self.channel_axis else 1 for at in range(4)]), "int32")
        numbers = ops.reshape(ops.cast(ops.clip(x * (bins - 1) / 255.0, 0, bins - 1), "int32") + first, (-1,))
        counts = ops.segment_sum(ops.ones_like(numbers), numbers, num_segments=channels * bins)
        counts = ops.reshape(counts, (channels, bins))
        table = self._table(counts)
        spread = ops.reshape(ops.take(ops.reshape(table, (-1,)), numbers), images.shape)
        several = ops.sum(ops.cast(counts > 0, "int32"), axis=1) > 1
        several = ops.reshape(several, [-1 if at - 4 == self.channel_axis else 1 for at in range(4)])
        y = ops.where(several, ops.cast(spread, images.dtype), x)
        return rescaled(y, (0, 255), self.value_range)

    def _table(self, counts: Tensor) -> Tensor:
        """What each value becomes, int64 [C, bins], by how often each comes, int32 [C, bins].

        In integers, halves rounded up: a quotient of floats near a half rounds one way or the other.
        """
        total = ops.cast(ops.cumsum(counts, axis=1), "int64")
        whole = total[:, -1:]
        least = ops.min(ops.where(total > 0, total, whole), axis=1, keepdims=True)
        room = ops.maximum(whole - least, 1)
        return ops.clip(((total - least) * 510 + room) // (2 * room), 0, 255)
