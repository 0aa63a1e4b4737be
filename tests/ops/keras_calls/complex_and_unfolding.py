"""Calls on complex numbers, and of windows, adaptive pools, partitions, patterns and bit patterns."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls(17)
call, floats, positive, integers = CALLS.add, CALLS.floats, CALLS.positive, CALLS.integers


def complexes(*shape: int) -> np.ndarray:
    return floats(*shape) + 1j * floats(*shape)


def parts() -> None:
    z, x, whole = complexes(3, 4), floats(3, 4), integers(5, high=9) - 4
    special = np.array([0, 3, -2, 1j, -1j, 2 - 0j], "complex64")
    for name in ("angle", "conj", "conjugate", "imag", "real", "isreal", "view_as_real"):
        for value in (z, special, x, whole):
            call(name, value)
    call("angle", np.array([True, False]))
    call("angle", np.array([-0.0, 0.0, np.nan, -np.inf], "float32"))
    call("view_as_complex", floats(3, 2))
    call("view_as_complex", integers(2, 3, 2, high=5))
    call("polar", positive(3, 4), x)
    call("polar", positive(3, 1), floats(4))
    call("polar", integers(3, high=4), integers(3, high=4))


def arithmetic() -> None:
    z, w, x = complexes(3, 4), complexes(3, 4), floats(3, 4)
    for name in ("add", "subtract", "multiply", "divide", "power", "equal", "not_equal"):
        call(name, z, w)
        call(name, z, x)
        call(name, integers(3, 4, high=5) + 1, z)
        call(name, z, 2.0)
        call(name, x, 1 + 2j)
    for name in (
        "absolute", "negative", "square", "sqrt", "exp", "expm1", "log", "log10", "sin", "cos", "tan", "sinh", "cosh",
        "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "isnan", "isfinite", "mean", "average",
        "sum", "prod", "cumsum", "transpose", "std", "ravel",
    ):  # fmt: skip
        call(name, z)
    call("sum", z, axis=1, keepdims=True)
    call("matmul", z, w.T)
    call("matmul", x, w.T)
    call("reshape", z, (4, 3))
    call("concatenate", [z, x], axis=0)
    call("stack", [z, w], axis=1)
    call("take", z, np.array([2, 0]), axis=1)
    call("where", np.array([True, False, True, False]), z, 0)
    call("isclose", z, z + 1e-9j)
    call("cast", x, "complex64")
    call("cast", z, "bool")


def windows() -> None:
    x = floats(2, 3, 7, 8)
    call("unfold", x, 2)
    call("unfold", x, (3, 2), 1, 1, 2)
    call("unfold", x, 2, (3, 2), (0, 2), (2, 3))
    call("unfold", integers(1, 2, 4, 4, high=9), 2, stride=2)
    call("fold", floats(2, 12, 9), 4, 2)
    call("fold", floats(2, 12, 25), (5, 5), (2, 2), padding=1, stride=1, dilation=2)
    call("fold", floats(2, 18, 16), (8, 6), (2, 3), stride=(2, 1), padding=0)


def adaptive_pools() -> None:
    for size in ((9,), (9, 10), (5, 6, 7)):
        rank = len(size)
        for name in ("adaptive_average_pool", "adaptive_max_pool"):
            call(name, floats(2, *size, 3), 1)
            call(name, floats(2, *size, 3), 3)
            call(name, floats(2, *size, 3), (4, 5, 3)[:rank])
            call(name, floats(2, 3, *size), (2, 5, 4)[:rank], "channels_first")
    call("adaptive_average_pool", floats(1, 3, 2), 5)
    call("adaptive_max_pool", floats(1, 8, 2), 2)
    call("adaptive_max_pool", integers(1, 9, 2, high=50), 4)


def arrangement() -> None:
    x = floats(4, 6, 3)
    call("rearrange", x, "a b c -> c a b")
    call("rearrange", x, "a b c -> (b a) c")
    call("rearrange", x, "(a1 a2) (b1 b2) c -> (a1 b2) a2 (c b1)", a1=2, b2=3)
    call("rearrange", x, "a b c->(a b c)")
    for kth in (0, 1, -2):  # where the order of all of them is defined
        call("argpartition", np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 1.5]], "float32")[:, : 3 if kth else 2], kth)
    call("argpartition", np.array([[3, 1], [2, 1]]), 0, 0)
    call("argpartition", np.array([[3], [1], [2]]), 1, None)
    for values, dtype in (
        (floats(2, 3), "int32"), (floats(2, 4), "uint8"), (floats(2, 4), "complex64"), (complexes(3), "float32"),
        (np.arange(8, dtype="uint8"), "int32"), (np.array([0, 1, 2], "uint8"), "bool"),
        (np.array([True, False]), "uint8"), (np.array(3, "int32"), "float32"), (floats(2), None),
    ):  # fmt: skip
        call("view", values, dtype)
    call("i0", floats(20, low=-5, high=5))
    call("i0", np.array([0, 30, -60, 80, np.nan], "float32"))
    call("i0", np.array([0, 1, -3]))


for make in (parts, arithmetic, windows, adaptive_pools, arrangement):
    make()
