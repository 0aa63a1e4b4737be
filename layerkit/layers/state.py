"""A layer's state: its variables, its sublayers, and what is asked of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from layerkit import constraints, initializers, regularizers
from layerkit.dtypes import is_float, standardize_dtype
from layerkit.errors import NotBuiltError, ShapeError
from layerkit.graph.graph import Graph, current_path, layer_path
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.tracking import PLAIN, TrackedDict, TrackedList, add_once, parts, remove
from layerkit.random import SeedGenerator

STATE_LISTS = ("_trainable_variables", "_non_trainable_variables", "_layers", "_metrics", "_seed_generators")
"""The attributes that hold the state found in all others."""


class Stateful:
    """What has variables and sublayers, found in its attributes. The half of `Layer` that is about state.

    `weights` leaves out the states of metrics and random generators; `variables` has them all.
    """

    name: str
    dtype: str
    built: bool
    _track_state = True

    def _start_tracking(self) -> None:
        """Make the lists of state; before any other attribute is set."""
        for name in STATE_LISTS:
            object.__setattr__(self, name, [])
        object.__setattr__(self, "_locked", False)
        object.__setattr__(self, "_path", None)

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) not in PLAIN:
            value = self._track(value)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        value = getattr(self, name)
        object.__delattr__(self, name)
        self._untrack(value)

    def _track(self, value: Any) -> Any:
        """Note the state in a value; lists and dictionaries come back as ones that tell of later additions."""
        kind = type(value)
        if kind in PLAIN or isinstance(value, Tensor | np.ndarray | Operation):
            return value
        if isinstance(value, Variable):
            self._keep(self._trainable_variables if value.trainable else self._non_trainable_variables, value)
        elif isinstance(value, Stateful):
            self._keep(self._layers, value)
        elif getattr(kind, "_kind", None) == "metric":
            add_once(self._metrics, value)
        elif isinstance(value, SeedGenerator):
            add_once(self._seed_generators, value)
        elif kind is list:
            return TrackedList.of(value, self)
        elif kind is dict:
            return TrackedDict.of(value, self)
        elif kind is tuple:
            return tuple([self._track(item) for item in value])
        elif isinstance(value, tuple | set | frozenset):
            for item in value:
                self._track(item)
        return value

    def _untrack(self, value: Any) -> None:
        """Forget the state in what was taken out of the attributes, but for what others of them still hold."""
        held = {id(part) for name, kept in vars(self).items() if name not in STATE_LISTS for part in parts(kept)}
        for part in parts(value):
            if type(part) not in PLAIN and id(part) not in held:
                for name in STATE_LISTS:
                    remove(getattr(self, name), part)

    def _keep(self, things: list, thing: Any) -> None:
        if self._locked and not any(known is thing for known in things):
            raise ValueError(
                f"You cannot add new elements of state (variables or sub-layers) to a layer that is already built: "
                f"{type(self).__name__} {self.name!r} was given {thing!r}. All state must be created in "
                "`__init__()` or `build()`."
            )
        add_once(things, thing)

    def _scope(self) -> AbstractContextManager[None]:
        """Variables made inside, and nodes recorded inside, carry this layer's path."""
        if self._path is None:
            object.__setattr__(self, "_path", self._place())
        return layer_path(self._path)

    def _place(self) -> str:
        """Its path, or before it has one, the path that it is about to get."""
        if self._path is not None:
            return self._path
        around = current_path()
        return f"{around}/{self.name}" if around else self.name

    @property
    def path(self) -> str | None:
        """The names of the layers around it and its own, joined by "/"; None before it is built."""
        return self._path

    def add_weight(
        self,
        *args: Any,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: object = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this layer.

        Args:
            *args: shape, initializer and dtype may be given by place.
            shape: its shape; () by default.
            initializer: name, object or function; by default "glorot_uniform" for floats, "zeros" for others.
            dtype: the layer's by default.
            trainable: whether training changes it by gradients.
            autocast: as Keras has it, for mixed precision, which is not there.
            aggregation: as Keras has it, for several devices, which are not there.
            regularizer: a function of the variable, whose value is added to the loss.
            constraint: a function that its value is put through after each update.
            overwrite_with_gradient: whether the optimizer assigns its gradient to it.
            name: its name.

        Raises ShapeError where the shape is not known, and TypeError or ValueError for other arguments by place.
        """
        if args:
            shape, initializer, dtype = _by_place(args, shape, initializer, dtype)
        shape = () if shape is None else (int(shape),) if isinstance(shape, int | np.integer) else tuple(shape)
        if any(not isinstance(size, int | np.integer) or size < 0 for size in shape):
            raise ShapeError(
                f"Layer {self._place()!r}: the weight {name!r} needs a known shape, of integers that are not negative; "
                f"got shape={shape}."
            )
        dtype = standardize_dtype(self.dtype if dtype is None else dtype)
        initializer = initializers.get(
            ("glorot_uniform" if is_float(dtype) else "zeros") if initializer is None else initializer
        )
        # The first values are computed now, also where a model is built while it is being traced.
        with self._scope(), Graph.recording(None):
            variable = Variable(
                initializer,
                shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int] | None,
        initializer: Any = None,
        dtype: object = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this layer: `add_weight` with all arguments by place, for some that have no use here."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable, autocast=autocast,
            regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    def _gather(self, own: Iterable[Any], below: Callable[[Any], Iterable[Any]]) -> list[Any]:
        """Own things, then those of the sublayers, each once."""
        found = {id(thing): thing for thing in own}
        for layer in self._layers:
            found.update((id(thing), thing) for thing in below(layer) if id(thing) not in found)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """Its variables and its sublayers', without the states of metrics and of random generators."""
        return self._gather(self._trainable_variables + self._non_trainable_variables, lambda layer: layer.weights)

    @property
    def variables(self) -> list[Variable]:
        """All its variables and its sublayers', with the states of random generators, without those of metrics."""
        own = self._trainable_variables + self._non_trainable_variables
        return self._gather(own + [made.state for made in self._seed_generators], lambda layer: layer.variables)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves, or that the layer itself changes."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables."""
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def metrics(self) -> list[Any]:
        """Its metrics and its sublayers'."""
        return self._gather(self._metrics, lambda layer: layer.metrics)

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of its metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes its variables; setting it sets the sublayers' too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool | int | np.bool_):
            raise TypeError(
                f"`trainable` of layer {self._place()!r} must be a boolean, got {value!r} of type "
                f"{type(value).__name__}."
            )
        object.__setattr__(self, "_trainable", bool(value))
        for variable in self._trainable_variables:
            variable.trainable = bool(value)
        for layer in self._layers:
            layer.trainable = bool(value)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Itself and the layers below it, depth first, each once."""
        found: list[Any] = [self] if include_self else []
        seen: set[int] = set()
        waiting = list(reversed(self._layers))
        while waiting:
            layer = waiting.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            if recursive:
                waiting.extend(reversed(layer._layers))
        return found

    def get_weights(self) -> list[np.ndarray]:
        """The values of its weights, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give its weights these values, in the order of `weights`.

        Raises ValueError for another number of them, and ShapeError where shapes differ; then none has changed.
        """
        own = self.weights
        expected = ", ".join(f"{variable.path} {variable.shape}" for variable in own)
        if len(weights) != len(own):
            unbuilt = "" if self.built else " It is not built yet."
            raise ValueError(
                f"Layer {self.name!r} has {len(own)} weights, but set_weights was given {len(weights)} "
                f"arrays.{unbuilt} Expected: {expected or 'none'}."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(
                    f"Layer {self.name!r}: the weight {variable.path!r} has shape {variable.shape}, but "
                    f"set_weights was given shape {np.shape(value)}. Expected: {expected}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of elements of its weights. Raises NotBuiltError before it is built."""
        if not self.built:
            raise NotBuiltError(
                f"You tried to call `count_params` on layer {self.name!r}, but the layer isn't built. You can "
                "build it manually via: `layer.build(input_shape)`."
            )
        return sum(variable.size for variable in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Put its own variables (not the sublayers') in a store, under "0", "1" ..."""
        for at, variable in enumerate(self._trainable_variables + self._non_trainable_variables):
            store[str(at)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take its own variables from a store. Raises ValueError where they are not as many, or of other shapes."""
        own = self._trainable_variables + self._non_trainable_variables
        if len(store.keys()) != len(own):
            reason = "" if own or self.built else " The layer was never built, and thus has no variables."
            raise ValueError(
                f"Layer {self.name!r} expected {len(own)} variables "
                f"({', '.join(v.path for v in own) or 'none'}), but the file has {len(store.keys())} for it.{reason}"
            )
        for at, variable in enumerate(own):
            variable.assign(np.asarray(store[str(at)]))


def _by_place(args: tuple, *named: Any) -> list[Any]:
    """Shape, initializer and dtype of `add_weight`, of which the first ones were given by place."""
    names = ("shape", "initializer", "dtype")
    if len(args) > len(names):
        raise TypeError(f"add_weight() takes at most {len(names)} positional arguments but {len(args)} were given.")
    if isinstance(args[0], str):
        raise ValueError(
            f"`name` must be passed as a keyword argument. Received: add_weight({args[0]!r}, ...). Use: "
            f"add_weight(shape=..., name={args[0]!r})."
        )
    for name, value in zip(names, named[: len(args)], strict=False):
        if value is not None:
            raise ValueError(f"`{name}` was passed both positionally and as a keyword argument.")
    return [*args, *named[len(args) :]]
