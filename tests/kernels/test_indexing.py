"""Gather, scatter-add, one-hot and argmax against NumPy."""

import numpy as np
import pytest

from layerkit.kernels import indexing_launch
from layerkit.runtime import kernel_cache
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

INDEX_TYPES = [np.int32, np.int64]


def run(name, *arrays, **options):
    operands = [operand_of(array) for array in arrays]
    launches = getattr(indexing_launch, name + "_launches")(*operands, **options)
    run_launches(launches, {operand.buffer: array for operand, array in zip(operands, arrays, strict=True)})
    return arrays[-1]


def gather(table, indices):
    return run("gather_rows", table, indices, np.full((*indices.shape, *table.shape[1:]), 7, table.dtype))


def scatter(g, indices, rows):
    return run("scatter_add_rows", g, indices, np.full((rows, *g.shape[indices.ndim :]), 7, g.dtype))


def argmax(x, dtype=np.int64):
    return run("argmax_rows", x, np.full(x.shape[:-1], -7, dtype))


@pytest.mark.parametrize("index", INDEX_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize(("rows", "shape", "length"), [(5, (7,), 3), (1, (1,), 1), (100, (4, 9), 67), (3, (0,), 4)])
def test_gather(index, dtype, rows, shape, length):
    random = np.random.default_rng(0)
    table = random.integers(0, 2, (rows, length)).astype(dtype)
    indices = random.integers(-rows, rows, shape).astype(index)
    np.testing.assert_array_equal(gather(table, indices), table[indices])


def test_gather_of_one_axis_and_of_a_scalar_index():
    table = np.arange(5, dtype=np.float32)
    np.testing.assert_array_equal(gather(table, np.array([4, 0, -1], np.int32)), [4, 0, 4])
    np.testing.assert_array_equal(gather(table, np.array(2, np.int32)), 2)


@pytest.mark.parametrize(("dtype", "missing"), [("float32", np.nan), ("float64", np.nan), ("int32", 0)])
def test_gather_outside_reads_nothing(dtype, missing):
    table = np.ones((3, 5), dtype)
    indices = np.array([3, -4, 2**62, -(2**62), 1], np.int64)
    out = gather(table, indices)
    np.testing.assert_array_equal(out[:4], np.full((4, 5), missing, dtype))
    np.testing.assert_array_equal(out[4], table[1])


@pytest.mark.parametrize("index", INDEX_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    ("rows", "shape", "length"),
    [(5, (40,), 3), (1, (1,), 1), (100, (4, 30), 67), (3, (0,), 4), (7, (50,), 1100), (9, (30,), 300)],
)
def test_scatter_add(index, dtype, rows, shape, length):
    random = np.random.default_rng(0)
    g = random.normal(0, 10, (*shape, length)).astype(dtype)
    indices = random.integers(-rows, rows, shape).astype(index)
    expected = np.zeros((rows, length), dtype)
    np.add.at(expected, indices, g)  # in the order of the indices, like the kernel
    np.testing.assert_array_equal(scatter(g, indices, rows), expected)


def test_scatter_add_outside_adds_nothing():
    g = np.ones((4, 2), np.float32)
    np.testing.assert_array_equal(scatter(g, np.array([0, 3, -4, -1], np.int32), 3), [[1, 1], [0, 0], [1, 1]])


@pytest.mark.parametrize("index", INDEX_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("axis", [-1, 0, 1, -2])
def test_one_hot(index, dtype, axis):
    indices = np.array([[0, 3, -1, 4], [2, 2, 100, 1], [1, 0, 3, 2]], index)
    hot = (indices[..., None] == np.arange(4)).astype(dtype)
    expected = np.moveaxis(hot, -1, axis)
    np.testing.assert_array_equal(run("one_hot", indices, np.full(expected.shape, 1, dtype), axis=axis), expected)


def test_one_hot_of_little():
    np.testing.assert_array_equal(run("one_hot", np.array([0], np.int32), np.full((1, 1), 7, np.float32)), [[1]])
    np.testing.assert_array_equal(run("one_hot", np.array(1, np.int32), np.full(3, 7, np.float32)), [0, 1, 0])
    assert run("one_hot", np.zeros(0, np.int32), np.ones((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("index", INDEX_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (4, 10), (3, 1000), (2, 3, 65), (0, 3), (7,)])
def test_argmax(index, dtype, shape):
    x = np.random.default_rng(0).integers(-20, 20, shape).astype(dtype)
    np.testing.assert_array_equal(argmax(x, index), x.argmax(axis=-1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_argmax_of_special_values(dtype):
    x = np.array(
        [
            [1, np.nan, np.inf, np.nan],
            [-np.inf, -np.inf, -np.inf, -np.inf],
            [-0.0, 0.0, -1, 0.0],
            [-3, -2, -np.inf, -2],
            [np.finfo(dtype).smallest_subnormal, 0, -np.nan, np.inf],
            [-1, 0, 5, 5],
        ],
        dtype,
    )
    np.testing.assert_array_equal(argmax(x), x.argmax(axis=-1))


def test_equal_bits_for_any_number_of_threads():
    random = np.random.default_rng(0)
    table = random.normal(size=(997, 129)).astype(np.float32)
    indices = random.integers(0, 997, 3001).astype(np.int32)
    g = random.normal(size=(3001, 129)).astype(np.float32)
    narrow = random.normal(size=(60_001, 3)).astype(np.float32)
    many = random.integers(0, 97, 60_001).astype(np.int64)
    before = get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            set_num_threads(threads)
            hot = run("one_hot", indices, np.empty((3001, 997), np.float32))
            results.append(
                [gather(table, indices), scatter(g, indices, 997), scatter(narrow, many, 97), hot, argmax(g)]
            )
    finally:
        set_num_threads(before)
    for result in results[1:]:
        for first, other in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(first, other)


def test_new_sizes_compile_nothing():
    def all_of(rows, n, length):
        indices = np.zeros(n, np.int32)
        table = np.zeros((rows, length), np.float32)
        scatter(gather(table, indices), indices, rows)
        run("one_hot", indices, np.empty((n, rows), np.float32))
        argmax(table, np.int32)

    all_of(3, 4, 5)
    compiled, loaded = kernel_cache.statistics.compiled, kernel_cache.statistics.loaded
    all_of(7, 40, 33)
    assert (kernel_cache.statistics.compiled, kernel_cache.statistics.loaded) == (compiled, loaded)


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("gather_rows", [np.zeros((3, 4), "f4"), np.zeros(2, "i4"), np.zeros((2, 5), "f4")], r"are \(2, 4\), not"),
        (
            "gather_rows",
            [np.zeros((3, 4), "f4"), np.zeros(2, "f4"), np.zeros((2, 4), "f4")],
            "int32 or int64, not float",
        ),
        ("gather_rows", [np.zeros((4, 3), "f4").T, np.zeros(2, "i4"), np.zeros((2, 4), "f4")], "contiguous"),
        ("scatter_add_rows", [np.zeros((2, 4), "f4"), np.zeros(3, "i4"), np.zeros((5, 4), "f4")], r"to be \(3, 4\)"),
        ("scatter_add_rows", [np.zeros((2, 4), "?"), np.zeros(2, "i4"), np.zeros((5, 4), "?")], "not in bool"),
        ("one_hot", [np.zeros(3, "i4"), np.zeros((4, 5), "f4")], "cannot be"),
        ("argmax_rows", [np.zeros((3, 0), "f4"), np.zeros(3, "i8")], "cannot be"),
    ],
)
def test_what_does_not_fit_is_said(name, arrays, message):
    with pytest.raises(ValueError, match=message):
        getattr(indexing_launch, name + "_launches")(*map(operand_of, arrays))


@pytest.mark.parametrize("index", INDEX_TYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize(
    ("shape", "axis", "m"),
    [((3, 5), 1, 7), ((5, 3), 0, 2), ((2, 4, 3), 1, 9), ((1, 1), 0, 1), ((2, 5), 1, 0), ((9,), 0, 9000)],
)
def test_take_along(index, dtype, shape, axis, m):
    random = np.random.default_rng(0)
    x = random.integers(0, 2, shape).astype(dtype)
    size = shape[axis]
    indices = random.integers(-size, size, (*shape[:axis], m, *shape[axis + 1 :])).astype(index)
    found = run("take_along", x, indices, np.full(indices.shape, 1, dtype), axis=axis)
    np.testing.assert_array_equal(found, np.take_along_axis(x, indices, axis))


def test_along_an_axis_outside_reads_nothing_and_adds_nothing():
    x, indices = np.ones((1, 3), np.float32), np.array([[0, 3, -4, -3]], np.int32)
    found = run("take_along", x, indices, np.zeros((1, 4), np.float32), axis=1)
    np.testing.assert_array_equal(found, [[1, np.nan, np.nan, 1]])
    g = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(run("add_along", g, indices, np.full((1, 3), 7, np.float32), axis=1), [[2, 0, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize(
    ("shape", "axis", "n"), [((3, 50), 1, 7), ((50, 3), 0, 4), ((2, 40, 700), 1, 5), ((2, 0), 1, 3)]
)
def test_add_along(dtype, shape, axis, n):
    random = np.random.default_rng(0)
    g, indices = random.normal(0, 9, shape).astype(dtype), random.integers(-n, n, shape).astype(np.int32)
    expected = np.zeros((*shape[:axis], n, *shape[axis + 1 :]), dtype)
    places = list(np.indices(shape, sparse=True))
    places[axis] = indices
    np.add.at(expected, tuple(places), g)
    np.testing.assert_array_equal(run("add_along", g, indices, np.full_like(expected, 7), axis=axis), expected)


@pytest.mark.parametrize("combine", ["max", "min", "mul"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize(("rows", "shape", "length"), [(5, (40,), 1), (9, (4, 3), 3), (7, (50,), 1100), (3, (0,), 4)])
def test_segments(combine, dtype, rows, shape, length):
    random = np.random.default_rng(0)
    x = random.uniform(-3, 3, (*shape, length)).astype(dtype)
    indices = random.integers(0, rows + 2, shape).astype(np.int64)
    neutral = indexing_launch.neutral_element(x.dtype, combine)
    expected = np.full((rows, length), neutral, dtype)
    inside = indices < rows
    {"max": np.maximum, "min": np.minimum, "mul": np.multiply}[combine].at(expected, indices[inside], x[inside])
    np.testing.assert_array_equal(run("segment", x, indices, np.full_like(expected, 7), combine=combine), expected)


def test_extremes_of_segments_keep_nan():
    x, indices = np.array([1, np.nan, 2, 5], np.float32), np.array([0, 0, 0, 1], np.int32)
    for combine in ("max", "min"):
        out = run("segment", x, indices, np.zeros(2, np.float32), combine=combine)
        np.testing.assert_array_equal(out, [np.nan, 5])


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16"])
@pytest.mark.parametrize(("rows", "count", "length"), [(5, 40, 1), (100, 30, 7), (6, 20, 1100), (4, 0, 3)])
def test_update_rows_takes_the_last_of_equal_indices(dtype, rows, count, length):
    random = np.random.default_rng(0)
    table, updates = (random.integers(0, 2, (n, length)).astype(dtype) for n in (rows, count))
    indices = random.integers(-rows, rows, count).astype(np.int32)
    expected = table.copy()
    for at, update in zip(indices, updates, strict=True):
        expected[at] = update
    np.testing.assert_array_equal(run("update_rows", table, indices, updates, np.ones_like(table)), expected)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_arg_extreme_along_any_axis(largest, dtype, axis):
    random = np.random.default_rng(0)
    x = random.integers(-20, 20, (4, 30, 5)).astype(dtype)
    if dtype.startswith("float"):
        x[random.random(x.shape) < 0.02] = np.nan
    else:
        x[random.random(x.shape) < 0.1] = np.iinfo(dtype).min
    expected = (np.argmax if largest else np.argmin)(x, axis)
    out = run("arg_extreme", x, np.full(expected.shape, -7, np.int32), axis=axis, largest=largest)
    np.testing.assert_array_equal(out, expected)


def test_equal_bits_of_scatters_and_of_axes_for_any_number_of_threads():
    random = np.random.default_rng(0)
    before = get_num_threads()
    results = []
    x = random.normal(size=(30000, 40)).astype(np.float32)
    rows = random.integers(0, 500, 30000).astype(np.int32)
    along = random.integers(0, 30, (30000, 40)).astype(np.int32)
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            results.append(
                [
                    scatter(x, rows, 500).tobytes(),
                    scatter(x[:, 0].copy(), rows, 500).tobytes(),
                    run("segment", x, rows, np.zeros((500, 40), np.float32), combine="mul").tobytes(),
                    run("update_rows", x[:500].copy(), rows, x, np.zeros((500, 40), np.float32)).tobytes(),
                    run("add_along", x, along, np.zeros((30000, 40), np.float32), axis=1).tobytes(),
                    run("take_along", x, along, np.empty_like(x), axis=1).tobytes(),
                ]
            )
    finally:
        set_num_threads(before)
    assert results[0] == results[1] == results[2]
