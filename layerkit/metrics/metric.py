"""The base class of metrics: state that batches update, and a result."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layerkit.dtypes import floatx
from layerkit.errors import note_place
from layerkit.graph import Tensor, Variable
from layerkit.graph.scopes import call_with_values, on_memory
from layerkit.losses.loss import compute_dtype
from layerkit.registry import auto_name
from layerkit.serialization import Configurable, get_object


class Metric(Configurable, kind="metric", module="keras.metrics", registered=False):
    """A metric: a subclass makes its state with `add_variable`, changes it in `update_state` and computes `result`.

    The state are Variables, so inside a compiled step an update is a part of the step's graph.

    Args:
        dtype: dtype name to compute in; the default float type where None.
        name: its name in logs; by default made of the class's.

    Example:
        >>> from layerkit import ops
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ops.maximum(self.value, ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value.value
        >>> Largest()([0.0, 0.0], [2.0, 1.0]).item()
        2.0
    """

    _direction: str | None = None
    """"up" or "down": which values are better; callbacks ask for it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in vars(cls):
            cls.update_state = _noting_name(cls.update_state)

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self).__name__)
        self._dtype = compute_dtype(dtype)

    def __new__(cls, *args: Any, **kwargs: Any) -> Metric:
        """An instance that notes the variables and metrics in its attributes."""
        made = super().__new__(cls, *args, **kwargs)
        object.__setattr__(made, "_variables", [])
        object.__setattr__(made, "_metrics", [])
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Metric) and not any(value is known for known in self._metrics):
            self._metrics.append(value)
        elif isinstance(value, Variable) and not any(value is known for known in self._variables):
            self._variables.append(value)
        object.__setattr__(self, name, value)

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """Its state, and that of the metrics it is made of."""
        return [*self._variables, *(variable for metric in self._metrics for variable in metric.variables)]

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of the metric's state.

        Args:
            shape: its shape.
            initializer: a number, a function (shape, dtype) -> array, or an initializer's name; zeros where None.
            dtype: its dtype; the default float type where None.
            aggregation: accepted as Keras has it; there is one replica.
            name: its name; the path has the metric's in front.
        """
        dtype = dtype or floatx()
        fill = (
            {None: 0, "zeros": 0, "ones": 1}.get(initializer) if initializer in (None, "zeros", "ones") else initializer
        )
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

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """A new variable: the older name of `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__} does not define `update_state`.")

    def result(self) -> Tensor | dict[str, Tensor]:
        """The metric's value over all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} does not define `result`.")

    def reset_state(self) -> None:
        """Forget all batches: every variable becomes 0."""
        eager = on_memory()
        for variable in self.variables:
            if eager:
                variable.array.fill(0)
            else:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Tensor]:
        """The values of its variables after a batch, from their values before it; the variables stay as they are."""
        _, scope = call_with_values(
            self.variables, metric_variables, lambda: self.update_state(*args, **kwargs), f"Metric {self.name!r}"
        )
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Tensor | dict[str, Tensor]:
        """The result for values of its variables."""
        return call_with_values(self.variables, metric_variables, self.result, f"Metric {self.name!r}")[0]

    def stateless_reset_state(self) -> list[Tensor]:
        """The values that its variables have after a reset."""
        values = [v.value for v in self.variables]
        _, scope = call_with_values(self.variables, values, self.reset_state, f"Metric {self.name!r}")
        return [scope.get_current_value(v) for v in self.variables]

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor | dict[str, Tensor]:
        """Update with a batch and give the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _noting_name(update_state: Callable) -> Callable:
    """An `update_state` whose errors note the metric's name."""

    @functools.wraps(update_state)
    def noting(self: Metric, *args: Any, **kwargs: Any) -> Any:
        try:
            return update_state(self, *args, **kwargs)
        except Exception as error:
            note_place(error, "metric", self.name)
            raise

    return noting
