"""Laws that every layer keeps, found through the registry."""

import copy
import gc
import inspect
import json
import weakref
from pathlib import Path

import numpy as np
import pytest

from layerkit import layers, ops
from layerkit.graph import as_tensor, gradients, trace
from layerkit.graph.interpreter import Interpreter
from layerkit.models import Model
from layerkit.registry import registry
from layerkit.saving import load_model
from layerkit.serialization import custom_object_scope, deserialize_keras_object, serialize_keras_object
from layerkit.tracing import compile_function
from tests.samples.layers import SAMPLES, Sample, double

MODELS = ("Functional", "Sequential")
each = pytest.mark.parametrize("sample", SAMPLES, ids=str)


def _called(layer: layers.Layer, inputs: object, **kwargs: object) -> object:
    """The layer's output; a tuple holds arguments. What trains by default is told not to."""
    if layer._signature_of_call().training_default:
        kwargs.setdefault("training", False)
    return layer(*inputs, **kwargs) if isinstance(inputs, tuple) else layer(inputs, **kwargs)


def _shape_of_output(layer: layers.Layer, inputs: object) -> object:
    if isinstance(inputs, tuple):
        return layer.compute_output_shape(*(x.shape for x in inputs))
    return layer.compute_output_shape([x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape)


def _gathered(inputs: object, given: tuple) -> object:
    """Other values in the structure of the inputs."""
    return type(inputs)(given) if isinstance(inputs, list | tuple) else given[0]


def test_every_class_has_a_sample() -> None:
    sampled = {sample.cls for sample in SAMPLES}
    missing = [cls.__name__ for cls in registry("layer").things() if cls not in sampled and cls.__name__ not in MODELS]
    # Cells are sampled inside of recurrent layers; a Wrapper computes nothing.
    cells = {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}
    # Of strings, or of outputs that are integers, which these laws don't fit: tests/layers/test_preprocessing*.py.
    elsewhere = {"FeatureSpace", "HashedCrossing", "IntegerLookup", "Pipeline", "StringLookup", "TextVectorization"}
    assert set(missing) <= {"InputLayer", "Wrapper", *cells, *elsewhere}


@each
def test_config_round_trip(sample: Sample) -> None:
    layer = sample.make(name="here", trainable=False) if "trainable" in _arguments(sample) else sample.make(name="here")
    _called(layer, sample.inputs())
    text = json.dumps(serialize_keras_object(layer))
    with custom_object_scope({"double": double}):
        again = deserialize_keras_object(json.loads(text))
    assert type(again) is type(layer)
    assert json.dumps(serialize_keras_object(again)) == text
    assert again.trainable == layer.trainable
    if layer.weights:
        again.set_weights(layer.get_weights())
        np.testing.assert_array_equal(_called(again, sample.inputs()), _called(layer, sample.inputs()))


def _arguments(sample: Sample) -> list[str]:
    names = list(inspect.signature(sample.cls.__init__).parameters)
    return [*names, "trainable"] if "kwargs" in names else names


@each
def test_symbolic_shape_is_the_real_one(sample: Sample) -> None:
    inputs = sample.inputs()
    layer = sample.make()
    y = _called(layer, inputs)
    assert _shape_of_output(layer, inputs) == y.shape
    unknown = [(None, *shape[1:]) for shape in sample.shapes]
    symbolic = [
        layers.Input(batch_shape=shape, dtype=np.asarray(sample.inputs()[0]).dtype if sample.integers else None)
        for shape in unknown
    ]
    made = _called(sample.make(), _gathered(inputs, symbolic))
    assert made.shape == (None, *y.shape[1:])
    assert made.dtype == y.dtype


@each
def test_inference_is_the_default_and_repeats(sample: Sample) -> None:
    layer, inputs = sample.make(), sample.inputs()
    first = np.asarray(_called(layer, inputs))
    np.testing.assert_array_equal(_called(layer, inputs, training=False), first)
    assert first.dtype == np.float32


@each
def test_compiled_is_eager(sample: Sample) -> None:
    layer, inputs = sample.make(), sample.inputs()
    eager = np.asarray(_called(layer, inputs))
    compiled = compile_function(lambda *x: _called(layer, _gathered(inputs, x)))
    given = compiled(*inputs) if isinstance(inputs, list | tuple) else compiled(inputs)
    np.testing.assert_allclose(given, eager, rtol=2e-5, atol=2e-6)


@each
def test_weights_can_be_taken_and_given(sample: Sample) -> None:
    layer, inputs = sample.make(), sample.inputs()
    y = np.asarray(_called(layer, inputs))
    weights = layer.get_weights()
    layer.set_weights([w + 1 for w in weights])
    layer.set_weights(weights)
    np.testing.assert_array_equal(_called(layer, inputs), y)
    with pytest.raises(ValueError, match=f"has {len(weights)} weights, but set_weights was given {len(weights) + 1}"):
        layer.set_weights([*weights, np.zeros(1)])
    if weights:
        wrong = [np.zeros((*w.shape, 2)) for w in weights]
        with pytest.raises(ValueError, match="but set_weights was given shape"):
            layer.set_weights(wrong)


@each
def test_float64(sample: Sample) -> None:
    layer = sample.make(dtype="float64")
    assert _called(layer, sample.inputs("float64")).dtype == "float64"
    assert {v.dtype for v in layer.weights} <= {"float64"}


@each
def test_gradients_against_differences(sample: Sample) -> None:
    """In float64, along a random direction of all inputs and weights at once."""
    if sample.integers is not None:
        return
    layer = sample.make(dtype="float64")
    inputs = sample.inputs("float64")
    flat = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    _called(layer, inputs)
    random = np.random.default_rng(3)
    layer.set_weights([np.abs(random.normal(size=v.shape)) + 0.2 for v in layer.weights])
    weights = layer.trainable_weights

    def loss(*x: object) -> object:
        y = _called(layer, _gathered(inputs, x))
        return ops.sum(ops.square(y + 0.3))

    def slopes(*x: object) -> list:
        found = gradients([loss(*x)], [*x, *(v.value for v in weights)])
        return [as_tensor(0.0) if g is None else g for g in found]

    grads = Interpreter(trace(slopes, [(x.shape, "float64") for x in flat])).run(flat)
    values = [*flat, *(v.numpy() for v in weights)]
    ways = [random.normal(size=value.shape) for value in values]
    step = 1e-6

    def at(distance: float) -> float:
        moved = [value + distance * way for value, way in zip(values, ways, strict=True)]
        for variable, value in zip(weights, moved[len(flat) :], strict=True):
            variable.assign(value)
        return float(loss(*moved[: len(flat)]))

    slope = (at(step) - at(-step)) / (2 * step)
    expected = sum(float(np.sum(np.asarray(g) * way)) for g, way in zip(grads, ways, strict=True))
    assert expected == pytest.approx(slope, rel=1e-5, abs=1e-6)


@each
def test_saved_and_loaded(sample: Sample, tmp_path: Path) -> None:
    """A model of the layer has the same weights to the bit after it was saved and loaded, whole or they alone.

    A low-rank correction is saved as a part of what it corrects.
    """
    inputs = sample.inputs()
    flat = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    model = _model_of(sample, flat)
    random = np.random.default_rng(4)
    model.set_weights([np.abs(random.normal(size=v.shape)) + 0.2 for v in model.weights])
    before = model.predict_on_batch(flat)

    def assert_same(other: Model) -> None:
        if "lora_rank" not in sample.arguments:
            for ours, given in zip(other.get_weights(), model.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, given)
        # The references, which answer first, multiply matrices by what NumPy chooses for where they lie.
        np.testing.assert_allclose(other.predict_on_batch(flat), before, rtol=1e-5, atol=1e-6)

    model.save(tmp_path / "model.h5")
    with custom_object_scope({"double": double}):
        again = load_model(tmp_path / "model.h5")
    assert_same(again)
    if model.weights:
        model.save_weights(tmp_path / "of.weights.h5")
        other = _model_of(sample, flat)
        other.load_weights(tmp_path / "of.weights.h5")
        assert_same(other)


def _model_of(sample: Sample, arrays: list[np.ndarray]) -> Model:
    given = [layers.Input(batch_shape=(None, *x.shape[1:]), dtype=x.dtype.name) for x in arrays]
    return Model(given, _called(sample.make(), _gathered(sample.inputs(), tuple(given))))


@each
def test_freed(sample: Sample) -> None:
    layer = sample.make()
    _called(layer, sample.inputs())
    alive = weakref.ref(layer)
    del layer
    gc.collect()
    assert alive() is None


@each
def test_copies(sample: Sample) -> None:
    layer, inputs = sample.make(), sample.inputs()
    y = np.asarray(_called(layer, inputs))
    other = copy.deepcopy(layer)
    layer.set_weights([w + 1 for w in layer.get_weights()])
    np.testing.assert_array_equal(_called(other, inputs), y)
    assert not {id(v) for v in other.weights} & {id(v) for v in layer.weights}
