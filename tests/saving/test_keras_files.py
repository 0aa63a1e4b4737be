"""Files that Keras 3.15.1 and tf_keras 2.21 wrote after one step of training, with what they predict."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from layerkit.registry import registry
from layerkit.saving import inspect, load_model

SAMPLES = Path(__file__).parent / "samples"


def _arrays(name):
    with np.load(SAMPLES / f"{name}.npz") as arrays:
        return dict(arrays)


def _group(arrays, prefix):
    return {key.removeprefix(prefix): arrays[key] for key in sorted(arrays) if key.startswith(prefix)}


def _single(values):
    return next(iter(values.values())) if len(values) == 1 else values


def _assert_predicts(model, arrays):
    x = _single(_group(arrays, "x/"))
    expected = _group(arrays, "pred1/")
    given = model(x)
    for name, value in expected.items():
        got = (given[name] if isinstance(given, dict) else given).numpy()
        np.testing.assert_allclose(got, value, rtol=1e-5, atol=1e-6)


def _model(name):
    if name == "cnn_two_inputs" and "ReLU" not in registry("layer"):
        pytest.skip("the layers of this model are not all there")
    return load_model(SAMPLES / f"{name}.h5")


@pytest.mark.parametrize("name", ["seq_dense", "keras2_seq_dense", "cnn_two_inputs"])
def test_whole_models(name):
    arrays, model = _arrays(name), _model(name)
    _assert_predicts(model, arrays)
    assert int(model.optimizer.iterations) == 1
    state = list(_group(arrays, "opt1/").values())
    mine = [variable.numpy() for variable in model.optimizer.variables]
    if len(state) == len(mine) - 1:  # Keras 2 has the learning rate in the configuration only
        assert mine.pop(1) == np.float32(0.01)
    for value, expected in zip(mine, state, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert model.compiled
    assert not model.run_eagerly


@pytest.mark.parametrize(
    "file",
    ["seq_dense.weights.h5", "keras2_seq_dense.weights.h5", "keras2_seq_dense.legacy_weights_only.h5",
     "keras2_seq_dense.h5", "cnn_two_inputs.weights.h5"],
)  # fmt: skip
def test_weights(file):
    name = file.partition(".")[0]
    arrays, model = _arrays(name), _model(name)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(SAMPLES / file)
    for weight, expected in zip(model.get_weights(), _group(arrays, "w1/").values(), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize("file", ["seq_dense.h5", "keras2_seq_dense.h5"])
def test_training_goes_on_as_keras_says(file):
    """From the state before the step, made of the recorded one, the step gives the recorded weights."""
    arrays, model = _arrays(file.removesuffix(".h5")), _model(file.removesuffix(".h5"))
    model.set_weights(list(_group(arrays, "w0/").values()))
    for variable in model.optimizer.variables:
        if variable.name != "learning_rate":
            variable.assign(np.zeros(variable.shape))
    model.run_eagerly = True
    model.train_on_batch(_single(_group(arrays, "x/")), _single(_group(arrays, "y/")))
    for weight, expected in zip(model.get_weights(), _group(arrays, "w1/").values(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


def test_early_weights_files_have_another_name_for_layers(tmp_path):
    path = tmp_path / "early.weights.h5"
    shutil.copy(SAMPLES / "seq_dense.weights.h5", path)
    with h5py.File(path, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    model = _model("seq_dense")
    expected = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in expected])
    model.load_weights(path)
    for weight, value in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_inspect_builds_nothing():
    found = inspect(SAMPLES / "keras2_seq_dense.h5")
    assert found["format"] == "legacy model"
    assert found["keras_version"] == "2.21.0"
    assert found["layers"] == ["hidden", "drop", "out"]
    assert found["arrays"]["model_weights/out/out/kernel:0"] == ((16, 3), "float32")
    assert found["model_config"]["class_name"] == "Sequential"
    assert found["training_config"]["loss"] == "sparse_categorical_crossentropy"
    assert inspect(SAMPLES / "seq_dense.weights.h5")["format"] == "weights"
    assert inspect(SAMPLES / "keras2_seq_dense.legacy_weights_only.h5")["format"] == "legacy weights"
