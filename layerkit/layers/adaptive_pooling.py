"""Pooling to a given size: as many windows as are asked for, laid evenly over the input."""

from __future__ import annotations

from typing import Any, ClassVar

from layerkit import ops
from layerkit.checks import standardize_sizes
from layerkit.config import standardize_data_format
from layerkit.graph.tensor import Tensor
from layerkit.layers.convolutional import Sizes
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip


class _AdaptivePooling(Layer, registered=False):
    """Windows of any rank. A subclass fixes rank and mode.

    Args:
        output_size: how many windows, a number or one for each spatial axis.
        data_format: "channels_last" or "channels_first".
    """

    rank: ClassVar[int] = 0
    mode: ClassVar[str] = "average"

    def __init__(self, output_size: Sizes, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = standardize_sizes(self, "output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """The windows' values."""
        pool = ops.adaptive_average_pool if self.mode == "average" else ops.adaptive_max_pool
        return pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """The mean of each of `output_size` windows: [N, T, C] to [N, T', C].

    >>> AdaptiveAveragePooling1D(3).compute_output_shape((None, 8, 4))
    (None, 3, 4)
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """The mean of each of `output_size` windows: [N, H, W, C] to [N, H', W', C].

    >>> AdaptiveAveragePooling2D(3).compute_output_shape((None, 8, 7, 4))
    (None, 3, 3, 4)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """The mean of each of `output_size` windows: [N, D, H, W, C] to [N, D', H', W', C].

    >>> AdaptiveAveragePooling3D(3).compute_output_shape((None, 8, 7, 6, 4))
    (None, 3, 3, 3, 4)
    """

    rank = 3


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The largest element of each of `output_size` windows: [N, T, C] to [N, T', C].

    >>> AdaptiveMaxPooling1D(3).compute_output_shape((None, 8, 4))
    (None, 3, 4)
    """

    rank = 1
    mode = "max"


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest element of each of `output_size` windows: [N, H, W, C] to [N, H', W', C].

    >>> AdaptiveMaxPooling2D(3).compute_output_shape((None, 8, 7, 4))
    (None, 3, 3, 4)
    """

    rank = 2
    mode = "max"


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The largest element of each of `output_size` windows: [N, D, H, W, C] to [N, D', H', W', C].

    >>> AdaptiveMaxPooling3D(3).compute_output_shape((None, 8, 7, 6, 4))
    (None, 3, 3, 3, 4)
    """

    rank = 3
    mode = "max"
