"""Recurrent layers: a cell along the steps of a sequence, in one loop of the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from layerkit import ops, tree
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.graph.unknown_sizes import trace_shapes
from layerkit.graph.variable import Variable
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.layers.recurrent_cells import TwoPartCell
from layerkit.layers.recurrent_stacking import (
    StackedRNNCells,
    build_cell,
    call_cell,
    draw_masks,
    initial_state,
    release_masks,
    without_build,
)
from layerkit.serialization import deserialize_keras_object

__all__ = ["RNN"]


class RNN(Layer):
    """A cell along the steps of sequences [N, T, ...].

    Args:
        cell: a cell, or a list of cells that are stacked. A cell has `state_size` (an integer, or a list of them, one
            for each state) and `call(inputs, states)`, which gives the output and the new states; it may have
            `output_size` and `get_initial_state(batch_size)`, and its `call` may take `training`.
        return_sequences: whether to give the outputs of all steps [N, T, ...], not the last one's alone.
        return_state: whether to give the last states too, behind the output.
        go_backwards: whether to begin at the end; the outputs of all steps are then in reverse order.
        stateful: whether a batch begins with the states that the one before it ended with. Needs a fixed batch size.
        unroll: accepted as Keras has it; the loop is one native call for sequences of any length, and never unrolled.
        zero_output_for_mask: whether the outputs at masked steps are 0, not those of the step before.

    At steps that a mask [N, T] leaves out, states and output are carried over.

    >>> from layerkit.layers import GRUCell, LSTMCell
    >>> layer = RNN([GRUCell(4), LSTMCell(2)], return_sequences=True)
    >>> layer.compute_output_shape((None, None, 3))
    (None, None, 2)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call"):
            raise ValueError(f"Argument `cell` should have a `call` method. Received: cell={cell!r}")
        size = getattr(cell, "state_size", None)
        if not isinstance(size, list | tuple | int):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (an integer, or a list of integers, one integer "
                f"per RNN state). Received: cell={cell!r} with state_size={size!r}"
            )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self._keep_states(None)

    @property
    def state_size(self) -> list[Any]:
        """The size of each state."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    # Building and states.

    def build(self, sequences_shape: tuple[int | None, ...], initial_state_shape: Any = None) -> None:
        """Build the cell, and make the variables of the states where they are kept."""
        if len(sequences_shape) < 3:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: sequences have axes for batch, steps and features; got shape "
                f"{sequences_shape}."
            )
        build_cell(self.cell, (sequences_shape[0], *sequences_shape[2:]))
        if self.input_spec is not None and self.input_spec.ndim == len(sequences_shape) == 3:
            self.input_spec = InputSpec(ndim=3, axes={2: sequences_shape[2]})
        if self.stateful:
            self._check_batch_size(sequences_shape)
            self._keep_states(
                tree.map_structure(
                    lambda state: Variable(state, trainable=False, dtype=self.variable_dtype, name="rnn_state"),
                    self.get_initial_state(sequences_shape[0]),
                )
            )

    def _keep_states(self, states: Any) -> None:
        """They are no weights: files do not have them, so they are not to be found as state."""
        object.__setattr__(self, "states", states)

    def _check_batch_size(self, shape: tuple[int | None, ...]) -> None:
        if shape[0] is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: with `stateful=True` the batch size must be fixed: pass "
                f"`batch_size` to `Input`. Found an unknown batch size: sequences have shape {shape}."
            )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Outputs without values, noted for a model. Raises ValueError where states are kept of a batch of any size."""
        if self.stateful and args and isinstance(args[0], Tensor):
            self._check_batch_size(args[0].shape)
        return super().symbolic_call(*args, **kwargs)

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """The cell's initial state, as a list."""
        return initial_state(self.cell, batch_size)

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps to 0."""
        for variable in tree.flatten(self.states) if self.states is not None else ():
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """As `reset_state`."""
        self.reset_state()

    # Calling.

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """The cell along the steps."""
        states = self._first_states(sequences, initial_state)
        mask = self._checked_mask(mask, sequences)
        step = Tensor((sequences.shape[0], *sequences.shape[2:]), self.cell_dtype)
        if training:
            draw_masks(self.cell, step, states)
        try:
            output, states = self._along_steps(_time_major(sequences), step, states, mask, training)
        finally:
            release_masks(self.cell)
        if self.stateful:
            for variable, state in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
                variable.assign(state)
        return (output, *states) if self.return_state else output

    @property
    def cell_dtype(self) -> str:
        """The dtype that the cell computes in."""
        return getattr(self.cell, "compute_dtype", self.compute_dtype)

    def _first_states(self, sequences: Tensor, given: Any) -> list[Any]:
        batch = sequences.shape[0]
        if given is not None:
            states = list(given) if tree.is_nested(given) else [given]
            self._check_states(states, tree.flatten(self.get_initial_state(batch)))
        elif self.stateful:
            states = tree.map_structure(lambda variable: variable.value, self.states)
            expected = tree.flatten(states)[0].shape[0]
            if batch != expected:
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r}: with `stateful=True` the batch size of the sequences must "
                    f"be that of the states. Expected batch size: {expected}. Received batch size: {batch}."
                )
        else:
            states = self.get_initial_state(batch)
        return tree.map_structure(lambda state: ops.cast(state, self.cell_dtype), states)

    def _check_states(self, given: list[Any], expected: list[Tensor]) -> None:
        shapes = [tuple(state.shape) for state in tree.flatten(given)]
        wanted = [tuple(state.shape) for state in expected]
        if shapes != wanted:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: `initial_state` has to be {len(wanted)} tensor(s) of the "
                f"shapes {wanted}; got {len(shapes)} of the shapes {shapes}."
            )

    def _checked_mask(self, mask: Any, sequences: Tensor) -> Tensor | None:
        """The mask as booleans [T, N]. Raises ShapeError for one that does not fit."""
        mask = next((one for one in tree.flatten(mask) if one is not None), None)
        if mask is None:
            return None
        shape = tuple(mask.shape)
        if shape[:2] != tuple(sequences.shape[:2]) or shape[2:] not in ((), (1,)):
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: `mask` has to have the shape {tuple(sequences.shape[:2])}, a "
                f"value for each step of each sequence; got {shape}."
            )
        mask = ops.cast(mask, "bool")
        return ops.swapaxes(mask if len(shape) == 2 else ops.squeeze(mask, -1), 0, 1)

    def _along_steps(
        self, steps: Tensor, step: Tensor, states: list[Any], mask: Tensor | None, training: bool
    ) -> tuple[Tensor, list[Any]]:
        """The output (of all steps or the last) and the last states, of steps [T, N, ...]."""
        scanned, turn = self._prepared(steps, training)
        place, output = self._output_of_a_turn(turn, step, states)
        zeroed = mask is not None and self.zero_output_for_mask
        carried = mask is not None and not zeroed and place is None
        stacked = self.return_sequences or zeroed or place is None
        before = ops.zeros(output.shape, output.dtype) if carried else None

        def masked_turn(kept: tuple, xs: tuple) -> tuple[tuple, Tensor | None]:
            states, before = kept
            x, keep = xs
            y, new = turn(x, states)
            if keep is not None:
                new = tree.map_structure(lambda a, b: ops.where(_along_rows(keep, a.ndim), a, b), new, states)
                if zeroed or carried:
                    y = ops.where(_along_rows(keep, y.ndim), y, ops.zeros_like(y) if zeroed else before)
                else:
                    y = tree.flatten(new)[place]
            return (new, y if carried else None), y if stacked else None

        (states, _), outputs = ops.scan(masked_turn, (states, before), (scanned, mask), reverse=self.go_backwards)
        if not stacked:
            return tree.flatten(states)[place], states
        if self.go_backwards:
            outputs = ops.flip(outputs, 0)
        return _time_major(outputs) if self.return_sequences else outputs[-1], states

    def _prepared(self, steps: Tensor, training: bool) -> tuple[Any, Callable]:
        """What the loop goes along, and one turn of it: x, states -> output, new states."""
        cell = self.cell
        if self._in_two_parts:
            with cell._scope():
                projected, weights = cell.project(steps, training), cell.weights_of_steps(training)

            def second_part(x: Any, states: list[Any]) -> tuple[Tensor, list[Any]]:
                with cell._scope():
                    return cell.step(x, states, weights, training)

            return projected, second_part

        def whole(x: Tensor, states: list[Any]) -> tuple[Tensor, list[Any]]:
            output, new = call_cell(cell, x, states, training)
            flat, expected = tree.flatten(new), tree.flatten(states)
            if len(flat) != len(expected):
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: the cell {cell!r} was given {len(expected)} states and gave "
                    f"{len(flat)}."
                )
            return output, tree.pack_sequence_as(states, flat)

        return steps, whole

    @property
    def _in_two_parts(self) -> bool:
        return isinstance(self.cell, TwoPartCell) and type(self.cell).call is TwoPartCell.call

    def _output_of_a_turn(self, turn: Callable, x: Tensor, states: list[Any]) -> tuple[int | None, Tensor]:
        """Which of the new states the output is (None where it is none of them), and its shape and dtype."""
        if self._in_two_parts:
            return 0, states[0]
        places: list[int | None] = []

        def traced(x: Tensor, states: list[Any]) -> Tensor:
            output, new = turn(x, states)
            places.append(next((at for at, state in enumerate(tree.flatten(new)) if state is output), None))
            return output

        bare = tree.map_structure(lambda state: Tensor(state.shape, state.dtype), states)
        output = trace_shapes(lambda given: traced(*given), (x, bare))
        return places[-1], output

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inputs' mask, for the outputs of all steps."""
        mask = next((one for one in tree.flatten(previous_mask) if one is not None), None)
        mask = mask if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "zero_output_for_mask": self.zero_output_for_mask}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Of the cell's config and the other arguments."""
        return cls(**{**config, "cell": deserialize_keras_object(without_build(config["cell"]), custom_objects)})


def _time_major(x: Tensor) -> Tensor:
    """Steps before batch, or the other way round; a view."""
    return ops.swapaxes(x, 0, 1)


def _along_rows(keep: Tensor, ndim: int) -> Tensor:
    """A mask [N] with axes of size 1 behind it, as many as it takes."""
    return ops.reshape(keep, (keep.shape[0], *(1,) * (ndim - 1)))
