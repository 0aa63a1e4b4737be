"""Models that have steps of their own and no `call`, as generators with their discriminators."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops


class Pair(layerkit.Model):
    """Two parts, of which a step trains the first to be what the second is."""

    def __init__(self):
        super().__init__()
        self.pupil, self.master = (layerkit.Sequential([layerkit.Input((3,)), layers.Dense(1)]) for _ in range(2))

    def train_step(self, data):
        with layerkit.GradientTape() as tape:
            loss = ops.mean(ops.square(self.pupil(data) - self.master(data)))
        weights = self.pupil.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"gap": loss}


def test_a_model_without_call_trains():
    model = Pair()
    model.compile("adam")
    before = model.master.get_weights()
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    losses = model.fit(x, epochs=30, shuffle=False, verbose=0)  # so that the last batch is the same one
    assert losses.history["gap"][-1] < losses.history["gap"][0]
    np.testing.assert_array_equal(model.master.get_weights()[0], before[0])


def test_without_steps_either_call_is_asked_for():
    class Empty(layerkit.Model):
        pass

    model = Empty()
    model.compile("adam", "mse")
    with pytest.raises(NotImplementedError, match="`call"):
        model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
