"""Scopes: names in front of names, and code over Variables as a pure function of their values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from layerkit.errors import ShapeError
from layerkit.graph.graph import current_graph, current_path, layer_path
from layerkit.graph.operation import as_tensor, cast_to
from layerkit.graph.tensor import Tensor

if TYPE_CHECKING:
    from layerkit.graph.variable import Variable

_local = threading.local()


class name_scope:
    """Variables made inside have a path that begins with a name.

    >>> from layerkit import Variable
    >>> with name_scope("encoder"):
    ...     print(Variable(0.0, name="scale").path)
    encoder/scale
    """

    def __init__(self, name: str, caller: Any = None) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"A name scope's name is a string without '/'; got {name!r}.")
        self.name, self.caller = name, caller
        self._entered: list[AbstractContextManager] = []

    def __enter__(self) -> name_scope:
        before = current_path()
        self._entered.append(layer_path(f"{before}/{self.name}" if before else self.name))
        self._entered[-1].__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._entered.pop().__exit__(*error)


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Does nothing for the CPU, where everything is; raises ValueError for any other device.

    >>> with device("cpu:0"):
    ...     pass
    """
    if str(device_name).lower().lstrip("/").removeprefix("device:") not in ("cpu", "cpu:0"):
        raise ValueError(f"layerkit computes on the CPU, 'cpu:0'; got device {device_name!r}.")
    yield


class StatelessScope:
    """Inside, Variables have the values of a mapping, and assignments change the mapping only.

    Args:
        state_mapping: pairs of a Variable and its value; others have their own.
        collect_losses: whether what layers `add_loss` is kept here, in `losses`.
        initialize_variables: accepted as Keras has it; Variables have their value when they are made.

    >>> import numpy as np
    >>> from layerkit import Variable
    >>> v = Variable(np.float32(1))
    >>> with StatelessScope(state_mapping=[(v, np.float32(5))]) as scope:
    ...     _ = v.assign_add(1.0)
    >>> scope.get_current_value(v).item(), float(v)
    (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.state_mapping: dict[Variable, Tensor] = {}
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Tensor] = []
        self._before: list[StatelessScope | None] = []
        for variable, value in state_mapping or ():
            self.add_update((variable, value))

    def __enter__(self) -> StatelessScope:
        self._before.append(current_scope())
        _local.scope = self
        return self

    def __exit__(self, *error: object) -> None:
        _local.scope = self._before.pop()

    def add_loss(self, loss: Tensor) -> None:
        """Keep a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Change a Variable's value in the mapping. Raises ShapeError for another shape."""
        variable, value = update
        value = as_tensor(value, dtype=variable.dtype)
        if tuple(value.shape) != variable.shape:
            raise ShapeError(
                f"StatelessScope: Variable {variable.path!r} has shape {variable.shape}, "
                f"its value in the mapping {tuple(value.shape)}."
            )
        self.state_mapping[variable] = cast_to(value, variable.dtype)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """A Variable's value in the mapping, None where it has none there."""
        return self.state_mapping.get(variable)


def current_scope() -> StatelessScope | None:
    """The innermost stateless scope of this thread."""
    return getattr(_local, "scope", None)


def on_memory() -> bool:
    """Whether code over Variables may look at their memory: there is neither a trace nor a stateless scope."""
    return current_graph() is None and current_scope() is None


def call_with_values(
    variables: Sequence[Variable], values: Sequence[Any], function: Callable, what: str, collect_losses: bool = False
) -> tuple[Any, StatelessScope]:
    """Call a function while Variables have other values; gives the result, and the scope with their values after it.

    Args:
        variables: the Variables.
        values: as many values.
        function: takes nothing.
        what: what the values are of, for the error where their number differs (ValueError).
        collect_losses: whether the scope keeps the losses that layers add.
    """
    values = list(values)
    if len(values) != len(variables):
        raise ValueError(f"{what} has {len(variables)} variables; got {len(values)} values.")
    with StatelessScope(zip(variables, values, strict=True), collect_losses) as scope:
        return function(), scope
