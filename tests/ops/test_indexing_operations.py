"""Indexing, sorting and running products as users call them: keys, indices outside, gradients, one native plan."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import ops
from layerkit.graph import gradients
from layerkit.tracing import compile_function

X = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)
FEW, MORE, COLUMN = np.array([1, 0, -1]), np.array([2, 0, -1]), np.array([[0], [2]])
MASK = np.array([True, False, True])
KEYS = [
    0, -1, slice(None), (slice(0, 2), 1), (..., 0), (None, 0), (slice(None, None, -1), slice(None), slice(3, None, -2)),
    (0, ..., None), slice(1, 1), FEW, (slice(None), MORE), (slice(None), slice(None), MORE), (FEW, MORE),
    (FEW, slice(None), MORE), (0, slice(None), MORE), (slice(None), 0, MORE), (slice(None), MORE, 0), (FEW, COLUMN),
    (FEW, COLUMN, MORE), (..., MORE), (..., MORE, None), (FEW, None, MORE), (slice(None), MASK),
    (slice(None), X[0, :, :, 0] > 20), (slice(None), MASK, slice(1, 3), MORE[:2]), X > 50,
    (slice(None, None, -1), COLUMN, slice(1, 3)), (np.array(1), slice(None), MORE), MORE[:0],
    (slice(None), np.zeros((0, 2), int)), (slice(0, 2), MORE, slice(None), MORE),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key).replace("\n", "")[:60])
def test_keys_are_numpys(key):
    np.testing.assert_array_equal(ops.get_item(X, key).numpy(), X[key])
    np.testing.assert_array_equal(compile_function(lambda x: x[key])(X).numpy(), X[key])


def test_indices_that_are_not_known():
    def function(x, a, b):
        return x[a], x[:, b], x[a, b], x[a, :, b], x[0, :, b], x[a[0]]

    a, b = FEW.astype("int32"), MORE.astype("int64")
    expected = X[a], X[:, b], X[a, b], X[a, :, b], X[0, :, b], X[1]
    for found, wanted in zip(compile_function(function)(X, a, b), expected, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted)


def test_a_mask_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"ops.get_item: a mask whose elements are not known.*ops.where"):
        compile_function(lambda x: x[x > 0])(X)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda x: ops.take(x, [[0, 7], [-4, 1]], axis=1),
            r"ops.take: indices\[0, 1\] is 7, and 1 more, outside of axis 1 of shape \(2, 3, 4, 5\), which has size 3 "
            r"\(allowed: from -3 to 2\). Got indices of shape \(2, 2\)",
        ),
        (lambda x: ops.take(x, 120), r"ops.take: the index is 120, outside of axis 0 of shape \(120,\)"),
        (
            lambda x: ops.take_along_axis(x, np.full((2, 3, 1, 5), 4), 2),
            r"ops.take_along_axis: indices\[0, 0, 0, 0\] is 4, and 29 more",
        ),
        (lambda x: x[np.array([0, 2])], "ops.get_item.*2.*axis 0"),
        (lambda x: x[5], "ops.get_item.*5.*axis 0"),
        (lambda x: ops.scatter([[0, 9]], x[:1, 0, 0, 0], (3, 3)), r"ops.scatter: indices\[0\] is 9, outside of axis 1"),
        (
            lambda x: ops.scatter_update(x, [[-3]], x[:1]),
            r"ops.scatter_update: indices\[0\] is -3, outside of axis 0 of shape \(2, 3, 4, 5\)",
        ),
        (
            lambda x: ops.segment_max(x, [0, 3], num_segments=3),
            r"ops.segment_max: indices\[1\] is 3, outside of axis 0",
        ),
    ],
)
def test_known_indices_outside_raise(call, text):
    with pytest.raises(IndexError, match=text):
        call(ops.convert_to_tensor(X))
    with pytest.raises(IndexError, match=text):
        compile_function(call)(X)


def test_indices_outside_in_compiled_code_read_nan_and_write_nothing():
    x, indices = np.array([1.0, 2.0, 3.0], "float32"), np.array([0, 3, -4, -1], "int32")
    ones = np.ones(4, "float32")

    def function(x, indices, ones):
        pairs = ops.stack([indices, indices], -1)
        return (
            ops.take(x, indices),
            ops.take_along_axis(x, indices, 0),
            x[indices],
            ops.take(ops.cast(x, "int32"), indices),
            ops.scatter(indices[:, None], ones, (3,)),
            ops.scatter(pairs, ones, (3, 3)),
            ops.scatter_update(x, indices[:, None], ones * 5.0),
            ops.segment_sum(ones, indices, 3),
            gradients([ops.take(x, indices)], [x], [ones])[0],
            gradients([ops.scatter(indices[:, None], ones, (3,))], [ones], [x])[0],
        )

    expected = [
        [1, np.nan, np.nan, 3], [1, np.nan, np.nan, 3], [1, np.nan, np.nan, 3], [1, 0, 0, 3], [1, 0, 1],
        [[1, 0, 0], [0, 0, 0], [0, 0, 1]], [5, 2, 5], [1, 0, 0], [1, 0, 1], [1, 0, 0, 3],
    ]  # fmt: skip
    for found, wanted in zip(compile_function(function)(x, indices, ones), expected, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted)


@pytest.mark.parametrize("reduction", [None, "add", "max", "min", "mul"])
def test_scatter_update_combines(reduction):
    x = np.full((3, 2), 2.0, "float32")
    indices, updates = np.array([[0], [-1], [2]], "int32"), np.array([[1, 3], [5, 1], [4, 3]], "float32")
    expected = x.copy()
    for (at,), update in zip(indices, updates, strict=True):
        join = {None: lambda a, b: b, "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
        expected[at] = join[reduction](expected[at], update)
    np.testing.assert_array_equal(ops.scatter_update(x, indices, updates, reduction).numpy(), expected)
    compiled = compile_function(lambda x, i, u: ops.scatter_update(x, i, u, reduction))
    np.testing.assert_array_equal(compiled(x, indices, updates).numpy(), expected)


def test_scatter_update_has_no_other_reduction():
    with pytest.raises(ValueError, match="Unknown reduction of ops.scatter_update 'sum'.*add, max, min, mul"):
        ops.scatter_update(np.zeros(3), [[0]], np.ones(1), "sum")


def test_an_update_that_another_replaced_has_no_gradient():
    def function(x, u):
        y = ops.scatter_update(x, [[0], [2], [0]], u)
        return gradients([y], [x, u], [np.array([1.0, 2.0, 3.0])])

    gx, gu = compile_function(function)(np.zeros(3), np.array([np.inf, 1.0, 2.0]))
    assert gx.tolist() == [0, 2, 0]
    assert gu.tolist() == [0, 3, 1]


def test_running_products_have_a_gradient_where_elements_are_zero():
    x = np.array([2.0, 0.0, 3.0, 0.0, 5.0])
    gradient = compile_function(lambda x: gradients([ops.cumprod(x, 0)], [x], [np.ones(5)])[0])
    np.testing.assert_allclose(gradient(x).numpy(), [1, 2 + 6, 0, 0, 0])


def test_nothing_cuts_the_plan():
    def function(x, i, rows):
        u = ops.take_along_axis(x, i, 1)
        values, places = ops.top_k(x, 2)
        parts = (
            ops.sort(x, 0), ops.argsort(x), values, places, ops.cumsum(x, 1), ops.cumprod(x, 0), ops.pad(x, 1),
            ops.concatenate([x, u], 1), ops.stack([x, x], 2), ops.roll(x, 1, 1), ops.flip(x, 0), ops.tile(x, (2, 1)),
            ops.repeat(x, 2, 1), ops.searchsorted(x[0], x), ops.digitize(x, np.array([0.0, 1.0])), ops.one_hot(i, 4),
            ops.argmax(x, 0), ops.argmin(x, 1), x[:, i[0]], x[i[:2, 0], rows[:2]], x[::-1, ::2],
            ops.segment_max(x, rows, 4), ops.segment_min(x, rows, 4), ops.segment_prod(x, rows, 4),
            *(ops.scatter_update(x, rows[:, None], x, how) for how in (None, "add", "max", "min", "mul")),
        )  # fmt: skip
        floats = [part for part in parts if part.dtype.startswith("float")]
        return *parts, *gradients(floats, [x], [ops.ones_like(part) for part in floats])

    x, rows = np.random.default_rng(0).normal(size=(3, 4)).astype("float32"), np.array([0, 2, 2], "int32")
    i = np.array([[0, 1], [3, 2], [1, 1]], "int32")
    compiled = compile_function(function)
    compiled(x, i, rows)
    plan = compiled.traced((x, i, rows), [x, i, rows]).executable.plan
    assert all(isinstance(segment, tuple) for segment in plan.segments)
