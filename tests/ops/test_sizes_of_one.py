"""Sums and products along axes of one element, where strides say nothing: compiled as on NumPy."""

import itertools

import numpy as np
import pytest

from layerkit import ops
from layerkit.tracing import compile_function


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 7, 1), (3, 1, 2), (1, 1, 1), (5, 2, 1, 1), (5, 1, 3, 1)], ids=str)
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    for count in (1, 2):
        for axes in itertools.combinations(range(len(shape)), count):
            found = compile_function(lambda x, axes=axes: getattr(ops, name)(x, axis=axes))(x)
            np.testing.assert_allclose(found, getattr(np, name)(x, axis=axes), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("repeated", [False, True], ids=["as it is", "repeated"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1, 1, 1), (3, 1, 1)), ((1, 1, 5), (3, 5, 1)), ((1, 5), (3, 5, 1)), ((1, 4, 5), (3, 5, 1)),
        ((3, 4, 5), (1, 5, 1)), ((2, 1, 4, 1), (2, 3, 1, 1)), ((3, 2, 1), (1, 1, 1)), ((4, 5), (5, 1)),
    ],
    ids=str,
)  # fmt: skip
def test_matrices_times_single_columns(left: tuple, right: tuple, repeated: bool) -> None:
    random = np.random.default_rng(0)
    a, b = (random.normal(size=shape).astype("float32") for shape in (left, right))
    batch = np.broadcast_shapes(left[:-2], right[:-2])

    def product(a: object, b: object) -> object:
        if repeated:
            a, b = ops.broadcast_to(a, (*batch, *left[-2:])), ops.broadcast_to(b, (*batch, *right[-2:]))
        return ops.matmul(a, b)

    np.testing.assert_allclose(compile_function(product)(a, b), a @ b, rtol=1e-5, atol=1e-5)
