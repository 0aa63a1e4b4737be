"""Cells of any making: cells on top of each other, and what a recurrent layer asks of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops, tree
from layerkit.graph.tensor import Tensor
from layerkit.layers.layer import Layer
from layerkit.serialization import deserialize_keras_object

__all__ = ["StackedRNNCells"]


class StackedRNNCells(Layer):
    """Cells on top of each other, as one cell: each takes the output of the one below; the state is a list of theirs.

    Args:
        cells: the cells, from the lowest on.

    >>> from layerkit.layers import GRUCell, LSTMCell
    >>> cell = StackedRNNCells([GRUCell(2), LSTMCell(4)])
    >>> cell.state_size, cell.output_size
    ([2, [4, 4]], 4)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            for name in ("call", "state_size"):
                if not hasattr(cell, name):
                    raise ValueError(f"All cells must have a `{name}`. Received a cell without one: {cell!r}")
        if not cells:
            raise ValueError("StackedRNNCells needs at least one cell; got an empty list of cells.")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The size of each cell's state."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build each cell by the output's shape of the one below it."""
        for cell in self.cells:
            build_cell(cell, input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Tensor, states: Any, training: bool = False, **kwargs: Any) -> tuple[Tensor, list[Any]]:
        """One step of all cells."""
        new_states = []
        for cell, state in zip(self.cells, states, strict=True):
            nested = tree.is_nested(state)
            inputs, new = call_cell(cell, inputs, list(state) if nested else [state], training, **kwargs)
            new = list(new) if tree.is_nested(new) else [new]
            new_states.append(new if nested else new[0])
        return inputs, new_states

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The initial state of each cell."""
        return [initial_state(cell, batch_size) for cell in self.cells]

    def draw_masks(self, inputs: Tensor, states: list[Any]) -> None:
        """Draw the masks of all cells that have some."""
        for cell, state in zip(self.cells, states, strict=True):
            draw_masks(cell, inputs, state)
            inputs = Tensor((inputs.shape[0], output_size(cell)), inputs.dtype)

    def release_masks(self) -> None:
        """Let all cells forget the masks."""
        for cell in self.cells:
            release_masks(cell)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> StackedRNNCells:
        """Of the cells' configs."""
        cells = [deserialize_keras_object(without_build(cell), custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def output_size(cell: Any) -> int:
    """The size of a cell's output: what it says, or that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size
    return size


def initial_state(cell: Any, batch_size: int | None) -> list[Any]:
    """A cell's own initial state as a list, or zeros where it has no idea of one."""
    made = getattr(cell, "get_initial_state", None)
    if made is None:
        sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
        dtype = getattr(cell, "compute_dtype", None)
        return [ops.zeros((batch_size, *(size if isinstance(size, tuple) else (size,))), dtype) for size in sizes]
    state = made(batch_size=batch_size)
    return list(state) if tree.is_nested(state) else [state]


def build_cell(cell: Any, input_shape: tuple[int | None, ...]) -> None:
    """Build a cell that is a layer and is not built yet."""
    if not isinstance(cell, Layer) or cell.built:
        return
    if type(cell).build is not Layer.build:
        cell.build(input_shape)
    elif cell._layers:  # built by a call on tensors without values
        x = Tensor((input_shape[0] or 1, *input_shape[1:]), cell.compute_dtype)
        cell.compute_output_spec(x, initial_state(cell, x.shape[0]))


def call_cell(cell: Any, inputs: Tensor, states: list[Any], training: bool, **kwargs: Any) -> tuple[Tensor, Any]:
    """One step of a cell, which may be a layer or any object with `call`; it is told of training if it asks."""
    if isinstance(cell, Layer) and cell._signature_of_call().has_training:
        kwargs["training"] = training
    return (cell if callable(cell) else cell.call)(inputs, states, **kwargs)


def draw_masks(cell: Any, inputs: Tensor, states: Any) -> None:
    """Let a cell draw the masks of its dropout, if it has any, before the loop over the steps."""
    if hasattr(cell, "draw_masks"):
        cell.draw_masks(inputs, states if isinstance(states, list) else [states])


def release_masks(cell: Any) -> None:
    """Let a cell forget the masks behind the loop."""
    if hasattr(cell, "release_masks"):
        cell.release_masks()


def without_build(config: dict[str, Any]) -> dict[str, Any]:
    """A serialized layer that is not built when it is made: the layer around it does that, in its own path."""
    return {name: value for name, value in config.items() if name != "build_config"}
