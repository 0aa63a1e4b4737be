"""Layers that prepare data."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops
from layerkit.config import image_data_format
from layerkit.graph.tensor import Tensor
from layerkit.layers.layer import Layer
from layerkit.serialization import deserialize_keras_object

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """`inputs * scale + offset`; integers become floats first.

    Args:
        scale: a number, or one for each channel.
        offset: a number, or one for each channel.

    >>> Rescaling(1 / 255)(np.array([[255]], "uint8")).tolist()
    [[1.0]]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = deserialize_keras_object(scale)
        self.offset = deserialize_keras_object(offset)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """The scaled data."""
        scale = np.asarray(self.scale, self.compute_dtype)
        offset = np.asarray(self.offset, self.compute_dtype)
        if scale.ndim and image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return ops.cast(inputs, self.compute_dtype) * scale + offset
