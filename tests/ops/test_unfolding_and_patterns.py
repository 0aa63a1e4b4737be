"""Unfolding, adaptive pooling, patterns, partitions and vectorized functions, beyond what Keras' recordings show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph import gradients
from layerkit.graph.graph import trace
from layerkit.graph.tensor import Tensor
from layerkit.tracing import compile_function
from tests.laws.test_operations import check_gradient


def unlike(*shape: int) -> np.ndarray:
    """Numbers in a random order, 0.1 apart, so that no step of the differences changes which one is the largest."""
    return np.random.default_rng(0).permutation(np.arange(np.prod(shape)) * 0.1).reshape(shape)


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
@pytest.mark.parametrize(
    ("shape", "size", "data_format"),
    [
        ((2, 9, 3), 4, "channels_last"),
        ((2, 3, 7, 6), (3, 5), "channels_first"),
        ((1, 5, 4, 3, 2), (2, 3, 2), "channels_last"),
        ((2, 8, 6, 2), (4, 3), None),
    ],
)
def test_gradient_of_adaptive_pools(name: str, shape: tuple, size: object, data_format: str | None):
    check_gradient(lambda x: [getattr(ops, name)(x, size, data_format)], [unlike(*shape)])


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("size", [3, 4])
def test_compiled_adaptive_pools_are_eager(name: str, size: int):
    x = unlike(2, 9, 6, 3).astype("float32")

    def function(x: Tensor) -> list[Tensor]:
        y = getattr(ops, name)(x, (size, 3))
        return [y, *gradients([y * y], [x])]

    y, gx = compile_function(function)(x)
    np.testing.assert_allclose(y.numpy(), getattr(ops, name)(x, (size, 3)).numpy(), rtol=1e-6)
    assert gx.shape == x.shape


def test_an_infinite_element_stays_in_its_windows():
    x = np.array([1, np.inf, 3, 4, 5, 6, 7], "float32").reshape(1, 7, 1)
    assert ops.adaptive_average_pool(x, 3).numpy().ravel().tolist() == [np.inf, 4.0, 6.0]


def test_a_functional_model_with_unknown_sizes():
    x = keras.Input((None, 6, 2))
    model = keras.Model(x, ops.rearrange(ops.adaptive_average_pool(x, (2, 4)), "b h w c -> b (h w) c"))
    assert model.output_shape == (None, 8, 2)
    images = np.random.default_rng(0).normal(size=(3, 5, 6, 2)).astype("float32")
    expected = ops.adaptive_average_pool(images, (2, 4)).numpy().reshape(3, 8, 2)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5)


def test_unknown_sizes_stay_unknown():
    graph = trace(
        lambda x, y: [
            ops.unfold(x, 2),
            ops.fold(y, 4, 2),
            ops.view(x, "uint8"),
            ops.rearrange(x, "a b c d -> a (b d) c"),
        ],
        [((None, 3, 4, None), "float32"), ((None, 12, 9), "float32")],
    )
    assert [y.shape for y in graph.outputs] == [(None, 12, None), (None, 3, 4, 4), (None, 3, 4, None), (None, None, 4)]


def test_fold_sums_what_unfold_repeats():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    window = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)}
    counts = ops.fold(ops.unfold(np.ones_like(x), **window), (5, 6), **window).numpy()
    np.testing.assert_allclose(ops.fold(ops.unfold(x, **window), (5, 6), **window).numpy(), x * counts)


@pytest.mark.parametrize("kth", [0, 7, -3, (2, 11)])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_a_partition_has_its_places_right(kth: object, axis: int | None):
    x = np.random.default_rng(0).integers(0, 9, (12, 12))
    order = ops.argpartition(x, kth, axis)
    assert order.dtype == "int32"
    values = np.sort(x, axis)
    found = np.take_along_axis(x.reshape(-1) if axis is None else x, order.numpy(), 0 if axis is None else axis)
    along = 0 if axis is None else axis
    for place in np.atleast_1d(kth):
        low, high = np.split(found, [place % found.shape[along]], along)
        middle = np.take(values, [place], along)
        assert (np.take(found, [place], along) == middle).all()
        assert (low <= middle).all()
        assert (high >= middle).all()


def test_the_bessel_function_is_smooth_where_its_forms_meet():
    i0 = ops.i0(np.array([29.999999, 30.0, 30.000001])).numpy()
    slope = np.diff(i0) / i0[1] / 1e-6
    np.testing.assert_allclose(slope, 0.98319, rtol=1e-4)  # I1(30) / I0(30)
    assert ops.i0(np.array([712.0])).numpy() < np.inf
    assert ops.i0(np.array([np.inf, -np.inf, 1e4])).tolist() == [np.inf] * 3  # the last one overflows


def test_vectorized_functions():
    x, y = np.arange(6.0).reshape(2, 3), np.array([10.0, 20.0, 30.0])
    total = ops.vectorize(lambda a, b: ops.sum(a) + ops.sum(b) * 2)
    assert total(x, y).tolist() == (x + 2 * y).tolist()
    assert total(1.0, 2.0).item() == 5.0
    product = ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")
    matrices = np.arange(24.0).reshape(4, 2, 3)
    np.testing.assert_allclose(product(matrices, y).numpy(), matrices @ y)
    ends = ops.vectorize(lambda row: (row[0], row[1:]), signature="(n)->(),(k)")
    first, rest = ends(x)
    assert (first.tolist(), rest.tolist()) == ([0.0, 3.0], [[1.0, 2.0], [4.0, 5.0]])
    assert ops.vectorize(lambda a, b: a + b, excluded={1})(y, x).shape == (3, 2, 3)
    assert ops.vectorize(lambda a, b=1: a + b)(y, b=2.0).tolist() == [12.0, 22.0, 32.0]


def test_a_vectorized_function_is_traced_and_has_a_gradient():
    norm = ops.vectorize(lambda row: ops.sqrt(ops.sum(row * row)), signature="(n)->()")
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(compile_function(norm)(x).numpy(), np.linalg.norm(x, axis=1))
    check_gradient(lambda x: [norm(x)], [x])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.unfold(np.ones((4, 4)), 2), ShapeError, "Unfold.*has to have 4 axes"),
        (
            lambda: ops.unfold(np.ones((1, 1, 2, 2)), 3),
            ShapeError,
            "a window over 3 elements does not fit an axis of 2",
        ),
        (lambda: ops.unfold(np.ones((1, 1, 2, 2)), 2, padding=-1), ValueError, "padding is an integer from 0 on, or 2"),
        (lambda: ops.fold(np.ones((1, 9, 4)), 3, 2), ShapeError, "axis 1 has to be a multiple of the kernel's, 4"),
        (lambda: ops.fold(np.ones((1, 8, 3)), 3, 2), ShapeError, r"images of size \(3, 3\) have 4 windows"),
        (lambda: ops.fold(np.ones((8, 3)), 3, 2), ShapeError, "has to have 3 axes"),
        (lambda: ops.adaptive_max_pool(np.ones((2, 3)), 2), ShapeError, r"3 to 5 axes .* got shape \(2, 3\)"),
        (
            lambda: ops.adaptive_max_pool(np.ones((2, 3, 1)), (2, 2)),
            ValueError,
            "output_size is a positive integer, or 1",
        ),
        (lambda: ops.adaptive_max_pool(np.ones((2, 0, 1)), 2), ShapeError, "an axis without elements can't be pooled"),
        (lambda: ops.adaptive_average_pool(np.ones((2, 3, 1)), 2, "NCW"), ValueError, "'channels_first'; got 'NCW'"),
        (lambda: ops.argpartition(np.ones(5), 5), ShapeError, r"kth=\(5,\) does not lie in axis 0 of size 5"),
        (lambda: ops.rearrange(np.ones((2, 3)), "a b"), ValueError, "takes a pattern like .* got 'a b'"),
        (lambda: ops.rearrange(np.ones((2, 3)), "a ... -> ... a"), ValueError, "takes a pattern like"),
        (lambda: ops.rearrange(np.ones((2, 3)), "a b -> a"), ValueError, "the same names, each once"),
        (lambda: ops.rearrange(np.ones((2, 3)), "a b c -> c a b"), ShapeError, r"3 axes before .* got shape \(2, 3\)"),
        (
            lambda: ops.rearrange(np.ones((2, 3)), "(a b) c -> a b c"),
            ValueError,
            "of a, b in .* all but one need a length",
        ),
        (lambda: ops.rearrange(np.ones((2, 3)), "(a b) c -> a b c", a=3), ShapeError, "an axis of size 2 is not"),
        (lambda: ops.rearrange(np.ones((2, 3)), "a b -> b a", c=3), ValueError, "has no axis c"),
        (lambda: ops.vectorize(3), ValueError, "takes a function; got 3"),
        (lambda: ops.vectorize(abs, signature="n->n"), ValueError, r"signature like .* got 'n->n'"),
        (lambda: ops.vectorize(abs, signature="(n)->(n)")(np.float32(1)), ShapeError, r"shape \(\) has no axes"),
        (lambda: ops.vectorize(abs, signature="(n)->()")(np.ones((2, 3))), ShapeError, r"shape \(3,\) where \(\) is"),
        (lambda: ops.vectorize(abs)(np.ones(0)), ShapeError, "no element to apply the function to"),
        (
            lambda: ops.vectorize(ops.add, signature="(n),(n)->(n)")(np.ones(2), np.ones(3)),
            ShapeError,
            "axis n has the sizes 2 and 3",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        call()
