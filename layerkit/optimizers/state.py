"""An optimizer's variables: its own and the slots of the variables it updates."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.dtypes import floatx
from layerkit.graph import Variable
from layerkit.serialization import get_object


class OptimizerState:
    """Makes, lists, saves and loads the variables of an optimizer."""

    name: str
    built: bool
    variables: list[Variable]
    """The whole state, also that of optimizers which it is made of."""
    _variables: list[Variable]
    """What it made itself."""

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str = "none",
        layout: None = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer's state.

        Args:
            shape: its shape.
            initializer: a number, a function (shape, dtype) -> array, or an initializer's name.
            dtype: its dtype; the default float type where None.
            aggregation: accepted as Keras has it; there is one replica.
            layout: None; devices have no layouts here.
            name: its name; the path has the optimizer's in front.
        """
        if layout is not None:
            raise ValueError("`layout` is not supported: pass None.")
        dtype = dtype or floatx()
        fill = {"zeros": 0, "ones": 1}.get(initializer, initializer) if isinstance(initializer, str) else initializer
        if isinstance(fill, numbers.Real):
            value = np.full(tuple(shape), fill, dtype)
        else:
            value = np.asarray(get_object("initializer", fill)(tuple(shape), dtype=dtype))
        name = name or "variable"
        variable = Variable(
            value, dtype=dtype, trainable=False, aggregation=aggregation, name=name, path=f"{self.name}/{name}"
        )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A slot: a variable with the shape and dtype of a model's variable, and its path in the name."""
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=f"{path.replace('/', '_').replace(':', '_')}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A slot for each variable; with several names a tuple of lists, the slots of a variable next to each other.

        A variable that its gradient overwrites has no slots: None stands in its place.
        """
        names = [name] if isinstance(name, str) else list(name)
        initializers = list(initializer) if isinstance(initializer, list | tuple) else [initializer] * len(names)
        if len(names) != len(initializers):
            raise ValueError(f"There are {len(names)} names of slots but {len(initializers)} initializers.")
        slots: tuple[list, ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for made, slot_name, slot_initializer in zip(slots, names, initializers, strict=True):
                slot = None
                if not variable.overwrite_with_gradient:
                    slot = self.add_variable_from_reference(variable, slot_name, slot_initializer)
                made.append(slot)
        return slots[0] if isinstance(name, str) else slots

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Assign the whole state, in the order of `variables`. Raises ValueError where it does not fit."""
        if not self.built:
            raise ValueError("`set_weights` needs an optimizer that is built: call `build(trainable_variables)` first.")
        if len(weights) != len(self.variables):
            raise ValueError(f"The optimizer has {len(self.variables)} variables, but got {len(weights)} weights.")
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Put the state into a store of arrays, under the numbers "0", "1", ..."""
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the state from a store; warns and leaves it as it is where the number of variables differs."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"The state of optimizer {self.name!r} was not loaded: it has {len(self.variables)} variables, the "
                f"saved one {len(store.keys())}." + ("" if self.built else " It is not built yet."),
                stacklevel=2,
            )
            return
        for index, variable in enumerate(self.variables):
            variable.assign(np.asarray(store[str(index)]))
