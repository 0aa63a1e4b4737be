"""Adam and its kin: steps scaled by moving averages of the gradients and of their sizes.

The corrections for averages that start at 0 are scalars of the step, computed once for all variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["Adam", "AdamW", "Adamax", "Nadam"]


class Adam(Optimizer):
    """Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980), in the form that corrects the learning rate.

    m += (gradient - m) * (1 - beta_1); v += (gradient ** 2 - v) * (1 - beta_2);
    variable -= m * learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t) / (sqrt(v) + epsilon).

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the division finite; it stands outside of the root and of the correction.
        amsgrad: divide by the largest average of squares so far (Reddi et al., https://arxiv.org/abs/1904.09237).
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Adam(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9, -2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(-1, 1)", beta_1=beta_1)
        check_numbers(self, "[0, 1)", beta_2=beta_2)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The corrected learning rate."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        correction = ops.sqrt(1.0 - ops.power(self.beta_2, step)) / (1.0 - ops.power(self.beta_1, step))
        self._alpha = learning_rate * correction

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        m_slot, v_slot = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        m, v = m_slot.value, v_slot.value
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        self.assign(m_slot, m)
        self.assign(v_slot, v)
        if self.amsgrad:
            largest = self.slot(self._velocity_hats, variable)
            v = ops.maximum(largest.value, v)
            self.assign(largest, v)
        self.assign_sub(variable, m * ops.cast(self._alpha, variable.dtype) / (ops.sqrt(v) + self.epsilon))


class AdamW(Adam):
    """Adam with weight decay apart from the gradients (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101).

    Args:
        learning_rate: a number, a schedule or a function.
        weight_decay: before each update variables shrink by this times the learning rate.
        beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> AdamW(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9  , -2.099], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *common: Any,
        **options: Any,
    ):
        if weight_decay is None:
            raise ValueError("`weight_decay` of AdamW must be a number, got None: Adam has none.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *common, **options)


class Adamax(Optimizer):
    """Adam with the largest size of the gradients in place of the mean square (Kingma and Ba, section 7.1).

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how much of the old average of gradients stays.
        beta_2: how fast the largest size is forgotten.
        epsilon: keeps the division finite.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Adamax(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.9, -2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(-1, 1)", beta_1=beta_1)
        check_numbers(self, "[0, 1]", beta_2=beta_2)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The corrected learning rate."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        self._alpha = learning_rate / (1.0 - ops.power(self.beta_1, step))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        m_slot, u_slot = self.slot(self._m, variable), self.slot(self._u, variable)
        m = m_slot.value
        m = m + (gradient - m) * (1 - self.beta_1)
        u = ops.maximum(u_slot.value * self.beta_2, ops.absolute(gradient))
        self.assign(m_slot, m)
        self.assign(u_slot, u)
        self.assign_sub(variable, m * ops.cast(self._alpha, variable.dtype) / (u + self.epsilon))


class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat, https://cs229.stanford.edu/proj2015/054_report.pdf).

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the division finite.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([1.0, -2.0]))
        >>> Nadam(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 0.894, -2.106], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *common: Any,
        **options: Any,
    ):
        super().__init__(learning_rate, *common, **options)
        check_numbers(self, "(-1, 1)", beta_1=beta_1)
        check_numbers(self, "[0, 1)", beta_2=beta_2)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._u_product = self.add_variable((), 1.0, name="u_product")

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The factors of the momentum, the gradient and the square."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        u = self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step))
        u_next = self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step + 1.0))
        product = self._u_product.value * u
        self.assign(self._u_product, product)
        self._m_factor = u_next / (1.0 - product * u_next)
        self._g_factor = (1.0 - u) / (1.0 - product)
        self._v_factor = 1.0 / (1.0 - ops.power(self.beta_2, step))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        m_slot, v_slot = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        m, v = m_slot.value, v_slot.value
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        self.assign(m_slot, m)
        self.assign(v_slot, v)
        factors = (self._m_factor, self._g_factor, self._v_factor)
        m_factor, g_factor, v_factor = (ops.cast(factor, variable.dtype) for factor in factors)
        direction = m * m_factor + gradient * g_factor
        self.assign_sub(variable, direction * learning_rate / (ops.sqrt(v * v_factor) + self.epsilon))
