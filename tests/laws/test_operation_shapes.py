"""Laws about shapes that every operation keeps: empty, one element, strided inside a plan, sizes that are not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Elementwise, Operation, Reduction
from layerkit.graph.tensor import Tensor
from layerkit.tracing import compile_function
from tests.laws.test_operations import assert_close, check_gradient, outputs_of, specs_of
from tests.samples.operations import SAMPLES, Sample, middle_row

NAMES = sorted({type(sample.operation).__name__ for sample in SAMPLES})
ALONG = (ops.Softmax, ops.LogSoftmax, ops.LogSumExp, ops.CumSum, ops.ArgSort, ops.ArgMax, ops.ArgMin)
ANY_SIZE = (Elementwise, Reduction, ops.Transpose, *ALONG)
"""Operations whose attributes say nothing of sizes."""


def check(function: Callable, arrays: Sequence[np.ndarray], given: Sequence[np.ndarray], dtype: str) -> None:
    """A compiled function of `given` gives what it gives eagerly of `arrays`."""
    expected = outputs_of(function, [Tensor.of(array) for array in arrays])
    found = compile_function(lambda *x: outputs_of(function, x)).run(*given)
    for one, y in zip(found, expected, strict=True):
        assert_close(np.array(one), y.numpy(), dtype)


def cut(sample: Sample, size: int, axes: Callable[[int], bool]) -> list[np.ndarray]:
    """A sample's inputs with at most `size` elements along the chosen axes, which count from the end (-1, -2 ...)."""
    whole = sample.operation.whole
    return [
        x
        if at in whole
        else x[(..., *(slice(size) if n != 1 and axes(k - x.ndim) else slice(None) for k, n in enumerate(x.shape)))]
        for at, x in enumerate(sample.inputs("float32"))
    ]


def free_axes(sample: Sample) -> Callable[[int], bool]:
    """Which axes of any size the operation goes over one by one."""
    operation, rank = sample.operation, max(x.ndim for x in sample.inputs("float32"))
    taken = getattr(operation, "axes", ()) if isinstance(operation, Reduction) else ()
    taken = (operation.axis,) if isinstance(operation, ALONG) else taken
    taken = {axis % rank - rank for axis in taken}
    return lambda axis: axis not in taken


def of_any_size() -> Iterator[Sample]:
    for name in NAMES:
        sample = middle_row(name)
        if isinstance(sample.operation, ANY_SIZE):
            yield sample


resizable = pytest.mark.parametrize("sample", list(of_any_size()), ids=str)


@resizable
def test_nothing(sample: Sample):
    arrays = cut(sample, 0, free_axes(sample))
    check(sample.operation, arrays, arrays, "float32")


@resizable
def test_one_element(sample: Sample):
    arrays = cut(sample, 1, lambda axis: True)
    check(sample.operation, arrays, arrays, "float32")
    if sample.exact:
        check_gradient(lambda *x: outputs_of(sample.operation, x), arrays)


def reversed_inside(operation: Operation) -> Callable[..., Tensor | list[Tensor]]:
    """The operation on its inputs reversed along all axes and transposed, so that it meets negative strides."""
    return lambda *x: operation(*(one if i in operation.whole else turned(one) for i, one in enumerate(x)))


def turned(x: Tensor) -> Tensor:
    return ops.flip(ops.transpose(x))


def check_strided(sample: Sample, dtype: str) -> None:
    arrays = sample.inputs(dtype)
    given = [x if at in sample.operation.whole else np.array(np.flip(x).T, order="C") for at, x in enumerate(arrays)]
    expected = outputs_of(sample.operation, [Tensor.of(array) for array in arrays])
    inside = reversed_inside(sample.operation)

    def function(*x: Tensor) -> list[Tensor]:
        y = inside(*x)
        return [y] if sample.operation.outputs == 1 else list(y)

    for one, y in zip(compile_function(function).run(*given), expected, strict=True):
        assert_close(np.array(one), y.numpy(), dtype)


@pytest.mark.parametrize("name", NAMES)
def test_strided_inside_a_plan(name: str):
    # In float64: test_compiled_is_reference runs the same rows in float32, contiguous.
    check_strided(middle_row(name), "float64")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_row_strided_inside_a_plan(sample: Sample, dtype: str):
    check_strided(sample, dtype)


def shapes_of(operation: Operation, specs: Sequence[tuple]) -> list[tuple] | None:
    """The inferred shapes; None where the operation refuses these sizes."""
    try:
        return [y.shape for y in outputs_of(operation, [Tensor(shape, dtype) for shape, dtype in specs])]
    except (ShapeError, DtypeError):
        return None


def compatible(inferred: Sequence[tuple], real: Sequence[tuple]) -> bool:
    return len(inferred) == len(real) and all(
        len(a) == len(b) and all(m in (None, n) for m, n in zip(a, b, strict=True))
        for a, b in zip(inferred, real, strict=True)
    )


def with_size(specs: Sequence[tuple], at: int, axis: int, size: int | None) -> list[tuple]:
    (shape, dtype) = specs[at]
    return [*specs[:at], ((*shape[:axis], size, *shape[axis + 1 :]), dtype), *specs[at + 1 :]]


def may_be_unknown(operation: Operation, at: int, axis: int, rank: int) -> bool:
    """A convolution's filters and channels are known."""
    return not isinstance(operation, (ops.Conv, ops.DepthwiseConv, ops.ConvBiasActivation)) or (
        at == 0 and axis < rank - 1
    )


# Gradients are only made with known sizes.
@pytest.mark.parametrize("sample", [s for s in SAMPLES if not type(s.operation).__name__.endswith("Gradient")], ids=str)
def test_an_unknown_size_gives_what_fits_all_sizes(sample: Sample):
    specs = specs_of(sample.inputs("float32"))
    real = shapes_of(sample.operation, specs)
    assert real is not None
    for at, (shape, _) in enumerate(specs):
        for axis, n in enumerate(shape):
            if not may_be_unknown(sample.operation, at, axis, len(shape)):
                continue
            inferred = shapes_of(sample.operation, with_size(specs, at, axis, None))
            if inferred is None:
                continue  # it says that it has to know
            assert compatible(inferred, real), f"input {at}, axis {axis} unknown: {inferred} does not fit {real}"
            other = shapes_of(sample.operation, with_size(specs, at, axis, n + 1))
            assert other is None or compatible(inferred, other), (
                f"input {at}, axis {axis} unknown: {inferred} does not fit {other}, of size {n + 1}"
            )
