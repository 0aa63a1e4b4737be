"""Complex numbers: gradients through them, compiled functions, and what refuses them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from layerkit import ops
from layerkit.dtypes import result_type, standardize_dtype
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph import Operation, Variable, gradients
from layerkit.graph.operation import Kernelled
from layerkit.graph.tensor import Tensor
from layerkit.layers.dtype_policy import DTypePolicy
from layerkit.tracing import compile_function
from tests.laws.test_operations import check_gradient
from tests.samples.operations import SAMPLES

Z = np.array([[1 + 2j, -1j, 0.5], [3, 1 - 1j, 2j]], "complex64")


def parts(seed: int, *shape: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.3, 1.2, shape) * rng.choice([-1, 1], shape) for _ in range(2)]


def both(z: Tensor) -> list[Tensor]:
    """Real numbers that depend on all of complex ones."""
    return [ops.real(z), ops.imag(z) * 1.5]


SMOOTH = (
    "square", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "negative", "conj", "prod", "cumsum",
    "cumprod", "sum", "mean", "reciprocal",
)  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_through_a_function_of_complex_numbers(name: str):
    function = getattr(ops, name)
    check_gradient(lambda x, y: both(function(ops.view_as_complex(ops.stack([x, y], -1)))), parts(0, 2, 3))


@pytest.mark.parametrize("name", ["absolute", "angle", "view_as_real", "real", "imag"])
def test_gradient_of_what_gives_real_numbers(name: str):
    function = getattr(ops, name)
    check_gradient(lambda x, y: [function(ops.view_as_complex(ops.stack([x, y], -1)))], parts(1, 2, 3))


@pytest.mark.parametrize(
    "function",
    [
        lambda z, x: z * x + 2j,
        lambda z, x: (x - z) / (z + 3),
        lambda z, x: z / x,
        lambda z, x: z**3,
        lambda z, x: (z * z + 4) ** (x * 1j),
        lambda z, x: ops.matmul(z, ops.transpose(x)) + 1.0,
        lambda z, x: ops.where(x > 0, z, x * z * 2j),
        lambda z, x: ops.concatenate([z[1:], ops.transpose(z)[:1, :1] * ops.ones((1, 3)), x], 0),
        lambda z, x: ops.stack([z, x], 1)[:, ::-1, 1:],
        lambda z, x: ops.pad(ops.take(z, [1, 1, 0], 1), 1) * ops.sum(x),
        lambda z, x: ops.take_along_axis(z, np.array([[0, 2], [1, 1]]), 1),
        lambda z, x: ops.view(ops.view(z, "float64") * 2, "complex128"),
        lambda z, x: ops.cast(ops.absolute(z), "complex128") * ops.conj(z),
        lambda z, x: ops.reshape(ops.broadcast_to(z, (2, 2, 3)), (4, 3)) * x[0],
    ],
)
def test_gradient_through_arithmetic(function: Callable):
    check_gradient(
        lambda x, y, w: both(function(ops.view_as_complex(ops.stack([x, y], -1)), w)),
        [*parts(2, 2, 3), np.random.default_rng(5).uniform(0.5, 1.5, (2, 3))],
    )


def test_gradient_of_polar_and_its_second_one():
    check_gradient(lambda size, turn: both(ops.polar(size, turn) * 2j), parts(3, 4))
    check_gradient(lambda size, turn: both(ops.polar(size[:, None], turn)), parts(3, 4))

    def slopes(size: Tensor, turn: Tensor) -> list[Tensor]:
        loss = ops.square(ops.absolute(ops.exp(ops.polar(size, turn))))
        return gradients([loss], [size, turn])

    check_gradient(slopes, parts(4, 3))


def test_gradient_by_a_complex_number_is_that_of_the_parts_conjugated():
    def slope(z: Tensor) -> Tensor:
        return gradients([ops.square(ops.real(z)) + 3 * ops.imag(z)], [z])[0]

    assert compile_function(slope)(Z).numpy().tolist() == (2 * Z.real - 3j).tolist()


def test_gradient_of_absolute_at_zero_is_zero():
    slope = compile_function(lambda z: gradients([ops.absolute(z)], [z])[0])
    assert slope(np.array([0, 3 + 4j], "complex64")).numpy().tolist() == pytest.approx([0, 0.6 - 0.8j])


def test_compiled_is_eager():
    x, bias = np.arange(1.0, 4.0, dtype="float32"), np.array([1j, 2], "complex64")

    def function(z: Tensor, x: Tensor, bias: Tensor) -> list[Tensor]:
        turned = ops.transpose(z)
        return [
            turned,
            ops.reshape(turned, (6,)),
            ops.reshape(turned, (2, 3)) * x - 1.0,
            ops.matmul(z, turned) + bias,
            ops.relu(ops.real(z) * 2.0) + ops.absolute(z),
            ops.sum(ops.stack([z, z * 2j]), 1),
            ops.exp(ops.take(z, [1, 0], 1)),
            ops.view(z, "float32"),
            ops.equal(z, ops.conj(z)),
            ops.view_as_real(z[:, ::-1]),
        ]

    for found, expected in zip(
        compile_function(function)(Z, x, bias), function(*map(Tensor.of, (Z, x, bias))), strict=True
    ):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


def test_a_compiled_function_assigns_complex_variables():
    variable = Variable(Z)

    def function(x: Tensor) -> Tensor:
        variable.assign(ops.reshape(ops.transpose(variable.value), (2, 3)) * x)
        return variable.value

    y = compile_function(function)(np.float32(2))
    assert y.numpy().tolist() == variable.numpy().tolist() == (Z.T.reshape(2, 3) * 2).tolist()


def test_promotion():
    assert result_type("float32", complex) == result_type("int64", complex) == "complex64"
    assert result_type("float64", "complex64") == result_type("float64", complex) == "complex128"
    assert standardize_dtype(complex) == "complex64"
    assert ops.convert_to_tensor([1j, 2]).dtype == "complex64"
    assert (1j * ops.ones(2)).dtype == "complex64"
    assert ops.view_as_complex(np.ones((3, 2))).dtype == "complex128"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.sort(Z), "Sort.*takes no complex numbers.*complex64"),
        (lambda: ops.floor(Z), "Floor: it takes no complex numbers"),
        (lambda: ops.max(Z), "Max.*takes no complex numbers"),
        (lambda: Tensor.of(Z) < 1, "Less: it takes no complex"),
        (lambda: ops.sigmoid(Z), "Sigmoid: it takes no complex numbers"),
        (lambda: ops.inv(Z[:, :2]), "complex numbers are no float32: take ops.real, ops.imag or ops.absolute"),
        (lambda: ops.polar(Z, 1.0), "complex numbers are no float32"),
        (lambda: ops.RealPart()(1.0), "RealPart: it takes complex numbers. Got float32"),
    ],
)
def test_what_takes_no_complex_numbers_says_so(call: Callable, message: str):
    with pytest.raises(DtypeError, match=message):
        call()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, kind in Operation.registry.items()
        if isinstance(kind, type) and issubclass(kind, Kernelled) and kind.takes_complex
    ],
)
def test_there_is_no_kernel_for_complex_numbers(name: str):
    for sample in SAMPLES:
        arrays = sample.inputs("float32")
        if type(sample.operation).__name__ == name and arrays[0].dtype == "float32":
            arrays = [array.astype("complex64") if array.dtype.kind == "f" else array for array in arrays]
            assert not sample.operation.supports(*map(Tensor.of, arrays))


def test_an_operation_of_ones_own_takes_none():
    class Halved(Operation):
        def infer(self, x: Tensor) -> tuple:
            return x.shape, x.dtype

    try:
        with pytest.raises(DtypeError, match="Halved: it takes no complex numbers"):
            compile_function(lambda z: Halved()(z))(Z)
    finally:
        del Operation.registry["Halved"]


def test_dropping_imaginary_parts_warns():
    with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
        assert ops.cast(Z, "float32").numpy().tolist() == Z.real.tolist()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"last axis of 2, real and imaginary; got shape \(3,\)"):
        ops.view_as_complex(np.ones(3))
    with pytest.raises(ShapeError, match="the 3 bytes along the last axis are not a multiple of 4"):
        ops.view(np.ones(3, "uint8"), "int32")
    with pytest.raises(ShapeError, match="a number of 4 bytes can't be taken for one of 1"):
        ops.view(np.int32(1), "uint8")
    with pytest.raises(GraphError, match="Bitcast has no gradient"):
        compile_function(lambda x: gradients([ops.view(x, "float64")], [x])[0])(np.ones(2, "float32"))


def test_layers_compute_in_no_complex_dtype():
    with pytest.raises(ValueError, match="dtype policy 'complex64' is not supported"):
        DTypePolicy("complex64")
