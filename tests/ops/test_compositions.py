"""Functions of `layerkit.ops` that are made of other operations: gradients, compiled results, and errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.tracing import compile_function
from tests.laws.test_operations import assert_close, check_gradient
from tests.samples.operations import floats

HOLES = np.array([[True, False, False, True, False], [False] * 5, [False, True, True, True, False]])


def with_holes(x: Tensor) -> Tensor:
    return ops.where(HOLES, np.nan, x)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "exp2": ops.exp2,
    "sinc": ops.sinc,
    "logaddexp": lambda x: ops.logaddexp(x, x[::-1] * 1.3),
    "logaddexp2": lambda x: ops.logaddexp2(x, x[::-1] * 1.3),
    "fmod": lambda x: ops.fmod(x * 5, 1.7),
    "fmax": lambda x: ops.fmax(with_holes(x), x * 0.5 + 0.1),
    "ldexp": lambda x: ops.ldexp(x, np.array([0, 1, -2, 3, 5])),
    "nan_to_num": lambda x: ops.nan_to_num(with_holes(x)),
    "nansum": lambda x: ops.nansum(with_holes(x), 0),
    "nanmax": lambda x: ops.nanmax(with_holes(x), 1),
    "nanvar": lambda x: ops.nanvar(with_holes(x), 1),
    "nancumprod": lambda x: ops.nancumprod(with_holes(x), 1),
    "ptp": lambda x: ops.ptp(x, 1),
    "median": lambda x: ops.median(x, 0),
    "quantile": lambda x: ops.quantile(x, [0.2, 0.7], 1),
    "nanquantile": lambda x: ops.nanquantile(with_holes(x), [0.2, 0.7], 1),
    "rot90": ops.rot90,
    "array_split": lambda x: ops.array_split(x, 3, 1)[1],
    "diagonal": lambda x: ops.diagonal(x, 1),
    "diagflat": lambda x: ops.diagflat(x, -1),
    "diff": lambda x: ops.diff(x, 2),
    "kron": lambda x: ops.kron(x, x[:2, :2]),
    "cross": lambda x: ops.cross(x[:, :3], x[:, 2:]),
    "inner": lambda x: ops.inner(x, x * x),
    "select": lambda x: ops.select([x > 1, x > 0], [x, x * 2], 3.0),
    "vander": lambda x: ops.vander(x[0], 4),
    "trapezoid": lambda x: ops.trapezoid(x, x * x, axis=0),
    "correlate": lambda x: ops.correlate(x[0], x[1, :3], "same"),
    "corrcoef": ops.corrcoef,
    "cdist": lambda x: ops.cdist(x, x[:2] + 5),
    "psnr": lambda x: ops.psnr(x, x * 0.7 + 1, 2.0),
    "logspace": lambda x: ops.logspace(x[0], x[1], 4),
    "geomspace": lambda x: ops.geomspace(x[0] * x[0], x[1] * x[1], 4),
}
every = pytest.mark.parametrize("name", FUNCTIONS)


def values(dtype: str) -> np.ndarray:
    return floats(3, 5)(np.random.default_rng(3), dtype)


@every
def test_gradient_is_the_slope(name: str):
    check_gradient(lambda x: [FUNCTIONS[name](x)], [values("float64")])


@every
def test_compiled_is_eager(name: str):
    x = values("float32")
    given = compile_function(lambda one: [FUNCTIONS[name](one)]).run(x)
    assert_close(np.array(given[0]), FUNCTIONS[name](Tensor.of(x)).numpy(), "float32")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.quantile(x, 0.3, 1),
        lambda x: ops.quantile(x, [0.3, 0.5], (1, 2)),
        lambda x: ops.nanmedian(x, 2, keepdims=True),
        lambda x: ops.nanvar(x, 1),
        lambda x: ops.diagonal(x, 0, 1, 2),
        lambda x: ops.kron(x, np.ones((2, 2), "float32")),
        lambda x: ops.hsplit(x, [1])[1],
        lambda x: ops.cross(x, x + 1),
        lambda x: ops.digitize(x, [0.0, 1.0]),
    ],
)
def test_shapes_with_an_unknown_size(function: Callable[[Tensor], Tensor]):
    known = function(Tensor.of(np.zeros((7, 4, 3), "float32"))).shape
    assert [m for m, n in zip(function(Tensor((None, 4, 3), "float32")).shape, known, strict=True) if m != n] in (
        [],
        [None],
    )


@pytest.mark.parametrize("name", ["bitwise_and", "left_shift"])
def test_floats_have_no_bits(name: str):
    with pytest.raises(DtypeError, match="bits"):
        getattr(ops, name)(1.5, 2.5)


def test_bools_are_shifted_as_int32():
    y = ops.left_shift(np.array([True]), np.array([True]))
    assert y.dtype == "int32" and y.tolist() == [2]


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_wrong_arguments_are_named(dtype: str):
    x = np.ones((2, 3), dtype)
    for error, call in (
        (ValueError, lambda: ops.quantile(x, 0.5, method="cubic")),
        (ShapeError, lambda: ops.quantile(x, x)),
        (ShapeError, lambda: ops.cross(x, x[:, :1])),
        (ShapeError, lambda: ops.correlate(x, x)),
        (ValueError, lambda: ops.correlate(x[0], x[0], "whole")),
        (ShapeError, lambda: ops.histogram(x)),
        (ValueError, lambda: ops.histogram(x[0], 0)),
        (ShapeError, lambda: ops.searchsorted(x, 1.0)),
        (ValueError, lambda: ops.searchsorted(x[0], 1.0, side="middle")),
        (ValueError, lambda: ops.rot90(x, axes=(0, 0))),
        (ValueError, lambda: ops.select([x > 0], [])),
        (TypeError, lambda: ops.array_split(x, [1])),
        (NotImplementedError, lambda: ops.bincount(x[0], sparse=True)),
        (DtypeError, lambda: ops.ldexp(x, 0.5)),
        (ShapeError, lambda: ops.vander(x)),
        (ShapeError, lambda: ops.depth_to_space(x, 2)),
    ):
        with pytest.raises(error):
            call()


def test_whole_numbers_only():
    with pytest.raises(DtypeError, match="integers"):
        ops.gcd(1.5, 2.0)


@pytest.mark.parametrize("name", ["unique", "bincount"])
def test_results_whose_shape_hangs_on_values_need_values(name: str):
    with pytest.raises(GraphError):
        compile_function(lambda x: [getattr(ops, name)(x)]).run(np.array([1, 2], "int32"))


def test_isin_nothing():
    assert ops.isin(np.array([1, 2]), np.zeros(0, "int32")).tolist() == [False, False]


def test_extremes_of_hypot_and_logaddexp():
    huge = np.float32(3e38)
    assert ops.hypot(huge, 0.0).item() == huge
    given = compile_function(lambda a, b: [ops.hypot(a, b), ops.logaddexp(a, b)]).run(
        np.array([0, -np.inf, np.inf, 3e30, 1e-30], "float32"), np.array([0, -np.inf, -1, 4e30, 0], "float32")
    )
    np.testing.assert_allclose(given[0], [0, np.inf, np.inf, 5e30, 1e-30], rtol=1e-6)
    np.testing.assert_allclose(given[1], [np.log(2), -np.inf, np.inf, 4e30, np.log(2)], rtol=1e-6)
