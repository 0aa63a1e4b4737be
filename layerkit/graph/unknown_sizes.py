"""Shapes of outputs for inputs whose sizes are not known, of functions that need numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerkit import tree
from layerkit.errors import GraphError
from layerkit.graph.graph import Graph
from layerkit.graph.tensor import Tensor

STAND_INS = (83, 89)
"""Sizes that no code mentions, and large enough for a window to fit; Keras on JAX takes the same."""


def trace_shapes(function: Callable, arguments: Any) -> Any:
    """Call a function on placeholders and give the tensors of its outputs without their nodes.

    Sizes that are not known stay so, if the function can do with that. Where it can't (`ops.zeros(x.shape)`), it is
    called with two sizes in their place: what differs in the outputs is not known either.

    Args:
        function: takes the arguments' structure.
        arguments: a structure with symbolic tensors; other leaves stay.
    """
    try:
        return _called(function, arguments, None)
    except (TypeError, ValueError):
        unknown = any(isinstance(x, Tensor) and None in x.shape for x in tree.flatten(arguments))
        if not unknown:
            raise
        try:
            first, second = (_called(function, arguments, size) for size in STAND_INS)
        except (TypeError, ValueError):
            first = None
        if first is None:
            raise
    return tree.map_structure(_what_both_say, first, second)


def _called(function: Callable, arguments: Any, size: int | None) -> Any:
    graph = Graph()

    def placeholder(x: Any) -> Any:
        if not isinstance(x, Tensor) or not x.symbolic:
            return x
        made = graph.placeholder(_filled(x, size), x.dtype, name=x.name)
        if x.mask is not None:
            made.mask = graph.placeholder(_filled(x.mask, size), x.mask.dtype)
        return made

    def bare(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        made = Tensor(x.shape, x.dtype)
        if x.mask is not None:
            made.mask = Tensor(x.mask.shape, x.mask.dtype)
        return made

    with graph.recording():
        outputs = function(tree.map_structure(placeholder, arguments))
    return tree.map_structure(bare, outputs)


def _filled(x: Tensor, size: int | None) -> tuple[int | None, ...]:
    return tuple(size if n is None else n for n in x.shape)


def _what_both_say(a: Any, b: Any) -> Any:
    if not isinstance(a, Tensor):
        return a
    if a.ndim != b.ndim:
        raise GraphError(f"the number of axes of an output depends on the size of an input: {a.shape} and {b.shape}.")
    made = Tensor(tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)), a.dtype)
    if a.mask is not None:
        made.mask = _what_both_say(a.mask, b.mask)
    return made
