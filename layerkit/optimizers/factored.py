"""Adafactor: squares of gradients kept as those of rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["Adafactor"]


def _root_mean_square(x: Tensor) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(x)))


class Adafactor(Optimizer):
    """Steps scaled by the sizes of variables and of earlier gradients (Shazeer and Stern, arXiv 1804.04235).

    Of a matrix the averages of squared gradients are estimated from those of its rows and columns.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_2_decay: the average of step t takes the share t ** beta_2_decay of its gradient's squares.
        epsilon_1: keeps the averages above 0.
        epsilon_2: the least size that a variable counts as.
        clip_threshold: an update's root mean square is at most this, before it is scaled.
        relative_step: a rate that is a number is at most 1 / sqrt(t).
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Adafactor(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.842, -2.158], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(-inf, inf)", beta_2_decay=beta_2_decay)
        check_numbers(self, "[0, inf]", epsilon_1=epsilon_1, epsilon_2=epsilon_2)
        check_numbers(self, "(0, inf]", clip_threshold=clip_threshold)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: of variables with two axes or more also the averages of rows and columns."""
        if self.built:
            return
        super().build(variables)
        self._rows: list[Variable | None] = []
        self._columns: list[Variable | None] = []
        self._velocities: list[Variable | None] = []
        for variable in variables:
            shape, slots = variable.shape, [None, None, None]
            if not variable.overwrite_with_gradient:
                # Of a vector Keras keeps two scalars that nothing reads: saved states have them.
                kept = (shape[:-1], (*shape[:-2], shape[-1])) if len(shape) >= 2 else ((), ())
                slots[:2] = [self.add_variable(part, dtype=variable.dtype, name=variable.name) for part in kept]
                slots[2] = self.add_variable_from_reference(variable, "velocity")
            for made, slot in zip((self._rows, self._columns, self._velocities), slots, strict=True):
                made.append(slot)

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The rate relative to a variable's size, and the share of the new squares."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        # Keras takes the smaller one in any case, so `relative_step` changes nothing.
        self._rate = ops.minimum(ops.cast(learning_rate, floatx()), 1.0 / ops.sqrt(step))
        self._share = ops.power(step, self.beta_2_decay)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        share, rate = ops.cast(self._share, variable.dtype), ops.cast(self._rate, variable.dtype)
        squares = ops.square(gradient) + self.epsilon_1
        v_slot = self.slot(self._velocities, variable)
        if len(variable.shape) >= 2:
            row_slot, column_slot = self.slot(self._rows, variable), self.slot(self._columns, variable)
            rows = (1.0 - share) * row_slot.value + share * ops.mean(squares, axis=-1)
            columns = (1.0 - share) * column_slot.value + share * ops.mean(squares, axis=-2)
            self.assign(row_slot, rows)
            self.assign(column_slot, columns)
            relative = rows / ops.mean(rows, axis=-1, keepdims=True)
            v = ops.expand_dims(relative, -1) * ops.expand_dims(columns, -2)
        else:
            v = (1.0 - share) * v_slot.value + share * squares
        self.assign(v_slot, v)
        update = gradient / ops.sqrt(v)
        update = update / ops.maximum(1.0, _root_mean_square(update) / self.clip_threshold)
        size = ops.maximum(self.epsilon_2, _root_mean_square(variable.value))
        self.assign_sub(variable, size * rate * update)
