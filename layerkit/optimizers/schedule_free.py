"""AdamW without a schedule: the average of all iterates takes its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Gradients are taken between a fast sequence and its mean, which needs no schedule (Defazio, arXiv 2405.15682).

    The slot "momentum" holds the fast sequence z, which starts at the variable. With x the mean of all z,
    variable = (1 - beta_1) * z + beta_1 * x.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how near the mean the variable is.
        beta_2: how much of the old average of squared gradients stays.
        epsilon: keeps the division finite.
        warmup_steps: over how many steps the rate rises to its value.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> ScheduleFreeAdamW(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9, -2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(0, 1]", beta_1=beta_1)
        check_numbers(self, "[0, 1)", beta_2=beta_2)
        check_numbers(self, "[0, inf]", epsilon=epsilon, warmup_steps=warmup_steps)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots; the fast sequence starts at the variables' values."""
        if self.built:
            return
        super().build(variables)
        self._fast: list[Variable | None] = []
        self._velocities: list[Variable | None] = []
        for variable in variables:
            z = v = None
            if not variable.overwrite_with_gradient:
                start = variable.numpy().copy()
                z = self.add_variable_from_reference(variable, "momentum", lambda shape, dtype, start=start: start)
                v = self.add_variable_from_reference(variable, "velocity")
            self._fast.append(z)
            self._velocities.append(v)

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The share of the newest iterate in the mean, the correction of the squares, and the risen rate."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        self._newest = 1.0 / step
        self._older = 1.0 - self._newest
        self._v_factor = 1.0 / (1.0 - ops.power(self.beta_2, step))
        self._rate = ops.cast(learning_rate, floatx())
        if self.warmup_steps > 0:
            self._rate = self._rate * ops.minimum(step / float(self.warmup_steps), 1.0)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        scalars = (self._newest, self._older, self._v_factor, self._rate)
        newest, older, v_factor, rate = (ops.cast(scalar, variable.dtype) for scalar in scalars)
        z_slot, v_slot = self.slot(self._fast, variable), self.slot(self._velocities, variable)
        z, v = z_slot.value, v_slot.value
        x = (variable.value - z * (1 - self.beta_1)) / self.beta_1
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        z = z - rate * gradient / (ops.sqrt(v * v_factor) + self.epsilon)
        x = x * older + z * newest
        self.assign(v_slot, v)
        self.assign(z_slot, z)
        self.assign(variable, z * (1 - self.beta_1) + x * self.beta_1)
