"""Wrong uses of models: how they are made, compiled, trained and asked for their parts."""

from __future__ import annotations

import numpy as np

from layerkit import callbacks, layers, models
from layerkit.errors import DtypeError, GraphError, NotBuiltError, NotCompiledError, ShapeError, UnknownNameError
from layerkit.layers import Dense, Input
from layerkit.models import Model, Sequential
from tests.wrong_uses.rows import Row, f, then

X, Y, LABELS = f(6, 4), f(6, 3), np.array([0, 1, 2, 0, 1, 2])


def net(loss: object = "mse", **options: object) -> Sequential:
    model = Sequential([Input((4,), name="features"), Dense(3, name="head")], name="net")
    model.compile("sgd", loss, run_eagerly=True, **options)
    return model


def two(compiled: bool = True, loss: object = "mse", **options: object) -> Model:
    left, right = Input((4,), name="left"), Input((3,), name="right")
    outputs = {"first": Dense(2, name="first")(left), "second": Dense(1, name="second")(right)}
    model = Model({"left": left, "right": right}, outputs, name="two")
    if compiled:
        model.compile("sgd", loss, run_eagerly=True, **options)
    return model


def fit(model: Model, *args: object, **options: object) -> object:
    return model.fit(*args, verbose=0, **options)


def fit_two(y: object = None, x: object = None, **options: object) -> object:
    x = {"left": f(6, 4), "right": f(6, 3)} if x is None else x
    return fit(two(**options), x, {"first": f(6, 2), "second": f(6, 1)} if y is None else y)


class Sub(Model):
    def __init__(self) -> None:
        super().__init__(name="sub")
        self.inner = Dense(2, name="inner")

    def call(self, x: object) -> object:
        return self.inner(x)


class NoSuper(Model):
    def __init__(self) -> None:
        pass


class NoCall(layers.Layer):
    pass


class Late(layers.Layer):
    def call(self, x: object) -> object:
        self.late = Dense(1)
        return x


A, B = Input((4,), name="left"), Input((4,), name="right")

MODELS: list[Row] = [
    (lambda: Sequential(name="net").add(3), ValueError, ("'net'", "layerkit.Layer", "3 (of type int)")),
    (lambda: Sequential(Dense(2)), TypeError, ("`layers`", "a list", "<Dense")),
    (lambda: Sequential([Input((2,))], name="net").add(Input((3,))), ValueError, ("'net'", "(None, 2)", "Input")),
    (lambda: Sequential([Dense(2), Input((2,))], name="net"), ValueError, ("'net'", "first layer")),
    (lambda: Sequential([Dense(2, name="a"), Dense(2, name="a")], name="net"), ValueError, ("'net'", "'a'", "unique")),
    (lambda: Sequential(name="net").pop(), TypeError, ("'net'", "no layers to pop")),
    (lambda: Sequential(name="net")(f(2, 3)), ValueError, ("'net'", "no layers", "model.add")),
    (lambda: Sequential([Dense(2)], name="net").input, NotBuiltError, ("'net'", "no defined inputs", "Input")),
    (lambda: Sequential([Input((2,)), Dense(2)], name="net").build((None, 3)), ValueError,
     ("'net'", "(None, 2)", "(None, 3)")),
    (lambda: Sequential([Input((2, 3)), layers.LSTM(2), layers.LSTM(2, name="h")], name="net"), ShapeError,
     ("'net/h'", "ndim=3", "(None, 2)")),
    (lambda: Sequential([Input((5, 2)), layers.LSTM(2, return_state=True), Dense(2, name="h")], name="net"), ValueError,
     ("'net/h'", "expected 1 input", "3")),
    (lambda: net()(f(2, 5)), ShapeError, ("'net'", "'features'", "(None, 4)", "(2, 5)")),
    # Functional.
    (lambda: Model(A, layers.Add()([A, B]), name="m"), GraphError, ("disconnected", "right", "['left']")),
    (lambda: Model(A, Dense(1, name="d")(Dense(1, name="d")(A)), name="m"), ValueError,
     ('"d"', "2 times", "unique", "left")),
    (lambda: Model(f(2, 3), Dense(1)(A)), ValueError, ("`inputs`", "symbolic tensors", "array")),
    (lambda: Model(A, Dense(1)), ValueError, ("`outputs`", "symbolic tensors", "<Dense")),
    (lambda: Model([A, B], layers.Add()([A, B]), name="m")([f(2, 4)]), ValueError, ("'m'", "2 inputs", "received 1")),
    (lambda: two()({"left": f(2, 4), "rigt": f(2, 3)}), ValueError, ("'two'", "'right'", "'rigt'", "Expected")),
    (lambda: two()({"left": f(2, 4), "right": f(2, 5)}), ShapeError, ("'two'", "'right'", "(None, 3)", "(2, 5)")),
    (lambda: two()({"left": f(2, 4), "right": None}), ValueError, ("'two'", "'right'", "None")),
    (lambda: bool(A > 0), GraphError, ("symbolic", "layerkit.ops")),
    (lambda: np.sin(A), GraphError, ("'left'", "symbolic", "layerkit.ops instead of NumPy")),
    # Subclassed models and layers.
    (lambda: Sub().count_params(), NotBuiltError, ("'sub'", "isn't built", "build(input_shape)")),
    (lambda: Sub().build((None,)), ShapeError, ("'sub/inner'", "min_ndim=2", "(None,)")),
    (lambda: Sub().set_weights([f(3, 2)]), ValueError, ("'sub'", "0 weights", "1 arrays", "not built")),
    (lambda: Sub().input, AttributeError, ("sub", "never been called", "input")),
    (lambda: then(Sub(), f(1, 3), f(1, 4)), ShapeError, ("'sub/inner'", "value 3", "(1, 4)")),
    (lambda: Sub().save_weights("a.weights.h5"), ValueError, ("'sub'", "not yet been built")),
    (lambda: NoSuper()(f(1, 2)), RuntimeError, ("'NoSuper'", "super().__init__()")),
    (lambda: NoCall(name="nc")(f(1, 2)), NotImplementedError, ("'nc'", "NoCall", "`call()`")),
    (lambda: Late(name="late")(f(1, 2)), ValueError, ("'late'", "<Dense", "already built")),
    (lambda: Model(3), TypeError, ("Model()", "inputs and outputs", "(3,)")),
    # Weights and layers of a model.
    (lambda: net().set_weights([f(4, 3)]), ValueError, ("'net'", "2 weights", "1 arrays", "net/head/bias (3,)")),
    (lambda: net().set_weights([f(4, 5), f(3)]), ShapeError, ("'net/head/kernel'", "(4, 3)", "(4, 5)")),
    (lambda: setattr(net(), "trainable", None), TypeError, ("`trainable`", "'net'", "boolean", "None")),
    (lambda: net().get_layer("haed"), UnknownNameError, ("'haed'", "'head'", "'net'")),
    (lambda: net().get_layer(index=5), ValueError, ("'net'", "index 5", "1 layers")),
    (lambda: net().get_layer(index="a"), TypeError, ("`index`", "integer", "'a'")),
    (lambda: net().get_layer(), ValueError, ("name=None", "index=None")),
    (lambda: models.clone_model(3), TypeError, ("clone_model", "`model`", "3 of type int")),
    # Configurations and files.
    (lambda: Dense.from_config({"units": 3, "unit": 4}), ValueError, ("Dense", "'unit': 4", "'units'")),
    (lambda: Dense.from_config({"name": "a"}), TypeError, ("Dense", "'units'", "config {'name': 'a'}")),
    (lambda: layers.deserialize({"class_name": "Denss", "config": {}}), UnknownNameError,
     ("'Denss'", "custom_objects")),
    (lambda: layers.deserialize({"class_name": "Dense", "config": {"units": -1}}), ValueError,
     ("`units`", "-1", "Dense(")),
    (lambda: layers.deserialize(3), ValueError, ("config of a layer", "config=3")),
    (lambda: Sequential.from_config({"name": "x"}), ValueError, ("Sequential", "'layers'", "['name']")),
    (lambda: models.model_from_json("{]"), ValueError, ("`json_string`", "'{]'", "to_json")),
]  # fmt: skip

TRAINING: list[Row] = [
    (lambda: fit_two(loss={"frist": "mse", "second": "mse"}), ValueError, ("`loss`", "'frist'", "'first', 'second'")),
    (lambda: fit_two(loss=["mse"] * 3), ValueError, ("`loss`", "3 entries", "2 outputs")),
    (lambda: fit_two(loss_weights=[1, 2, 3]), ValueError, ("`loss_weights`", "3 entries", "2 outputs")),
    (lambda: fit_two(loss_weights="a"), ValueError, ("`loss_weights`", "a number", "'a'")),
    (lambda: fit_two(metrics={"frist": "mae"}), ValueError, ("`metrics`", "'frist'", "'first'")),
    (lambda: fit_two(metrics=[["mae"]] * 3), ValueError, ("`metrics`", "3 entries", "2 outputs")),
    (lambda: fit_two(metrics=3), ValueError, ("`metrics`", "a list", "got 3")),
    (lambda: fit(net(3), X, Y), TypeError, ("3 of type int", "loss")),
    (lambda: net(metric=["mae"]), TypeError, ("compile()", "'metric'", "Did you mean 'metrics'")),
    (lambda: net(steps_per_execution=0), ValueError, ("`steps_per_execution`", "positive integer", "got 0")),
    (lambda: fit_two({"frist": f(6, 2), "second": f(6, 1)}), ValueError, ("`y`", "'frist'", "'first', 'second'")),
    (lambda: fit_two([f(6, 2)]), ValueError, ("`y`", "1 entries", "2 outputs")),
    (lambda: fit_two(x={"left": f(6, 4), "rigt": f(6, 3)}), ValueError, ("'two'", "'right'", "'rigt'")),
    (lambda: fit(net(), X, f(5, 3)), ShapeError, ("`x` has 6", "`y` has 5", "same number")),
    (lambda: fit(net(), X, Y, batch_size=0), ValueError, ("`batch_size`", "positive integer", "got 0")),
    (lambda: fit(net(), X, Y, batch_size="32"), ValueError, ("`batch_size`", "positive integer", "'32'")),
    (lambda: fit(net(), X, Y, epochs=-1), ValueError, ("`epochs`", "at least 0", "-1")),
    (lambda: fit(net(), X, Y, epoch=3), TypeError, ("fit()", "'epoch'", "Did you mean 'epochs'")),
    (lambda: fit(net(), f(0, 4), f(0, 3)), ShapeError, ("`x`", "no samples", "length 0")),
    (lambda: fit(net(), np.full((6, 4), "nan"), Y), DtypeError, ("'features'", "float32", "astype")),
    (lambda: fit(net(), X, np.full((6, 3), "a")), DtypeError, ("`y`", "strings", "class numbers")),
    (lambda: fit(net(), X), ValueError, ("'net'", "no targets", "`y`")),
    (lambda: fit(net(), "data.csv"), TypeError, ("`x`", "an array", "'data.csv'")),
    (lambda: fit(net(), X, Y, validation_split=1.5), ValueError, ("`validation_split`", "between 0 and 1", "1.5")),
    (lambda: fit(net(), iter([(X, Y)]), validation_split=0.5), TypeError,
     ("`validation_split`", "arrays", "list_iterator")),
    (lambda: fit(net(), X, Y, validation_data=(X,)), ValueError, ("`validation_data`", "no targets", "(x, y)")),
    (lambda: fit(net(), X, Y, validation_data=(f(6, 5), Y)), ShapeError, ("`validation_data`", "'features'", "(6, 5)")),
    (lambda: fit(net(), X, Y, validation_data=3), TypeError, ("`validation_data`", "an array", "3 of type int")),
    (lambda: fit(net(), X, Y, sample_weight=f(5)), ShapeError, ("`sample_weight` has 5", "`x` has 6")),
    (lambda: fit(net(), X, Y, sample_weight=f(6, 7)), ShapeError, ("sample weights", "(6, 7)", "(6,)")),
    (lambda: fit(net(), X, Y, class_weight=[1, 2]), ValueError, ("`class_weight`", "dictionary", "[1, 2]")),
    (lambda: fit(net(), X, LABELS, class_weight={"a": 1}), ValueError, ("`class_weight`", "class numbers", "{'a': 1}")),
    (lambda: fit(net(), iter([(X, Y)]), steps_per_epoch=3), UserWarning, ("1 of 3 steps", "`steps_per_epoch`")),
    (lambda: fit(net(), iter([])), ValueError, ("no batch", "steps_per_epoch")),
    (lambda: fit(net(), iter([(X, Y)]), Y), ValueError, ("`y`", "list_iterator", "(x, y)")),
    (lambda: fit(net(), iter([(X, Y, Y, Y)])), ValueError, ("`(x, y)`", "tuple of 4", "`x`")),
    (lambda: fit(net(), [X, X], Y), ValueError, ("'net'", "1 inputs", "['features']", "received 2")),
    (lambda: fit(net(), f(6, 5), Y), ShapeError, ("'net'", "'features'", "(None, 4)", "(6, 5)")),
    (lambda: fit(net(), X, f(6, 2)), ShapeError, ("`y`", "(batch, 2)", "(batch, 3)", "'mse'")),
    (lambda: fit(net("sparse_categorical_crossentropy"), X, LABELS + 1), ValueError, ("labels in `y`", "0 to 2", "3")),
    (lambda: fit(net(), X, Y, callbacks=[3]), TypeError, ("callback", "int")),
    (lambda: net().train_on_batch(X, f(5, 3)), ShapeError, ("(5, 3)", "(6, 3)", "loss 'mse'")),
    (lambda: net().train_on_batch(f(6, 5), Y), ShapeError, ("'net'", "(None, 4)", "(6, 5)")),
    (lambda: net().predict(f(2, 7), verbose=0), ShapeError, ("'net'", "'features'", "(None, 4)", "(2, 7)")),
    (lambda: two().predict([f(2, 4)], verbose=0), ValueError, ("'two'", "2 inputs", "received 1")),
    (lambda: net().evaluate(X, verbose=0), ValueError, ("'net'", "no targets", "`y`")),
    (lambda: two(compiled=False).fit(X, Y), NotCompiledError, ("'two'", "model.compile(optimizer, loss)", "`fit()`")),
    (lambda: two(compiled=False).evaluate(X, Y), NotCompiledError, ("'two'", "not compiled", "`evaluate()`")),
    (lambda: two(compiled=False).train_on_batch(X, Y), NotCompiledError, ("'two'", "`train_on_batch()`")),
    (lambda: fit(net(), X, Y, callbacks=[callbacks.LearningRateScheduler(lambda epoch: "a")]), ValueError,
     ("`schedule`", "'a'")),
]  # fmt: skip

ROWS = [*MODELS, *TRAINING]
