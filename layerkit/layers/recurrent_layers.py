"""The recurrent layers with names of their own: SimpleRNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from layerkit.graph.tensor import Tensor
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.recurrent import RNN
from layerkit.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell, passed_on

__all__ = ["GRU", "LSTM", "SimpleRNN"]


def of_cell(name: str) -> property:
    """An attribute of the cell, shown as the layer's own."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"The cell's `{name}`.")


class RNNOfCell(RNN, registered=False):
    """A recurrent layer with a cell of its own: it has the cell's arguments among its own, and shows them."""

    use_bias, seed = of_cell("use_bias"), of_cell("seed")
    activation = of_cell("activation")
    kernel_initializer, kernel_regularizer = of_cell("kernel_initializer"), of_cell("kernel_regularizer")
    recurrent_initializer, recurrent_regularizer = of_cell("recurrent_initializer"), of_cell("recurrent_regularizer")
    bias_initializer, bias_regularizer = of_cell("bias_initializer"), of_cell("bias_regularizer")
    kernel_constraint, recurrent_constraint = of_cell("kernel_constraint"), of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout, recurrent_dropout = of_cell("dropout"), of_cell("recurrent_dropout")
    _not_in_config = ("use_cudnn", "implementation")
    _of_layer = (
        "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
        "activity_regularizer", "name", "autocast", "input_shape", "input_dim", "input_length",
        "batch_input_shape", "batch_size",
    )  # fmt: skip

    def _set_cell(self, cell: Callable, name: str, arguments: dict[str, Any]) -> None:
        """Make the cell and the layer of the arguments for both."""
        of_layer = {key: arguments.pop(key) for key in self._of_layer if key in arguments}
        common = {key: arguments[key] for key in ("dtype", "trainable") if key in arguments}
        use_cudnn = arguments.pop("use_cudnn", "auto")
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                "Invalid value received for argument `use_cudnn`. Expected one of {'auto', True, False}. Received: "
                f"use_cudnn={use_cudnn!r}"
            )
        RNN.__init__(self, cell(name=name, **arguments), **of_layer, **common)
        self.use_cudnn = use_cudnn

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """The cell along the steps. Raises ValueError where cuDNN is insisted on, since there is none."""
        if self.use_cudnn is True:
            raise ValueError("use_cudnn=True was specified, but there is no cuDNN on a CPU. Pass use_cudnn='auto'.")
        return super().call(sequences, initial_state, mask, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras writes the activity regularizer also where there is none."""
        return {"activity_regularizer": None, **super().get_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Of the arguments."""
        return super(RNN, cls).from_config(config, custom_objects)


class SimpleRNN(RNNOfCell):
    """A simple recurrent network: each output depends on the step's input and the output before it.

    Args:
        units: the size of the output and of the state.
        activation: name or function; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: losses.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        return_sequences, return_state, go_backwards, stateful, unroll: see RNN.
        seed: of the dropout.

    >>> SimpleRNN(4, return_sequences=True).compute_output_shape((None, 7, 3))
    (None, 7, 4)
    """

    units = of_cell("units")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._set_cell(SimpleRNNCell, "simple_rnn_cell", passed_on(locals()))
        self.input_spec = InputSpec(ndim=3)


class LSTM(RNNOfCell):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        units: the size of the output and of both states, output and carry.
        activation: of the candidate and of the carry.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: losses.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        seed: of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll: see RNN.
        use_cudnn: "auto" or False; True raises ValueError when the layer is called, since there is no cuDNN here.

    >>> import numpy as np
    >>> output, h, c = LSTM(4, return_state=True)(np.ones((2, 7, 3)))
    >>> output.shape, h.shape, c.shape
    ((2, 4), (2, 4), (2, 4))
    """

    units, unit_forget_bias = of_cell("units"), of_cell("unit_forget_bias")
    recurrent_activation = of_cell("recurrent_activation")

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        self._set_cell(LSTMCell, "lstm_cell", passed_on(locals()))
        self.input_spec = InputSpec(ndim=3)


class GRU(RNNOfCell):
    """A gated recurrent unit (Cho et al., 2014).

    Args:
        units: the size of the output and of the state.
        activation: of the candidate.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: losses.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        seed: of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll: see RNN.
        reset_after: whether the reset gate comes behind the product with the state.
        use_cudnn: "auto" or False; True raises ValueError when the layer is called, since there is no cuDNN here.

    >>> GRU(4, return_sequences=True, return_state=True).compute_output_shape((None, 7, 3))
    ((None, 7, 4), (None, 4))
    """

    units, reset_after = of_cell("units"), of_cell("reset_after")
    recurrent_activation = of_cell("recurrent_activation")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        self._set_cell(GRUCell, "gru_cell", passed_on(locals()))
        self.input_spec = InputSpec(ndim=3)
