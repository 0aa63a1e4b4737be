"""Optimizers made of others in compiled training, and in saved models."""

import numpy as np
import pytest

from layerkit import layers, optimizers
from layerkit.models import Sequential
from layerkit.saving import load_model

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = X @ np.float32([[1.0], [-2.0], [0.5], [3.0]])


def several():
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.Adam(0.05), {".*/bias": optimizers.SGD(0.01)}))


MAKERS = [
    several,
    lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.05), initial_scale=1024.0, dynamic_growth_steps=5),
    lambda: optimizers.Muon(0.05),
    lambda: optimizers.Adafactor(0.1),
    lambda: optimizers.ScheduleFreeAdamW(0.05, warmup_steps=4),
    lambda: optimizers.Lamb(0.05),
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: type(make()).__name__)
def test_training_saving_and_going_on(make, tmp_path):
    model = Sequential([layers.Input((4,)), layers.Dense(8), layers.Dense(1)])
    model.compile(make(), "mse")
    losses = model.fit(X, Y, epochs=8, batch_size=8, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    for one, other in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    histories = [m.fit(X, Y, epochs=2, batch_size=8, verbose=0, shuffle=False).history for m in (model, again)]
    assert histories[0] == histories[1]


def test_a_step_that_overflows_changes_nothing_but_the_scale():
    model = Sequential([layers.Input((4,)), layers.Dense(1)])
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0)
    model.compile(optimizer, "mse")
    model.train_on_batch(X, Y)
    before = model.get_weights()
    model.train_on_batch(X * np.float32(np.inf), Y)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert optimizer.dynamic_scale.numpy() == 4.0
    assert int(np.asarray(optimizer.iterations)) == 1
