"""Learning rates that depend on the step.

A schedule is called with the step's number, which inside a compiled step is a tensor of its graph, so the rate is
computed once a step there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, as_tensor
from layerkit.serialization import Configurable, deserialize_keras_object, serialize_keras_object


class LearningRateSchedule(
    Configurable, kind="learning rate schedule", module="keras.optimizers.schedules", registered=False
):
    """A learning rate as a function of the step: a subclass defines `__call__(step)` with operations."""

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(step)`.")


def _as_float(step: Any) -> Tensor:
    return ops.cast(as_tensor(step), floatx())


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps), with whole exponents if `staircase`.

    Example:
        >>> ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20).item()
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        check_numbers(self, "(0, inf]", decay_steps=decay_steps)
        check_numbers(self, "(-inf, inf)", initial_learning_rate=initial_learning_rate, decay_rate=decay_rate)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        part = _as_float(step) / self.decay_steps
        exponent = ops.floor(part) if self.staircase else part
        return self.initial_learning_rate * ops.power(float(self.decay_rate), exponent)


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), with whole quotients if `staircase`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        check_numbers(self, "(0, inf]", decay_steps=decay_steps)
        check_numbers(self, "(-inf, inf)", initial_learning_rate=initial_learning_rate, decay_rate=decay_rate)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        part = _as_float(step) / self.decay_steps
        part = ops.floor(part) if self.staircase else part
        return self.initial_learning_rate / (1.0 + self.decay_rate * part)


class PiecewiseConstantDecay(LearningRateSchedule):
    """The first value up to and with the first boundary, the next value up to the next boundary, and so on."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"There must be one value more than boundaries, got {len(values)} values, {len(boundaries)} boundaries."
            )
        self.boundaries = list(boundaries)
        if self.boundaries != sorted(self.boundaries):
            raise ValueError(f"`boundaries` must be in rising order, got {self.boundaries}.")
        self.values = list(values)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        step = as_tensor(step)
        rate = as_tensor(float(self.values[-1]), floatx())
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            # Keras compares in the dtype of the step: a boundary of 3.5 is 3 for a whole step.
            boundary = int(boundary) if "int" in step.dtype else boundary
            rate = ops.where(step <= boundary, float(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """From initial_learning_rate to end_learning_rate in decay_steps along (1 - step / decay_steps) ** power.

    With `cycle` the steps are stretched again and again beyond their end, and the rate rises each time.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        check_numbers(self, "(0, inf]", decay_steps=decay_steps)
        check_numbers(
            self, "(-inf, inf)", initial_learning_rate=initial_learning_rate, end_learning_rate=end_learning_rate
        )
        check_numbers(self, "(-inf, inf)", power=power)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        step = _as_float(step)
        if self.cycle:
            steps = self.decay_steps * ops.maximum(ops.ceil(step / self.decay_steps), 1.0)
            part = step / steps
        else:
            part = ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - part, float(self.power)) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it, after an optional linear rise to `warmup_target`.

    Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        check_numbers(self, "(0, inf]", decay_steps=decay_steps)
        check_numbers(self, "(-inf, inf)", initial_learning_rate=initial_learning_rate, alpha=alpha)
        check_numbers(self, "(-inf, inf)", optional=True, warmup_target=warmup_target)
        check_numbers(self, "[0, inf]", warmup_steps=warmup_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        step = _as_float(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        decayed = self._decayed(step - float(self.warmup_steps), self.warmup_target)
        if not self.warmup_steps:
            return decayed
        rise = (self.warmup_target - self.initial_learning_rate) * (step / self.warmup_steps)
        return ops.where(step < float(self.warmup_steps), rise + self.initial_learning_rate, decayed)

    def _decayed(self, step: Tensor, rate: float) -> Tensor:
        part = ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        cosine = 0.5 * (1.0 + ops.cos(math.pi * part))
        return rate * ((1.0 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` that starts again: each run is `t_mul` times as long and starts `m_mul` times as high.

    Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        check_numbers(self, "(0, inf]", first_decay_steps=first_decay_steps, t_mul=t_mul)
        check_numbers(self, "(-inf, inf)", initial_learning_rate=initial_learning_rate, m_mul=m_mul, alpha=alpha)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """The rate at a step."""
        part = _as_float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = ops.floor(part)
            part = part - restarts
        else:
            t_mul = float(self.t_mul)
            restarts = ops.floor(ops.log(1.0 - part * (1.0 - t_mul)) / math.log(t_mul))
            length = ops.power(t_mul, restarts)
            part = (part - (1.0 - length) / (1.0 - t_mul)) / length
        cosine = 0.5 * ops.power(float(self.m_mul), restarts) * (1.0 + ops.cos(math.pi * part))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """A schedule as JSON can hold it."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """What `serialize` wrote."""
    return deserialize_keras_object(config, custom_objects, kind="learning rate schedule")
