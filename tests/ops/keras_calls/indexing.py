"""Calls of indexing, sorting, running products, segments and scatter, with indices outside and NaN."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls(41)
call, floats, integers = CALLS.add, CALLS.floats, CALLS.integers


def reading() -> None:
    x = floats(3, 4, 5)
    call("take", x, np.array([[0, -1], [2, 1]]), axis=1)
    call("take", x, np.array([59, -60, 7]))
    call("take_along_axis", x, integers(3, 2, 5, high=4), axis=1)
    call("take_along_axis", x, integers(1, 2, 1, high=4), axis=1)
    call("take_along_axis", x, integers(7, high=60), axis=None)
    call("get_item", x, (slice(None), np.array([0, 2]), np.array([[1], [3]])))
    call("get_item", x, (0, slice(None), np.array([0, 2])))
    call("get_item", x, (Ellipsis, None, slice(None, None, -2)))
    call("slice", x, (1, 0, 2), (2, 3, 3))
    call("slice_update", x, (1, 0, 2), floats(2, 3, 3))


def sorting() -> None:
    x = floats(4, 30).round(1)
    x[0, 3] = x[2, 0] = np.nan
    x[1, 4], x[1, 7] = np.inf, -np.inf
    for axis in (-1, 0, None):
        call("sort", x, axis=axis)
        call("argsort", np.abs(x), axis=axis)
    call("sort", integers(3, 20, high=6), axis=1)
    call("argsort", integers(3, 20, high=6), axis=1)
    call("top_k", floats(3, 20), 4)
    call("top_k", x, 4)
    call("top_k", integers(3, 20, high=6), 5)
    call("in_top_k", integers(5, high=4), floats(5, 4), 2)
    call("argmax", x, axis=0)
    call("argmin", x, axis=0)
    call("argmin", integers(3, 4, 5, high=9), axis=1, keepdims=True)
    call("searchsorted", np.sort(floats(9)), floats(3, 4), side="right")
    call("digitize", floats(3, 4), np.array([-1.0, 0.0, 0.5], "float32"))


def running() -> None:
    x = floats(3, 4, 5)
    x[0, 1, 2] = 0
    for axis in (0, -2, None):
        call("cumsum", x, axis=axis)
        call("cumprod", x, axis=axis)
    call("cumsum", integers(3, 4, high=5), axis=1, dtype="float32")
    call("cumprod", integers(3, 4, high=5), axis=1)
    call("cumprod", np.array([True, True, False]))


def writing() -> None:
    x, ids = floats(7, 3), np.array([0, 2, 2, -1, 0, 3, 3])
    for name in ("segment_sum", "segment_max"):
        call(name, x, ids, num_segments=5)
        call(name, x[:, 0], np.abs(ids), num_segments=4)
    call("scatter", np.array([[0, 1], [2, 0], [0, 1]]), floats(3), (3, 2))
    call("scatter", np.array([[1], [-1]]), floats(2, 4), (3, 4))
    for reduction in (None, "add", "max", "min", "mul"):
        call("scatter_update", floats(4, 3), np.array([[0, 1], [-1, 2], [3, 0]]), floats(3), reduction)
        call("scatter_update", floats(4, 3), np.array([[0], [2]]), floats(2, 3), reduction)
    call("scatter_update", floats(4), np.array([[1], [1], [1]]), floats(3), "mul")


def joining() -> None:
    x = floats(2, 3, 4)
    call("concatenate", [x, floats(2, 1, 4), floats(2, 0, 4)], axis=1)
    call("stack", [x, x], axis=-1)
    call("pad", x, ((1, 0), (0, 2), (3, 1)), constant_values=2.5)
    call("roll", x, (1, -2), axis=(0, 2))
    call("roll", x, 5)
    call("flip", x, axis=(0, 2))
    call("tile", x, (2, 1, 3))
    call("repeat", x, 3, axis=1)
    call("repeat", x, np.array([1, 0, 2]), axis=1)


for _part in (reading, sorting, running, writing, joining):
    _part()
