"""Functional, sequential and subclassed models."""

import gc
import json
import weakref

import numpy as np
import pytest

from layerkit import layers, ops
from layerkit.errors import UnknownNameError
from layerkit.layers import Dense, Input
from layerkit.models import Functional, Model, Sequential, clone_model, model_from_json
from layerkit.ops.deferred import deferred

X = np.arange(8, dtype="float32").reshape(2, 4) / 8
mean, expand_dims = deferred(ops.mean), deferred(ops.expand_dims)


def branching() -> Model:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(4, name="shared")
    y = shared(shared(a)) + shared(b) * 2.0
    y = layers.Activation("relu", name="act")(y)
    return Model({"a": a, "b": b}, [layers.Concatenate(name="cat")([y, a]), ops.relu(y)], name="branching")


def same(one: Model, other: Model, x: object) -> None:
    other.set_weights(one.get_weights())
    ours, theirs = one(x), other(x)
    for a, b in zip(
        ours if isinstance(ours, list) else [ours], theirs if isinstance(theirs, list) else [theirs], strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_functional() -> None:
    model = branching()
    assert isinstance(model, Functional)
    assert [layer.name for layer in model.layers] == ["a", "shared", "b", "act", "cat"]
    assert model.count_params() == 20
    assert model.output_names == ["cat", "relu"]
    assert model.input_names == ["a", "b"]
    first, second = model({"a": X, "b": X})
    assert (first.shape, second.shape) == ((2, 8), (2, 4))
    by_list = model([X, X])
    np.testing.assert_array_equal(by_list[0], first)
    assert model.compute_output_shape({"a": (5, 4), "b": (5, 4)}) == [(5, 8), (5, 4)]


def test_functional_json_and_clone() -> None:
    model = branching()
    text = model.to_json()
    again = model_from_json(text)
    assert json.loads(again.to_json()) == json.loads(text)
    same(model, again, {"a": X, "b": X})
    cloned = clone_model(model)
    assert not {id(layer) for layer in cloned.layers} & {id(layer) for layer in model.layers}
    same(model, cloned, {"a": X, "b": X})


def test_functions_of_unknown_batches() -> None:
    """A mean over the batch is taken when its size is known."""
    x = Input((4,))
    model = Model(x, [mean(x), expand_dims(x, 1)])
    whole, expanded = model(X)
    assert float(whole) == pytest.approx(float(X.mean()))
    assert expanded.shape == (2, 1, 4)


def test_models_in_models() -> None:
    x = Input((4,))
    inner = Sequential([Dense(3), layers.Dropout(0.5, seed=1)])
    model = Model(x, Dense(2)(inner(x)))
    assert len(model.weights) == 4
    np.testing.assert_array_equal(model(X), model(X, training=False))
    assert not np.array_equal(model(X), model(X, training=True))
    same(model, model_from_json(model.to_json()), X)
    part = Model(model.inputs, model.layers[-1].input)
    assert part(X).shape == (2, 3)


def test_from_the_middle() -> None:
    x = Input((4,))
    h = Dense(3)(x)
    y = Dense(2)(h)
    model = Model(h, y)
    assert model.input_shape == (None, 3)
    assert model(np.ones((1, 3))).shape == (1, 2)


def test_functional_errors() -> None:
    x, other = Input((4,), name="x"), Input((4,), name="other")
    with pytest.raises(ValueError, match="Graph disconnected: the outputs need other"):
        Model(x, Dense(1)(x) + other)
    with pytest.raises(ValueError, match='The name "same" is used 2 times'):
        Model(x, Dense(1, name="same")(Dense(2, name="same")(x)))
    with pytest.raises(ValueError, match="must be symbolic tensors"):
        Model(X, Dense(1)(x))
    model = Model(x, Dense(1)(x), name="m")
    with pytest.raises(
        ValueError, match="Invalid shape for the input 'x' of model 'm': expected \\(None, 4\\), got \\(2, 5\\)"
    ):
        model(np.ones((2, 5)))
    with pytest.raises(UnknownNameError, match="Unknown layer 'dens'"):
        model.get_layer("dens")
    with pytest.raises(ValueError, match="model only has 2 layers"):
        model.get_layer(index=7)
    with pytest.raises(ValueError, match="Missing data for input 'x'"):
        model({"y": X})


def test_sequential() -> None:
    model = Sequential([Input((4,)), Dense(3, name="first"), Dense(2, name="second")], name="seq")
    assert [v.path for v in model.weights] == [
        "seq/first/kernel",
        "seq/first/bias",
        "seq/second/kernel",
        "seq/second/bias",
    ]
    same(model, model_from_json(model.to_json()), X)
    same(model, clone_model(model), X)
    model.pop()
    assert model.output_shape == (None, 3)
    model.add(Dense(5))
    assert model(X).shape == (2, 5)
    with pytest.raises(ValueError, match="should have unique names"):
        model.add(Dense(1, name="first"))
    with pytest.raises(ValueError, match="Only instances of"):
        model.add(3)


def test_sequential_built_by_its_first_call() -> None:
    model = Sequential([Dense(3), Dense(2)])
    assert not model.built
    with pytest.raises(ValueError, match="no defined inputs or outputs yet"):
        _ = model.output_shape
    assert model(X).shape == (2, 2)
    assert model(np.ones((7, 4))).shape == (7, 2)
    same(model, model_from_json(model.to_json()), X)


class Small(Model):
    def __init__(self, units: int = 3, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = [Dense(units), Dense(2)]

    def call(self, inputs, training=None):
        for layer in self.hidden:
            inputs = layer(inputs)
        return inputs


def test_subclass() -> None:
    model = Small(name="small")
    model.build((None, 4))
    assert model.built
    assert [v.shape for v in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
    again = Small.from_config(model.get_config())
    again(X)
    same(model, again, X)


def test_functional_subclass() -> None:
    class Made(Model):
        def __init__(self):
            x = Input((4,))
            super().__init__(inputs=x, outputs=Dense(1)(x))

    made = Made()
    assert isinstance(made, Functional)
    assert made(X).shape == (2, 1)


@pytest.mark.parametrize("make", [branching, lambda: Sequential([Input((4,)), Dense(2)]), Small])
def test_freed(make: object) -> None:
    model = make()
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


SUMMARY = """\
Model: "seq"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ a (Dense)                       │ (None, 5)              │            25 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization_of_all      │ (None, 5)              │            20 │
│ (BatchNormalization)            │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 45 (180.00 B)
 Trainable params: 35 (140.00 B)
 Non-trainable params: 10 (40.00 B)
"""


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential(
        [Input((4,)), Dense(5, name="a"), layers.BatchNormalization(name="batch_normalization_of_all")], name="seq"
    )
    model.summary(line_length=76)
    assert capsys.readouterr().out == SUMMARY
    lines: list[str] = []
    branching().summary(line_length=100, print_fn=lines.append, show_trainable=True)
    assert "shared[1][0]" in lines[0]
    assert "Trainable" in lines[0]
    lines.clear()
    model.summary(print_fn=lines.append, layer_range=("a", "a"))
    assert "batch_norm" not in lines[0]
    with pytest.raises(ValueError, match="do not match the layer names"):
        model.summary(layer_range=("x", "y"))


def test_calls_of_inner_functional_models_count_from_one_as_in_keras() -> None:
    x, z = Input((4,)), Input((4,))
    inner = Model(z, Dense(4)(z), name="inner")
    model = Model(x, inner(inner(Dense(4)(x))))
    config = model.get_config()
    assert config["output_layers"] == ["inner", 2, 0]
    same(model, Model.from_config(config), X)
    # As layerkit wrote it before.
    text = (
        json.dumps(config).replace('["inner", 1, 0]', '["inner", 0, 0]').replace('["inner", 2, 0]', '["inner", 1, 0]')
    )
    same(model, Model.from_config(json.loads(text)), X)


@pytest.mark.parametrize("as_dictionary", [True, False])
def test_further_keys_in_a_dictionary_of_data_are_left_aside(as_dictionary):
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Model({"a": a, "b": b} if as_dictionary else [a, b], a - b)
    ones, twos = np.ones((3, 2), "float32"), np.full((3, 2), 2, "float32")
    given = {"z": ones, "b": ones, "a": twos, "_": ones}
    assert np.array_equal(model(given), ones)
    assert np.array_equal(model.predict(given, verbose=0), ones)
    masked = ops.convert_to_tensor(twos)
    masked.mask = ops.convert_to_tensor(np.array([True, False, True]))
    assert np.array_equal(model({**given, "a": masked}), ones)
