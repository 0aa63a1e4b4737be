"""Convolutional LSTMs over one to three spatial axes: ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from layerkit import activations, constraints, initializers, ops, regularizers
from layerkit.checks import check_choice, check_integers, check_numbers, standardize_sizes
from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.convolutional import Sizes, along_channels
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.recurrent_cells import State, TwoPartCell, forget_bias, in_parts, lstm_turn, passed_on
from layerkit.layers.recurrent_layers import RNNOfCell, of_cell
from layerkit.random import SeedGenerator

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(TwoPartCell, registered=False):
    """A step of an LSTM whose products are convolutions, over `rank` spatial axes."""

    dropout_mask_count = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_integers(self, 1, filters=filters)
        check_numbers(self, "[-inf, inf]", dropout=dropout, recurrent_dropout=recurrent_dropout)
        self.rank = rank
        self.filters = int(filters)
        self.kernel_size = standardize_sizes(self, "kernel_size", kernel_size, rank)
        self.strides = standardize_sizes(self, "strides", strides, rank)
        self.dilation_rate = standardize_sizes(self, "dilation_rate", dilation_rate, rank)
        self.padding = str(padding).lower()
        check_choice(self, ("valid", "same"), padding=self.padding)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.unit_forget_bias = unit_forget_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.state_size = [self.filters, self.filters]  # their spatial sizes are known when the cell is built

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel [*kernel_size, C, 4 * filters], recurrent kernel and bias.

        Raises ShapeError where a size other than the batch's is not known.
        """
        sizes = input_shape[1:]
        if len(sizes) != self.rank + 1 or None in sizes:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: a step of the sequences has {self.rank} spatial axes and "
                f"channels, all of known size; got shape {input_shape}."
            )
        channels = sizes[-1 if self.data_format == "channels_last" else 0]
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels, 4 * self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters, 4 * self.filters),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(4 * self.filters,),
                initializer=forget_bias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        shape = self._input_convolution(Tensor((1, *sizes), self.compute_dtype), Tensor(self.kernel.shape, self.dtype))
        self._state_shape = self._of_gate(shape.shape[1:])

    def _of_gate(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], self.filters) if self.data_format == "channels_last" else (self.filters, *shape[1:])

    def get_initial_state(self, batch_size: int | None = None) -> State:
        """Zeros for output and carry."""
        return [ops.zeros((batch_size, *self._state_shape), self.compute_dtype) for _ in range(2)]

    def project(self, inputs: Tensor, training: bool) -> list[Tensor]:
        """The convolution of the inputs [..., N, *spatial, C] and the bias, for all gates at once or each."""
        masks = self.get_dropout_mask(inputs) if training and 0.0 < self.dropout < 1.0 else None
        y = _convolutions(inputs, masks, _for_masks(self.kernel.value, masks), self._input_convolution)
        if self.bias is None:
            return y
        biases = _for_masks(self.bias.value, masks)
        return [a + along_channels(b, self.rank, self.data_format) for a, b in zip(y, biases, strict=True)]

    def weights_of_steps(self, training: bool) -> list[Tensor]:
        """The recurrent kernel, in parts where each gate has a mask of its own."""
        return _for_masks(self.recurrent_kernel.value, [] if self._drops_state(training) else None)

    def step(self, projected: list[Tensor], states: State, weights: Any, training: bool) -> tuple[Tensor, State]:
        """The output and the next output and carry."""
        h, c = states
        masks = self.get_recurrent_dropout_mask(h) if self._drops_state(training) else None
        y = _convolutions(h, masks, weights, self._recurrent_convolution)
        gates = zip(self._split(projected), self._split(y), strict=True)
        return lstm_turn([a + b for a, b in gates], c, self.activation, self.recurrent_activation)

    def _drops_state(self, training: bool) -> bool:
        return bool(training) and 0.0 < self.recurrent_dropout < 1.0

    def _input_convolution(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The convolution of all images, with the axes before them (steps and batch) taken as one."""
        before = x.shape[: x.ndim - self.rank - 1]
        images = ops.reshape(x, (-1, *x.shape[len(before) :])) if len(before) > 1 else x
        y = ops.conv(images, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return ops.reshape(y, (*before, *y.shape[1:])) if len(before) > 1 else y

    def _recurrent_convolution(self, h: Tensor, kernel: Tensor) -> Tensor:
        return ops.conv(h, kernel, 1, "same", self.data_format)

    def _split(self, product: list[Tensor]) -> list[Tensor]:
        """One tensor for each gate."""
        if len(product) == 4:
            return product
        return in_parts(product[0], 4, axis=-1 if self.data_format == "channels_last" else -self.rank - 1)


def _for_masks(weight: Tensor, masks: Any) -> list[Tensor]:
    """A weight for all gates at once, or in parts for masks of their own."""
    return in_parts(weight, 4) if masks is not None else [weight]


def _convolutions(x: Tensor, masks: Any, kernels: list[Tensor], convolution: Callable) -> list[Tensor]:
    """The convolutions with kernels, of x times a mask for each, or of x."""
    if masks is None:
        return [convolution(x, kernel) for kernel in kernels]
    return [convolution(x * mask, kernel) for mask, kernel in zip(masks, kernels, strict=True)]


class _ConvLSTM(RNNOfCell, registered=False):
    """A convolutional LSTM of any rank."""

    rank: ClassVar[int] = 0
    filters, kernel_size, strides = of_cell("filters"), of_cell("kernel_size"), of_cell("strides")
    padding, data_format, dilation_rate = of_cell("padding"), of_cell("data_format"), of_cell("dilation_rate")
    recurrent_activation, unit_forget_bias = of_cell("recurrent_activation"), of_cell("unit_forget_bias")

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        self._set_cell(ConvLSTMCell, "conv_lstm_cell", {"rank": self.rank, **passed_on(locals())})
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras writes `unroll` too."""
        return {**super().get_config(), "unroll": self.unroll}


class ConvLSTM1D(_ConvLSTM):
    """A convolutional LSTM (Shi et al., 2015) over sequences of rows: [N, T, L, C] to [N, L', filters].

    Its arguments are those of Conv1D and of LSTM; spatial sizes have to be known.

    >>> ConvLSTM1D(8, 3, return_sequences=True).compute_output_shape((None, 5, 10, 4))
    (None, 5, 8, 8)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """A convolutional LSTM (Shi et al., 2015) over sequences of images: [N, T, H, W, C] to [N, H', W', filters].

    Its arguments are those of Conv2D and of LSTM; spatial sizes have to be known.

    >>> ConvLSTM2D(8, 3, padding="same").compute_output_shape((None, 5, 10, 12, 4))
    (None, 10, 12, 8)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """A convolutional LSTM over sequences of volumes: [N, T, D, H, W, C] to [N, D', H', W', filters].

    Its arguments are those of Conv3D and of LSTM; spatial sizes have to be known.

    >>> ConvLSTM3D(8, 2, padding="same").compute_output_shape((None, 5, 4, 4, 4, 1))
    (None, 4, 4, 4, 8)
    """

    rank = 3
