"""Optimizers whose steps depend on a variable as a whole: on its norm, or on it as a matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.optimizers.optimizer import Optimizer

__all__ = ["Lamb", "Muon"]


def _norm(x: Tensor) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(x)))


class Lamb(Optimizer):
    """Adam whose step has the norm of the variable times the rate (You et al., https://arxiv.org/abs/1904.00962).

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: how much of the old average of gradients stays.
        beta_2: how much of the old average of squares stays.
        epsilon: keeps the division finite.
        **options: see `Optimizer`.

    Example:
        >>> v = Variable(np.array([3.0, -4.0]))
        >>> Lamb(0.1).apply([np.array([1.0, 0.5])], [v])
        >>> v.numpy().round(3)
        array([ 2.646, -4.354], dtype=float32)
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

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The corrections for averages that start at 0."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        self._m_factor = 1.0 / (1.0 - ops.power(self.beta_1, step))
        self._v_factor = 1.0 / (1.0 - ops.power(self.beta_2, step))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        m_slot, v_slot = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        m, v, value = m_slot.value, v_slot.value, variable.value
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        self.assign(m_slot, m)
        self.assign(v_slot, v)
        m_factor, v_factor = (ops.cast(factor, variable.dtype) for factor in (self._m_factor, self._v_factor))
        update = m * m_factor / (ops.sqrt(v * v_factor) + self.epsilon)
        size, length = _norm(value), _norm(update)
        both = ops.logical_and(size > 0, length > 0)
        ratio = ops.where(both, size / ops.where(both, length, 1.0), 1.0)
        self.assign_sub(variable, ratio * learning_rate * update)


class Muon(Optimizer):
    """Orthogonal steps for matrices, Adam's for all else (Jordan et al., https://kellerjordan.github.io/posts/muon).

    The momentum of a matrix is brought near an orthogonal one by Newton-Schulz iterations. Variables with another
    number of axes than two, those of embeddings, and those of `exclude_layers` are updated as `AdamW` does.

    Args:
        learning_rate: a number, a schedule or a function.
        adam_beta_1, adam_beta_2, epsilon: see `Adam`.
        adam_weight_decay: the weight decay of variables that Adam updates.
        weight_decay: the weight decay of the others.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **options: see `Optimizer`.
        exclude_layers: patterns; Adam updates variables in whose paths one is found.
        exclude_embeddings: Adam updates those with "embedding" in their paths.
        muon_a, muon_b, muon_c: the polynomial of an iteration.
        adam_lr_ratio: the rate of Adam's steps, as a share of the learning rate.
        momentum: how much of the old momentum stays.
        ns_steps: how many iterations.
        nesterov: look ahead along the momentum.
        rms_rate: the root mean square of a step is about this times the rate; None leaves the orthogonal one.

    Example:
        >>> v = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> Muon(0.1, weight_decay=None, rms_rate=None).apply([np.eye(2)], [v])
        >>> v.numpy().round(2)
        array([[0.89, 2.  ],
               [3.  , 3.89]], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **options: Any,
    ):
        common = (weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency)
        super().__init__(learning_rate, *common, loss_scale_factor, gradient_accumulation_steps, name, **options)
        check_numbers(self, "(-1, 1)", adam_beta_1=adam_beta_1)
        check_numbers(self, "[0, 1)", adam_beta_2=adam_beta_2)
        check_numbers(self, "[0, inf]", epsilon=epsilon, adam_lr_ratio=adam_lr_ratio)
        check_numbers(self, "[0, inf]", optional=True, adam_weight_decay=adam_weight_decay, rms_rate=rms_rate)
        check_numbers(self, "(-inf, inf)", muon_a=muon_a, muon_b=muon_b, muon_c=muon_c)
        check_numbers(self, "[0, 1]", momentum=momentum)
        check_integers(self, 0, ns_steps=ns_steps)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _is_adams(self, variable: Variable) -> bool:
        excluded = self.exclude_embeddings and "embedding" in variable.path.lower()
        named = any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        return len(variable.shape) != 2 or excluded or named

    def _weight_decay_of(self, variable: Variable) -> float | None:
        return self.adam_weight_decay if self._is_adams(variable) else self.weight_decay

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Variable | None] = []
        self.adam_velocities: list[Variable | None] = []
        for variable in variables:
            m = v = None
            if not variable.overwrite_with_gradient:
                m = self.add_variable_from_reference(variable, "momentum")
                v = self.add_variable_from_reference(variable, "velocity") if self._is_adams(variable) else None
            self.momentums.append(m)
            self.adam_velocities.append(v)

    def prepare_step(self, learning_rate: Tensor) -> None:
        """The corrected learning rate of Adam."""
        step = ops.cast(as_tensor(self.iterations) + 1, floatx())
        correction = ops.sqrt(1.0 - ops.power(self.adam_beta_2, step)) / (1.0 - ops.power(self.adam_beta_1, step))
        self._alpha = learning_rate * self.adam_lr_ratio * correction

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """One update."""
        m_slot, v_slot = self.slot(self.momentums, variable), self.slot(self.adam_velocities, variable)
        m = m_slot.value
        if v_slot is None:
            m = m * self.momentum + gradient
            self.assign(m_slot, m)
            step = self._orthogonal(gradient + m * self.momentum if self.nesterov else m)
            scale = 1.0 if self.rms_rate is None else self.rms_rate * max(variable.shape) ** 0.5
            self.assign_sub(variable, step * (learning_rate * scale))
            return
        v = v_slot.value
        m = m + (gradient - m) * (1 - self.adam_beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.adam_beta_2)
        self.assign(m_slot, m)
        self.assign(v_slot, v)
        self.assign_sub(variable, m * ops.cast(self._alpha, variable.dtype) / (ops.sqrt(v) + self.epsilon))

    def _orthogonal(self, x: Tensor) -> Tensor:
        """A matrix whose singular values are near 1, by iterations of an odd polynomial on that with norm 1."""
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x  # the smaller product
        x = x / (_norm(x) + 1e-7)
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            polynomial = self.muon_b * square + self.muon_c * ops.matmul(square, square)
            x = self.muon_a * x + ops.matmul(polynomial, x)
        return ops.transpose(x) if tall else x
