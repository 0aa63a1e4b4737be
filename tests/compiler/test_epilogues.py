import numpy as np

from layerkit import ops
from layerkit.graph import gradients
from layerkit.tracing import CompiledFunction

rng = np.random.default_rng(0)
X, W, B = (rng.normal(size=shape).astype("float32") for shape in ((2, 8, 8, 3), (3, 3, 3, 4), (4,)))


def kernels(function: CompiledFunction) -> list[str]:
    program = next(iter(function._kept.values())).executable.program
    return [step.kernel.module for step in program.steps if hasattr(step, "kernel")]


def pooled(x, w, b):
    return ops.max_pool(ops.relu(ops.conv(x, w) + b), 2)


def test_bias_and_relu_go_into_convolution_and_product():
    function = CompiledFunction(pooled)
    expected = CompiledFunction(pooled, interpret=True)(X, W, B)
    np.testing.assert_allclose(function(X, W, B).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    assert "fused" not in kernels(function)

    def dense(x, w, b):
        return ops.relu(ops.matmul(x, w) + b)

    function = CompiledFunction(dense)
    a, c, d = X.reshape(6, 64), rng.normal(size=(64, 5)).astype("float32"), rng.normal(size=5).astype("float32")
    np.testing.assert_allclose(function(a, c, d).numpy(), np.maximum(a @ c + d, 0), rtol=1e-5, atol=1e-5)
    assert set(kernels(function)) == {"matmul"}


def test_what_others_read_stays():
    def function(x, w, b):
        y = ops.conv(x, w) + b
        return ops.relu(y), y, ops.max_pool(ops.relu(y), 2)

    for a, c in zip(
        CompiledFunction(function)(X, W, B), CompiledFunction(function, interpret=True)(X, W, B), strict=True
    ):
        np.testing.assert_allclose(a.numpy(), c.numpy(), rtol=1e-5, atol=1e-6)


def test_relu_before_pooling_has_the_same_gradient():
    def function(x, w, b):
        return gradients([ops.sum(ops.square(pooled(x, w, b)))], [x, w, b])

    for a, c in zip(
        CompiledFunction(function)(X, W, B), CompiledFunction(function, interpret=True)(X, W, B), strict=True
    ):
        np.testing.assert_allclose(a.numpy(), c.numpy(), rtol=1e-4, atol=1e-4)
