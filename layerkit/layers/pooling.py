"""Pooling: the largest element or the mean of windows, or of all steps or pixels."""

from __future__ import annotations

from typing import Any, ClassVar

from layerkit import ops
from layerkit.checks import check_choice, standardize_sizes
from layerkit.config import standardize_data_format
from layerkit.graph.tensor import Tensor
from layerkit.layers.convolutional import Sizes
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D",
    "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip


class _Pooling(Layer, registered=False):
    """Windows of any rank. A subclass fixes rank and mode.

    Args:
        pool_size: the windows' size.
        strides: their steps; None: the window's size.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """

    rank: ClassVar[int] = 0
    mode: ClassVar[str] = "max"

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = standardize_sizes(self, "pool_size", pool_size, self.rank)
        self.strides = standardize_sizes(self, "strides", pool_size if strides is None else strides, self.rank)
        self.padding = str(padding).lower()
        check_choice(self, ("valid", "same"), padding=self.padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """The windows' values."""
        pool = ops.max_pool if self.mode == "max" else ops.average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(_Pooling, aliases=("MaxPool1D",)):
    """The largest element of each window: [N, T, C] to [N, T', C].

    >>> MaxPooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class MaxPooling2D(_Pooling, aliases=("MaxPool2D",)):
    """The largest element of each window: [N, H, W, C] to [N, H', W', C].

    >>> MaxPooling2D().compute_output_shape((None, 28, 28, 8))
    (None, 14, 14, 8)
    """

    rank = 2


class MaxPooling3D(_Pooling, aliases=("MaxPool3D",)):
    """The largest element of each window: [N, D, H, W, C] to [N, D', H', W', C].

    >>> MaxPooling3D().compute_output_shape((None, 8, 8, 8, 2))
    (None, 4, 4, 4, 2)
    """

    rank = 3


class _AveragePooling(_Pooling, registered=False):
    mode = "average"


class AveragePooling1D(_AveragePooling, aliases=("AvgPool1D",)):
    """The mean of each window: [N, T, C] to [N, T', C].

    >>> AveragePooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1

    def __init__(
        self,
        pool_size: Sizes,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling2D(_AveragePooling, aliases=("AvgPool2D",)):
    """The mean of each window: [N, H, W, C] to [N, H', W', C].

    >>> AveragePooling2D().compute_output_shape((None, 28, 28, 8))
    (None, 14, 14, 8)
    """

    rank = 2


class AveragePooling3D(_AveragePooling, aliases=("AvgPool3D",)):
    """The mean of each window: [N, D, H, W, C] to [N, D', H', W', C].

    >>> AveragePooling3D().compute_output_shape((None, 8, 8, 8, 2))
    (None, 4, 4, 4, 2)
    """

    rank = 3


class _GlobalPooling(Layer, registered=False):
    """Over all steps or pixels, of any rank.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether the axes stay, with size 1.
    """

    rank: ClassVar[int] = 0

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))


class _GlobalMaxPooling(_GlobalPooling, registered=False):
    def call(self, inputs: Tensor) -> Tensor:
        """The largest element."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling, aliases=("GlobalMaxPool1D",)):
    """The largest element of all steps: [N, T, C] to [N, C].

    >>> GlobalMaxPooling1D()(np.array([[[1.0, 2.0], [3.0, 0.0]]])).tolist()
    [[3.0, 2.0]]
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling, aliases=("GlobalMaxPool2D",)):
    """The largest element of all pixels: [N, H, W, C] to [N, C].

    >>> GlobalMaxPooling2D().compute_output_shape((None, 7, 7, 64))
    (None, 64)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling, aliases=("GlobalMaxPool3D",)):
    """The largest element of a volume: [N, D, H, W, C] to [N, C].

    >>> GlobalMaxPooling3D().compute_output_shape((None, 4, 4, 4, 8))
    (None, 8)
    """

    rank = 3


class _GlobalAveragePooling(_GlobalPooling, registered=False):
    def call(self, inputs: Tensor) -> Tensor:
        """The mean."""
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAveragePooling, aliases=("GlobalAvgPool1D",)):
    """The mean of the steps, masked ones left out: [N, T, C] to [N, C].

    >>> GlobalAveragePooling1D()(np.array([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[2.0, 3.0]]
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, keepdims=keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mean of the steps that count."""
        if mask is None:
            return super().call(inputs)
        (axis,) = self._axes
        counts = ops.cast(ops.expand_dims(mask, 2 if axis == 1 else 1), inputs.dtype)
        total = ops.sum(inputs * counts, axis=axis, keepdims=self.keepdims)
        return total / ops.sum(counts, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> None:
        """None: no steps are left."""
        return None


class GlobalAveragePooling2D(_GlobalAveragePooling, aliases=("GlobalAvgPool2D",)):
    """The mean of the pixels: [N, H, W, C] to [N, C].

    >>> GlobalAveragePooling2D().compute_output_shape((None, 7, 7, 64))
    (None, 64)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling, aliases=("GlobalAvgPool3D",)):
    """The mean of a volume: [N, D, H, W, C] to [N, C].

    >>> GlobalAveragePooling3D().compute_output_shape((None, 4, 4, 4, 8))
    (None, 8)
    """

    rank = 3


# Keras' other names.
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
