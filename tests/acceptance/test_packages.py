"""Packages that are written for Keras, where they are installed, on layerkit: each in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TUNER = """
import layerkit
layerkit.install_as_keras()
import keras, keras_tuner
import numpy as np

def build(hp):
    units = hp.Int("units", 4, 16, step=4)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Choice("rate", [0.003, 0.03])), "mse", metrics=["mae"])
    return model

x = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
y = x[:, :1] - x[:, 1:2]
tuner = keras_tuner.RandomSearch(build, objective="val_mae", max_trials=3, directory="search", seed=1)
tuner.search(x, y, epochs=5, validation_split=0.25, verbose=0)
assert set(tuner.get_best_hyperparameters()[0].values) == {"units", "rate"}
print(tuner.get_best_models()[0].evaluate(x, y, verbose=0)[1] < 0.9)
"""

SKLEARN = """
import layerkit
layerkit.install_as_keras()
import keras
from scikeras.wrappers import KerasClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def build(meta, hidden=32):
    inputs, classes = meta["n_features_in_"], meta["n_classes_"]
    layers = [keras.layers.Dense(hidden, "relu"), keras.layers.Dense(classes, "softmax")]
    return keras.Sequential([keras.Input((inputs,)), *layers])

x, y = load_digits(return_X_y=True)
loss = "sparse_categorical_crossentropy"
classifier = KerasClassifier(build, loss=loss, optimizer="adam", epochs=8, verbose=0, random_state=1)
print(cross_val_score(make_pipeline(StandardScaler(), classifier), x, y, cv=3).mean() > 0.8)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("package", "code"), [("keras_tuner", TUNER), ("scikeras", SKLEARN)])
def test_a_package(package: str, code: str, tmp_path: Path):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "True"
