"""Cells of recurrent layers: one step of a simple RNN, of an LSTM, of a GRU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from layerkit import activations, constraints, initializers, ops, random, regularizers
from layerkit.checks import check_integers, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph.graph import current_graph
from layerkit.graph.tensor import Tensor
from layerkit.layers.layer import Layer
from layerkit.random import SeedGenerator

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]

State = list[Tensor]


def passed_on(variables: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, from its `locals()`, those in `**kwargs` among them, to pass them to its base."""
    arguments = {name: value for name, value in variables.items() if name not in ("self", "kwargs", "__class__")}
    return {**arguments, **variables["kwargs"]}


@ops.custom_gradient
def in_parts(x: Tensor, count: int, axis: int = -1) -> tuple[list[Tensor], Any]:
    """Equal parts along an axis: views, whose gradients are put together in one piece, not added up with zeros."""
    return ops.split(x, count, axis), lambda *g: ops.concatenate(g, axis)


class DropoutRNNCell:
    """What cells with dropout have: masks that are drawn once and serve for all steps of a sequence.

    A mask is kept until `reset_dropout_mask`, which recurrent layers call behind each sequence. One that was drawn in
    a trace serves in that trace only.

    Needs `dropout`, `recurrent_dropout` and `seed_generator`; `dropout_mask_count` says how many masks there are (one
    for each gate), None that there is one for all gates.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: SeedGenerator
    dropout_mask_count: int | None = None
    _masks: dict[str, Any] | None = None
    _masks_of: Any = None  # the graph that they are drawn in
    _in_loop = False  # whose body is a graph of its own

    def get_dropout_mask(self, step_input: Tensor) -> Any:
        """The mask of the inputs of a step, a list with one for each gate, or None without dropout."""
        return self._mask("inputs", step_input.shape, step_input.dtype, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """The mask of the state, a list with one for each gate, or None without dropout."""
        return self._mask("state", step_input.shape, step_input.dtype, self.recurrent_dropout)

    def reset_dropout_mask(self) -> None:
        """Forget the mask of the inputs, so that another one is drawn for the next sequence."""
        self._forget("inputs")

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask of the state."""
        self._forget("state")

    def draw_masks(self, inputs: Tensor, states: State) -> None:
        """Draw the masks of a sequence before its loop, by a step's inputs and states (of which only shapes count)."""
        self.release_masks()
        self.get_dropout_mask(inputs)
        self.get_recurrent_dropout_mask(states[0])
        self._set(_in_loop=True)

    def release_masks(self) -> None:
        """Forget the masks behind the loop."""
        self._set(_masks=None, _masks_of=None, _in_loop=False)

    def _mask(self, name: str, shape: tuple, dtype: str, rate: float) -> Any:
        if rate <= 0:
            return None
        if not self._in_loop and self._masks_of is not current_graph():
            self._set(_masks=None, _masks_of=current_graph())
        masks = self._masks or {}
        if name not in masks:
            drawn = [
                random.dropout(ops.ones(shape, dtype), rate, seed=self.seed_generator)
                for _ in range(self.dropout_mask_count or 1)
            ]
            masks = {**masks, name: drawn if self.dropout_mask_count else drawn[0]}
            self._set(_masks=masks, _masks_of=current_graph())
        return masks[name]

    def _forget(self, name: str) -> None:
        self._set(_masks={other: mask for other, mask in (self._masks or {}).items() if other != name})

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)  # tensors of a trace are no state to be found


class TwoPartCell(DropoutRNNCell, Layer, registered=False):
    """A cell whose step comes in two parts, so that a recurrent layer can do the first one before its loop.

    `project` is what the inputs give to the gates, for all steps of a sequence at once; `weights_of_steps` is what all
    steps take of the weights; `step` is what depends on the state, and gives the output, which is the first of the new
    states too.
    """

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """One step: the inputs and the state before it to the output and the next state."""
        given = list(states) if isinstance(states, list | tuple) else [states]
        output, new = self.step(self.project(inputs, training), given, self.weights_of_steps(training), training)
        return output, new if isinstance(states, list | tuple) else new[0]

    def project(self, inputs: Tensor, training: bool) -> list[Tensor]:
        """What the inputs give to the gates: one tensor for all gates, or one for each; any axes may come first."""
        raise NotImplementedError

    def weights_of_steps(self, training: bool) -> Any:
        """Weights, or parts of them, for `step`. Cut before the loop, so that their gradients need no loop either."""
        raise NotImplementedError

    def step(self, projected: list[Tensor], states: State, weights: Any, training: bool) -> tuple[Tensor, State]:
        """The output and the next state, by what the inputs give and by the state."""
        raise NotImplementedError


class GatedCell(TwoPartCell, registered=False):
    """What the cells with dense kernels have: the weights of all gates side by side in one matrix, and dropout."""

    _not_in_config = ("implementation",)
    gates: ClassVar[int] = 1
    state_count: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        recurrent_activation: Any = None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_integers(self, 1, units=units)
        check_numbers(self, "[-inf, inf]", dropout=dropout, recurrent_dropout=recurrent_dropout)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
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
        # As in Keras, dropout of the state takes a mask of its own for each gate, and so does then that of the inputs.
        self.implementation = 1 if self.recurrent_dropout else implementation
        if self.implementation == 1 and self.gates > 1:
            self.dropout_mask_count = self.gates
        self.state_size = self.units if self.state_count == 1 else [self.units] * self.state_count
        self.output_size = self.units

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self) -> Any:
        return self.bias_initializer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel [I, gates * units], recurrent kernel [units, gates * units] and bias."""
        if input_shape[-1] is None:
            raise ShapeError(f"{type(self).__name__} {self.name!r} needs the size of its input's last axis; "
                             f"got shape {input_shape}.")  # fmt: skip
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.gates * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.gates * self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self._bias_shape(),
                initializer=self._first_bias(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def project(self, inputs: Tensor, training: bool) -> list[Tensor]:
        """What the inputs [..., N, I] give to the gates: [..., N, gates * units], or that in parts."""
        masks = self.get_dropout_mask(inputs) if training and self._drops(self.dropout) else None
        y = _products(inputs, masks, self._for_masks(self.kernel.value, masks))
        if self.bias is None:
            return y
        return [one + bias for one, bias in zip(y, self._for_masks(self._input_bias(), masks), strict=True)]

    def weights_of_steps(self, training: bool) -> Any:
        """The recurrent kernel, in parts where each gate's product is one of its own."""
        masks = [] if self.dropout_mask_count and self._drops_state(training) else None
        return self._for_masks(self.recurrent_kernel.value, masks)

    def get_initial_state(self, batch_size: int | None = None) -> State:
        """Zeros [N, units] for each state."""
        return [ops.zeros((batch_size, self.units), self.compute_dtype) for _ in range(self.state_count)]

    def _drops(self, rate: float) -> bool:
        return 0.0 < rate < 1.0

    def _input_bias(self) -> Tensor:
        return self.bias.value

    def _drops_state(self, training: bool) -> bool:
        return bool(training) and self._drops(self.recurrent_dropout)

    def _state_masks(self, h: Tensor, training: bool) -> Any:
        return self.get_recurrent_dropout_mask(h) if self._drops_state(training) else None

    def _for_masks(self, weight: Tensor, masks: Any) -> list[Tensor]:
        """A weight for all gates at once, or in parts for masks of their own."""
        return in_parts(weight, self.gates) if isinstance(masks, list) else [weight]

    def _split(self, product: list[Tensor]) -> list[Tensor]:
        """One tensor for each gate."""
        return product if len(product) == self.gates else in_parts(product[0], self.gates)


def _products(x: Tensor, masks: Any, kernels: list[Tensor]) -> list[Tensor]:
    """The products with kernels, of x times a mask for each, one mask for all, or none."""
    if isinstance(masks, list):
        return [ops.matmul(x * mask, kernel) for mask, kernel in zip(masks, kernels, strict=True)]
    x = x if masks is None else x * masks
    return [ops.matmul(x, kernel) for kernel in kernels]


class SimpleRNNCell(GatedCell):
    """A step of a simple recurrent network: `activation(inputs @ kernel + state @ recurrent_kernel + bias)`.

    Args:
        units: the size of the state, which is the output.
        activation: name or function; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: losses of the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        seed: of the dropout.

    >>> output, states = SimpleRNNCell(2)(np.ones((1, 3)), [np.zeros((1, 2))])
    >>> output.shape, len(states)
    ((1, 2), 1)
    """

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed_on(locals()))

    def _drops(self, rate: float) -> bool:
        return rate > 0.0

    def step(self, projected: list[Tensor], states: State, weights: Any, training: bool) -> tuple[Tensor, State]:
        """The next state, which is the output."""
        (h,) = states
        (product,) = _products(h, self._state_masks(h, training), weights)
        h = self.activation(projected[0] + product)
        return h, [h]


class LSTMCell(GatedCell):
    """A step of a long short-term memory (Hochreiter and Schmidhuber, 1997). Gates: input, forget, candidate, output.

    Args:
        units: the size of the output and of each of the two states: output and carry.
        activation: of the candidate and of the carry.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: losses of the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        seed: of the dropout.

    >>> output, (h, c) = LSTMCell(2)(np.ones((1, 3)), [np.zeros((1, 2)), np.zeros((1, 2))])
    >>> output.shape, h.shape, c.shape
    ((1, 2), (1, 2), (1, 2))
    """

    gates = 4
    state_count = 2

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = passed_on(locals())
        arguments.pop("unit_forget_bias")
        super().__init__(**arguments)
        self.unit_forget_bias = unit_forget_bias

    def _first_bias(self) -> Any:
        return forget_bias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    def step(self, projected: list[Tensor], states: State, weights: Any, training: bool) -> tuple[Tensor, State]:
        """The output and the next output and carry."""
        h, c = states
        product = _products(h, self._state_masks(h, training), weights)
        gates = zip(self._split(projected), self._split(product), strict=True)
        return lstm_turn([a + b for a, b in gates], c, self.activation, self.recurrent_activation)


def forget_bias(initializer: Any) -> Any:
    """An initializer of an LSTM's bias [4 * units]: as another one, but 1 for the forget gate."""

    def made(shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        units = shape[0] // 4
        parts = [initializer((units,), dtype=dtype), np.ones(units), initializer((2 * units,), dtype=dtype)]
        return np.concatenate([np.asarray(part) for part in parts]).astype(dtype)

    return made


def lstm_turn(gates: list[Tensor], c: Tensor, activation: Any, recurrent_activation: Any) -> tuple[Tensor, State]:
    """The output and states of an LSTM, by what its four gates are before their activations."""
    i, f, candidate, o = gates
    c = recurrent_activation(f) * c + recurrent_activation(i) * activation(candidate)
    h = recurrent_activation(o) * activation(c)
    return h, [h, c]


class GRUCell(GatedCell):
    """A step of a gated recurrent unit (Cho et al., 2014). Gates: update, reset, candidate.

    Args:
        units: the size of the state, which is the output.
        activation: of the candidate.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: losses of the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the weights after updates.
        dropout, recurrent_dropout: shares of the inputs and of the state that are dropped in training.
        reset_after: whether the reset gate comes behind the product with the state; then the bias is [2, 3 * units].
        seed: of the dropout.

    >>> output, (h,) = GRUCell(2)(np.ones((1, 3)), [np.zeros((1, 2))])
    >>> output.shape, h.shape
    ((1, 2), (1, 2))
    """

    gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = passed_on(locals())
        arguments.pop("reset_after")
        super().__init__(**arguments)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self) -> Tensor:
        """What can be added before the loop: all but the state's bias of the candidate, which is reset."""
        if not self.reset_after:
            return self.bias.value
        of_inputs, of_state = self.bias.value[0], self.bias.value[1]
        gates = 2 * self.units
        return ops.concatenate([of_inputs[:gates] + of_state[:gates], of_inputs[gates:]], axis=-1)

    def weights_of_steps(self, training: bool) -> Any:
        """The parts of the recurrent kernel, and the bias that is reset."""
        kernels, gates = super().weights_of_steps(training), 2 * self.units
        if not self.reset_after and len(kernels) == 1:
            kernels = [kernels[0][:, :gates], kernels[0][:, gates:]]
        return kernels, self.bias.value[1, gates:] if self.use_bias and self.reset_after else None

    def step(self, projected: list[Tensor], states: State, weights: Any, training: bool) -> tuple[Tensor, State]:
        """The next state, which is the output."""
        (h,) = states
        masks, (kernels, bias) = self._state_masks(h, training), weights
        x_update, x_reset, x_candidate = self._split(projected)
        if self.reset_after:
            h_update, h_reset, h_candidate = self._split(_products(h, masks, kernels))
            reset = self.recurrent_activation(x_reset + h_reset)
            candidate = x_candidate + reset * (h_candidate if bias is None else h_candidate + bias)
        else:
            *of_gates, of_candidate = kernels
            y = _products(h, None if masks is None else masks[:2], of_gates)
            h_update, h_reset = y if len(y) == 2 else in_parts(y[0], 2)
            reset = self.recurrent_activation(x_reset + h_reset)
            (h_candidate,) = _products(reset * h, None if masks is None else masks[2], [of_candidate])
            candidate = x_candidate + h_candidate
        candidate = self.activation(candidate)
        update = self.recurrent_activation(x_update + h_update)
        h = update * h + (1 - update) * candidate
        return h, [h]
