"""Optimizers whose steps are scaled by the sizes of earlier gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.graph import Tensor, Variable
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["Adadelta", "Adagrad", "Ftrl", "RMSprop"]


class RMSprop(Optimizer):
    """Steps divided by the root of a moving average of squared gradients (Hinton, lecture 6e of "Neural networks").

    Args:
        learning_rate: a number, a schedule or a function.
        rho: how much of the old average stays.
        momentum: momentum of the steps.
        epsilon: keeps the division finite; it stands inside of the root.
        centered: divide by the standard deviation instead.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> RMSprop(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.684, -2.316], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "[0, 1]", rho=rho, momentum=momentum)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._average_gradients = self.add_optimizer_variables(variables, "average_gradient") if self.centered else []

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        v_slot = self.slot(self._velocities, variable)
        v = self.rho * v_slot.value + (1 - self.rho) * ops.square(gradient)
        self.assign(v_slot, v)
        if self.centered:
            mean_slot = self.slot(self._average_gradients, variable)
            mean = self.rho * mean_slot.value + (1 - self.rho) * gradient
            self.assign(mean_slot, mean)
            v = v - ops.square(mean)
        step = learning_rate * gradient / ops.sqrt(v + self.epsilon)
        if self.momentum > 0:
            m_slot = self.slot(self._momentums, variable)
            step = self.momentum * m_slot.value + step
            self.assign(m_slot, step)
        self.assign_sub(variable, step)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients (Duchi et al., JMLR 12, 2011).

    Args:
        learning_rate: a number, a schedule or a function.
        initial_accumulator_value: what the sums start at.
        epsilon: keeps the division finite; it stands inside of the root.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Adagrad(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.905, -2.085], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "[0, inf]", initial_accumulator_value=initial_accumulator_value, epsilon=epsilon)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._sums = self.add_optimizer_variables(variables, "accumulator", self.initial_accumulator_value)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        slot = self.slot(self._sums, variable)
        total = slot.value + ops.square(gradient)
        self.assign(slot, total)
        self.assign_sub(variable, learning_rate * gradient / ops.sqrt(total + self.epsilon))


class Adadelta(Optimizer):
    """Steps whose size follows that of earlier steps (Zeiler, https://arxiv.org/abs/1212.5701).

    Args:
        learning_rate: a number, a schedule or a function; 1 is the original form.
        rho: how much of the old averages stays.
        epsilon: keeps the division finite and the first steps above 0.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Adadelta(1.0).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.999, -2.001], dtype=float32)
    """

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, *common: Any, **options: Any
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "[0, 1]", rho=rho)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self._gradient_squares, self._step_squares = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        g_slot, s_slot = self.slot(self._gradient_squares, variable), self.slot(self._step_squares, variable)
        squares = self.rho * g_slot.value + (1 - self.rho) * ops.square(gradient)
        step = ops.sqrt(s_slot.value + self.epsilon) * gradient / ops.sqrt(squares + self.epsilon)
        self.assign(g_slot, squares)
        self.assign(s_slot, self.rho * s_slot.value + (1 - self.rho) * ops.square(step))
        self.assign_sub(variable, learning_rate * step)


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al., KDD 2013), for sparse linear models.

    Args:
        learning_rate: a number, a schedule or a function.
        learning_rate_power: how fast the rate decays with the squares, at most 0.
        initial_accumulator_value: what the sums of squares start at.
        l1_regularization_strength: draws variables to 0.
        l2_regularization_strength: makes variables smaller.
        l2_shrinkage_regularization_strength: makes variables smaller by way of the gradient.
        beta: added to the l2 strength over twice the learning rate.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Ftrl(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.603, -1.015], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        strengths = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        check_numbers(self, "[0, inf]", **strengths)
        check_numbers(self, "[-inf, 0]", learning_rate_power=learning_rate_power)
        check_numbers(self, "(-inf, inf)", beta=beta)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        initial = [self.initial_accumulator_value, 0.0]
        self._sums, self._linears = self.add_optimizer_variables(variables, ["accumulator", "linear"], initial)

    def prepare_step(self, learning_rate: Tensor) -> None:
        """Twice the strength of the l2 penalty."""
        self._l2 = 2.0 * self.l2_regularization_strength + self.beta / learning_rate

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        sum_slot, linear_slot = self.slot(self._sums, variable), self.slot(self._linears, variable)
        old, value, power = sum_slot.value, variable.value, -self.learning_rate_power
        new = old + ops.square(gradient)
        grown = ops.power(new, power) / learning_rate
        shrunk = gradient + 2.0 * self.l2_shrinkage_regularization_strength * value
        linear = linear_slot.value + shrunk - (grown - ops.power(old, power) / learning_rate) * value
        l1 = self.l1_regularization_strength
        self.assign(sum_slot, new)
        self.assign(linear_slot, linear)
        self.assign(variable, (ops.clip(linear, -l1, l1) - linear) / (grown + ops.cast(self._l2, variable.dtype)))
