"""Windows over volumes in a trace, which are windows over their slices, against the references of the whole."""

import numpy as np
import pytest

import layerkit
from layerkit import ops
from layerkit.tracing import compile_function

RNG = np.random.default_rng(0)


def close(found: object, expected: object) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("strides", "padding", "dilation", "kernel", "channels"),
    [
        (1, "valid", 1, (3, 3, 3), 4),
        ((2, 1, 3), "same", 1, (3, 2, 3), 5),
        (1, "same", (2, 1, 2), (2, 3, 2), 3),
        (2, "valid", 1, (1, 1, 1), 3),
        (1, "valid", 1, (1, 3, 3), 1),
    ],
)
def test_convolution(strides: object, padding: str, dilation: object, kernel: tuple, channels: int):
    x = RNG.standard_normal((2, 7, 8, 9, channels), "float32")
    w = RNG.standard_normal((*kernel, channels, 6), "float32")

    def conv(x: object, w: object) -> object:
        return ops.conv(x, w, strides, padding, dilation_rate=dilation)

    def gradient(x: object, w: object) -> object:
        return layerkit.grad(lambda x, w: ops.sum(ops.sin(conv(x, w))), argnums=(0, 1))(x, w)

    close(compile_function(conv).run(x, w), conv(x, w))
    for found, expected in zip(compile_function(gradient).run(x, w), gradient(x, w), strict=True):
        close(found, expected)


@pytest.mark.parametrize("pool", [ops.max_pool, ops.average_pool])
@pytest.mark.parametrize(
    ("size", "strides", "padding"), [(2, None, "valid"), ((3, 2, 3), (2, 1, 2), "same"), ((2, 3, 1), 1, "same")]
)
def test_pooling_with_equal_elements(pool: object, size: object, strides: object, padding: str):
    x = RNG.integers(0, 3, (2, 7, 8, 9, 5)).astype("float32")
    weights = np.arange(5, dtype="float32")

    def gradient(x: object) -> object:
        return layerkit.grad(lambda x: ops.sum(ops.sin(pool(x, size, strides, padding)) * weights))(x)

    close(compile_function(lambda x: pool(x, size, strides, padding)).run(x), pool(x, size, strides, padding))
    close(compile_function(gradient).run(x), gradient(x))


def test_a_step_over_volumes_calls_no_reference():
    x, w = np.ones((2, 6, 6, 6, 3), "float32"), np.ones((3, 3, 3, 3, 4), "float32")
    function = layerkit.function(lambda x, w: ops.max_pool(ops.conv(x, w, padding="same"), 2))
    assert function.cost(x, w).host_calls == 0


def test_batches_of_none():
    x, w = np.ones((0, 6, 6, 6, 3), "float32"), np.ones((3, 3, 3, 3, 4), "float32")
    assert compile_function(lambda x, w: ops.max_pool(ops.conv(x, w), 2)).run(x, w).shape == (0, 2, 2, 2, 4)
