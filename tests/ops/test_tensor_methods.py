"""Operations that are methods of tensors too."""

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.errors import ShapeError

VALUES = np.arange(6.0).reshape(1, 6, 1)


def test_reshape_takes_sizes_or_a_sequence():
    x = ops.convert_to_tensor(VALUES)
    for given in ((2, 3), ((2, 3),), ([2, -1],), (2, -1)):
        np.testing.assert_array_equal(x.reshape(*given).numpy(), VALUES.reshape(2, 3))
    assert x.reshape(-1).shape == (6,)
    assert x.reshape(6).shape == (6,)
    assert x[:, :1].reshape(()).shape == (x[:, :1].reshape()).shape == ()


def test_squeeze_drops_axes_of_one():
    x = ops.convert_to_tensor(VALUES)
    assert [x.squeeze(axis).shape for axis in (None, 0, -1, (0, 2))] == [(6,), (6, 1), (1, 6), (6,)]
    with pytest.raises(ShapeError, match="axis 1 of shape"):
        x.squeeze(1)


def test_they_work_in_functional_models():
    x = keras.Input((4, 1))
    model = keras.Model(x, x.squeeze(-1).reshape(-1, 2, 2))
    assert model.output_shape == (None, 2, 2)
    assert model.predict(np.zeros((3, 4, 1), "float32"), verbose=0).shape == (3, 2, 2)
