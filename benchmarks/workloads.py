"""The models and data that are timed. `keras` is whichever package is timed: the scripts are the same for all."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np


def tabular(keras: ModuleType) -> tuple[Any, dict[str, Any]]:
    """13-64-64-1 and what compile gets."""
    model = keras.Sequential(
        [
            keras.Input((13,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    return model, {"optimizer": "adam", "loss": "mse"}


def mlp(keras: ModuleType) -> tuple[Any, dict[str, Any]]:
    """784-512-512-10 with dropout."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    return model, {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def cnn(keras: ModuleType) -> tuple[Any, dict[str, Any]]:
    """Two convolutions with max pooling on 28 x 28 images."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    return model, {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def resblock(keras: ModuleType) -> tuple[Any, dict[str, Any]]:
    """A stem and three residual blocks on 32 x 32 colour images."""
    layers = keras.layers

    def block(x: Any, filters: int, strides: int) -> Any:
        y = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if strides != 1 or x.shape[-1] != filters:
            x = layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x)
            x = layers.BatchNormalization()(x)
        return layers.ReLU()(layers.Add()([x, y]))

    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters, strides in ((32, 1), (64, 2), (128, 2)):
        x = block(x, filters, strides)
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs), {
        "optimizer": keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }


@dataclass(frozen=True)
class Workload:
    """A model with the size of its data; `build` returns the model and compile's arguments."""

    build: Callable[[ModuleType], tuple[Any, dict[str, Any]]]
    shape: tuple[int, ...]
    classes: int
    batch_size: int
    steps: int

    def data(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Whole batches for that many steps: x float32 (samples, *shape), y labels or (samples, 1) targets.

        Targets depend on x, so that there is something to learn and no loss overflows.
        """
        rng = np.random.default_rng(0)
        samples = self.batch_size * steps
        x = rng.standard_normal((samples, *self.shape), dtype="float32")
        scores = x.reshape(samples, -1) @ rng.standard_normal((int(np.prod(self.shape)), self.classes), dtype="float32")
        if self.classes == 1:
            return x, scores / np.float32(np.prod(self.shape) ** 0.5)
        return x, scores.argmax(1).astype("int32")


WORKLOADS = {
    "tabular": Workload(tabular, (13,), classes=1, batch_size=32, steps=100),
    "mlp": Workload(mlp, (784,), classes=10, batch_size=128, steps=40),
    "cnn": Workload(cnn, (28, 28, 1), classes=10, batch_size=128, steps=8),
    "resblock": Workload(resblock, (32, 32, 3), classes=10, batch_size=64, steps=4),
}
