"""Convolutions of each channel by itself: depthwise, and separable, with a mix of the channels behind it."""

from __future__ import annotations

from typing import Any

from layerkit import constraints, initializers, ops, regularizers
from layerkit.checks import check_integers
from layerkit.graph.tensor import Tensor
from layerkit.layers.convolutional import Convolutional, Sizes

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip


class _DepthwiseConv(Convolutional, registered=False):
    """Filters for each channel by itself, of any rank. Kernel [*kernel_size, C, depth_multiplier]."""

    either_strides_or_dilation = False

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_rest(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)
        check_integers(self, 1, depth_multiplier=depth_multiplier)
        self.depth_multiplier = int(depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        self._add_bias(channels * self.depth_multiplier)

    def convolve(self, inputs: Tensor) -> Tensor:
        """The convolution of each channel."""
        return ops.depthwise_conv(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)


class DepthwiseConv1D(_DepthwiseConv):
    """Filters over steps for each channel by itself: [N, T, C] to [N, T', C * depth_multiplier].

    >>> DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Filters over images for each channel by itself: [N, H, W, C] to [N, H', W', C * depth_multiplier].

    >>> DepthwiseConv2D(3, padding="same").compute_output_shape((None, 28, 28, 8))
    (None, 28, 28, 8)
    """

    rank = 2


class _SeparableConv(Convolutional, registered=False):
    """A depthwise convolution, then one over the channels of each pixel; of any rank."""

    either_strides_or_dilation = False

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_rest(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)
        check_integers(self, 1, filters=filters, depth_multiplier=depth_multiplier)
        self.filters, self.depth_multiplier = int(filters), int(depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make both kernels and the bias."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self._add_bias(self.filters)

    def convolve(self, inputs: Tensor) -> Tensor:
        """Both convolutions."""
        return ops.separable_conv(
            inputs, self.depthwise_kernel, self.pointwise_kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip


class SeparableConv1D(_SeparableConv, aliases=("SeparableConvolution1D",)):
    """A depthwise convolution over steps, then one over channels: [N, T, C] to [N, T', filters].

    >>> SeparableConv1D(8, 3).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank = 1


class SeparableConv2D(_SeparableConv, aliases=("SeparableConvolution2D",)):
    """A depthwise convolution over images, then one over channels: [N, H, W, C] to [N, H', W', filters].

    >>> SeparableConv2D(16, 3, padding="same").compute_output_shape((None, 28, 28, 8))
    (None, 28, 28, 16)
    """

    rank = 2


# Keras' other names.
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
