"""The workloads of the acceptance tests, as scripts write them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

import layerkit as keras
from layerkit import layers

MNIST = Path(os.environ.get("LAYERKIT_MNIST", "no MNIST"))


def mnist() -> tuple:
    """(x_train, y_train), (x_test, y_test): images uint8 [n, 28, 28], labels uint8 [n]."""

    def read(name: str) -> np.ndarray:
        content = gzip.decompress((MNIST / f"{name}.gz").read_bytes())
        axes = content[3]
        shape = np.frombuffer(content, ">i4", axes, 4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)

    return (
        (read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")),
        (read("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte")),
    )


def lstm() -> keras.Model:
    """Images as sequences of 28 rows."""
    return keras.Sequential(
        [keras.Input((28, 28)), layers.LSTM(128, name="rows"), layers.Dense(10, activation="softmax")]
    )


def mlp(rate: float = 0.2) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, activation="relu"),
            layers.Dropout(rate),
            layers.Dense(512, activation="relu"),
            layers.Dropout(rate),
            layers.Dense(10, activation="softmax"),
        ]
    )


def cnn() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def compiled(model: keras.Model, optimizer: object = "adam") -> keras.Model:
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
