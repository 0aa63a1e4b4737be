"""Optimizers made of others: one that scales the loss, and one for each kind of variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

from layerkit import ops
from layerkit.checks import check_integers, check_numbers
from layerkit.graph import Variable, as_tensor
from layerkit.optimizers.optimizer import Optimizer, only_where
from layerkit.serialization import Configurable, deserialize_keras_object, serialize_keras_object

__all__ = ["LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"]


def _check_optimizer(argument: str, optimizer: Any, refused: tuple[type, ...] = ()) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{argument} must be an optimizer, got {optimizer!r}.")
    if isinstance(optimizer, refused):
        raise ValueError(f"{argument} cannot be a {type(optimizer).__name__}.")


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss so that small gradients are not lost in float16, and divides the gradients again.

    A step whose gradients are not all finite changes nothing but the scale, which is halved; after so many good steps
    in a row the scale is doubled.

    Args:
        inner_optimizer: makes the updates. Its `loss_scale_factor` is not used.
        initial_scale: what the loss is multiplied by at first.
        dynamic_growth_steps: after how many good steps the scale is doubled.
        name: its name.
        **options: none: clipping, averaging and the like are the inner optimizer's.

    Raises:
        TypeError: `inner_optimizer` is no optimizer.
        ValueError: an option of the inner optimizer is given, or `dynamic=False`.

    Example:
        >>> from layerkit.optimizers import SGD
        >>> v, optimizer = Variable(np.array([1.0, -2.0])), LossScaleOptimizer(SGD(0.1), initial_scale=8.0)
        >>> optimizer.apply([np.array([8.0, 4.0])], [v])
        >>> optimizer.apply([np.array([np.inf, 4.0])], [v])
        >>> v.numpy().round(3), optimizer.dynamic_scale.numpy().item()
        (array([ 0.9 , -2.05], dtype=float32), 4.0)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **options: Any,
    ):
        _check_optimizer("`inner_optimizer`", inner_optimizer)
        if not options.pop("dynamic", True):
            raise ValueError("`dynamic=False` is not supported: set `loss_scale_factor` on the inner optimizer.")
        if given := [option for option, value in options.items() if value not in (None, False)]:
            raise ValueError(f"LossScaleOptimizer does not take {', '.join(given)}: set it on the inner optimizer.")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        check_numbers(self, "(0, inf)", initial_scale=initial_scale)
        check_integers(self, 1, dynamic_growth_steps=dynamic_growth_steps)
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the scale, the count of good steps, and the inner optimizer's state."""
        if self.built:
            return
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), self.initial_scale, dtype="float32", name="dynamic_scale")
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables by gradients of the scaled loss; see `Optimizer.apply`."""
        if not grads:
            return
        variables = self._updated_variables(grads, trainable_variables)
        found = [None if g is None else as_tensor(g) for g in grads]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in found if g is not None] or [as_tensor(True)]))
        scale = self.dynamic_scale.value
        unscaled = [
            g if g is None or v.overwrite_with_gradient else g / ops.cast(scale, g.dtype)
            for g, v in zip(found, variables, strict=True)
        ]
        changed = [*variables, *self.inner_optimizer.variables]
        only_where(finite, changed, lambda: self.inner_optimizer.apply(unscaled, variables))
        steps = self.step_counter.value
        due = steps == self.dynamic_growth_steps - 1
        self.step_counter.assign(ops.where(ops.logical_and(finite, ops.logical_not(due)), steps + 1, 0))
        self.dynamic_scale.assign(scale * ops.where(finite, ops.where(due, 2.0, 1.0), 0.5))

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    lr = learning_rate

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """The loss that gradients are taken of: times the current scale."""
        if not self.built:
            return loss * self.initial_scale
        loss = as_tensor(loss)
        return loss * ops.cast(self.dynamic_scale.value, loss.dtype)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """What the inner optimizer does at the end of `fit`."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


class OptimizerMap(Configurable, MutableMapping, kind="optimizer map", module="keras.optimizers"):
    """Which optimizer a variable has: that of the pattern that its whole path matches, else the default.

    Args:
        default_optimizer: for variables that no pattern matches.
        optimizer_map: regular expression -> optimizer.

    Raises:
        TypeError: something is no optimizer, or `optimizer_map` no dictionary.

    Example:
        >>> from layerkit.optimizers import SGD, Adam
        >>> chosen = OptimizerMap(Adam(name="most"), {".*/bias": SGD(name="biases")})
        >>> chosen["dense/bias"].name, chosen["dense/kernel"].name, len(chosen)
        ('biases', 'most', 1)
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        _check_optimizer("`default_optimizer`", default_optimizer)
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"`optimizer_map` must be a dictionary of patterns and optimizers, got {optimizer_map!r}.")
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(f"The variable {key!r} matches more than one pattern: {', '.join(map(repr, matching))}.")
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"A pattern must be a string, got {key!r}.")
        if key in self._optimizer_map:
            raise ValueError(f"The pattern {key!r} has an optimizer already: {self._optimizer_map[key]!r}.")
        _check_optimizer(f"What {key!r} is mapped to", optimizer, (LossScaleOptimizer, MultiOptimizer))
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Make one from its config."""
        return cls(**{name: deserialize_keras_object(value, custom_objects) for name, value in config.items()})


class MultiOptimizer(Optimizer):
    """Updates variables by different optimizers.

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that gives its optimizer (which a saved model
            cannot hold).
        loss_scale_factor: see `Optimizer`; that of the inner optimizers becomes the same.
        name: its name.

    Raises:
        TypeError: `optimizer_map` cannot be called.

    Example:
        >>> from layerkit.optimizers import SGD
        >>> a, b = Variable(np.array([1.0]), name="a"), Variable(np.array([1.0]), name="b")
        >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.1), {"b": SGD(0.5)}))
        >>> optimizer.apply([np.array([1.0]), np.array([1.0])], [a, b])
        >>> a.numpy(), b.numpy()
        (array([0.9], dtype=float32), array([0.5], dtype=float32))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if not callable(optimizer_map):
            raise TypeError(f"`optimizer_map` must be an OptimizerMap or a function, got {optimizer_map!r}.")
        self._inner_optimizers: list[Optimizer] = []
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)

    def _add(self, optimizer: Optimizer) -> None:
        if not any(optimizer is known for known in self._inner_optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self._inner_optimizers.append(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state of each optimizer that has variables."""
        if self.built:
            return
        self._optimizer_of: dict[Variable, Optimizer] = {}
        for variable in variables:
            optimizer = self._optimizer_map(variable)
            _check_optimizer(f"The optimizer of {variable.path!r}", optimizer, (LossScaleOptimizer, MultiOptimizer))
            self._add(optimizer)
            self._optimizer_of[variable] = optimizer
        for optimizer, own in self._shares(variables):
            optimizer.build(own)
        super().build(variables)

    def _shares(self, variables: Sequence[Variable]) -> list[tuple[Optimizer, list[Variable]]]:
        """The optimizers that have some of the variables, with those."""
        shares = [(one, [v for v in variables if self._optimizer_of.get(v) is one]) for one in self._inner_optimizers]
        return [(optimizer, own) for optimizer, own in shares if own]

    @property
    def optimizers(self) -> list[Optimizer]:
        """The inner optimizers."""
        return self._inner_optimizers

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then that of the inner optimizers."""
        return [*self._variables, *(v for optimizer in self._inner_optimizers for v in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        """Not there: each inner optimizer has its own. Raises AttributeError."""
        raise AttributeError("A MultiOptimizer has no learning rate: those of its `optimizers` have.")

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError("A MultiOptimizer has no learning rate: set those of its `optimizers`.")

    lr = learning_rate

    @property
    def loss_scale_factor(self) -> float | None:
        """What gradients are divided by; set here, it is set for the inner optimizers too."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables, each by its optimizer; see `Optimizer.apply`."""
        if not grads:
            return
        variables = self._updated_variables(grads, trainable_variables)
        # Before any optimizer moves, so that a missing gradient is told of once, and for all variables.
        grads, variables = self._without_missing(grads, variables)
        gradient_of = dict(zip(variables, grads, strict=True))
        for optimizer, own in self._shares(variables):
            optimizer.apply([gradient_of[variable] for variable in own], own)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """What the inner optimizers do at the end of `fit`."""
        if self.built:
            for optimizer, own in self._shares(var_list):
                optimizer.finalize_variable_values(own)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }
