"""A loaded model is the saved one: it predicts, and trains on, to the same bits."""

import json

import h5py
import numpy as np
import pytest
from saved_models import Scale, assert_same, compiled, small, state, two_headed

from layerkit import optimizers
from layerkit.errors import UnknownNameError
from layerkit.layers import Dense, Input
from layerkit.models import Model, Sequential
from layerkit.ops import mean, relu, softmax, square
from layerkit.saving import custom_object_scope, inspect, load_model, register_keras_serializable, save_model

SCHEDULE = optimizers.schedules.ExponentialDecay(0.1, 2, 0.9)
OPTIMIZERS = [
    "adam",
    "rmsprop",
    optimizers.SGD(0.1),
    optimizers.SGD(SCHEDULE, momentum=0.9),
    optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0, use_ema=True),
    optimizers.Nadam(0.01, gradient_accumulation_steps=2),
    optimizers.Ftrl(0.01),
]


def _train(model, data, **arguments):
    return model.fit(*data, batch_size=8, verbose=0, shuffle=False, **arguments).history


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o if isinstance(o, str) else type(o).__name__)
def test_training_goes_on_to_the_same_bits(tmp_path, data, optimizer):
    path = tmp_path / "model.h5"
    if not isinstance(optimizer, str):
        optimizer = type(optimizer).from_config(optimizer.get_config())
    model = small(optimizer=optimizer)
    _train(model, data, epochs=2)
    model.save(path)
    loaded = load_model(path)
    assert_same(state(model), state(loaded))
    np.testing.assert_array_equal(model.predict(data[0], verbose=0), loaded.predict(data[0], verbose=0))
    assert loaded.get_config() == model.get_config()
    assert loaded.get_compile_config() == model.get_compile_config()
    assert _train(model, data, epochs=3) == _train(loaded, data, epochs=3)
    assert_same(state(model), state(loaded))


def test_functional_model_with_inner_model_and_names(tmp_path, data):
    path = tmp_path / "model.hdf5"
    x = {"left": data[0], "right": data[0][::-1]}
    y = {"kind": data[1], "size": data[0][:, :1]}
    model = two_headed()
    model.fit(x, y, batch_size=8, verbose=0, shuffle=False)
    save_model(model, path)
    loaded = load_model(path)
    assert_same(state(model), state(loaded))
    histories = [m.fit(x, y, batch_size=8, verbose=0, shuffle=False).history for m in (model, loaded)]
    assert histories[0] == histories[1]
    assert_same(state(model), state(loaded))


def test_operations_between_layers(tmp_path, data):
    x = Input((6,))
    h = Dense(3, name="dense")(x)
    model = compiled(Model(x, softmax(h * 2.0 + relu(h) - h)))
    _train(model, data)
    model.save(tmp_path / "model.h5")
    load_model(tmp_path / "model.h5").save(tmp_path / "again.h5")
    loaded = load_model(tmp_path / "again.h5")
    assert _train(model, data) == _train(loaded, data)
    assert_same(state(model), state(loaded))
    modules = [entry.get("module") for entry in inspect(tmp_path / "model.h5")["model_config"]["config"]["layers"]]
    assert modules[:2] == [None, None]  # layers, as Keras writes them
    assert "keras.src.ops.numpy" in modules  # operations that Keras has too


def test_operations_without_a_module_as_keras_writes_them(tmp_path, data):
    x = Input((6,))
    model = Model(x, Dense(3)(x) + Dense(3)(x))
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for entry in config["config"]["layers"]:
            entry.pop("module", None)
        file.attrs["model_config"] = json.dumps(config)
    np.testing.assert_array_equal(load_model(tmp_path / "model.h5")(data[0]).numpy(), model(data[0]).numpy())


def test_set_learning_rate_and_iterations_last(tmp_path, data):
    model = small()
    _train(model, data)
    model.optimizer.learning_rate = 0.0123
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert float(loaded.optimizer.learning_rate) == np.float32(0.0123)
    assert int(loaded.optimizer.iterations) == 3


def test_saved_before_the_first_step(tmp_path, data):
    model = small()
    model.optimizer.learning_rate = 0.02
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert _train(model, data) == _train(loaded, data)
    assert_same(state(model), state(loaded))


def test_frozen_layers_and_an_optimizer_made_for_other_variables(tmp_path, data):
    model = small()
    _train(model, data)
    model.get_layer("first").trainable = False  # the optimizer still has slots for it
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert not loaded.get_layer("first").trainable
    assert_same(state(model), state(loaded))
    with pytest.warns(UserWarning, match="changed after `compile"):
        expected = _train(model, data)
    assert _train(loaded, data) == expected


def test_uncompiled_and_compile_false(tmp_path, data):
    Sequential([Input((6,)), Dense(2)]).save(tmp_path / "plain.h5")
    assert not load_model(tmp_path / "plain.h5").compiled
    model = small()
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5", compile=False)
    assert not loaded.compiled
    np.testing.assert_array_equal(model(data[0]).numpy(), loaded(data[0]).numpy())
    save_model(model, tmp_path / "bare.h5", include_optimizer=False)
    assert not load_model(tmp_path / "bare.h5").compiled


def test_custom_layers_are_passed_in(tmp_path, data):
    model = compiled(Sequential([Input((6,)), Scale(2.0, name="scale"), Dense(3, activation="softmax")]))
    _train(model, data)
    model.save(tmp_path / "model.h5")
    for load in (
        lambda: load_model(tmp_path / "model.h5", custom_objects={"Scale": Scale}),
        lambda: _in_scope(tmp_path / "model.h5"),
    ):
        loaded = load()
        assert loaded.get_layer("scale").power == 2.0
        assert_same(state(model), state(loaded))


def _in_scope(path):
    with custom_object_scope({"Scale": Scale}):
        return load_model(path)


@register_keras_serializable("tests")
class Perceptron(Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = Dense(units)
        self.out = [Dense(3, activation="softmax")]

    def call(self, inputs):
        return self.out[0](self.hidden(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_registered_subclassed_model(tmp_path, data):
    model = compiled(Perceptron(4, name="perceptron"))
    _train(model, data)
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert type(loaded) is Perceptron
    assert_same(state(model), state(loaded))
    assert _train(model, data) == _train(loaded, data)


def test_more_names_than_a_header_holds(tmp_path):
    layers = [Dense(1, use_bias=False, name=f"layer_{'x' * 400}_{number}") for number in range(200)]
    model = Sequential([Input((1,)), *layers])
    model.save(tmp_path / "model.h5")
    assert_same(state(model), state(load_model(tmp_path / "model.h5")))


def squared(y_true, y_pred):
    return mean(square(y_true - y_pred), axis=-1)


def test_functions_of_the_program_are_passed_in(tmp_path, data):
    path = tmp_path / "model.h5"
    model = compiled(Sequential([Input((6,)), Dense(1)]), loss=squared, metrics=[squared])
    model.save(path)
    with pytest.raises(UnknownNameError, match="Unknown function 'squared': pass it in `custom_objects="):
        load_model(path)
    loaded = load_model(path, custom_objects={"squared": squared})
    assert _train(model, (data[0], data[0][:, :1])) == _train(loaded, (data[0], data[0][:, :1]))


def test_states_of_generators_that_do_not_fit_start_anew(tmp_path):
    small().save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file["layerkit_state"].attrs["weight_names"] = np.zeros(0)
    with pytest.warns(UserWarning, match="they start anew: the states of random generators: the model has 1 variables"):
        load_model(tmp_path / "model.h5")


def test_random_generators_of_uncompiled_models(tmp_path, data):
    model = small()
    _train(model, data)
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5", compile=False)
    np.testing.assert_array_equal(model(data[0], training=True).numpy(), loaded(data[0], training=True).numpy())
