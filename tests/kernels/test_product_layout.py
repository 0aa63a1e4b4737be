"""Products over named axes, of floats and of integers, against NumPy, over memory in every order."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit.kernels.integer_product_launch import integer_launches
from layerkit.kernels.launch import Launch
from layerkit.kernels.matmul_launch import contraction_launches
from layerkit.kernels.product_layout import matrix_axes, product_of
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

RNG = np.random.default_rng(3)
SIZES = {"a": 3, "b": 2, "c": 37, "d": 5, "e": 70, "f": 1, "g": 0, "i": 40, "j": 33}

NAMES = [
    "bcad,bead->bace", "bace,bead->bcad", "cda,ace->ced", "acd,cdb->ab", "acd,dcb->ab", "acd,dcb->ba", "adci,cjda->ij",
    "cf,fe->ce", "fc,ec->fe", "fc,ec->ef", "ca,ef->cfe", "cb,bfe->ecf", "ac,ac->a", "cd,c->d", "d,cd->c", "ace,ae->ca",
    "ac,ca->", "ag,ge->ae", "adg,dge->ae", "cfb,bf->fc", "abd,de->eab", "abcd,abe->abecd",
]  # fmt: skip


@pytest.fixture(autouse=True)
def threads():
    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


def operands(names: str, dtype: str, order: str) -> tuple[list[str], list[np.ndarray], np.ndarray]:
    """Axes and arrays: "C" as named, "F" in the other order of memory, "gaps" in a larger array and backwards."""
    inputs, _, y = names.partition("->")
    arrays = []
    for axes in inputs.split(","):
        shape = [SIZES[name] for name in axes]
        numbers = RNG.normal(size=[2 * size for size in shape]) if dtype[0] == "f" else RNG.integers(
            0, 2 if dtype == "bool" else 100, [2 * size for size in shape]
        )  # fmt: skip
        full = numbers.astype(dtype)
        part = full[tuple(slice(None, None, -2) for _ in shape)]
        arrays.append(part if order == "gaps" else np.array(part, order=order))
    return [*inputs.split(","), y], arrays, np.full([SIZES[name] for name in y], 99).astype(dtype)


def compute(make: object, axes: list[str], arrays: list[np.ndarray], out: np.ndarray) -> list[Launch]:
    # An operand over an array with negative strides starts at its first element, as the array does.
    given = [operand_of(array) for array in (*arrays, out)]
    launches = make(*given, *axes)
    run_launches(launches, {operand.buffer: array for operand, array in zip(given, (*arrays, out), strict=True)})
    return launches


def is_vector(axes: tuple[str, ...]) -> bool:
    """Whether the second operand has no axes of its own."""
    return not set(axes[1]) & set(axes[2]) - set(axes[0])


def of_floats(*given: object) -> list[Launch]:
    return contraction_launches(*given, vector=is_vector(given[3:]))


def of_integers(*given: object) -> list[Launch]:
    return integer_launches(product_of(*given, vector=is_vector(given[3:])))


@pytest.mark.parametrize("order", ["C", "F", "gaps"])
@pytest.mark.parametrize("names", NAMES)
def test_floats(names: str, order: str):
    for dtype, tolerance in (("float32", 1e-4), ("float64", 1e-11)):
        axes, arrays, out = operands(names, dtype, order)
        compute(of_floats, axes, arrays, out)
        expected = np.einsum(names, *(x.astype("float64") for x in arrays))
        np.testing.assert_allclose(out, expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "int64", "uint64", "bool"])
@pytest.mark.parametrize("names", NAMES)
def test_integers(names: str, dtype: str):
    for order in ("C", "F", "gaps"):
        axes, arrays, out = operands(names, dtype, order)
        compute(of_integers, axes, arrays, out)
        expected = np.einsum(names, *(x.astype("int64") for x in arrays))
        np.testing.assert_array_equal(out, expected.astype(dtype))


@pytest.mark.parametrize("names", NAMES)
def test_same_bits_for_any_number_of_threads(names: str):
    axes, arrays, out = operands(names, "float32", "C")
    found = []
    for threads in (1, 2):
        set_num_threads(threads)
        launches = compute(of_floats, axes, arrays, out)
        assert len(launches) <= 1
        found.append(out.copy())
    np.testing.assert_array_equal(*found)


def test_units_compute_the_same_one_by_one():
    axes, arrays, out = operands("adci,cjda->ij", "float32", "C")
    (launch,) = compute(contraction_launches, axes, arrays, out)
    together = out.copy()
    out[:] = 0
    given = [operand_of(array) for array in (*arrays, out)]
    kernel, args = launch.kernel, [*given, *launch.args[3:]]
    run_launches(
        [Launch(kernel, args, launch.units, 1)], dict(zip((x.buffer for x in given), (*arrays, out), strict=True))
    )
    np.testing.assert_array_equal(out, together)


def test_axes_go_together_where_strides_allow():
    x, w, y = (operand_of(np.zeros(shape, "f4")) for shape in ((2, 3, 4), (4, 5, 6), (2, 3, 5, 6)))
    product = product_of(x, w, y, "abc", "cde", "abde")
    assert (product.m, product.n, product.k, product.batch, product.sums) == (6, 30, 4, (), ())
    assert product_of(y, w, x, "abde", "cde", "abc").k == 30


def test_a_batch_that_one_operand_repeats_is_rows():
    a, b, y = (operand_of(np.zeros(shape, "f4")) for shape in ((7, 3, 4), (4, 5), (7, 3, 5)))
    product = product_of(a, b, y, *matrix_axes(3, 2, 3))
    assert (product.m, product.batch) == (21, ())


def test_integers_take_a_bias_and_a_relu():
    a, b, bias = RNG.integers(-9, 9, (5, 3)), RNG.integers(-9, 9, (3, 4)), np.array([1, -50, 50, 0])
    out = np.zeros((5, 4), "int64")
    arrays = [a, b, out, bias]
    given = [operand_of(array) for array in arrays]
    product = product_of(*given[:3], "mk", "kn", "mn", vector=True)
    run_launches(
        integer_launches(product, given[3], relu=True), {x.buffer: y for x, y in zip(given, arrays, strict=True)}
    )
    np.testing.assert_array_equal(out, np.maximum(a @ b + bias, 0))
