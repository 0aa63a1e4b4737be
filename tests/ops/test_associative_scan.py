"""ops.associative_scan: eager and compiled, structures, axes, order, gradients."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.tracing import compile_function

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, 16, 33])
@pytest.mark.parametrize("reverse", [False, True])
def test_sums_are_running_sums(n: int, reverse: bool):
    x = RANDOM.integers(-9, 9, (2, n, 3)).astype("float32")
    expected = np.cumsum(x[:, ::-1], 1)[:, ::-1] if reverse else np.cumsum(x, 1)

    def scan(x: object) -> object:
        return ops.associative_scan(ops.add, x, reverse=reverse, axis=-2)

    np.testing.assert_array_equal(scan(x), expected)
    np.testing.assert_array_equal(compile_function(scan)(x), expected)


def test_the_order_of_the_arguments():
    """Products of matrices do not commute."""
    x = RANDOM.normal(size=(9, 3, 3))
    forward, backward = [x[0]], [x[-1]]
    for k in range(1, 9):
        forward.append(forward[-1] @ x[k])
        backward.append(backward[-1] @ x[8 - k])
    np.testing.assert_allclose(ops.associative_scan(ops.matmul, x), forward, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ops.associative_scan(ops.matmul, x, True), backward[::-1], rtol=1e-9, atol=1e-9)


def test_a_linear_recurrence_as_a_structure_and_its_gradient():
    """h[t] = a[t] h[t - 1] + b[t]: the state space models' recurrence."""
    a, b = RANDOM.uniform(0.5, 1, (11, 2)), RANDOM.normal(size=(11, 2))

    def combine(one: dict, other: dict) -> dict:
        return {"a": one["a"] * other["a"], "b": other["a"] * one["b"] + other["b"]}

    def states(a: object, b: object) -> object:
        return ops.associative_scan(combine, {"a": a, "b": b})["b"]

    h, expected = np.zeros(2), []
    for t in range(11):
        h = a[t] * h + b[t]
        expected.append(h)
    np.testing.assert_allclose(states(a, b), expected, rtol=1e-12)
    np.testing.assert_allclose(compile_function(states)(a, b), expected, rtol=1e-12)

    slope = compile_function(lambda a, b: gradients([ops.sum(states(a, b))], [a, b]))
    step, way = 1e-6, RANDOM.normal(size=(11, 2))
    for at, g in enumerate(slope(a, b)):
        moved = [[x + sign * step * way if k == at else x for k, x in enumerate((a, b))] for sign in (1, -1)]
        high, low = (ops.sum(states(*one)).item() for one in moved)
        np.testing.assert_allclose(np.sum(np.asarray(g) * way), (high - low) / (2 * step), rtol=1e-6)


def test_refusals():
    with pytest.raises(TypeError, match="f has to be a function"):
        ops.associative_scan(3, np.ones(3))
    with pytest.raises(ShapeError, match=r"one known size along axis 0; got shapes \(3,\), \(4,\)"):
        ops.associative_scan(lambda a, b: a, [np.ones(3), np.ones(4)])
    with pytest.raises(TypeError, match="the structure of elems"):
        ops.associative_scan(lambda a, b: a[0], (np.ones(3), np.ones(3)))
    with pytest.raises(ShapeError, match="keep the shapes"):
        ops.associative_scan(lambda a, b: ops.sum(a), np.ones(3))
