"""Reverse-mode differentiation: adds the nodes of the gradients to the graph being recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np

from layerkit.dtypes import is_inexact
from layerkit.errors import GraphError
from layerkit.graph.graph import layer_path
from layerkit.graph.node import Node
from layerkit.graph.operation import Elementwise, Operation
from layerkit.graph.tensor import Tensor


def gradients(
    outputs: Sequence[Tensor],
    wrt: Sequence[Tensor],
    output_gradients: Sequence[Tensor | None] | None = None,
    maker: Callable[[Tensor], Node | None] = attrgetter("node"),
) -> list[Tensor | None]:
    """The gradient of the sum of `outputs` with respect to each tensor of `wrt`; None where there is no way to it.

    Args:
        outputs: symbolic tensors.
        wrt: symbolic tensors of the same graph.
        output_gradients: what each output is weighted with; None: ones.
        maker: gives the node that made a tensor; with a tape's the tensors may be eager, and so are the gradients.
    """
    order, needed = _nodes_between(outputs, wrt, maker)
    found: dict[Tensor, Tensor] = {}

    def add(tensor: Tensor, g: Tensor) -> None:
        found[tensor] = g if tensor not in found else found[tensor] + g

    weights = output_gradients or [None] * len(outputs)
    for output, weight in zip(outputs, weights, strict=True):
        if output in needed:
            add(output, weight if weight is not None else Tensor.of(np.ones(output.shape, output.dtype)))
    for node in reversed(order):
        given = [found.get(output) for output in node.outputs]
        if all(g is None for g in given):
            continue
        operation: Operation = node.operation
        with layer_path(node.path):
            single = operation.outputs == 1
            g, y = (given[0], node.outputs[0]) if single else (given, list(node.outputs))
            back = operation.gradient(g, y, *node.inputs)
            if len(back) != len(node.inputs):
                raise GraphError(f"{operation!r}.gradient gave {len(back)} gradients for {len(node.inputs)} inputs.")
            for tensor, gx in zip(node.inputs, back, strict=True):
                if gx is not None and tensor in needed:
                    if isinstance(operation, Elementwise):
                        gx = sum_to_shape(gx, tensor.shape)
                    add(tensor, gx)
    return [found.get(tensor) for tensor in wrt]


def sum_to_shape(g: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of a broadcast: sums over the axes along which `shape` was repeated."""
    if g.shape == tuple(shape):
        return g
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        axis for axis in range(extra, g.ndim) if shape[axis - extra] == 1 and g.shape[axis] != 1
    )
    if axes:
        g = Operation.registry["Sum"](axes)(g)
    return g if g.shape == tuple(shape) else Operation.registry["Reshape"](tuple(shape))(g)


def _nodes_between(
    outputs: Sequence[Tensor], wrt: Sequence[Tensor], maker: Callable[[Tensor], Node | None]
) -> tuple[list[Node], set[Tensor]]:
    """The nodes on the ways from `wrt` to `outputs` in topological order, and the tensors on them."""
    targets = {id(tensor) for tensor in wrt}
    reaches: dict[int, bool] = {}
    order: list[Node] = []
    needed: set[Tensor] = set()

    def on_way(tensor: Tensor) -> bool:
        node = maker(tensor)
        return id(tensor) in targets or (node is not None and reaches.get(id(node), False))

    stack: list[tuple[Node | None, bool]] = [(maker(output), False) for output in outputs]
    seen: set[int] = set()
    while stack:
        node, finished = stack.pop()
        if node is None:
            continue
        if not finished:
            if id(node) in seen:
                continue
            seen.add(id(node))
            stack.append((node, True))
            stack += [(maker(tensor), False) for tensor in node.inputs]
            continue
        leading = [tensor for tensor in node.inputs if on_way(tensor) and is_inexact(tensor.dtype)]
        needed.update(leading)
        reaches[id(node)] = bool(leading)
        if leading:
            order.append(node)
    needed.update(output for output in outputs if on_way(output))
    return order, needed
