"""Functions of operations on the tensors of a functional model: noted whole, and called again for each real shape.

What a function records on a tensor of unknown sizes is good for its shape only (a mean over a batch of unknown size has
no count to divide by). So outside of a trace, where functional models are built, the node holds the function, not its
operations.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.errors import EXPLAINED, explain_call
from layerkit.graph.graph import current_graph
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor
from layerkit.graph.unknown_sizes import trace_shapes
from layerkit.ops.shape import GetItem
from layerkit.registry import registry

FUNCTIONS = registry("ops function")
"""The public functions by name: what a saved functional model may name."""


class FunctionCall:
    """A function of `layerkit.ops` as what a functional model's node calls."""

    def __init__(self, function: Callable) -> None:
        self.function = function

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"ops.{self.name}"


def deferred(function: Callable) -> Callable:
    """The function, which notes its call when it is given symbolic tensors outside of a trace."""
    call = FunctionCall(function)

    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        try:
            if current_graph() is not None or not _any_symbolic(args, kwargs):
                return function(*args, **kwargs)
            return _note(call, args, kwargs)
        except EXPLAINED as error:
            explained = explain_call(error, function, args, kwargs)
            if explained is error:
                raise
            raise explained.with_traceback(error.__traceback__) from error.__cause__

    return noting


def _any_symbolic(args: tuple, kwargs: dict[str, Any]) -> bool:
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, Tensor):
            if value._array is None:
                return True
        elif isinstance(value, list | tuple) and any(isinstance(item, Tensor) and item.symbolic for item in value):
            return True
    return False


def _note(call: FunctionCall, args: tuple, kwargs: dict[str, Any]) -> Any:
    given = trace_shapes(lambda inner: call(*inner[0], **inner[1]), (args, kwargs))
    inputs = [x for x in tree.flatten((args, kwargs)) if isinstance(x, Tensor) and x.symbolic]
    Node(call, inputs, [x for x in tree.flatten(given) if isinstance(x, Tensor)], arguments=(args, kwargs))
    return given


def _defer_indexing() -> None:
    """Make `x[key]` note its call too."""
    at = GetItem.at
    if hasattr(at, "__wrapped__"):
        return

    def get_item(x: Any, key: Any) -> Any:
        return at(x, tuple(key) if isinstance(key, list) else key)  # a file has a list where the key was a tuple

    noting = deferred(get_item)
    FUNCTIONS.add("get_item", noting)

    @functools.wraps(at)
    def indexed(x: Any, key: Any) -> Any:
        return noting(x, np.asarray(key) if isinstance(key, list) else key)

    GetItem.at = staticmethod(indexed)


def _reshape(self: Tensor, newshape: int | Sequence[int] = (), *more: int) -> Tensor:
    """`ops.reshape` of this tensor: sizes as a sequence, or one by one."""
    return FUNCTIONS.find("reshape")(self, (newshape, *more) if more else newshape)


def _squeeze(self: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """`ops.squeeze` of this tensor."""
    return FUNCTIONS.find("squeeze")(self, axis)


Tensor.reshape, Tensor.squeeze = _reshape, _squeeze  # the class stands on a floor below operations


def defer_all(namespace: MutableMapping[str, Any]) -> None:
    """Make the functions of operations in a package's namespace (its `globals()`) note their calls."""
    _defer_indexing()
    for name, thing in list(namespace.items()):
        own = inspect.isfunction(thing) and thing.__module__.startswith("layerkit.ops.") and not name.startswith("_")
        if own and name not in FUNCTIONS:
            namespace[name] = deferred(thing)
            FUNCTIONS.add(name, namespace[name])
