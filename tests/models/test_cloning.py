"""`clone_model`: what is carried over, what is made anew, and what is refused, as in Keras 3.15."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit as keras
from layerkit import layers
from layerkit.models import Model, Sequential, clone_model


def functional():
    x = keras.Input((3,), name="first")
    hidden = layers.Dense(4, name="hidden")(x)
    return Model(x, layers.Dense(1, name="last")(hidden + 1.0), name="net")


def again(layer):
    return type(layer).from_config(layer.get_config())


def names(model):
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize("make", [functional, lambda: Sequential([keras.Input((3,)), layers.Dense(1)])])
def test_a_clone_is_compiled_as_its_model_is(make):
    model = make()
    assert not clone_model(model).compiled
    model.compile("adam", "mse", metrics=["mae"])
    clone = clone_model(model)
    assert clone.compiled
    assert (type(clone.optimizer).__name__, clone.loss, clone.name) == ("Adam", "mse", model.name)
    assert clone.optimizer is not model.optimizer
    assert names(clone) == names(model)
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    clone.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)


def test_input_tensors_take_the_place_of_the_inputs():
    x = keras.Input((3,), name="other")
    model = functional()
    assert names(clone_model(model, input_tensors=x)) == ["other", "hidden", "last"]
    assert clone_model(model, input_tensors=layers.Dense(3)(x)).output_shape == (None, 1)
    stack = Sequential([keras.Input((3,), name="first"), layers.Dense(2, name="only")])
    for given in (x, [x]):
        assert [layer.name for layer in clone_model(stack, input_tensors=given)._layers] == ["first", "only"]
    with pytest.raises(ValueError, match="must have the same structure as model.input"):
        clone_model(model, input_tensors=[x])
    with pytest.raises(ValueError, match="must be symbolic tensors"):
        clone_model(model, input_tensors=np.ones((2, 3)))
    with pytest.raises(ValueError, match="since a Sequential model has one input"):
        clone_model(stack, input_tensors=[x, x])


def test_an_optional_input_stays_optional():
    x = keras.Input((2,), optional=True)
    assert clone_model(Model(x, layers.Dense(1)(x))).layers[0].optional


def test_functions_make_and_call_the_layers():
    model = functional()
    made = []
    clone_model(model, clone_function=lambda layer: made.append(layer.name) or again(layer))
    assert made == ["hidden", "last"]

    def with_dropout(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        return layers.Dropout(0.5)(outputs) if isinstance(layer, layers.Dense) else outputs

    clone = clone_model(model, clone_function=lambda layer: layer, call_function=with_dropout)
    assert [type(layer).__name__ for layer in clone.layers] == ["InputLayer", "Dense", "Dropout", "Dense", "Dropout"]
    assert clone.layers[1] is model.layers[1]


@pytest.mark.parametrize(("recursive", "expected"), [(True, ["outer", "inner_dense"]), (False, ["outer", "inner"])])
def test_inner_models_are_cloned_once_and_layer_by_layer_where_asked(recursive, expected):
    inner = Sequential([keras.Input((4,)), layers.Dense(4, name="inner_dense")], name="inner")
    x = keras.Input((3,))
    model = Model(x, inner(inner(layers.Dense(4, name="outer")(x))))
    made = []
    clone = clone_model(
        model, clone_function=lambda layer: made.append(layer.name) or again(layer), recursive=recursive
    )
    assert made == expected
    assert len(clone.layers) == 3


def test_models_with_constructors_of_their_own():
    class Wide(Model):
        def __init__(self, units=2, **kwargs):
            x = keras.Input((3,))
            super().__init__(x, layers.Dense(units)(x), **kwargs)
            self.units = units

    class Subclassed(Model):
        def __init__(self, units=2):
            super().__init__()
            self.units, self.dense = units, layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    assert clone_model(Wide(5)).output_shape == (None, 5)
    model = Subclassed(3)
    model.compile("sgd", "mse")
    model(np.ones((1, 2)))
    clone = clone_model(model)
    assert (type(clone), clone.units, clone.compiled, clone.built) == (Subclassed, 3, True, True)
    with pytest.raises(ValueError, match="only supported for Sequential and Functional models"):
        clone_model(model, clone_function=again)


def test_arguments_without_a_use_are_refused():
    stack = Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="not supported with Sequential models"):
        clone_model(stack, call_function=lambda layer, x: layer(x))
    with pytest.raises(ValueError, match=r"Unexpected keyword argument\(s\): \('foo',\)"):
        clone_model(stack, foo=1)
    with pytest.raises(ValueError, match="`clone_function` argument to be a callable"):
        clone_model(stack, clone_function=3)
