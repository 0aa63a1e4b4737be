"""Laws that every operation keeps, over the registry: see tests/samples/operations.py for the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from layerkit import ops
from layerkit.dtypes import is_float
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import Graph, trace
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.operation import Composite, Elementwise, Kernelled, Operation, Reduction, View
from layerkit.graph.tensor import Tensor
from layerkit.tracing import CompiledFunction, compile_function
from tests.samples.operations import SAMPLES, Sample, middle_row

STEP = 1e-5
GRADIENT_TOLERANCE = 1e-6
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}

every = pytest.mark.parametrize("sample", SAMPLES, ids=str)


def rows_of(*kinds: type[Operation]) -> list[Sample]:
    return [sample for sample in SAMPLES if isinstance(sample.operation, kinds)]


def outputs_of(operation: Operation, tensors: Sequence[Tensor]) -> list[Tensor]:
    given = operation(*tensors)
    return [given] if operation.outputs == 1 else list(given)


def specs_of(arrays: Sequence[np.ndarray]) -> list[tuple[tuple[int, ...], str]]:
    return [(array.shape, array.dtype.name) for array in arrays]


def forward_graph(operation: Operation, arrays: Sequence[np.ndarray]) -> Graph:
    return trace(lambda *x: outputs_of(operation, x), specs_of(arrays))


def gradient_graph(graph_of: Callable[..., list[Tensor]], arrays: Sequence[np.ndarray]) -> Graph:
    """From inputs to the gradients, by each float input, of all float outputs weighted by fixed weights."""

    def function(*x: Tensor) -> list[Tensor]:
        y = [one for one in graph_of(*x) if is_float(one.dtype)]
        wrt = [one for one in x if is_float(one.dtype)]
        weights = [Tensor.of(weights_of(one.shape, one.dtype, at)) for at, one in enumerate(y)]
        found = gradients(y, wrt, weights)
        return [ops.zeros_like(one) if g is None else g for one, g in zip(wrt, found, strict=True)]

    return trace(function, specs_of(arrays))


def weights_of(shape: Sequence[int], dtype: str, seed: int) -> np.ndarray:
    return np.random.default_rng(100 + seed).uniform(0.5, 1.5, shape).astype(dtype)


def check_gradient(graph_of: Callable[..., list[Tensor]], arrays: list[np.ndarray]) -> None:
    """The analytic gradient along a random direction against central differences, in float64."""
    arrays = [array.astype("float64") if array.dtype.kind == "f" else array for array in arrays]
    floating = [at for at, array in enumerate(arrays) if array.dtype.kind == "f"]
    if not floating:
        return
    forward = Interpreter(trace(graph_of, specs_of(arrays)))
    analytic = Interpreter(gradient_graph(graph_of, arrays)).run(arrays)
    rng = np.random.default_rng(7)
    for at, g in zip(floating, analytic, strict=True):
        assert g.shape == arrays[at].shape
        direction = rng.uniform(-1, 1, arrays[at].shape)

        def value(step: float, at: int = at, direction: np.ndarray = direction) -> float:
            moved = list(arrays)
            moved[at] = arrays[at] + step * direction
            y = [one for one in forward.run(moved) if one.dtype.kind == "f"]
            return sum(float(np.sum(one * weights_of(one.shape, one.dtype.name, k))) for k, one in enumerate(y))

        expected = (value(STEP) - value(-STEP)) / (2 * STEP)
        found = float(np.sum(g * direction))
        scale = max(1e-3, abs(expected), float(np.sum(np.abs(g * direction))) * 1e-2)
        assert abs(found - expected) <= GRADIENT_TOLERANCE * scale, f"by input {at}: {found} against {expected}"


def compiled(operation: Operation, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs by the compiler."""
    function: CompiledFunction = compile_function(lambda *x: outputs_of(operation, x))
    return [np.array(y) for y in function.run(*arrays)]


def assert_close(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
    elif expected.size:
        scale = max(1.0, float(np.max(np.abs(expected))))
        np.testing.assert_allclose(found, expected, rtol=4 * TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def test_every_operation_has_a_row():
    own = {
        name
        for name, kind in Operation.registry.items()
        if isinstance(kind, type) and issubclass(kind, Operation) and kind.__module__.startswith("layerkit.")
    }
    missing = own - {type(sample.operation).__name__ for sample in SAMPLES}
    assert not missing, f"without a row in tests/samples/operations.py: {sorted(missing)}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every
def test_shape_rule_is_what_the_reference_gives(sample: Sample, dtype: str):
    arrays = sample.inputs(dtype)
    operation = sample.operation
    tensors = operation.prepare([Tensor.of(array) for array in arrays])
    given = operation.reference(*(tensor.numpy() for tensor in tensors))
    given = [given] if operation.outputs == 1 else given
    specs = operation.specs(tensors)
    assert len(given) == len(specs)
    for array, (shape, name) in zip(given, specs, strict=True):
        array = np.asarray(array)
        assert array.shape == shape
        assert array.dtype.kind == np.dtype(name).kind
        if array.dtype.kind == "f":
            assert array.dtype == name


@every
def test_shape_rule_knows_unknown_sizes(sample: Sample):
    arrays = sample.inputs("float32")
    known = [y.shape for y in outputs_of(sample.operation, [Tensor.of(array) for array in arrays])]
    placeholders = [Tensor(array.shape, array.dtype.name) for array in arrays]
    assert [y.shape for y in outputs_of(sample.operation, placeholders)] == known


@every
def test_traced_is_eager(sample: Sample):
    arrays = sample.inputs("float32")
    eager = outputs_of(sample.operation, [Tensor.of(array) for array in arrays])
    traced = Interpreter(forward_graph(sample.operation, arrays)).run(arrays)
    for a, b in zip(eager, traced, strict=True):
        assert a.numpy().dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.exact], ids=str)
def test_gradient_is_the_slope(sample: Sample):
    check_gradient(lambda *x: outputs_of(sample.operation, x), sample.inputs("float64"))


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.exact and sample.twice], ids=str)
def test_gradient_of_gradient_is_the_slope(sample: Sample):
    def first(*x: Tensor) -> list[Tensor]:
        y = [one for one in outputs_of(sample.operation, x) if is_float(one.dtype)]
        wrt = [one for one in x if is_float(one.dtype)]
        weights = [Tensor.of(weights_of(one.shape, one.dtype, 50 + at)) for at, one in enumerate(y)]
        # Not linear in the gradient: then the weights are differentiated through as well.
        return [g * g for g in gradients(y, wrt, weights) if g is not None]

    check_gradient(first, sample.inputs("float64"))


@pytest.mark.parametrize("name", sorted({type(sample.operation).__name__ for sample in SAMPLES}))
def test_compiled_is_reference(name: str):
    check_compiled(middle_row(name), "float32")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every
def test_compiled_is_reference_for_every_row(sample: Sample, dtype: str):
    check_compiled(sample, dtype)


def check_compiled(sample: Sample, dtype: str) -> None:
    arrays = sample.inputs(dtype)
    expected = outputs_of(sample.operation, [Tensor.of(array) for array in arrays])
    for found, y in zip(compiled(sample.operation, arrays), expected, strict=True):
        assert_close(found, y.numpy(), dtype)


@pytest.mark.parametrize("sample", [s for s in rows_of(Composite) if s.operation.outputs], ids=str)
def test_expansion_is_reference(sample: Sample):
    arrays = sample.inputs("float64")
    tensors = [Tensor.of(array) for array in arrays]
    given = sample.operation.expand(*tensors)
    given = [given] if sample.operation.outputs == 1 else given
    for found, y in zip(given, outputs_of(sample.operation, tensors), strict=True):
        np.testing.assert_allclose(found.numpy(), y.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("sample", rows_of(ops.Conv, ops.DepthwiseConv, ops.MaxPool, ops.Softmax), ids=str)
def test_compiled_gradient_is_reference(sample: Sample):
    arrays = sample.inputs("float32")

    def function(*x: Tensor) -> list[Tensor]:
        return [g for g in gradients(outputs_of(sample.operation, x), x) if g is not None]

    expected = Interpreter(trace(function, specs_of(arrays))).run(arrays)
    for found, g in zip(compile_function(function).run(*arrays), expected, strict=True):
        assert_close(np.array(found), g, "float32")


def test_a_gradient_off_by_a_thousandth_breaks_the_law(monkeypatch: pytest.MonkeyPatch):
    right = ops.Tanh.gradient
    monkeypatch.setattr(ops.Tanh, "gradient", lambda self, g, y, x: tuple(1.001 * gx for gx in right(self, g, y, x)))
    with pytest.raises(AssertionError, match="by input 0"):
        check_gradient(lambda x: [ops.Tanh()(x)], [np.array([0.3, -0.7])])


def test_a_missing_gradient_breaks_the_law(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ops.Multiply, "gradient", lambda self, g, y, a, b: (g * b, None))
    with pytest.raises(AssertionError, match="by input 1"):
        check_gradient(lambda a, b: [ops.Multiply()(a, b)], [np.array([0.3]), np.array([2.0])])


def test_every_operation_says_how_it_compiles():
    kinds = (Elementwise, Reduction, View, Composite, Kernelled)
    for sample in SAMPLES:
        operation = sample.operation
        if isinstance(operation, Elementwise):
            assert operation.scalar, operation
        if isinstance(operation, Reduction):
            assert operation.accumulate in ("sum", "max", "min", "prod"), operation
        assert sum(isinstance(operation, kind) for kind in kinds) <= 1, operation
