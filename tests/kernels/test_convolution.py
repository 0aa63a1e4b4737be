"""Convolution kernels against a plain NumPy sum over taps in float64."""

import itertools

import numpy as np
import pytest

from layerkit.kernels.convolution_filters_launch import conv_filter_gradient_launches
from layerkit.kernels.convolution_launch import (
    conv_input_gradient_launches,
    conv_launches,
)
from layerkit.kernels.depthwise_launch import (
    depthwise_filter_gradient_launches,
    depthwise_input_gradient_launches,
    depthwise_launches,
)
from layerkit.runtime.kernel_cache import statistics
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

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
    "one filter": (3, 9, 13, 32, 1, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "one filter, many images": (35, 5, 4, 70, 1, (3, 2), (1, 1), ((1, 1), (0, 1)), (1, 1), 1),
    "few filters, strided": (2, 9, 12, 40, 3, (3, 3), (2, 2), ((0, 1), (1, 1)), (1, 1), 1),
    "few filters, dilated": (2, 9, 12, 37, 2, (3, 3), (1, 1), ((2, 2), (1, 2)), (2, 1), 1),
    "few filters, groups": (2, 6, 7, 66, 4, (2, 3), (1, 1), ((1, 0), (1, 1)), (1, 1), 2),
    "few filters, padding over kernel": (2, 4, 5, 48, 1, (2, 2), (1, 1), ((3, 1), (0, 2)), (1, 1), 1),
    "from few channels": (3, 8, 9, 1, 64, (5, 5), (2, 2), ((1, 2), (2, 1)), (1, 1), 1),
    "1x1 outputs": (37, 3, 3, 4, 33, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
}
# groups == channels: run as depthwise convolutions too
DEPTHWISE = {
    "one": (1, 1, 1, 1, 1, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "valid": (2, 9, 10, 33, 33, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 33),
    "same": (3, 7, 21, 40, 40, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 40),
    "strided": (2, 8, 9, 5, 5, (3, 2), (2, 3), ((0, 1), (1, 1)), (1, 1), 5),
    "dilated": (2, 9, 8, 3, 3, (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 3),
    "dilated as strided": (2, 9, 45, 33, 33, (3, 3), (2, 2), ((1, 1), (1, 1)), (2, 2), 33),
    "whole tiles": (2, 5, 18, 32, 32, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 32),
    "many taps": (1, 8, 19, 32, 32, (5, 3), (1, 1), ((2, 2), (1, 1)), (1, 1), 32),
    "three filters a channel": (2, 6, 7, 4, 12, (3, 3), (2, 1), ((1, 1), (1, 1)), (1, 2), 4),
    "no image": (0, 5, 5, 3, 3, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 3),
    "kernel over image": (2, 2, 5, 3, 6, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 3),
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
    before = get_num_threads()
    yield
    set_num_threads(before)


class Convolution:
    """One case with random operands, by default integers so that float32 sums are exact, and its reference."""

    def __init__(self, case, dtype="float32", integers=True, depthwise=False):
        n, height, width, channels, filters, kernel, strides, padding, dilation, groups = case
        self.options = {"strides": strides, "padding": padding, "dilation": dilation}
        self.groups, self.depthwise, self.dtype = groups, depthwise, dtype
        sizes = [
            max(0, ((size + sum(pad) - (k - 1) * d - 1) // s) + 1)
            for size, pad, k, d, s in zip((height, width), padding, kernel, dilation, strides, strict=True)
        ]
        generator = np.random.default_rng(0)

        def draw(*shape):
            drawn = generator.integers(-3, 4, shape) if integers else generator.standard_normal(shape)
            return drawn.astype(dtype)

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
        return array.astype("float64").reshape(*array.shape[:-1], self.groups, array.shape[-1] // self.groups)

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

    def run(self, make, *inputs, like, bias=None, activation=None):
        more = {} if self.depthwise else {"groups": self.groups}
        operands = [operand_of(self.shaped(array)) for array in inputs]
        result = np.full(like.shape, np.nan, self.dtype)
        operands.append(operand_of(self.shaped(result, like)))
        if bias is not None:
            more |= {"bias": operand_of(bias), "activation": activation}
        launches = make(*operands, **self.options, **more)
        operands += [more["bias"]] if bias is not None else []
        run_launches(launches, {operand.buffer: operand.buffer.array for operand in operands})
        return result

    def shaped(self, array, like=None):
        """Filters of a depthwise convolution as [kh, kw, channels, filters a channel]."""
        if self.depthwise and (array if like is None else like) is self.w:
            return array.reshape(*array.shape[:2], self.groups, array.shape[3] // self.groups)
        return array

    def run_all(self, activation="relu"):
        forward, input_gradient, filter_gradient = (
            (depthwise_launches, depthwise_input_gradient_launches, depthwise_filter_gradient_launches)
            if self.depthwise
            else (conv_launches, conv_input_gradient_launches, conv_filter_gradient_launches)
        )
        return (
            self.run(forward, self.x, self.w, like=self.g),
            self.run(forward, self.x, self.w, like=self.g, bias=self.bias, activation=activation),
            self.run(input_gradient, self.g, self.w, like=self.x),
            self.run(filter_gradient, self.x, self.g, like=self.w),
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


@pytest.mark.parametrize("name", DEPTHWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_equals_reference(name, dtype):
    case = Convolution(DEPTHWISE[name], dtype, depthwise=True)
    for result, expected in zip(case.run_all(), case.references(), strict=True):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-6), ("float64", 4e-15)])
def test_gradients_are_adjoints(depthwise, dtype, tolerance):
    case = Convolution(
        DEPTHWISE["same"] if depthwise else CASES["same stride 2"], dtype, integers=False, depthwise=depthwise
    )
    y, _, gx, gw = (result.astype("float64") for result in case.run_all())
    expected = np.sum(y * case.g)
    scale = np.linalg.norm(y) * np.linalg.norm(case.g)
    assert abs(np.sum(case.x * gx) - expected) < tolerance * scale
    assert abs(np.sum(case.w * gw) - expected) < tolerance * scale


@pytest.mark.parametrize("depthwise", [False, True])
def test_threads_do_not_change_bits(depthwise):
    shape = (40, 16, 15, 40, 40, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 40 if depthwise else 1)
    case = Convolution(shape, integers=False, depthwise=depthwise)
    results = []
    for threads in (1, 2, 3):
        set_num_threads(threads)
        results.append(case.run_all())
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("depthwise", [False, True])
def test_other_batch_and_image_sizes_compile_nothing(depthwise):
    def shape(images, height, width, channels):
        groups = channels if depthwise else 1
        return (images, height, width, channels, channels, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), groups)

    for channels in (3, 24):
        Convolution(shape(16, 8, 8, channels), depthwise=depthwise).run_all()
        before = statistics.compiled + statistics.loaded
        for images, height, width in [(1, 8, 8), (9, 5, 8), (32, 12, 30), (3, 1, 1)]:
            case = Convolution(shape(images, height, width, channels), depthwise=depthwise)
            for result, expected in zip(case.run_all(), case.references(), strict=True):
                np.testing.assert_array_equal(result, expected)
        assert statistics.compiled + statistics.loaded == before


@pytest.mark.parametrize("depthwise", [False, True])
def test_relu_keeps_nan(depthwise):
    case = Convolution(DEPTHWISE["valid"] if depthwise else CASES["valid"], depthwise=depthwise)
    case.x[0, 0, 0, :] = np.nan
    result = case.run_all()[1]
    assert np.isnan(result[0, 0, 0]).all()
    assert not np.isnan(result[1]).any()


def test_other_activations_are_refused():
    for depthwise in (False, True):
        case = Convolution(DEPTHWISE["one"], depthwise=depthwise)
        with pytest.raises(ValueError, match="no activation or 'relu', not 'tanh'"):
            case.run_all(activation="tanh")
