"""Convolutions over one to three spatial axes: plain and transposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from layerkit import activations, constraints, initializers, ops, regularizers
from layerkit.checks import check_choice, check_integers, standardize_sizes
from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Convolution1D",
    "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose", "Convolution3D", "Convolution3DTranspose",
]  # fmt: skip

Sizes = int | Sequence[int]


class Convolutional(Layer, registered=False):
    """What all convolutions have: a window, a bias and an activation. Not a layer of its own.

    A subclass makes its kernels in `build` and says in `convolve` what they do.
    """

    rank: ClassVar[int] = 0
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    either_strides_or_dilation: ClassVar[bool] = True

    def _set_window(
        self, kernel_size: Sizes, strides: Sizes, padding: str, data_format: str | None, dilation_rate: Sizes
    ) -> None:
        """Check and set what says where the windows are."""
        self.kernel_size = standardize_sizes(self, "kernel_size", kernel_size, self.rank)
        self.strides = standardize_sizes(self, "strides", strides, self.rank)
        self.dilation_rate = standardize_sizes(self, "dilation_rate", dilation_rate, self.rank)
        self.padding = str(padding).lower()
        check_choice(self, self.paddings, padding=self.padding)
        self.data_format = standardize_data_format(data_format)
        if self.either_strides_or_dilation and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _set_rest(
        self, activation: Any, use_bias: bool, bias_initializer: Any, bias_regularizer: Any, bias_constraint: Any
    ) -> None:
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)

    def _channels(self, input_shape: tuple[int | None, ...]) -> int:
        """The number of input channels, which is noted for later calls. Raises ShapeError where it is not known."""
        axis = -1 if self.data_format == "channels_last" else 1
        if len(input_shape) != self.rank + 2:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} expects {self.rank + 2} axes; got shape {input_shape}."
            )
        channels = input_shape[axis]
        if channels is None:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} needs the number of its input's channels (axis {axis}); "
                f"got shape {input_shape}."
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_bias(self, channels: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(channels,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def convolve(self, inputs: Tensor) -> Tensor:
        """The convolution without bias and activation."""
        raise NotImplementedError

    def call(self, inputs: Tensor) -> Tensor:
        """The convolution, the bias and the activation."""
        x = self.convolve(inputs)
        if self.bias is not None:
            x = x + along_channels(self.bias, self.rank, self.data_format)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras' convolutions write the activity regularizer also where there is none."""
        return {"activity_regularizer": None, **super().get_config()}


def along_channels(vector: Variable, rank: int, data_format: str) -> Any:
    """A value for each channel, shaped to broadcast to images."""
    return vector if data_format == "channels_last" else ops.reshape(vector, (1, vector.shape[0], *(1,) * rank))


class _Conv(Convolutional, registered=False):
    """A convolution of any rank: Conv1D, Conv2D and Conv3D fix it. Kernel [*kernel_size, C / groups, filters]."""

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_rest(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)
        check_integers(self, 1, filters=filters, groups=groups)
        self.filters, self.groups = int(filters), int(groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `filters` must be a multiple of `groups`, got "
                f"filters={filters}, groups={groups}."
            )
        if self.padding == "causal" and self.data_format == "channels_first":
            raise ValueError("Causal padding needs data_format='channels_last'.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: the number of input channels must be evenly divisible by the "
                f"number of groups. Received groups={self.groups}, but the input has {channels} channels (full input "
                f"shape is {input_shape})."
            )
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters)

    def convolve(self, inputs: Tensor) -> Tensor:
        """The convolution."""
        if self.padding == "causal":
            inputs = ops.pad(inputs, ((0, 0), (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0), (0, 0)))
            return ops.conv(inputs, self.kernel, self.strides, "valid", self.data_format, self.dilation_rate)
        return self.convolution_op(inputs, self.kernel)

    def convolution_op(self, inputs: Tensor, kernel: Any) -> Tensor:
        """The convolution with a kernel; a subclass may do otherwise, with the kernel standardized say."""
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)


class Conv1D(_Conv, aliases=("Convolution1D",)):
    """Convolution over steps: [N, T, C] to [N, T', filters]. `padding="causal"` looks only back.

    Args:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: the window's length, its step, and the step between its elements.
        padding: "valid", "same" or "causal".
        data_format: "channels_last" or "channels_first".
        groups: the channels are split into so many, each with filters of its own.
        activation, use_bias: what follows the convolution.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: of the weights.

    >>> Conv1D(8, 3).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv, aliases=("Convolution2D",)):
    """Convolution over images: [N, H, W, C] to [N, H', W', filters]. The arguments are those of Conv1D, with two sizes.

    >>> Conv2D(8, 3, padding="same").compute_output_shape((None, 28, 28, 1))
    (None, 28, 28, 8)
    """

    rank = 2


class Conv3D(_Conv, aliases=("Convolution3D",)):
    """Convolution over volumes: [N, D, H, W, C] to [N, D', H', W', filters]. The arguments are those of Conv1D.

    >>> Conv3D(8, 3).compute_output_shape((None, 6, 6, 6, 1))
    (None, 4, 4, 4, 8)
    """

    rank = 3


class _ConvTranspose(Convolutional, registered=False):
    """A transposed convolution of any rank. Kernel [*kernel_size, filters, C]."""

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        output_padding: Sizes | None = None,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_rest(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)
        check_integers(self, 1, filters=filters)
        self.filters = int(filters)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = standardize_sizes(self, "output_padding", output_padding, self.rank, least=0)
            if any(more >= step for more, step in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"`output_padding` must be less than `strides`. Received: output_padding={output_padding!r}, "
                    f"strides={self.strides}"
                )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias."""
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters, self._channels(input_shape)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters)

    def convolve(self, inputs: Tensor) -> Tensor:
        """The transposed convolution."""
        return ops.conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )


class Conv1DTranspose(_ConvTranspose, aliases=("Convolution1DTranspose",)):
    """Transposed convolution over steps, which makes more of them: [N, T, C] to [N, T', filters].

    >>> Conv1DTranspose(8, 3, strides=2).compute_output_shape((None, 5, 4))
    (None, 11, 8)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose, aliases=("Convolution2DTranspose",)):
    """Transposed convolution over images, which makes them larger: [N, H, W, C] to [N, H', W', filters].

    >>> Conv2DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 7, 7, 16))
    (None, 14, 14, 8)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose, aliases=("Convolution3DTranspose",)):
    """Transposed convolution over volumes, which makes them larger: [N, D, H, W, C] to [N, D', H', W', filters].

    >>> Conv3DTranspose(8, 2, strides=2).compute_output_shape((None, 4, 4, 4, 1))
    (None, 8, 8, 8, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Sizes | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        # Keras has `data_format` before `output_padding` here, and behind it in one and two dimensions.
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


# Keras' other names.
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
