"""Result dtypes over all pairs of operands are those of Keras (dtypes.json); eager, symbolic and compiled agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from layerkit import ops
from layerkit.graph.tensor import Tensor
from layerkit.tracing import compile_function
from tests.ops.dtype_calls import ARRAYS, BINARY, PYTHON, UNARY, dtypes_of, load, shape_of

RECORDED = load()
REFUSED = "-"
CALLS = {"unary": UNARY, "binary": BINARY}
FUNCTIONS = [(kind, name) for kind in CALLS for name in CALLS[kind]]
EXCEPTIONS = {
    "an int64 gives the default float type, as in all other functions; Keras' rule here says float64": (
        "cbrt deg2rad rad2deg corrcoef hypot heaviside correlate",
        lambda dtypes, found, expected: expected == "float64" and found == "float32",
    ),
    "a Python number takes the other operand's type, as in all other functions; Keras makes it an array first": (
        "arctan2 logaddexp logaddexp2 nextafter gcd lcm kron",
        lambda dtypes, found, expected: found in dtypes and any(dtype in PYTHON for dtype in dtypes),
    ),
    "means are floats; Keras keeps the integers, which its backends cut or refuse": (
        "rms_normalization moments",
        lambda dtypes, found, expected: found == "float32",
    ),
    "relu6 of a bool is relu's int32, limited": ("relu6", lambda dtypes, found, expected: dtypes == ("bool",)),
}
"""Where layerkit differs: why, in which functions, and a test of (dtypes, found, Keras' result)."""


def operand(name: str, dtype: str, symbolic: bool = False) -> Any:
    if dtype in PYTHON:
        return PYTHON[dtype]
    return Tensor(shape_of(name), dtype) if symbolic else Tensor.of(values(shape_of(name), dtype))


def values(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 4, shape).astype(dtype)


def cases(kind: str, name: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for dtypes, expected in RECORDED[kind][name].items():
        if expected != REFUSED:
            yield dtypes, expected


def excepted(name: str, dtypes: tuple[str, ...], found: str, expected: str) -> bool:
    return any(name in names.split() and holds(dtypes, found, expected) for names, holds in EXCEPTIONS.values())


@pytest.mark.parametrize(("kind", "name"), FUNCTIONS)
def test_the_dtype_is_that_of_keras(kind: str, name: str):
    wrong = []
    for dtypes, expected in cases(kind, name):
        with np.errstate(all="ignore"):
            try:
                found = dtypes_of(CALLS[kind][name](ops, *(operand(name, dtype) for dtype in dtypes)))
            except Exception as error:
                found = repr(error)[:90]
        if found != expected and not excepted(name, dtypes, found, expected):
            wrong.append(f"{', '.join(dtypes)}: {found} where Keras gives {expected}")
    assert not wrong, f"{len(wrong)}: " + "; ".join(wrong[:12])


@pytest.mark.parametrize(("kind", "name"), FUNCTIONS)
def test_the_symbolic_dtype_is_the_eager_one(kind: str, name: str):
    call, wrong = CALLS[kind][name], []
    for dtypes, _ in cases(kind, name):
        eager = dtypes_of(call(ops, *(operand(name, dtype) for dtype in dtypes)))
        symbolic = dtypes_of(call(ops, *(operand(name, dtype, symbolic=True) for dtype in dtypes)))
        if eager != symbolic:
            wrong.append(f"{', '.join(dtypes)}: {symbolic}, eagerly {eager}")
    assert not wrong, "; ".join(wrong)


ELEMENTS = 33
INTEGERS = [dtype for dtype in ARRAYS if "int" in dtype]
MIXED = [
    ("bool", "int8"), ("bool", "float32"), ("int8", "uint8"), ("int16", "uint16"), ("uint8", "float16"),
    ("int32", "uint32"), ("int64", "float32"), ("uint32", "float64"), ("int8", "python float"),
    ("uint16", "python int"), ("python bool", "int64"),
]  # fmt: skip


def check_compiled(calls: dict[str, Any], x: list[Any]) -> None:
    """All calls in one compiled function give the dtypes and the values that they give eagerly."""
    arrays = [one for one in x if isinstance(one, np.ndarray)]

    def function(*given: Tensor) -> list:
        rest = iter(given)
        operands = [next(rest) if isinstance(one, np.ndarray) else one for one in x]
        return [call(ops, *operands) for call in calls.values()]

    eager = function(*map(Tensor.of, arrays))
    compiled = compile_function(function)(*arrays)
    wrong = []
    for name, one, other in zip(calls, eager, compiled, strict=True):
        pairs = zip(one, other, strict=True) if isinstance(one, (tuple, list)) else [(one, other)]
        for expected, found in pairs:
            a, b = expected.numpy(), np.asarray(found)
            tolerance = 0 if a.dtype.kind in "biu" else 3e-3 if a.dtype == "float16" else 3e-5
            same = a.dtype == b.dtype and a.shape == b.shape
            if not same or not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
                wrong.append(f"{name}: {b.dtype}{b.tolist()} where eagerly {a.dtype}{a.tolist()}"[:400])
    assert not wrong, "\n".join(wrong)


def accepted(kind: str, dtypes: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """The calls that Keras does not refuse for operands of one shape."""
    return {
        name: call
        for name, call in CALLS[kind].items()
        if RECORDED[kind][name][dtypes] != REFUSED and shape_of(name) == shape
    }


def slow_unless(all_of: Sequence, quick: Sequence) -> list:
    """Parameters; all functions of a dtype take seconds to compile."""
    return [
        pytest.param(
            one, marks=() if one in quick else pytest.mark.slow, id=one if isinstance(one, str) else "-".join(one)
        )
        for one in all_of
    ]


@pytest.mark.parametrize("dtype", slow_unless(ARRAYS, ["int16"]))
def test_compiled_functions_of_one_tensor(dtype: str):
    check_compiled(accepted("unary", (dtype,), (4, 4)), [values((4, 4), dtype)])


@pytest.mark.parametrize(
    "pair", slow_unless([*((dtype, dtype) for dtype in ARRAYS), *MIXED], [("bool", "bool"), ("int8", "uint8")])
)
def test_compiled_functions_of_two_tensors(pair: tuple[str, str]):
    operands = [PYTHON[dtype] if dtype in PYTHON else values((4, 4), dtype, at) for at, dtype in enumerate(pair)]
    check_compiled(accepted("binary", pair, (4, 4)), operands)


ARITHMETIC = """
    add subtract multiply divide floor_divide mod maximum minimum bitwise_and bitwise_or bitwise_xor
    equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor
"""
OF_ONE = """
    negative absolute sign square bitwise_invert floor ceil round trunc relu logical_not isnan isfinite isinf signbit
    sum prod max min mean any all argmax argmin cumsum cumprod sort argsort count_nonzero ptp
"""


def edges(dtype: str) -> np.ndarray:
    """The numbers where arithmetic of a dtype goes wrong."""
    if dtype == "bool":
        return np.array([False, True])
    limits = np.iinfo(dtype)
    found = {limits.min, limits.min + 1, -3, -1, 0, 1, 2, 3, 7, limits.max // 2, limits.max - 1, limits.max}
    return np.array(sorted(one for one in found if limits.min <= one <= limits.max), dtype)


@pytest.mark.parametrize("dtype", slow_unless(["bool", *INTEGERS], ["bool", "int8", "int64", "uint32"]))
def test_integer_arithmetic_at_the_edges(dtype: str):
    x = edges(dtype)
    calls = {name: BINARY[name] for name in ARITHMETIC.split() if RECORDED["binary"][name][dtype, dtype] != REFUSED}
    check_compiled(calls, [np.repeat(x, len(x)), np.tile(x, len(x))])
    calls = {name: lambda ops, x, name=name: getattr(ops, name)(x) for name in OF_ONE.split()}
    if dtype == "bool":
        del calls["negative"], calls["sign"], calls["ptp"]  # as in Keras' backends, they are of numbers
    check_compiled(calls, [x])
    check_compiled(calls, [np.tile(x, (300, 7))])


@pytest.mark.parametrize("dtype", slow_unless(INTEGERS, ["int8", "uint32"]))
def test_shifts(dtype: str):
    bits = np.iinfo(dtype).bits
    x, by = edges(dtype), np.array([0, 1, bits - 1, bits, bits + 3], dtype)
    calls = {name: BINARY[name] for name in ("left_shift", "right_shift")}
    check_compiled(calls, [np.repeat(x, len(by)), np.tile(by, len(x))])
