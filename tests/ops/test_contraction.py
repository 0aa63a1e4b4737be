"""Sums of products in compiled plans: no copies and no calls to the host; dtypes, gradients, and the errors' texts."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from layerkit import ops
from layerkit.compiler.lower import HostCall
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import trace
from layerkit.graph.tensor import Tensor
from layerkit.tracing import compile_function

RNG = np.random.default_rng(2)
SIZES = dict(zip("abcdehijkst", (2, 3, 4, 5, 6, 3, 4, 5, 3, 7, 5), strict=True))

EINSUMS = [
    "bthd,bshd->bhts", "bhts,bshd->bthd", "bij,bjk->bik", "abc,cd->abd", "abc,adc->abd", "bc,bd->cd", "abc,cde->abde",
    "abde,dec->abc", "aij,jib->ab", "bij,bjk->ikb", "ij,j->i", "j,ij->i", "ijb,jkb->bik",
]  # fmt: skip


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def operands(subscripts: str) -> list[np.ndarray]:
    terms = subscripts.partition("->")[0].split(",")
    return [normal(*(SIZES.get(name, 4) for name in term)) for term in terms]


def steps_of(function: Callable, arrays: list[np.ndarray]) -> list:
    """The launches and calls to the host of the plan, after a run that is checked against the references."""
    compiled = compile_function(function)
    given, expected = compiled(*arrays), function(*arrays)
    for one, other in zip(*(x if isinstance(x, (list, tuple)) else (x,) for x in (given, expected)), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-4, atol=1e-4)
    return compiled.traced(tuple(arrays), list(arrays)).executable.program.steps


def kernels_of(function: Callable, arrays: list[np.ndarray]) -> list[str]:
    """The names of the written kernels that a plan launches, and "generated", as copies are."""
    names = []
    for step in steps_of(function, arrays):
        assert not isinstance(step, HostCall)
        names.append("generated" if step.kernel.source else step.kernel.function)
    return names


@pytest.mark.parametrize("subscripts", EINSUMS)
def test_einsum_is_one_product_without_copies(subscripts: str):
    kernels = kernels_of(lambda x, y: ops.einsum(subscripts, x, y), operands(subscripts))
    assert kernels in (["panels"], ["rows_times_vector"])


@pytest.mark.parametrize("subscripts", [one for one in EINSUMS if one not in ("ij,j->i", "j,ij->i")])
def test_gradients_of_einsum_are_products_without_copies(subscripts: str):
    def function(x: Tensor, y: Tensor, g: Tensor) -> list[Tensor]:
        z = ops.einsum(subscripts, x, y)
        return gradients([z], [x, y], [g])

    x, y = operands(subscripts)
    compiled = compile_function(function)
    arrays = [x, y, normal(*ops.einsum(subscripts, x, y).shape)]
    given = compiled(*arrays)
    launches = compiled.traced(tuple(arrays), arrays).executable.plan.launches
    assert [launch.kernel.function for launch in launches] == ["panels", "panels"]
    terms, _, result = subscripts.partition("->")
    first, second = terms.split(",")
    for at, names in enumerate((f"{result},{second}->{first}", f"{result},{first}->{second}")):
        expected = np.einsum(names, arrays[2], arrays[1 - at])
        np.testing.assert_allclose(given[at].numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, y: ops.einsum("...i,ij->...j", x, y), [(2, 3, 4), (4, 5)]),
        (lambda x, y: ops.tensordot(x, y, axes=([1], [1])), [(2, 3, 4), (5, 3, 6)]),
        (lambda x, y: ops.tensordot(x, y, axes=([1, 2], [1, 0])), [(2, 3, 4, 5), (4, 3, 6)]),
        (lambda x, y: ops.tensordot(x, y, axes=1), [(2, 3, 4), (4, 5, 6)]),
        (ops.matmul, [(2, 3, 5, 4), (2, 3, 4, 6)]),
        (lambda x, y: ops.matmul(x, ops.swapaxes(y, -1, -2)), [(2, 3, 5, 4), (6, 4)]),
        (lambda x, y: ops.matmul(ops.transpose(x, (0, 2, 1, 3)), y), [(2, 3, 5, 4), (4, 6)]),
        (lambda x, y: ops.matmul(ops.swapaxes(x, 0, 1), y), [(2, 3, 4), (4,)]),
        (lambda x, y: ops.matmul(x, ops.swapaxes(y, 0, 1)), [(4,), (4, 2, 3)]),
        (ops.dot, [(3, 4), (2, 4, 5)]),
        (ops.inner, [(2, 3, 4), (5, 4)]),
    ],
)
def test_products_of_every_rank_are_one_launch(function: Callable, shapes: list[tuple[int, ...]]):
    assert kernels_of(function, [normal(*shape) for shape in shapes]) in (["panels"], ["rows_times_vector"])


def test_attention_by_einsum_copies_nothing():
    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return ops.einsum("bhts,bshd->bthd", ops.softmax(ops.einsum("bthd,bshd->bhts", query, key)), value)

    assert kernels_of(attend, [normal(2, 5, 3, 4) for _ in range(3)]) == ["panels", "generated", "panels"]


def test_the_gradients_of_a_transposed_input_copy_nothing():
    def function(x: Tensor, w: Tensor, g: Tensor) -> list[Tensor]:
        return gradients([ops.matmul(ops.swapaxes(x, 0, 1), w)], [x, w], [g])

    x, w, g = arrays = [normal(3, 2, 4), normal(4, 5), normal(2, 3, 5)]
    compiled = compile_function(function)
    gx, gw = compiled(*arrays)
    np.testing.assert_allclose(gx.numpy(), (g @ w.T).swapaxes(0, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gw.numpy(), np.einsum("bac,abd->cd", x, g), rtol=1e-4, atol=1e-5)
    launches = compiled.traced(tuple(arrays), arrays).executable.plan.launches
    assert [launch.kernel.function for launch in launches] == ["panels", "panels"]


def test_a_bias_joins_the_product_of_several_axes():
    def dense(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
        return ops.relu(ops.matmul(x, w) + bias)

    assert kernels_of(dense, [normal(2, 3, 4), normal(4, 5), normal(5)]) == ["panels"]


def test_products_without_a_sum_and_sums_without_a_matrix_are_elementwise():
    def function(x: Tensor, y: Tensor, z: Tensor) -> list[Tensor]:
        return ops.einsum("i,j->ij", x, y) * 2.0, ops.einsum("ij,ij->i", z + 1.0, z)

    assert kernels_of(function, [normal(3), normal(4), normal(3, 4)]) == ["generated"] * 2


def test_a_new_size_needs_no_new_kernel():
    compiled = {name: compile_function(lambda x, y, name=name: ops.einsum(name, x, y)) for name in EINSUMS[:2]}
    for name, function in compiled.items():
        kernels = set()
        for batch, length in ((2, 5), (1, 5), (1, 1), (3, 1)):
            sizes = {"b": batch, "t": length, "s": length, "h": 3, "d": 4}
            arrays = [normal(*(sizes[axis] for axis in term)) for term in name.partition("->")[0].split(",")]
            function(*arrays)
            kernels |= {launch.kernel for launch in function.traced(tuple(arrays), arrays).executable.plan.launches}
        assert len(kernels) == 1


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64"])
def test_integers_stay_in_the_plan(dtype: str):
    x, y = (RNG.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype) for shape in ((2, 3, 4), (2, 4, 5)))
    for function in (
        ops.matmul,
        lambda x, y: ops.einsum("bij,bjk->kbi", x, y),
        lambda x, y: ops.einsum("bij,bjk->", x, y),
        lambda x, y: ops.tensordot(x, y, axes=([2], [1])),
        lambda x, y: ops.matmul(x[0], y[0, :, 0]),
        lambda x, y: ops.matmul(x, y) + y[0, 0],
    ):
        assert not any(isinstance(step, HostCall) for step in steps_of(function, [x, y]))


def test_the_operator_takes_vectors():
    x, v = normal(2, 3, 4), normal(4)
    np.testing.assert_allclose((Tensor.of(x) @ v).numpy(), x @ v, rtol=1e-5)
    np.testing.assert_allclose((v @ Tensor.of(x.swapaxes(1, 2))).numpy(), x @ v, rtol=1e-5)
    assert kernels_of(lambda x, v: x @ v, [x, v]) == ["rows_times_vector"]


def test_complex_numbers_are_contracted_by_the_reference():
    x, y = ((normal(*shape) + 1j * normal(*shape)).astype("complex64") for shape in ((2, 3, 4), (5, 4)))
    z = compile_function(lambda x, y: ops.einsum("abc,dc->bad", x, y))(x, y)
    np.testing.assert_allclose(np.asarray(z), np.einsum("abc,dc->bad", x, y), rtol=1e-4, atol=1e-5)


def test_sums_of_small_integers_are_wide_in_matmul_and_einsum():
    x, y = np.full((2, 300), 100, "int8"), np.full((300, 2), 100, "int8")
    for product in (ops.matmul(x, y), ops.einsum("ij,jk->ik", x, y), Tensor.of(x) @ y):
        assert product.dtype == "int32"
        assert (product.numpy() == 3_000_000).all()
    assert ops.tensordot(x, y, axes=1).dtype == "int8"


def test_unknown_sizes_pass_through():
    specs = [((None, None, 3, 4), "float32"), ((None, 7, 3, 4), "float32")]
    graph = trace(lambda x, y: [ops.einsum("bthd,bshd->bhts", x, y), ops.einsum("bthd,bshd->bthd", x, y)], specs)
    assert [y.shape for y in graph.outputs] == [(None, 3, None, 7), (None, None, 3, 4)]


MESSAGES = {
    "ops.einsum: axis 'j' of 'ij,jk->ik' has size 3 in operand 0, of shape (2, 3), but size 4 in operand 1, of shape "
    "(4, 5).": lambda: ops.einsum("ij,jk->ik", normal(2, 3), normal(4, 5)),
    "ops.einsum: axis 'i' of 'ii->i' has size 2 in operand 0, of shape (2, 3), but size 3 in operand 0": lambda: (
        ops.einsum("ii->i", normal(2, 3))
    ),
    "ops.einsum: axis 1 from the right of '...' of '...i,...i' has size 2 in operand 0": lambda: ops.einsum(
        "...i,...i", normal(2, 4), normal(3, 4)
    ),
    "ops.einsum: the result of 'ij->ik' names 'k', an axis that no operand has.": lambda: ops.einsum(
        "ij->ik", normal(2, 3)
    ),
    "ops.einsum: the result of 'ij->ii' names 'i' twice.": lambda: ops.einsum("ij->ii", normal(2, 3)),
    "ops.einsum: 'i1' of 'i1->i' may have letters": lambda: ops.einsum("i1->i", normal(2, 3)),
    "ops.einsum: 'ijk' does not name the axes of shape (2, 3), operand 1 of 'ij,ijk->i': 3 names for 2 axes.": lambda: (
        ops.einsum("ij,ijk->i", normal(2, 3), normal(2, 3))
    ),
    "ops.einsum: 'ij,jk->ik' names 2 operands; got 1.": lambda: ops.einsum("ij,jk->ik", normal(2, 3)),
    "ops.tensordot: axis 2 of x1, of shape (2, 3, 4), has size 4, but axis 0 of x2, of shape (5, 4), has size 5": (
        lambda: ops.tensordot(normal(2, 3, 4), normal(5, 4), axes=1)
    ),
    "ops.tensordot: shapes (2, 3) and (2,) have no 2 axes to sum over.": lambda: ops.tensordot(normal(2, 3), normal(2)),
    "ops.tensordot: 2 axes of x1 and 1 of x2; got axes=([0, 1], [0])": lambda: ops.tensordot(
        normal(2, 3), normal(2), axes=([0, 1], [0])
    ),
    "ops.tensordot: x2 of shape (2,) has no axis 1.": lambda: ops.tensordot(normal(2, 3), normal(2), axes=(0, 1)),
    "ops.tensordot: the axes (0, -2) of x1 name one twice.": lambda: ops.tensordot(
        normal(2, 2), normal(2, 2), axes=([0, -2], [0, 1])
    ),
    "ops.tensordot: axes are a number or two lists, one for each tensor; got [1, 1, 1].": lambda: ops.tensordot(
        normal(2, 2), normal(2, 2), axes=[1, 1, 1]
    ),
    "ops.dot: axis 1 of x1, of shape (2, 3), has size 3, but axis 0 of x2, of shape (4,), has size 4": lambda: ops.dot(
        normal(2, 3), normal(4)
    ),
    "axis 1 of the first, of shape (2, 3), has size 3, but axis 0 of the second, of shape (4, 5), has size 4": lambda: (
        ops.matmul(normal(2, 3), normal(4, 5))
    ),
    "ops.matmul: axis 0 of the first, of shape (3,), has size 3, but axis 1 of the second, of shape (2, 4, 5), has "
    "size 4": lambda: ops.matmul(normal(3), normal(2, 4, 5)),
    "the leading axes do not broadcast: axis 0 of the first, of shape (2, 3, 4), has size 2, but axis 0 of the second, "
    "of shape (5, 4, 3), has size 5": lambda: ops.matmul(normal(2, 3, 4), normal(5, 4, 3)),
    "ops.matmul takes no scalars; got shapes () and (2, 3).": lambda: ops.matmul(2.0, normal(2, 3)),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_errors_name_axes_and_sizes(message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        MESSAGES[message]()


def test_sizes_that_differ_are_a_shape_error():
    with pytest.raises(ShapeError):
        ops.einsum("ij,jk->ik", normal(2, 3), normal(4, 5))
