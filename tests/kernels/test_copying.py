"""Boxes copied and filled, and what is joined and padded of them, against NumPy."""

from dataclasses import replace

import numpy as np
import pytest

from layerkit.kernels import copying_launch
from layerkit.runtime.plan import operand_of, run_launches

DTYPES = ["float32", "float64", "int64", "int16", "bool", "float16"]


def run(launches, *pairs):
    run_launches(launches, {operand.buffer: array for operand, array in pairs})


def view_of(base, view):
    """The operand of a view of an array, in the array's buffer."""
    operand = operand_of(base)
    offset = (view.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // base.itemsize
    strides = tuple(stride // base.itemsize for stride in view.strides)
    return replace(operand, shape=view.shape, strides=strides, offset=offset)


def numbers(shape, dtype):
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "view"),
    [
        ((5,), lambda x: x),
        ((5,), lambda x: x[::-2]),
        ((30000,), lambda x: x),
        ((3, 0), lambda x: x),
        ((70, 3), lambda x: x.T),
        ((4, 6, 3, 5, 2, 3), lambda x: x.transpose(3, 1, 0, 2, 5, 4)[::2, ::-1]),
        ((3, 1, 4), lambda x: np.broadcast_to(x, (2, 3, 5, 4))),
    ],
)
def test_copy(dtype, shape, view):
    base = numbers(shape, dtype)
    source = view(base)
    whole = np.zeros(tuple(2 * n + 1 for n in source.shape), dtype)
    target = whole[tuple(slice(1, None, 2) for _ in source.shape)]
    x, out = view_of(base, source), view_of(whole, target)
    run(copying_launch.copy_launches(x, out), (x, base), (out, whole))
    np.testing.assert_array_equal(target, source)
    target[...] = 0
    assert not whole.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("widths", [((1, 2), (0, 0), (3, 0)), ((0, 0),) * 3, ((0, 4), (2, 1), (1, 1))])
@pytest.mark.parametrize("value", [0, 1])
def test_pad(dtype, widths, value):
    x = numbers((3, 4, 5), dtype)
    expected = np.pad(x, widths, constant_values=value)
    out = np.full_like(expected, 3)
    operands = operand_of(x), operand_of(out)
    launches = copying_launch.pad_launches(*operands, [before for before, _ in widths], value)
    run(launches, (operands[0], x), (operands[1], out))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concatenate_and_stack(axis):
    for join, launches_of, shapes in (
        (np.concatenate, copying_launch.concatenate_launches, [(3, 3, 3)] * 3),
        (np.stack, copying_launch.stack_launches, [(3, 4)] * 2),
    ):
        parts = [numbers(shape, "float32") + at for at, shape in enumerate(shapes)]
        out = np.zeros_like(join(parts, axis))
        operands = [operand_of(part) for part in parts]
        target = operand_of(out)
        run(launches_of(operands, target, axis), *zip(operands, parts, strict=True), (target, out))
        np.testing.assert_array_equal(out, join(parts, axis))


def test_what_does_not_fit():
    x, y = operand_of(np.zeros((2, 3), np.float32)), operand_of(np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="cannot be copied"):
        copying_launch.copy_launches(x, y)
    with pytest.raises(ValueError, match="do not fill"):
        copying_launch.concatenate_launches([x], y, 1)
