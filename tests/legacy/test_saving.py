"""Serialisation under Keras' older names."""

import pytest

from layerkit import layers, optimizers
from layerkit.errors import UnknownNameError
from layerkit.legacy.saving import deserialize_keras_object, serialize_keras_object


class Scaled(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor


def doubled(x):
    return 2 * x


def test_an_object_comes_back_from_its_class_and_config():
    entry = serialize_keras_object(layers.Dense(3, activation="relu", name="hidden"))
    assert sorted(entry) == ["class_name", "config"]
    assert entry["class_name"] == "Dense"
    made = deserialize_keras_object(entry)
    assert (type(made), made.name, made.units) == (layers.Dense, "hidden", 3)


def test_names_stand_for_functions_and_for_objects_of_classes():
    assert serialize_keras_object(doubled) == "doubled"
    assert deserialize_keras_object("doubled", custom_objects={"doubled": doubled}) is doubled
    assert isinstance(deserialize_keras_object("SGD"), optimizers.SGD)
    assert deserialize_keras_object(doubled) is doubled
    assert serialize_keras_object(None) is None
    assert deserialize_keras_object(None) is None


@pytest.mark.parametrize("argument", ["module_objects", "custom_objects"])
def test_own_classes_are_passed_in(argument):
    made = deserialize_keras_object(serialize_keras_object(Scaled(3.0)), **{argument: {"Scaled": Scaled}})
    assert (type(made), made.factor) == (Scaled, 3.0)


def test_errors():
    with pytest.raises(ValueError, match="doesn't implement `get_config"):
        serialize_keras_object(object())
    with pytest.raises(ValueError, match="Improper config format for layer"):
        deserialize_keras_object({"class_name": "Dense"}, printable_module_name="layer")
    with pytest.raises(ValueError, match="Could not interpret serialized optimizer: 3"):
        deserialize_keras_object(3, printable_module_name="optimizer")
    with pytest.raises(UnknownNameError, match="Nothing"):
        deserialize_keras_object({"class_name": "Nothing", "config": {}})
