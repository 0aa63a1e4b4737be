"""Draws inside a compiled function are those outside of it, for any number of elements.

Bit for bit: the normal ones are stated once for both (kernels/inverse_normal.py), and their scaling is not contracted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops, random
from layerkit.tracing import compile_function

SHAPES = ((0,), (1,), (7, 5), (3, 1, 1025))
LOGITS = np.random.default_rng(1).normal(size=(5, 7)).astype("float32")
X = np.random.default_rng(2).normal(size=(9, 33)).astype("float32")

# A function of a shape and a generator for every function of layerkit.random.
DRAWS: dict[str, Callable] = {
    "uniform": lambda shape, seed, dtype: random.uniform(shape, dtype=dtype, seed=seed),
    "uniform, scaled": lambda shape, seed, dtype: random.uniform(shape, -2.0, 3.0, dtype, seed),
    "normal": lambda shape, seed, dtype: random.normal(shape, 0.5, 2.0, dtype, seed),
    "truncated_normal": lambda shape, seed, dtype: random.truncated_normal(shape, 0.5, 2.0, dtype, seed),
    "randint": lambda shape, seed, dtype: random.randint(shape, -5, 1000, "int32", seed),
    "gamma": lambda shape, seed, dtype: random.gamma(shape, 0.7, dtype, seed),
    "beta": lambda shape, seed, dtype: random.beta(shape, 0.7, 2.0, dtype, seed),
    "binomial": lambda shape, seed, dtype: random.binomial(shape, 10.0, 0.3, dtype, seed),
    "categorical": lambda shape, seed, dtype: random.categorical(LOGITS.astype(dtype), 11, "int32", seed),
    "dropout": lambda shape, seed, dtype: random.dropout(ops.reshape(X.astype(dtype), (9, 33)), 0.3, None, seed),
    "shuffle": lambda shape, seed, dtype: random.shuffle(X.astype(dtype), 1, seed),
}
OF_A_SHAPE = set(DRAWS) - {"categorical", "dropout", "shuffle"}
ELSEWHERE = {"SeedGenerator", "set_seed"}


def test_every_function_is_drawn():
    assert set(random.__all__) == {name.split(",")[0] for name in DRAWS} | ELSEWHERE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_compiled_draws_are_the_eager_ones(name: str, dtype: str):
    shapes = SHAPES if name in OF_A_SHAPE else SHAPES[:1]
    eager, compiled = random.SeedGenerator(7), random.SeedGenerator(7)
    expected = [DRAWS[name](shape, eager, dtype) for shape in shapes]
    found = compile_function(lambda: [DRAWS[name](shape, compiled, dtype) for shape in shapes])()
    for one, y in zip(found, expected, strict=True):
        assert one.dtype == y.dtype
        np.testing.assert_array_equal(np.asarray(one), y.numpy())
    np.testing.assert_array_equal(compiled.state.numpy(), eager.state.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["uniform, scaled", "normal", "truncated_normal"])
def test_a_million_draws(name: str, dtype: str):
    draw = DRAWS[name]
    compiled = compile_function(lambda: draw((1_000_003,), 11, dtype))()
    np.testing.assert_array_equal(np.asarray(compiled), draw((1_000_003,), 11, dtype).numpy())


def test_parameters_that_are_tensors():
    mean, stddev = np.linspace(-1, 1, 5, dtype="float32"), np.float32([[0.3], [2.0]])

    def draw(mean: object, stddev: object) -> list:
        drawn = [kind((2, 5), mean, stddev, seed=3) for kind in (random.normal, random.truncated_normal)]
        return [*drawn, random.uniform((2, 5), mean, stddev, seed=3)]

    for found, expected in zip(compile_function(draw)(mean, stddev), draw(mean, stddev), strict=True):
        np.testing.assert_array_equal(np.asarray(found), expected.numpy())


@pytest.mark.parametrize(
    "kind", [layers.Dropout, layers.SpatialDropout1D, layers.GaussianDropout, layers.GaussianNoise]
)
def test_layers_that_draw(kind: type):
    x = X.reshape(3, 3, 33)

    def of(compiled: bool) -> list[np.ndarray]:
        layer = kind(0.4, seed=3)
        call = compile_function(lambda x: layer(x, training=True)) if compiled else lambda x: layer(x, training=True)
        return [np.asarray(call(layerkit.ops.convert_to_tensor(x))) for _ in range(2)]

    for found, expected in zip(of(True), of(False), strict=True):
        np.testing.assert_array_equal(found, expected)
