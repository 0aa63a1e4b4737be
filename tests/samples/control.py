"""Rows for control flow and gradients of one's own; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops
from layerkit.graph.body import Body
from layerkit.graph.control import Branch, Loop, While
from layerkit.graph.graph import Graph
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor


def _body(function, *shapes: tuple[int, ...]) -> Graph:
    return Body(function, [Tensor(shape, "float64") for shape in shapes]).graph


def _normal(*shape: int):
    return lambda rng, dtype: rng.normal(size=shape)


def _index(rng: np.random.Generator, dtype: str) -> np.ndarray:
    return np.array(1, "int32")


def rows() -> list[tuple[Operation, tuple, bool]]:
    """(operation, makers of inputs, whether the gradient is that of the reference) for each row."""

    def turn(s, x, w):
        s = ops.tanh(s @ w + x)
        return s, ops.exp(s) * x

    body = _body(turn, (2, 3), (2, 3), (3, 3))
    branches = (
        _body(lambda x, w: ops.sin(x) @ w, (2, 3), (3, 3)),
        _body(lambda x, w: ops.exp(x) * 2.0, (2, 3), (3, 3)),
    )
    halving = While(_body(lambda x: ops.max(x) > 1.0, (2, 3)), _body(lambda x: x / 2.0, (2, 3)), 1)
    doubled = ops.CustomGradient(lambda g: g * 2.0, 1, 1)
    return [
        *(
            (Loop(body, 1, 1, turns, reverse), (_normal(2, 3), _normal(turns, 2, 3), _normal(3, 3)), True)
            for turns, reverse in ((4, False), (3, True), (1, False))
        ),
        (Branch(branches), (_index, _normal(2, 3), _normal(3, 3)), True),
        (halving, (_normal(2, 3),), False),
        (doubled, (_normal(2, 3), _normal(2, 3)), False),
    ]
