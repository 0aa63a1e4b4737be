"""Floor 8: helpers that Keras has under `keras.utils`."""

from layerkit.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from layerkit.serialization import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from layerkit.utils.arrays import normalize, to_categorical
from layerkit.utils.session import clear_session, set_random_seed

CustomObjectScope = custom_object_scope
Sequence = PyDataset

__all__ = [
    "CustomObjectScope", "PyDataset", "Sequence", "clear_session", "custom_object_scope", "deserialize_keras_object",
    "get_custom_objects", "get_registered_name", "get_registered_object", "normalize", "pack_x_y_sample_weight",
    "register_keras_serializable", "serialize_keras_object", "set_random_seed", "to_categorical",
    "unpack_x_y_sample_weight",
]  # fmt: skip
