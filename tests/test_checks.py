"""What constructors must not refuse, since Keras takes it and it means something."""

import json
import math

import numpy as np
import pytest

from layerkit import callbacks, constraints, layers, losses, optimizers
from layerkit.checks import check_choice, check_integers, check_numbers, standardize_sizes


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Dense(np.int64(3)), (2, 4)),
        (layers.Conv2D(np.int64(4), np.int32(3), groups=np.int64(2)), (2, 5, 5, 2)),
        (layers.DepthwiseConv2D((np.int64(3), 2), depth_multiplier=np.int64(2)), (2, 5, 5, 2)),
        (layers.MaxPooling1D(np.int64(2)), (2, 6, 3)),
        (layers.ZeroPadding2D(np.int64(1)), (2, 5, 5, 2)),
        (layers.Dropout(np.float32(0.5)), (2, 4)),
        (layers.MultiHeadAttention(np.int64(2), np.int64(3)), None),
        (layers.LayerNormalization(axis=np.int64(-1), epsilon=np.float32(1e-3)), (2, 4)),
    ],
)
def test_numbers_of_numpy(layer, shape):
    x = np.ones(shape or (2, 3, 4), "float32")
    y = layer(x) if shape else layer(x, x)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert (again(x) if shape else again(x, x)).shape == y.shape


def test_numbers_that_mean_something():
    optimizers.Adam(beta_1=-0.5)  # negative momentum (Gidel et al., https://arxiv.org/abs/1807.04740)
    losses.CategoricalCrossentropy(label_smoothing=-0.2)  # negative smoothing (Wei et al., arXiv:2106.04149)
    callbacks.EarlyStopping(patience=math.inf)
    callbacks.ReduceLROnPlateau(factor=0)  # to `min_lr` at once
    w = constraints.MaxNorm(1.0, axis=None)(np.full((2, 2), 1.0, "float32"))
    np.testing.assert_allclose(w, 0.5, atol=1e-6)


def test_strided_and_dilated_depthwise_convolution():
    """Keras refuses both at once for full convolutions alone."""
    x = np.arange(25, dtype="float32").reshape(1, 5, 5, 1)
    layer = layers.DepthwiseConv2D(2, strides=2, dilation_rate=2, depthwise_initializer="ones")
    assert layer(x).numpy().ravel().tolist() == [24.0, 32.0, 64.0, 72.0]
    with pytest.raises(ValueError, match="not supported in conjunction"):
        layers.Conv2D(1, 2, strides=2, dilation_rate=2)


def test_kinds_of_errors():
    """No number is told as a TypeError and as a ValueError, a number out of range as a ValueError alone."""
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match=r"list: `a` must be a number in \[0, 1\) or None, got a='x'"):
            check_numbers([], "[0, 1)", optional=True, a="x")
        with pytest.raises(kind, match="`n` must be a positive integer, got n=True"):
            check_integers([], 1, n=True)
    with pytest.raises(ValueError, match="got a=nan") as caught:
        check_numbers([], "[-inf, inf]", a=np.float32("nan"))
    assert not isinstance(caught.value, TypeError)
    check_numbers([], "(0, inf]", optional=True, a=math.inf, b=None, c=np.array(2.0), d=True)
    with pytest.raises(ValueError, match="must be one of None, 'a', got word=0"):
        check_choice([], (None, "a"), word=0)
    assert standardize_sizes([], "axes", (0, -1), None, least=-math.inf) == (0, -1)
