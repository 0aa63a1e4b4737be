import numpy as np

from layerkit import ops, random
from layerkit.tracing import CompiledFunction, compile_function


def test_a_chain_that_leaves_its_group_and_comes_back_is_two_groups():
    """a -> matmul -> b with a and b alike in shape: fused together they would wait for each other."""

    def function(x):
        a = ops.exp(x)
        b = ops.matmul(a, x) + a
        return ops.matmul(b, x) * a + b

    x = np.random.default_rng(0).normal(size=(5, 5)).astype("float32")
    expected = CompiledFunction(function, interpret=True)(x)
    np.testing.assert_allclose(CompiledFunction(function)(x).numpy(), expected.numpy(), rtol=1e-5)


def test_random_graphs_agree_with_the_reference():
    for seed in range(8):

        def function(x, seed=seed):
            rng = np.random.default_rng(seed)
            pool = [x, x * 2.0]
            for _ in range(20):
                a, b = (pool[i] for i in rng.integers(0, len(pool), 2))
                made = [
                    lambda a, b: a + b,
                    lambda a, b: a * 0.5 - b,
                    lambda a, b: ops.relu(a),
                    lambda a, b: ops.tanh(ops.matmul(a, b) * 0.2),
                    lambda a, b: a - ops.mean(b, -1, keepdims=True),
                    lambda a, b: a - ops.mean(b, 0),
                    lambda a, b: ops.where(a > b, a, ops.max(b, -1, keepdims=True)),
                    lambda a, b: ops.transpose(a) + b,
                ][rng.integers(0, 8)](a, b)
                pool.append(made)
            return [pool[-1], pool[-5], ops.sum(pool[-7])]

        x = np.random.default_rng(seed).normal(size=(6, 6))
        for a, b in zip(CompiledFunction(function, interpret=True)(x), CompiledFunction(function)(x), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-9, atol=1e-9)


def test_a_draw_and_what_makes_its_key_are_kernels_of_their_own():
    """A draw reads its key whole; at the key's own size, 2, the two would have the same points."""

    def function(x):
        generator = random.SeedGenerator(3)
        generator.next()
        scale = random.uniform((2,), seed=generator)
        return ops.exp(scale[1] * x) + scale, random.normal((2,), seed=generator)

    x = np.ones(2, "float32")
    expected = function(x)
    for found, y in zip(compile_function(function)(x), expected, strict=True):
        np.testing.assert_allclose(found, y, rtol=1e-6)
