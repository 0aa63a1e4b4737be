"""The recorded models, built from the module passed in: real Keras to record, layerkit to compare."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


def perceptron(keras: ModuleType) -> Any:
    """5 features to 3 classes."""
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="perceptron",
    )


def regression(keras: ModuleType) -> Any:
    """5 features to one number; an L2 penalty on the hidden layer; no names given."""
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(6, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01)),
            keras.layers.Dense(1),
        ]
    )


def convolutional(keras: ModuleType) -> Any:
    """8 x 8 x 2 images to 3 logits, with batch normalization."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(momentum=0.8),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(5, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ],
        name="convolutional",
    )


def two_headed(keras: ModuleType) -> Any:
    """Functional: inputs "left" (4) and "right" (3), a dictionary of outputs "price" (1) and "kind" (3)."""
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    x = keras.layers.Dense(6, activation="relu", name="left_hidden")(left)
    y = keras.layers.Dense(6, activation="relu", name="right_hidden")(right)
    joined = keras.layers.Concatenate(name="joined")([x, y])
    shared = keras.layers.Dense(6, activation="tanh", name="shared")
    mixed = keras.layers.Add(name="mixed")([shared(joined), x])
    outputs = {
        "price": keras.layers.Dense(1, name="price_head")(mixed),
        "kind": keras.layers.Dense(3, activation="softmax", name="kind_head")(mixed),
    }
    return keras.Model({"left": left, "right": right}, outputs, name="two_headed")


def two_outputs(keras: ModuleType) -> Any:
    """Functional: one input (5), a list of outputs from layers "first" (2) and "second" (1)."""
    x = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="relu")(x)
    return keras.Model(x, [keras.layers.Dense(2, name="first")(hidden), keras.layers.Dense(1, name="second")(hidden)])


def nested(keras: ModuleType) -> Any:
    """A Sequential that holds a functional model with a residual connection."""
    x = keras.Input((6,))
    block = keras.Model(x, keras.layers.Add()([keras.layers.Dense(6, activation="relu")(x), x]), name="block")
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(6), block, keras.layers.Dense(1)], name="nested")


MODELS: dict[str, Callable[[ModuleType], Any]] = {
    model.__name__: model for model in (perceptron, regression, convolutional, two_headed, two_outputs, nested)
}
