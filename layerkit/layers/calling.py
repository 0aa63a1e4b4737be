"""What a call of a layer needs to know: the signature of its `call`, and the call around it."""

from __future__ import annotations

import difflib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from layerkit import tree
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor

LISTED_ROWS = 8


class CallContext(threading.local):
    """The call of a layer that this thread is in.

    Attributes:
        depth: how many calls of layers are under way.
        training: the training phase that layers called without one take over.
    """

    depth = 0
    training: bool | None = None


context = CallContext()


@contextmanager
def training_phase(training: bool | None) -> Iterator[None]:
    """Layers called inside without a `training` argument take this one."""
    before, context.training = context.training, training
    try:
        yield
    finally:
        context.training = before


class CallSignature:
    """The parameters of a layer's `call` method, read once for each class.

    Attributes:
        names: the named parameters, in order.
        mask_names: parameter -> the parameter that takes its mask, as `query` -> `query_mask`.
        training_default: the default of `training`.
    """

    def __init__(self, call: Callable) -> None:
        self.function = getattr(call, "__qualname__", "call")
        self.signature = inspect.signature(call)
        parameters = list(self.signature.parameters.values())[1:]
        self.signature = self.signature.replace(parameters=parameters)
        kinds = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        )
        self.names = tuple(p.name for p in parameters if p.kind in kinds)
        self.positional = tuple(p.name for p in parameters if p.kind in kinds[:2])
        required = [p for p in parameters if p.kind in kinds and p.default is p.empty]
        self.takes_one = bool(self.positional) and len(required) <= 1 and not any(p.kind is kinds[2] for p in required)
        self.has_training = "training" in self.names
        self.has_mask = "mask" in self.names
        self.mask_names = {name: f"{name}_mask" for name in self.names if f"{name}_mask" in self.names}
        training = self.signature.parameters.get("training")
        self.training_default = None if training is None or training.default is training.empty else training.default

    def arguments(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The call's arguments by name, without defaults. Raises TypeError where they don't fit the signature."""
        if len(args) == 1 and self.takes_one and not kwargs:
            return {self.positional[0]: args[0]}
        try:
            return dict(self.signature.bind(*args, **kwargs).arguments)
        except TypeError as error:
            near = [repr(match) for name in kwargs for match in self._near(name)]
            hint = f" Did you mean {' and '.join(near)}?" if near else ""
            given = [f"{len(args)} argument(s) by position"] * bool(args) + [f"{name}=" for name in kwargs]
            expected = ", ".join(map(str, self.signature.parameters.values()))
            raise TypeError(
                f"{self.function}(): {error}.{hint} Expected ({expected}), got {', '.join(given) or 'no arguments'}."
            ) from None

    def _near(self, name: str) -> list[str]:
        return [] if name in self.names else difflib.get_close_matches(name, self.names, n=1)


def tensor_of_lists(rows: list) -> Tensor:
    """Nested lists of numbers as a tensor. Raises ShapeError where they are ragged."""
    try:
        return as_tensor(rows)
    except ValueError as error:
        lengths = [len(row) if isinstance(row, list | tuple) else "a number" for row in rows[:LISTED_ROWS]]
        more = " and more" if len(rows) > LISTED_ROWS else ""
        raise ShapeError(
            f"A list of {len(rows)} rows is no array: expected rows of one length and depth, got lengths {lengths}"
            f"{more}. `utils.pad_sequences` makes them equally long."
        ) from error


def tensor_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are tensors or structures of nothing but tensors (and None)."""
    return {name: value for name, value in arguments.items() if holds_tensors(value)}


def holds_tensors(value: Any) -> bool:
    """Whether a value is a tensor or a structure with tensors in it and nothing else but None."""
    if isinstance(value, Tensor):
        return True
    if not tree.is_nested(value):
        return False
    leaves = tree.flatten(value)
    return any(isinstance(leaf, Tensor) for leaf in leaves) and all(
        leaf is None or isinstance(leaf, Tensor) for leaf in leaves
    )


def any_symbolic(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether there is a tensor without values among a call's arguments."""
    if len(args) == 1 and not kwargs and isinstance(args[0], Tensor):
        return args[0].symbolic
    return any(isinstance(leaf, Tensor) and leaf.symbolic for leaf in tree.flatten((args, kwargs)))


def shapes_of(value: Any) -> Any:
    """The shapes of a structure of tensors."""
    return tree.map_structure(lambda x: None if x is None else tuple(x.shape), value)


def masks_of(value: Any) -> Any:
    """The masks of a structure of tensors."""
    if isinstance(value, Tensor):
        return value.mask
    return tree.map_structure(lambda x: getattr(x, "mask", None), value)
