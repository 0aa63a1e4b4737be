"""Convolution kernels against a plain NumPy sum over taps in float64."""

import itertools

import numpy as np
import pytest

from layerkit.kernels import convolution_launch as launch
from layerkit.runtime import workers
from layerkit.runtime.kernel_cache import statistics
from layerkit.runtime.plan import operand_of, run_launches

# images, height, width, channels, filters, kernel, strides, padding, dilation, groups
CASES = {
    "one": (1, 1, 1, 1, 1, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "first layer": (3, 12, 11, 1, 32, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "colours same": (2, 9, 8, 3, 10, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "valid": (2, 9, 8, 32, 64, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "same": (2, 7, 9, 33, 64, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "same stride 2": (2, 8, 9, 32, 33, (3, 3), (2, 2), ((0, 1), (1, 1)), (1, 1), 1),
    "stride 3, 2": (2, 10, 9, 3, 10, (3, 2), (3, 2), ((1, 0), (2, 1)), (1, 1), 1),
    "stride over kernel": (2, 8, 7, 4, 5, (1, 1), (2, 3), ((0, 0), (0, 0)), (1, 1), 1),
    "dilated": (2, 11, 10, 4, 40, (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
    "dilated and strided": (2, 13, 12, 3, 10, (3, 2), (2, 3), ((2, 1), (1, 3)), (2, 3), 1),
    "stride 4, dilation 6": (1, 21, 20, 2, 3, (3, 3), (4, 4), ((3, 3), (5, 2)), (6, 2), 1),
    "groups": (2, 8, 7, 6, 10, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    "groups strided": (2, 8, 7, 12, 99, (2, 3), (2, 1), ((0, 1), (2, 0)), (1, 2), 3),
    "padding over kernel": (1, 3, 2, 2, 3, (2, 2), (1, 1), ((3, 2), (4, 4)), (1, 1), 1),
    "one dimension": (3, 1, 29, 5, 7, (1, 4), (1, 2), ((0, 0), (3, 0)), (1, 1), 1),
    "wide image": (1, 40, 300, 2, 17, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "many small images": (70, 4, 4, 3, 5, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "1x1 outputs": (37, 3, 3, 4, 33, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
}
EMPTY = {
    "no image": (0, 5, 5, 3, 4, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "kernel over image": (2, 2, 5, 3, 4, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "no channels": (2, 5, 5, 0, 4, (3, 3), (1, 1), ((1, 1), (0, 0)), (1, 1), 1),
    "no filters": (2, 5, 5, 3, 0, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "no height": (2, 0, 5, 3, 4, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
}


@pytest.fixture(autouse=True)
def _threads():
    before = workers.get_num_threads()
    yield
    workers.set_num_threads(before)


class Convolution:
    """One case with random operands of integers, so that float32 sums are exact, and its reference."""

    def __init__(self, case, dtype="float32", seed=0):
        n, height, width, channels, filters, kernel, strides, padding, dilation, groups = case
        self.options = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        sizes = [
            max(0, ((size + sum(pad) - (k - 1) * d - 1) // s) + 1)
            for size, pad, k, d, s in zip((height, width), padding, kernel, dilation, strides, strict=True)
        ]
        generator = np.random.default_rng(seed)

        def draw(*shape):
            return generator.integers(-3, 4, shape).astype(dtype)

        self.dtype = dtype
        self.x = draw(n, height, width, channels)
        self.w = draw(*kernel, channels // groups, filters)
        self.bias = draw(filters)
        self.g = draw(n, *sizes, filters)

    def taps(self):
        """For each tap: its index, and the part of the padded image that it multiplies."""
        (top, bottom), (left, right) = self.options["padding"]
        (sy, sx), (dy, dx) = self.options["strides"], self.options["dilation"]
        padded = np.pad(self.x.astype("float64"), ((0, 0), (top, bottom), (left, right), (0, 0)))
        rows, columns = self.g.shape[1:3]
        for y, x in itertools.product(range(self.w.shape[0]), range(self.w.shape[1])):
            part = np.s_[:, y * dy : y * dy + rows * sy : sy, x * dx : x * dx + columns * sx : sx]
            yield (y, x), padded, part

    def grouped(self, array):
        groups = self.options["groups"]
        return array.astype("float64").reshape(*array.shape[:-1], groups, array.shape[-1] // groups)

    def forward(self):
        total = np.zeros(self.grouped(self.g).shape)
        if total.size:
            for tap, padded, part in self.taps():
                total += np.einsum("nyxgc,cgf->nyxgf", self.grouped(padded[part]), self.grouped(self.w[tap]))
        return total.reshape(self.g.shape)

    def input_gradient(self):
        (top, bottom), (left, right) = self.options["padding"]
        n, height, width, channels = self.x.shape
        total = np.zeros((n, height + top + bottom, width + left + right, channels))
        if self.g.size:
            for tap, _, part in self.taps():
                share = np.einsum("nyxgf,cgf->nyxgc", self.grouped(self.g), self.grouped(self.w[tap]))
                total[part] += share.reshape(*share.shape[:3], channels)
        return total[:, top : top + height, left : left + width]

    def filter_gradient(self):
        total = np.zeros(self.w.shape)
        if self.g.size:
            for tap, padded, part in self.taps():
                share = np.einsum("nyxgc,nyxgf->cgf", self.grouped(padded[part]), self.grouped(self.g))
                total[tap] = share.reshape(total[tap].shape)
        return total

    def run(self, make, *inputs, like, **more):
        operands = [operand_of(array) for array in inputs]
        result = np.full(like.shape, np.nan, self.dtype)
        more = {name: operand_of(value) if isinstance(value, np.ndarray) else value for name, value in more.items()}
        out = operand_of(result)
        launches = make(*operands, out, **self.options, **more)
        extra = [value for value in more.values() if not isinstance(value, str)]
        run_launches(launches, {operand.buffer: operand.buffer.array for operand in [*operands, out, *extra]})
        return result

    def run_all(self):
        return (
            self.run(launch.conv_launches, self.x, self.w, like=self.g),
            self.run(launch.conv_launches, self.x, self.w, like=self.g, bias=self.bias, activation="relu"),
            self.run(launch.conv_input_gradient_launches, self.g, self.w, like=self.x),
            self.run(launch.conv_filter_gradient_launches, self.x, self.g, like=self.w),
        )

    def references(self):
        forward = self.forward()
        return forward, np.maximum(forward + self.bias, 0), self.input_gradient(), self.filter_gradient()


@pytest.mark.parametrize("name", [*CASES, *EMPTY])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_reference(name, dtype):
    case = Convolution({**CASES, **EMPTY}[name], dtype)
    for result, expected in zip(case.run_all(), case.references(), strict=True):
        np.testing.assert_array_equal(result, expected)
