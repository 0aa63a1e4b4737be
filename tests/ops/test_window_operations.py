from __future__ import annotations

import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph.graph import trace


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.conv(zeros(2, 3), zeros(3, 3, 1)), r"takes inputs with 3 or 4 or 5 axes .* got shape \(2, 3\)"),
        (lambda: ops.conv(zeros(2, 9, 4), zeros(3, 3, 4, 1)), r"the kernel has to have 3 axes .* got \(3, 3, 4, 1\)"),
        (lambda: ops.conv(zeros(2, 9, 4), zeros(3, 3, 6)), "4 input channels do not fit a kernel of shape"),
        (lambda: ops.conv(zeros(2, 2, 4), zeros(3, 4, 6)), "a window over 3 elements does not fit an axis of 2"),
        (lambda: ops.depthwise_conv(zeros(2, 9, 4), zeros(3, 3, 1)), "the kernel takes 3 channels; the input has 4"),
        (lambda: ops.conv_transpose(zeros(2, 9, 4), zeros(3, 2, 3)), "the kernel's last axis has size 3"),
        (lambda: ops.max_pool(zeros(2, 3), 2), r"pooling takes inputs with 3 to 5 axes .* got shape \(2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call: object, message: str):
    with pytest.raises(ShapeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.conv(zeros(2, 9, 4), zeros(3, 4, 6), padding="full"), "padding is 'valid' or 'same'; got 'full'"),
        (lambda: ops.conv(zeros(2, 9, 4), zeros(3, 4, 6), strides=(1, 1)), "strides is a positive integer, or 1 of"),
        (lambda: ops.max_pool(zeros(2, 9, 4), 0), "pool_size is a positive integer, or 1 of them; got 0"),
        (
            lambda: ops.max_pool(zeros(2, 9, 4), 2, data_format="NHWC"),
            "'channels_last' or 'channels_first'; got 'NHWC'",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call: object, message: str):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_sizes_stay_unknown():
    graph = trace(
        lambda x, w: [ops.conv(x, w, 2, "same"), ops.max_pool(x, 2), ops.conv_transpose(x, w, 2, "same")],
        [((None, None, 6, 4), "float32"), ((3, 3, 4, 4), "float32")],
    )
    assert [y.shape for y in graph.outputs] == [(None, None, 3, 4), (None, None, 3, 4), (None, None, 12, 4)]


def test_pairs_of_padding_are_taken_as_they_are():
    x, w = np.arange(4, dtype="float32").reshape(1, 4, 1), np.ones((2, 1, 1), "float32")
    assert ops.conv(x, w, padding=((1, 0),)).numpy().ravel().tolist() == [0, 1, 3, 5]


def test_the_transposed_convolution_is_the_transpose():
    rng = np.random.default_rng(0)
    x, w, y = rng.normal(size=(2, 7, 8, 3)), rng.normal(size=(3, 2, 3, 4)), rng.normal(size=(2, 4, 4, 4))
    forward = np.sum(ops.conv(x, w, 2, ((1, 1), (0, 0))).numpy() * y)
    backward = np.sum(ops.ConvInputGradient((2, 2), ((1, 1), (0, 0)), (1, 1), 1, (7, 8))(y, w).numpy() * x)
    np.testing.assert_allclose(forward, backward)


def test_the_gradient_of_a_pool_goes_to_the_first_of_equals():
    x = np.zeros((1, 4, 1), "float32")
    y, g = zeros(1, 2, 1), np.ones((1, 2, 1), "float32")
    assert ops.MaxPoolGradient((2,), (2,), ((0, 0),))(x, y, g).numpy().ravel().tolist() == [1, 0, 1, 0]


def test_an_index_out_of_bounds_is_an_error_outside_of_plans():
    with pytest.raises(IndexError, match="outside of axis 0"):
        ops.take(zeros(3, 2), np.array([3]), axis=0)
