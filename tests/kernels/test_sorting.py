"""Sorting, the largest k and searching in order against NumPy."""

import numpy as np
import pytest

from layerkit.kernels import sorting_launch
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

DTYPES = ["float32", "float64", "int32", "int64", "bool"]
# One element, insertion, both digits of the radix sort, networks of rows and columns, and nothing.
SHAPES = [
    ((1, 1), 1), ((3, 5), 1), ((4, 48), 1), ((2, 300), 1), ((1, 7000), 1), ((40, 37), 1), ((17, 500), 1),
    ((2, 60, 30), 1), ((9, 2), 0), ((9, 1), 1), ((2, 0), 1),
]  # fmt: skip


def run(name, *arrays, **options):
    operands = [operand_of(array) for array in arrays]
    launches = getattr(sorting_launch, name + "_launches")(*operands, **options)
    run_launches(launches, {operand.buffer: array for operand, array in zip(operands, arrays, strict=True)})


def elements(shape, dtype, seed=0):
    """Elements with many ties; among floats zeros of both signs, infinities and NaN."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype.startswith("int"):
        limits = np.iinfo(dtype)
        x = random.integers(-30, 30, shape).astype(dtype)
        return np.where(random.random(shape) < 0.1, random.choice([limits.min, limits.max], shape), x).astype(dtype)
    x = random.normal(0, 1e3, shape).round(1).astype(dtype)
    special = random.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, np.finfo(dtype).max], shape).astype(dtype)
    return np.where(random.random(shape) < 0.2, special, x)


def sort(x, axis=-1):
    out = np.empty_like(x)
    run("sort", x, out, axis=axis % x.ndim)
    return out


def argsort(x, axis=-1):
    out = np.full(x.shape, -7, "int32")
    run("argsort", x, out, axis=axis % x.ndim)
    return out


def top_k(x, k):
    values, indices = np.empty((*x.shape[:-1], k), x.dtype), np.full((*x.shape[:-1], k), -7, "int32")
    run("top_k", x, values, indices)
    return values, indices


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_sort(dtype, shape, axis):
    x = elements(shape, dtype)
    np.testing.assert_array_equal(sort(x, axis), np.sort(x, axis))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_argsort_is_stable_with_nan_last(dtype, shape, axis):
    x = elements(shape, dtype)
    np.testing.assert_array_equal(argsort(x, axis), np.argsort(x, axis, kind="stable"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n", "k"), [(1, 0), (1, 1), (5, 1), (5, 5), (60, 5), (60, 60), (1000, 0), (1000, 5), (1000, 60), (1000, 100)]
)
def test_top_k_has_nan_first_and_of_equals_the_first(dtype, n, k):
    x = elements((3, n), dtype)
    expected = n - 1 - np.argsort(x[:, ::-1], -1, kind="stable")[:, ::-1][:, :k]
    values, indices = top_k(x, k)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected, -1))


@pytest.mark.parametrize("order", ["rising", "falling", "equal"])
def test_rows_in_order(order):
    x = {"rising": np.arange(5000), "falling": np.arange(5000)[::-1], "equal": np.full(5000, 3)}[order]
    x = x.astype(np.float32).reshape(1, -1)
    np.testing.assert_array_equal(argsort(x), np.argsort(x, kind="stable"))
    np.testing.assert_array_equal(top_k(x, 7)[0], np.sort(x)[:, ::-1][:, :7])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("right", [False, True])
def test_search_sorted(dtype, n, right):
    ordered, values = np.sort(elements(n, dtype)), elements((7, 43), dtype, seed=1)
    out = np.full(values.shape, -7, "int32")
    run("search_sorted", ordered, values, out, right=right)
    np.testing.assert_array_equal(out, np.searchsorted(ordered, values, "right" if right else "left"))


def test_equal_bits_for_any_number_of_threads():
    x = elements((211, 1500), "float32")
    before = get_num_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            results.append(
                [one.tobytes() for one in (sort(x), sort(x, 0), argsort(x), argsort(x, 0), *top_k(x, 9), *top_k(x, 90))]
            )
    finally:
        set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_what_cannot_be_sorted():
    with pytest.raises(ValueError, match="are sorted, not int8"):
        sort(np.zeros((2, 3), np.int8))
    with pytest.raises(ValueError, match="Expected a contiguous int32"):
        run("argsort", np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int64), axis=1)
