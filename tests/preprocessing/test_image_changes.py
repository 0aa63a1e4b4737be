"""Changes of single images; the sums are those of what Keras 3.15.1 makes with SciPy of the same seed."""

# ruff: noqa: NPY002 - Keras draws from NumPy's global generator

import numpy as np
import pytest

from layerkit.preprocessing import image

LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
X = np.random.RandomState(3).randint(0, 256, (5, 5, 3)).astype("float32")
KERAS = [  # function, arguments, fill mode, order; the sum, and the sum with a weight of 1 to 7 in turn
    ("random_rotation", (30,), "nearest", 0, 10100.0, 40713.0),
    ("random_rotation", (30,), "constant", 0, 7059.0, 28525.0),
    ("random_rotation", (30,), "reflect", 0, 10100.0, 40713.0),
    ("random_rotation", (30,), "wrap", 0, 10116.0, 40524.0),
    ("random_rotation", (30,), "nearest", 1, 10036.58, 40197.57),
    ("random_rotation", (30,), "constant", 1, 6778.62, 27604.83),
    ("random_rotation", (30,), "reflect", 1, 10036.58, 40197.57),
    ("random_rotation", (30,), "wrap", 1, 9871.63, 39008.64),
    ("random_shear", (20,), "nearest", 0, 10100.0, 39641.0),
    ("random_shear", (20,), "constant", 0, 8049.0, 33047.0),
    ("random_shear", (20,), "reflect", 0, 10100.0, 39641.0),
    ("random_shear", (20,), "wrap", 0, 9582.0, 37218.0),
    ("random_shear", (20,), "nearest", 1, 10241.33, 40890.97),
    ("random_shear", (20,), "constant", 1, 8200.07, 34330.45),
    ("random_shear", (20,), "reflect", 1, 10241.33, 40890.97),
    ("random_shear", (20,), "wrap", 1, 9725.45, 38689.2),
    ("random_zoom", ((0.6, 1.5),), "nearest", 0, 10100.0, 39641.0),
    ("random_zoom", ((0.6, 1.5),), "constant", 0, 5901.0, 23198.0),
    ("random_zoom", ((0.6, 1.5),), "reflect", 0, 10100.0, 39641.0),
    ("random_zoom", ((0.6, 1.5),), "wrap", 0, 9623.0, 38813.0),
    ("random_zoom", ((0.6, 1.5),), "nearest", 1, 9955.61, 39620.02),
    ("random_zoom", ((0.6, 1.5),), "constant", 1, 5883.74, 23453.1),
    ("random_zoom", ((0.6, 1.5),), "reflect", 1, 9955.61, 39620.02),
    ("random_zoom", ((0.6, 1.5),), "wrap", 1, 9526.46, 38487.83),
    ("random_shift", (0.4, 0.2), "nearest", 0, 10768.0, 41926.0),
    ("random_shift", (0.4, 0.2), "constant", 0, 4620.0, 17819.0),
    ("random_shift", (0.4, 0.2), "reflect", 0, 10768.0, 41926.0),
    ("random_shift", (0.4, 0.2), "wrap", 0, 9080.0, 34323.0),
    ("random_shift", (0.4, 0.2), "nearest", 1, 11055.41, 43861.99),
    ("random_shift", (0.4, 0.2), "constant", 1, 4833.44, 19162.65),
    ("random_shift", (0.4, 0.2), "reflect", 1, 10735.76, 42761.22),
    ("random_shift", (0.4, 0.2), "wrap", 1, 9311.91, 36172.82),
]


@pytest.mark.parametrize(("name", "arguments", "fill_mode", "order", "total", "weighted"), KERAS)
def test_motions_at_random(name, arguments, fill_mode, order, total, weighted):
    np.random.seed(5)
    options = {"fill_mode": fill_mode, "cval": 7.0, "interpolation_order": order}
    y = getattr(image, name)(X, *arguments, **options, **LAST)
    assert (y.shape, y.dtype) == (X.shape, X.dtype)
    turn = np.arange(y.size).reshape(y.shape) % 7 + 1
    assert y.sum(dtype="float64") == pytest.approx(total, abs=0.01)
    assert (turn * y.astype("float64")).sum() == pytest.approx(weighted, abs=0.03)
    np.random.seed(5)
    first = getattr(image, name)(np.moveaxis(X, 2, 0), *arguments, **options)
    np.testing.assert_array_equal(np.moveaxis(first, 0, 2), y)


def test_the_middle_of_an_image_that_is_not_square_stays():
    x = np.arange(15.0).reshape(3, 5, 1)
    np.testing.assert_allclose(image.apply_affine_transform(x, theta=180, **LAST), x[::-1, ::-1], atol=1e-9)


def test_integers_are_rounded():
    x = np.array([[[0], [3]], [[0], [3]]])
    half = image.apply_affine_transform(x.astype("uint8"), tx=0.5, **LAST)
    assert (half.dtype, half[0, :, 0].tolist()) == ("uint8", [2, 3])
    assert image.apply_affine_transform(-x, tx=0.5, **LAST)[0, :, 0].tolist() == [-2, -3]


def test_values_at_random():
    np.random.seed(5)
    y = image.random_channel_shift(X, 40, channel_axis=2)
    np.random.seed(5)
    np.testing.assert_array_equal(y, np.clip(X + np.random.uniform(-40, 40), X.min(), X.max()))
    np.random.seed(5)
    y = image.random_brightness(X, (0.5, 0.9), scale=False)
    np.random.seed(5)
    np.testing.assert_array_equal(y, image.apply_brightness_shift(X, np.random.uniform(0.5, 0.9), scale=False))
    np.testing.assert_array_equal(image.random_zoom(X, (1, 1), **LAST), X)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: image.random_zoom(X, (1,)), ValueError, "`zoom_range` should be a tuple or list of two floats"),
        (lambda: image.random_brightness(X, (1,)), ValueError, "`brightness_range should be tuple or list of two"),
        (lambda: image.apply_affine_transform(X, 1, row_axis=0, col_axis=0), ValueError, "must be 0, 1 and 2 in some"),
        (lambda: image.apply_affine_transform(X[0], 1), ValueError, "takes an image of three axes"),
        (lambda: image.random_rotation(X, 1, fill_mode="mirror"), ValueError, "`fill_mode` is one of 'constant'"),
        (lambda: image.random_rotation(X, 1, interpolation_order=3), NotImplementedError, "order 0 or 1. Received: 3"),
    ],
)
def test_what_cannot_be(call, error, message):
    with pytest.raises(error, match=message):
        call()
