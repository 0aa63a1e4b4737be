"""FeatureSpace. The numbers are those of Keras 3.15 on TensorFlow."""

import json

import numpy as np
import pytest

import layerkit
from layerkit import layers
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from layerkit.utils import FeatureSpace

TABLE = {
    "size": np.array([1.0, 2.0, 3.0, 6.0], "float32"),
    "rooms": np.array([1, 2, 2, 3]),
    "town": np.array(["a", "b", "b", "c"]),
    "street": np.array(["x", "y", "z", "x"]),
}


def space(**arguments: object) -> FeatureSpace:
    features = {
        "size": "float_normalized",
        "rooms": "integer_categorical",
        "town": FeatureSpace.string_categorical(num_oov_indices=0),
        "street": FeatureSpace.string_hashed(3),
    }
    made = FeatureSpace(features, crosses=[("town", "rooms")], crossing_dim=5, **arguments)
    made.adapt(TABLE)
    return made


def test_vectors() -> None:
    made = space()
    y = made(TABLE).numpy()
    assert y.shape == (4, 4 + 1 + 3 + 3 + 5)
    np.testing.assert_array_equal(y[:, :4], np.eye(4)[[3, 1, 1, 2]])  # rooms, the most frequent first
    np.testing.assert_allclose(y[:, 4], (TABLE["size"] - 3) / np.std(TABLE["size"]), rtol=1e-6)
    assert (y[:, 5:].sum(1) == 3).all()
    np.testing.assert_array_equal(made({key: column[1] for key, column in TABLE.items()}), y[1])
    batches = [{key: column[at : at + 2] for key, column in TABLE.items()} for at in (0, 2)]
    again = space()
    again.adapt(iter(batches))
    np.testing.assert_allclose(again(TABLE), y, rtol=1e-6)


def test_dictionary_of_vectors() -> None:
    y = space(output_mode="dict")(TABLE)
    assert {key: value.shape for key, value in y.items()} == {
        "rooms": (4, 4), "size": (4, 1), "street": (4, 3), "town": (4, 3), "town_X_rooms": (4, 5),
    }  # fmt: skip


def test_config_and_weights_hold_its_state() -> None:
    made = space()
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(made))))
    again.set_weights(made.get_weights())
    np.testing.assert_array_equal(again(TABLE), made(TABLE))


def test_models_start_at_the_encoded_features() -> None:
    made = space()
    x = made.get_encoded_features()
    model = layerkit.Model(x, layers.Dense(1)(x))
    assert model.predict(made(TABLE).numpy(), verbose=0).shape == (4, 1)
    whole = layerkit.Model(made.get_inputs(), model(x))
    columns = {key: np.reshape(TABLE[key], (-1, 1)) for key in made.features}
    np.testing.assert_array_equal(whole.predict(columns, verbose=0), model.predict(made(TABLE).numpy(), verbose=0))
    numbers = FeatureSpace({"size": "float", "rooms": FeatureSpace.integer_hashed(4)})
    encoded = numbers.get_encoded_features()
    whole = layerkit.Model(numbers.get_inputs(), encoded)
    columns = {key: TABLE[key][:, None] for key in ("size", "rooms")}
    np.testing.assert_array_equal(whole.predict(columns, verbose=0), numbers(columns))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "cannot be None or empty"),
        (lambda: FeatureSpace({"a": "floats"}), r"`features\['a'\]` must be one of 'float', .*'floats'"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"not in `features`: \['b'\]"),
        (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), r"call `adapt\(dataset\)` before .*\['a'\]"),
        (lambda: FeatureSpace({"a": "float"})([1.0]), "can only be called with a dict. Received: list"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "the column 'a' is missing"),
        (lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, "int")})({"a": ["x"]}), "has not been encoded"),
    ],
)
def test_errors(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
