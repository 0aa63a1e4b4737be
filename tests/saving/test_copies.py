import copy
import pickle

import numpy as np
import pytest

import layerkit as keras
from layerkit import layers


class Doubling(layers.Layer):
    def call(self, x):
        return x * 2.0


def made(*middle: layers.Layer) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), *middle, layers.Dense(2)])
    model.compile("adam", "mse", run_eagerly=True)
    return model


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("middle", [(), (Doubling(),)])
def test_a_copy_predicts_the_same_and_trains_on_by_itself(copied, middle):
    x, y = np.random.default_rng(0).normal(size=(10, 4)).astype("float32"), np.ones((10, 2), "float32")
    model = made(*middle)
    model.fit(x, y, verbose=0)
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    before = model.get_weights()
    twin.fit(x, y, verbose=0, shuffle=False)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(x, y, verbose=0, shuffle=False)
    for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_is_not_built_is_copied_by_its_configuration():
    model = keras.Sequential([layers.Dense(3, name="only")])
    twin = pickle.loads(pickle.dumps(model))
    assert not twin.built and twin.layers[0].name == "only"
