"""Running sums and products and linear recurrences against NumPy."""

import numpy as np
import pytest

from layerkit.kernels import cumulative_launch
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

SHAPES = [((1,), 0), ((3, 1), 1), ((3, 9), 1), ((4, 3), 0), ((2, 5, 3), 1), ((2, 3, 700), 1), ((0, 3), 1), ((3, 0), 1)]


def run(name, *arrays, **options):
    operands = [operand_of(array) for array in arrays]
    launches = getattr(cumulative_launch, name + "_launches")(*operands, **options)
    run_launches(launches, {operand.buffer: array for operand, array in zip(operands, arrays, strict=True)})
    return arrays[-1]


def turned(function, x, axis, reverse):
    return np.flip(function(np.flip(x, axis), axis), axis) if reverse else function(x, axis)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["sum", "prod"])
def test_accumulate(dtype, shape, axis, reverse, kind):
    x = np.random.default_rng(0).uniform(-3, 3, shape).astype(dtype)
    out = run("accumulate", x, np.full_like(x, 7), axis=axis, kind=kind, reverse=reverse)
    expected = turned(lambda x, axis: {"sum": np.cumsum, "prod": np.cumprod}[kind](x, axis, x.dtype), x, axis, reverse)
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=1e-5)


def test_nan_and_infinity_stay_behind():
    x = np.array([[1, np.inf, 2, -np.inf, 1], [1, 2, np.nan, 3, 4]], np.float32)
    expected = [[1, np.inf, np.inf, np.nan, np.nan], [1, 3, np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(run("accumulate", x, np.empty_like(x), axis=1, kind="sum"), expected)


def test_products_do_not_overflow_on_the_way():
    x = np.array([1e-30, 1e30, 1e30, 1e-30], np.float32)
    out = run("accumulate", x, np.empty_like(x), axis=0, kind="prod")
    np.testing.assert_allclose(out, np.cumprod(x), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("reverse", [False, True])
def test_recur(dtype, shape, axis, reverse):
    random = np.random.default_rng(0)
    a, b = (random.uniform(-2, 2, shape).astype(dtype) for _ in range(2))
    out = run("recur", a, b, np.full_like(a, 7), axis=axis, reverse=reverse)
    first_a, first_b, expected = (np.moveaxis(x, axis, 0) for x in (a, b, np.empty_like(a)))
    order = range(len(expected))[:: -1 if reverse else 1]
    for turn, i in enumerate(order):
        expected[i] = first_b[i] + (first_a[i] * expected[order[turn - 1]] if turn else 0)
    np.testing.assert_allclose(np.moveaxis(out, axis, 0), expected, rtol=1e-4, atol=1e-5)


def test_equal_bits_for_any_number_of_threads():
    random = np.random.default_rng(0)
    rows, columns = random.normal(size=(300, 999)).astype(np.float32), random.normal(size=(99, 3000)).astype(np.float32)
    before = get_num_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            sums = [run("accumulate", x, np.empty_like(x), axis=at, kind="sum") for at, x in ((1, rows), (0, columns))]
            results.append([x.tobytes() for x in (*sums, run("recur", rows, rows, np.empty_like(rows), axis=1))])
    finally:
        set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_what_does_not_accumulate():
    with pytest.raises(ValueError, match="does not accumulate"):
        run("accumulate", np.zeros(3, np.float32), np.zeros(4, np.float32), axis=0, kind="sum")
