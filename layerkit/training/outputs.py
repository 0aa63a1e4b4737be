"""What a loss, a metric, a target or a weight belongs to: the outputs of a model, by place or by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from layerkit import tree


class Outputs:
    """The outputs of a model in one order.

    Args:
        y_pred: what the model gives: a tensor, or a structure of tensors.
        names: the names of the model's outputs in the order of `tree.flatten`, where it has names.

    Attributes:
        names: a name for each output: the keys of a dictionary, else the model's names, else None.
    """

    def __init__(self, y_pred: Any, names: Sequence[str] | None = None):
        self.structure = tree.map_structure(lambda _: None, y_pred)
        self.count = len(tree.flatten(self.structure))
        self.keys: list[str] | None = None
        names = list(names) if names and len(names) == self.count else None
        if isinstance(y_pred, dict) and not any(tree.is_nested(part) for part in y_pred.values()):
            self.keys = names if names and set(names) == set(y_pred) else [path[0] for path, _ in self._leaves()]
            self.names: list[str | None] = list(self.keys)
        elif names is not None:
            self.names = list(names)
        else:
            self.names = ["/".join(map(str, path)) if isinstance(y_pred, dict) else None for path, _ in self._leaves()]

    def _leaves(self) -> list[tuple[tuple, Any]]:
        return tree.flatten_with_path(self.structure)

    def label(self) -> str:
        """How messages name the outputs."""
        return ", ".join(repr(name) if name else f"number {index}" for index, name in enumerate(self.names))

    def predictions(self, y_pred: Any) -> list[Any]:
        """The predictions in the outputs' order."""
        return [y_pred[key] for key in self.keys] if self.keys is not None else tree.flatten(y_pred)

    def bind(self, given: Any, what: str, is_leaf: Callable[[Any], bool], partial: bool = True) -> list[Any]:
        """One entry for each output of what is given for them.

        Args:
            given: a dictionary by names, a list by places, or nested like the outputs.
            what: what errors call it, for example "`loss`".
            is_leaf: whether a value is an entry rather than a container of entries.
            partial: whether a dictionary may leave outputs out, which get None.

        Raises:
            ValueError: a name is no output's, or the number of entries is wrong; the message lists the outputs.
        """
        if self.count == 1 and is_leaf(given):
            return [given]
        if isinstance(given, dict) and all(is_leaf(part) for part in given.values()):
            return self._by_name(given, what, partial)
        if isinstance(given, list | tuple) and len(given) == self.count and all(is_leaf(part) for part in given):
            return list(given)
        if not is_leaf(given):
            leaves = _flatten(given, is_leaf)
            if len(leaves) == self.count and not isinstance(given, list | tuple):
                return leaves
            if len(leaves) == self.count and any(not is_leaf(part) for part in given):
                return leaves
        raise ValueError(self._mismatch(given, what))

    def _by_name(self, given: dict, what: str, partial: bool) -> list[Any]:
        if self.count == 1 and len(given) == 1 and self.names == [None]:
            return list(given.values())
        unknown = [key for key in given if key not in self.names]
        if unknown:
            raise ValueError(
                f"{what} has {', '.join(map(repr, unknown))}, but the model has no such output. Its outputs are: "
                f"{self.label()}."
            )
        missing = [name for name in self.names if name not in given]
        if missing and not partial:
            raise ValueError(
                f"{what} has nothing for the output {', '.join(map(repr, missing))}; it has {', '.join(given)}."
            )
        return [given.get(name) for name in self.names]

    def _mismatch(self, given: Any, what: str) -> str:
        if isinstance(given, list | tuple | dict):
            got = f"{len(given)} entries"
        else:
            got = f"one {type(given).__name__}"
        plural = "" if self.count == 1 else "s"
        return (
            f"{what} must have one entry for each output, by place or by name, but has {got}. The model has "
            f"{self.count} output{plural}: {self.label()}."
        )


def _flatten(given: Any, is_leaf: Callable[[Any], bool]) -> list[Any]:
    if is_leaf(given):
        return [given]
    parts = [given[key] for key in sorted(given)] if isinstance(given, dict) else given
    return [leaf for part in parts for leaf in _flatten(part, is_leaf)]
