"""A model's state as a tree of arrays, and its loss as a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.graph.scopes import call_with_values
from layerkit.graph.variable import Variable

FORMATS = ("backend_tensor", "numpy_array")


class StateTree:
    """The part of a model that gives and takes its whole state as nested dictionaries."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict]:
        """The values of all variables, nested by the parts of their paths.

        Args:
            value_format: "backend_tensor" for tensors, "numpy_array" for arrays.

        Returns:
            Trees under "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables".
        """
        if value_format not in FORMATS:
            raise ValueError(f"value_format is one of {FORMATS}; got {value_format!r}.")
        return {
            kind: _nested(variables, lambda v: v.value if value_format == FORMATS[0] else v.numpy())
            for kind, variables in self._state_variables().items()
        }

    def set_state_tree(self, state_tree: dict[str, dict]) -> None:
        """Assign the values of a tree as `get_state_tree` gives; kinds that it lacks stay.

        Raises ValueError for a path that the model has no variable under, before anything is assigned.
        """
        own = self._state_variables()
        pairs: list[tuple[Variable, Any]] = []
        for kind, values in state_tree.items():
            variables = {v.path: v for v in own.get(kind, ())}
            for path, value in tree.flatten_with_path(values):
                name = "/".join(map(str, path))
                if name not in variables:
                    known = ", ".join(variables) or "none"
                    raise ValueError(f"Model {self.name!r} has no variable {name!r} among its {kind}: it has {known}.")
                pairs.append((variables[name], value))
        for variable, value in pairs:
            variable.assign(np.asarray(value))

    def _state_variables(self) -> dict[str, list[Variable]]:
        optimizer = getattr(self, "optimizer", None)
        return {
            "trainable_variables": list(self.trainable_variables),
            "non_trainable_variables": list(self.non_trainable_variables),
            "optimizer_variables": [] if optimizer is None else list(optimizer.variables),
            "metrics_variables": [v for metric in self.metrics for v in metric.variables],
        }

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple:
        """`compute_loss` for given values of the variables, which stay as they are.

        Returns the loss, and a triple of the trainable, non-trainable and metrics variables' values after it.
        """
        kinds = [
            list(self.trainable_variables),
            list(self.non_trainable_variables),
            self._state_variables()["metrics_variables"],
        ]
        values = [*trainable_variables, *non_trainable_variables, *metrics_variables]

        def compute() -> Any:
            return self.compute_loss(x, y, y_pred, sample_weight, training)

        loss, scope = call_with_values(sum(kinds, []), values, compute, f"Model {self.name!r}")
        return loss, tuple([scope.get_current_value(v) for v in kind] for kind in kinds)


def _nested(variables: Sequence[Variable], value_of: Any) -> dict:
    nested: dict = {}
    for variable in variables:
        *parents, last = variable.path.split("/")
        inner = nested
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = value_of(variable)
    return nested
