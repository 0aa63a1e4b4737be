"""Optimizers that go along the gradient or its sign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.graph import Tensor, Variable
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["Lion", "SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum where it is above 0.

    velocity = momentum * velocity - learning_rate * gradient; variable += velocity, or with `nesterov`
    variable += momentum * velocity - learning_rate * gradient.

    Args:
        learning_rate: a number, a schedule or a function.
        momentum: from 0 to 1.
        nesterov: look ahead along the momentum.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> SGD(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9 , -2.05], dtype=float32)
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, *common: Any, **options: Any
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "[0, 1]", momentum=momentum)
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        step = gradient * learning_rate
        if not self.momentum:
            self.assign_sub(variable, step)
            return
        slot = self.slot(self.momentums, variable)
        velocity = slot.value * self.momentum - step
        self.assign(slot, velocity)
        self.assign_add(variable, velocity * self.momentum - step if self.nesterov else velocity)


class Lion(Optimizer):
    """Steps of the size of the learning rate in the direction of the sign of a momentum.

    Chen et al., https://arxiv.org/abs/2302.06675.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how much of the old momentum the direction takes.
        beta_2: how much of the old momentum stays.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Lion(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9, -2.1], dtype=float32)
    """

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, *common: Any, **options: Any
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(0, 1]", beta_1=beta_1)
        check_numbers(self, "[0, 1]", beta_2=beta_2)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        slot = self.slot(self._momentums, variable)
        m = slot.value
        self.assign_sub(variable, learning_rate * ops.sign(m * self.beta_1 + gradient * (1.0 - self.beta_1)))
        self.assign(slot, m * self.beta_2 + gradient * (1.0 - self.beta_2))
