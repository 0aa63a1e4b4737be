"""Matrix product kernels against NumPy in float64."""

import numpy as np
import pytest

from layerkit.kernels.matmul_launch import matmul_launches
from layerkit.runtime import kernel_cache
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

SIZES = [1, 2, 5, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 127, 130]


def multiply(a, b, bias=None, activation=None, out=None):
    if out is None:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        out = np.full(shape, 123.0, a.dtype)
    arrays = [a, b, out] if bias is None else [a, b, out, bias]
    operands = [operand_of(array) for array in arrays]
    launches = matmul_launches(*operands[:3], bias=None if bias is None else operands[3], activation=activation)
    run_launches(launches, {operand.buffer: array for operand, array in zip(operands, arrays, strict=True)})
    return out


def expected(a, b, bias=None, activation=None):
    result = a.astype("float64") @ b.astype("float64")
    if bias is not None:
        result = result + bias
    return np.maximum(result, 0) if activation == "relu" else result


def check(a, b, bias=None, activation=None):
    result = multiply(a, b, bias, activation)
    tolerance = (1e-6 if a.dtype == np.float32 else 1e-14) * (4 + a.shape[-1])
    np.testing.assert_allclose(result, expected(a, b, bias, activation), atol=tolerance, rtol=1e-5)


def normal(shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


LAYOUTS = {
    "rows": lambda shape, dtype: normal(shape, dtype),
    "columns": lambda shape, dtype: normal((*shape[:-2], shape[-1], shape[-2]), dtype).swapaxes(-1, -2),
    "strided": lambda shape, dtype: normal((*shape[:-2], 2 * shape[-2], 3 * shape[-1]), dtype)[..., ::2, ::3],
    "reversed": lambda shape, dtype: normal(shape, dtype)[..., ::-1, ::-1],
}


@pytest.fixture(autouse=True)
def threads():
    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("a_layout", LAYOUTS)
@pytest.mark.parametrize("b_layout", LAYOUTS)
def test_shapes_and_layouts(a_layout, b_layout, dtype):
    random = np.random.default_rng(0)
    shapes = [(m, 19, n) for m in (1, 2, 8, 37) for n in (1, 2, 17, 70)]
    shapes += [tuple(random.choice(SIZES, 3)) for _ in range(25)]
    for m, k, n in shapes:
        bias = normal((n,), dtype) if (m + n) % 2 else None
        a, b = LAYOUTS[a_layout]((m, k), dtype), LAYOUTS[b_layout]((k, n), dtype)
        check(a, b, bias, "relu" if k % 2 else None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_edge_around_the_tiles(transposed, dtype):
    for n in [*range(1, 36), 63, 64, 65, 66, 127, 128, 129, 255, 257]:
        for m in (1, 3, 7, 14, 33):
            b = normal((21, n), dtype)
            check(normal((m, 21), dtype), np.asfortranarray(b) if transposed else b, normal((n,), dtype))


@pytest.mark.parametrize("shape", [(70, 700, 200), (33, 257, 129), (1, 3000, 1100), (40, 256, 64), (1100, 600, 1)])
@pytest.mark.parametrize("a_layout", ["rows", "columns"])
@pytest.mark.parametrize("b_layout", ["rows", "columns"])
def test_depth_beyond_a_block(shape, a_layout, b_layout):
    m, k, n = shape
    check(LAYOUTS[a_layout]((m, k), "float32"), LAYOUTS[b_layout]((k, n), "float32"), normal((n,)), "relu")


@pytest.mark.parametrize("a_layout", ["rows", "columns"])
@pytest.mark.parametrize("b_layout", ["rows", "columns"])
def test_packed_blocks_of_a(a_layout, b_layout):
    m, k, n = 519, 530, 157
    a, b = LAYOUTS[a_layout]((m, k), "float32"), LAYOUTS[b_layout]((k, n), "float32")
    launches = matmul_launches(*(operand_of(x) for x in (a, b, np.empty((m, n), "f4"))))
    # A transposed B is not packed again for each small block of A.
    assert ("block of A" in repr(launches)) == (a_layout == "columns" or b_layout == "rows")
    check(a, b, normal((n,)), "relu")


@pytest.mark.parametrize("b_layout", LAYOUTS)
@pytest.mark.parametrize("n", [1, 20])
@pytest.mark.parametrize("m", [1, 20])
def test_empty_sum_is_the_bias(m, n, b_layout):
    a, b = np.empty((m, 0), "f4"), LAYOUTS[b_layout]((0, n), "float32")
    bias = normal((n,))
    assert (multiply(a, b) == 0).all()
    assert (multiply(a, b, bias) == bias).all()
    assert (multiply(a, b, bias, "relu") == np.maximum(bias, 0)).all()


@pytest.mark.parametrize("shapes", [((0, 3), (3, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4)), ((0, 0), (0, 0))])
def test_empty_results_launch_nothing(shapes):
    a, b = (np.zeros(shape, "f4") for shape in shapes)
    out = np.empty((*a.shape[:-1], b.shape[-1]), "f4")
    assert matmul_launches(operand_of(a), operand_of(b), operand_of(out)) == []


@pytest.mark.parametrize(
    "shapes",
    [
        ((5, 7, 9), (9, 8)),
        ((5, 7, 9), (5, 9, 8)),
        ((7, 9), (5, 9, 8)),
        ((2, 1, 7, 9), (3, 9, 33)),
        ((2, 3, 1, 9), (3, 9, 1)),
        ((2, 3, 1, 9), (2, 1, 9, 8)),
        ((4, 6, 40), (40, 1)),
        ((64, 32, 16), (64, 16, 32)),
        ((1, 1, 4, 4), (1, 4, 4)),
    ],
)
def test_batches(shapes):
    a, b = (normal(shape, seed=i) for i, shape in enumerate(shapes))
    check(a, b)
    check(a, b, normal((b.shape[-1],)), "relu")
    swapped = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    check(swapped, np.ascontiguousarray(b.swapaxes(-1, -2)).swapaxes(-1, -2))
    check(np.broadcast_to(a[..., :1, :], a.shape), b)


def test_batch_axes_in_another_order():
    a, b = normal((6, 4, 5, 10)).transpose(2, 0, 1, 3), normal((5, 6, 10, 11))
    check(a, b)
    whole = np.zeros((5, 2, 6, 4, 11), "f4")
    multiply(a, b, out=whole[:, 1])
    np.testing.assert_allclose(whole[:, 1], a @ b, atol=1e-5)
    assert (whole[:, 0] == 0).all()


@pytest.mark.parametrize("shape", [(9, 40, 35), (1, 40, 35), (35, 40, 1), (40, 40, 100)])
@pytest.mark.parametrize("b_layout", ["rows", "columns"])
def test_nan_and_infinity(shape, b_layout):
    m, k, n = shape
    a, b = normal((m, k)), LAYOUTS[b_layout]((k, n), "float32")
    a[m // 2, 3], a[0, 5] = np.nan, np.inf
    b[2, n // 2] = -np.inf
    with np.errstate(invalid="ignore"):
        for bias in (None, normal((n,))):
            for activation in (None, "relu"):
                np.testing.assert_allclose(
                    multiply(a, b, bias, activation), expected(a, b, bias, activation), rtol=1e-3, atol=1e-4
                )


@pytest.mark.parametrize("b_layout", ["rows", "columns"])
@pytest.mark.parametrize(
    "shape", [(150, 300, 200), (64, 64, 64), (1, 700, 900), (900, 700, 1), (37, 513, 129), (520, 530, 140)]
)
def test_same_bits_for_any_number_of_threads(shape, b_layout):
    m, k, n = shape
    a, b, bias = normal((m, k)), LAYOUTS[b_layout]((k, n), "float32"), normal((n,))
    results = []
    for count in (1, 2, 3):
        set_num_threads(count)
        results.append(multiply(a, b, bias, "relu").tobytes())
    assert len(set(results)) == 1


def test_bits_of_a_row_do_not_depend_on_the_batch():
    a, b = normal((50, 300)), normal((300, 70))
    assert (multiply(a, b)[:37] == multiply(a[:37], b)).all()


def test_another_batch_size_compiles_nothing():
    b, bias = normal((30, 70)), normal((70,))
    multiply(normal((8, 30)), b, bias, "relu")
    compiled = kernel_cache.statistics.compiled + kernel_cache.statistics.loaded
    for m in (2, 9, 40, 100):
        multiply(normal((m, 30)), b, bias, "relu")
        multiply(normal((m, 30)).T, normal((m, 70)))
        multiply(normal((m, 70)), b.T)
    assert kernel_cache.statistics.compiled + kernel_cache.statistics.loaded == compiled


def test_nothing_is_written_outside():
    for m, n in [(5, 3), (7, 65), (1, 17), (17, 1)]:
        memory = np.full(m * n + 32, 7.0, "f4")
        multiply(normal((m, 11)), normal((11, n)), out=memory[16 : 16 + m * n].reshape(m, n))
        assert (memory[:16] == 7).all() and (memory[-16:] == 7).all()


@pytest.mark.parametrize(
    ("shapes", "dtypes", "options", "message"),
    [
        (((2, 3), (4, 5), (2, 5)), "fff", {}, "do not give"),
        (((2, 3), (3, 5), (2, 4)), "fff", {}, "do not give"),
        (((3,), (3, 5), (5,)), "fff", {}, "takes matrices"),
        (((2, 3), (3, 5), (2, 5)), "ffd", {}, "all equal"),
        (((2, 3), (3, 5), (2, 5)), "iii", {}, "float32 or float64"),
        (((2, 3), (3, 5), (2, 5)), "fff", {"activation": "tanh"}, "'tanh'"),
        (((4, 2, 3), (3, 3, 5), (4, 2, 5)), "fff", {}, "do not broadcast"),
    ],
)
def test_errors(shapes, dtypes, options, message):
    operands = [operand_of(np.zeros(shape, dtype)) for shape, dtype in zip(shapes, dtypes, strict=True)]
    with pytest.raises(ValueError, match=message):
        matmul_launches(*operands, **options)


def test_layouts_that_are_refused():
    a, b, out = (operand_of(np.zeros(shape, "f")) for shape in ((2, 3), (3, 5), (2, 5)))
    with pytest.raises(ValueError, match="contiguous in its last two axes"):
        matmul_launches(a, b, operand_of(np.zeros((5, 2), "f").T))
    with pytest.raises(ValueError, match="bias of 5 columns"):
        matmul_launches(a, b, out, bias=operand_of(np.zeros(4, "f")))
    with pytest.raises(ValueError, match="bias of 5 columns"):
        matmul_launches(a, b, out, bias=operand_of(np.zeros(10, "f")[::2]))
