"""The base class of optimizers: everything but the update rule."""

from __future__ import annotations

import inspect
import numbers
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.dtypes import floatx
from layerkit.graph import Tensor, Variable, as_tensor
from layerkit.graph.scopes import call_with_values
from layerkit.optimizers.checks import check_shapes, checked_pairs, unknown_arguments, wrong_count
from layerkit.optimizers.clipping import clip_by_global_norm, clip_by_norm
from layerkit.optimizers.schedules import InverseTimeDecay, LearningRateSchedule
from layerkit.optimizers.state import OptimizerState
from layerkit.registry import auto_name
from layerkit.serialization import Configurable, get_object, is_own, serialize_argument, serialize_keras_object

__all__ = ["Optimizer"]


class Optimizer(OptimizerState, Configurable, kind="optimizer", module="keras.optimizers", registered=False):
    """An optimizer: a subclass states its slots in `build` and one update rule in `update_step`.

    Step count, learning rate, clipping, weight decay, averaging and accumulation of gradients are done here.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments that gives a tensor.
        weight_decay: before each update variables shrink by this times the learning rate.
        clipnorm: the largest norm of each gradient; what is not above 0 clips nothing, here and in the next two.
        clipvalue: the largest size of each gradient's element.
        global_clipnorm: the largest norm of all gradients together.
        use_ema: keep a moving average of each variable.
        ema_momentum: the average's momentum, from 0 to 1.
        ema_overwrite_frequency: after so many steps variables take their averages; None: at the end of `fit` only.
        loss_scale_factor: gradients are divided by this; `scale_loss` multiplies the loss by it.
        gradient_accumulation_steps: update at each of so many steps, with the mean gradient of them.
        name: its name; by default made of the class's.
        lr: the older name of `learning_rate`.
        decay: of older scripts: the learning rate is divided by 1 + decay * step, as by `InverseTimeDecay`.

    Raises:
        TypeError: the learning rate is no number, schedule or function, or an argument is not known.
        ValueError: an argument is out of range, or more than one way to clip is named.

    Example:
        >>> class Plain(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, gradient * learning_rate)
        >>> v = Variable(np.ones(2))
        >>> Plain(0.5).apply([np.ones(2, "float32")], [v])
        >>> v.numpy()
        array([0.5, 0.5], dtype=float32)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        aliases = (*kwargs.pop("aliases", ()), cls.__name__.lower())
        super().__init_subclass__(aliases=aliases, **kwargs)
        if is_own(cls) and "__init__" in vars(cls):
            cls.__init__.__signature__ = _whole_signature(cls.__init__)

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], Any] = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        lr: float | None = None,
        decay: float | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_arguments(type(self), unknown, [*_own_arguments(type(self)), *_own_arguments(Optimizer)])
        learning_rate = learning_rate if lr is None else lr
        if decay:
            learning_rate = _decaying(learning_rate, decay)
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_options()
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[Variable, int] = {}
        self._not_decayed: tuple[set[Variable], re.Pattern | None] = (set(), None)
        self._averages: list[Variable | None] = []
        self._accumulators: list[Variable | None] = []
        self._iterations = self.add_variable((), dtype="int64", name="iteration")
        self._learning_rate = self._standardize_learning_rate(learning_rate)

    def _check_options(self) -> None:
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, got {clips}.")
        check_numbers(self, "[0, inf]", optional=True, weight_decay=self.weight_decay)
        check_numbers(self, "[-inf, inf]", optional=True, **clips)
        check_numbers(self, "(0, inf]", optional=True, loss_scale_factor=self.loss_scale_factor)
        if self.gradient_accumulation_steps:
            check_integers(self, 2, gradient_accumulation_steps=self.gradient_accumulation_steps)
        if self.use_ema:
            check_numbers(self, "[0, 1]", ema_momentum=self.ema_momentum)
        if self.use_ema and self.ema_overwrite_frequency:
            check_integers(self, 1, ema_overwrite_frequency=self.ema_overwrite_frequency)

    def _standardize_learning_rate(self, learning_rate: Any) -> Variable | Callable:
        if isinstance(learning_rate, dict):
            learning_rate = get_object("learning rate schedule", learning_rate)
        if isinstance(learning_rate, LearningRateSchedule) or (
            callable(learning_rate) and not isinstance(learning_rate, type)
        ):
            return learning_rate
        if isinstance(learning_rate, numbers.Real | np.generic) and not isinstance(learning_rate, bool):
            check_numbers(self, "(-inf, inf)", learning_rate=learning_rate)  # below 0 it ascends
            return self.add_variable((), float(learning_rate), dtype=floatx(), name="learning_rate")
        raise TypeError(
            "`learning_rate` must be a number, a LearningRateSchedule or a function that gives the current rate, got "
            f"{learning_rate!r}."
        )

    # State

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these variables; a subclass adds its slots after this. A second call does nothing."""
        if self.built:
            return
        variables = list(variables)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._trainable_variables = variables
        self._index = {variable: index for index, variable in enumerate(variables)}
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The whole state, in Keras' order: iteration, learning rate, averages, accumulators, slots."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many updates were made."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The current learning rate. A number can be assigned at any time, also between steps of compiled training."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations.value)
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        given_function = isinstance(learning_rate, LearningRateSchedule) or (
            callable(learning_rate) and not isinstance(learning_rate, Variable)
        )
        if given_function:
            if isinstance(self._learning_rate, Variable):
                self._variables = [variable for variable in self._variables if variable is not self._learning_rate]
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(as_tensor(learning_rate, floatx()))
        else:
            raise TypeError(
                "This optimizer was made with a schedule as its `learning_rate`, so the rate can't be set. Make the "
                "optimizer with a number to change the rate during training."
            )

    lr = learning_rate

    # Updates

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Assign the variable and its slots their new values, by operations on tensors of one shape and scalars.

        Args:
            gradient: of the variable's shape and dtype, after clipping.
            variable: what to update.
            learning_rate: a scalar of the variable's dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `update_step`.")

    def prepare_step(self, learning_rate: Tensor) -> None:
        """Called once a step before the variables' updates: the place for scalars that depend on the step alone."""

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable or slot a value."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable or slot."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable or slot."""
        variable.assign_sub(value)

    def slot(self, slots: Sequence[Variable], variable: Variable) -> Variable:
        """The one of the slots that belongs to a variable."""
        return slots[self._index[variable]]

    def _get_variable_index(self, variable: Variable) -> int:
        """Where a variable's slots stand; the name that optimizers written for Keras use."""
        return self._index[variable]

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Update variables by pairs (gradient, variable)."""
        pairs = checked_pairs(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables.

        Args:
            grads: a gradient for each variable; None where there is none, which warns and skips the variable.
            trainable_variables: what to update; by default what the optimizer was built with.

        Raises:
            ValueError: no gradient at all, a variable that the optimizer was not built with, or another number of them.
        """
        if not grads:
            return
        variables = self._updated_variables(grads, trainable_variables)
        grads, variables = self._without_missing(grads, variables)
        grads = [ops.cast(as_tensor(g), v.dtype) for g, v in zip(grads, variables, strict=True)]
        check_shapes(grads, variables, self.name)
        overwritten = [(g, v) for g, v in zip(grads, variables, strict=True) if v.overwrite_with_gradient]
        for gradient, variable in overwritten:
            variable.assign(gradient)
        updated = [(g, v) for g, v in zip(grads, variables, strict=True) if not v.overwrite_with_gradient]
        if updated:
            self._update([g for g, _ in updated], [v for _, v in updated])
        self._iterations.assign_add(1)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The values of the trainable variables and of its own after an update, from those before it.

        The variables, those that it was built with, stay as they are. Raises ValueError for other numbers of values.
        """
        own, trained = self.variables, self._trainable_variables
        values = [*optimizer_variables, *trainable_variables]
        _, scope = call_with_values([*own, *trained], values, lambda: self.apply(grads, trained), type(self).__name__)
        return [scope.get_current_value(v) for v in trained], [scope.get_current_value(v) for v in own]

    def _updated_variables(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise ValueError(
                    "`apply` without variables needs a built optimizer: call `build(trainable_variables)` first."
                )
            variables = self._trainable_variables
        variables = list(variables)
        if len(variables) != len(grads):
            raise wrong_count(grads, variables, self.name)
        self.build(variables)
        unknown = [variable.path for variable in variables if variable not in self._index]
        if unknown:
            raise ValueError(
                f"The optimizer {self.name!r} was built for other variables and has no state for {', '.join(unknown)}. "
                "Make a new optimizer (in `compile`) after layers were added or made trainable."
            )
        return variables

    def _without_missing(self, grads: Sequence[Any], variables: list[Variable]) -> tuple[list, list[Variable]]:
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if len(missing) == len(variables):
            raise ValueError(
                f"No gradient was found for any variable ({', '.join(missing)}): the loss does not depend on them."
            )
        if missing:
            warnings.warn(
                f"The loss does not depend on the variables {', '.join(missing)}: they are not trained.", stacklevel=4
            )
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    def _update(self, grads: list[Tensor], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            grads = [gradient / self.loss_scale_factor for gradient in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables)
        else:
            self._update_now(grads, variables)
        if self.use_ema:
            self._update_averages()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))

    def _update_now(self, grads: list[Tensor], variables: list[Variable]) -> None:
        grads = self._clip(grads)
        learning_rate = as_tensor(self.learning_rate)
        self._decay(variables, learning_rate)
        self.prepare_step(learning_rate)
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, ops.cast(learning_rate, variable.dtype))

    def _clip(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipnorm and self.clipnorm > 0:
            return [clip_by_norm(gradient, self.clipnorm) for gradient in grads]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [ops.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in grads]
        return grads

    def _decay(self, variables: list[Variable], learning_rate: Tensor) -> None:
        shares: dict[float, Tensor] = {}  # one scalar of the step for all variables
        for variable in variables:
            weight_decay = self._weight_decay_of(variable)
            if weight_decay is None or not self._is_decayed(variable):
                continue
            if weight_decay not in shares:
                shares[weight_decay] = learning_rate * weight_decay
            value = variable.value
            variable.assign(value - value * ops.cast(shares[weight_decay], variable.dtype))

    def _weight_decay_of(self, variable: Variable) -> float | None:
        """How much a variable decays; a subclass may have more than one kind of variables."""
        del variable
        return self.weight_decay

    def _accumulate(self, grads: list[Tensor], variables: list[Variable]) -> None:
        """Update with the mean gradient at each last of the steps, and only add up gradients at the others."""
        steps = self.gradient_accumulation_steps
        due = (self._iterations.value + 1) % steps == 0
        accumulators = [self.slot(self._accumulators, variable) for variable in variables]
        sums = [g + accumulator.value for g, accumulator in zip(grads, accumulators, strict=True)]
        changed = [*variables, *self._variables]
        only_where(due, changed, lambda: self._update_now([total / steps for total in sums], variables))
        for accumulator, total in zip(accumulators, sums, strict=True):
            accumulator.assign(ops.where(due, 0.0, total))

    def _update_averages(self) -> None:
        iterations = as_tensor(self.iterations)
        # The first step's average is the variable itself.
        momentum = ops.cast(iterations != 0, floatx()) * self.ema_momentum
        pairs = [(v, a) for v, a in zip(self._trainable_variables, self._averages, strict=True) if a is not None]
        for variable, average in pairs:
            share = ops.cast(momentum, variable.dtype)
            average.assign(share * average.value + (1.0 - share) * variable.value)
        if self.ema_overwrite_frequency:
            due = (iterations + 1) % self.ema_overwrite_frequency == 0
            for variable, average in pairs:
                variable.assign(ops.where(due, average.value, variable.value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """With `use_ema`, give the variables their averages; `fit` calls this when it ends."""
        if not self.use_ema or not self.built:
            return
        for variable in var_list:
            average = self.slot(self._averages, variable) if variable in self._index else None
            if average is not None:
                variable.assign(average.value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss that gradients are taken of: times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables out of the weight decay: these, and those in whose names one of the words stands.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be called before the optimizer is built.")
        pattern = re.compile("|".join(sorted(set(var_names)))) if var_names else None
        self._not_decayed = (set(var_list or ()), pattern)

    def _is_decayed(self, variable: Variable) -> bool:
        excluded, pattern = self._not_decayed
        return variable not in excluded and not (pattern is not None and pattern.search(variable.name))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a learning rate that was set since as it is now."""
        rate = self._learning_rate
        config = {
            "name": self.name,
            "learning_rate": float(rate.array) if isinstance(rate, Variable) else serialize_keras_object(rate),
        }
        for name in _BASE_OPTIONS:
            config[name] = getattr(self, name)
        for cls in reversed(type(self).__mro__):
            if is_own(cls) and cls is not Optimizer and "__init__" in vars(cls):
                config.update({n: getattr(self, n) for n in _own_arguments(cls) if n not in config})
        if not any("get_config" in vars(cls) for cls in type(self).__mro__ if not is_own(cls)):
            # Of a user's class that writes no configuration of its own: what it was given.
            known = {*config, *_own_arguments(Optimizer)}
            config.update(
                {name: serialize_argument(value) for name, value in self._given().items() if name not in known}
            )
        return config


def only_where(condition: Tensor, variables: Sequence[Variable], update: Callable[[], None]) -> None:
    """Update variables where a scalar condition holds; where it does not they stay as they are.

    Both outcomes are computed and one is chosen, element by element: so there is one graph for both.
    """
    before = {variable: variable.value for variable in variables}
    update()
    for variable, old in before.items():
        new = variable.value
        if new is not old:
            variable.assign(ops.where(condition, new, old))


_BASE_OPTIONS = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


def _whole_signature(constructor: Callable) -> inspect.Signature:
    """A constructor's signature where `*common` and `**options` stand for the arguments of the base that they pass on.

    So help and errors name each argument, and each can be given by place, in the order that Keras has.
    """
    signature = inspect.signature(constructor)
    common = [p for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL]
    if not common:
        return signature
    own = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    known = {p.name for p in own}
    base = inspect.signature(Optimizer.__init__).parameters.values()
    passed_on = [p for p in base if p.name not in known and p.name not in _OLD and p.kind is p.POSITIONAL_OR_KEYWORD]
    rest = [p for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    return signature.replace(parameters=[*own, *passed_on, *rest])


_OLD = ("lr", "decay")


def _decaying(learning_rate: Any, decay: float) -> LearningRateSchedule:
    """The schedule that older scripts mean by `decay`. Raises ValueError where there is one already."""
    if not isinstance(learning_rate, numbers.Real):
        raise ValueError(f"`decay` needs a number as learning rate, got {learning_rate!r}: leave `decay` out.")
    warnings.warn(
        f"`decay={decay}` is an argument of older versions: it is taken as learning_rate=schedules.InverseTimeDecay("
        f"{learning_rate}, 1, {decay}).",
        stacklevel=6,
    )
    return InverseTimeDecay(learning_rate, 1, decay)


def _own_arguments(cls: type) -> list[str]:
    parameters = inspect.signature(cls.__init__).parameters.values()
    return [p.name for p in parameters if p.name != "self" and p.kind is p.POSITIONAL_OR_KEYWORD]
