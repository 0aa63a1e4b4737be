"""Models to save, and what to compare."""

import numpy as np

from layerkit import optimizers
from layerkit.layers import Dense, Input, Layer
from layerkit.layers.normalization import BatchNormalization
from layerkit.layers.regularization import Dropout
from layerkit.models import Model, Sequential


def compiled(model, optimizer="adam", **arguments):
    given = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "run_eagerly": True, **arguments}
    model.compile(optimizer, **given)
    return model


def small(units=5, optimizer="adam", name="small"):
    """Dense, batch normalization and dropout: weights, statistics and the state of a random generator."""
    layers = [
        Input((6,)),
        Dense(units, activation="relu", kernel_regularizer="l2", name="first"),
        BatchNormalization(name="norm"),
        Dropout(0.4, name="drop"),
        Dense(3, activation="softmax", name="last"),
    ]
    return compiled(Sequential(layers, name=name), optimizer)


def two_headed(optimizer=None):
    """A functional model with two inputs, a shared layer, an inner model, and two outputs by name."""
    left, right = Input((6,), name="left"), Input((6,), name="right")
    shared = Dense(4, activation="tanh", name="shared")
    inner = Sequential([Input((4,)), Dense(4, name="inner_dense"), Dropout(0.2, name="inner_drop")], name="inner")
    a, b = inner(shared(left)), shared(right)
    outputs = {"kind": Dense(3, activation="softmax", name="kind")(a), "size": Dense(1, name="size")(b)}
    model = Model({"left": left, "right": right}, outputs, name="two_headed")
    model.compile(
        optimizer or optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss={"kind": "sparse_categorical_crossentropy", "size": "mse"},
        loss_weights={"kind": 1.0, "size": 0.5},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
        run_eagerly=True,
    )
    return model


class Scale(Layer):
    """A layer of the user's, with an argument and a variable."""

    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor * self.power


def state(model):
    """All of a model's variables as arrays."""
    optimizer = model.optimizer.variables if model.compiled else []
    return [variable.numpy() for variable in [*model.variables, *optimizer]]


def assert_same(these, those):
    assert len(these) == len(those)
    for a, b in zip(these, those, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
