"""Trained models on disk: HDF5 files that Keras reads too, written at once or not at all, and read with distrust."""

from __future__ import annotations

from layerkit.models.model import provide_saving
from layerkit.saving.copies import reduce_model
from layerkit.saving.errors import SavedFileError
from layerkit.saving.file_editor import KerasFileEditor
from layerkit.saving.files import load_model, load_weights, save_model, save_weights
from layerkit.saving.inspection import inspect
from layerkit.serialization import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

__all__ = [
    "CustomObjectScope", "KerasFileEditor", "SavedFileError", "custom_object_scope", "deserialize_keras_object",
    "get_custom_objects", "get_registered_name", "get_registered_object", "inspect", "load_model", "load_weights",
    "register_keras_serializable", "save_model", "save_weights", "serialize_keras_object",
]  # fmt: skip

provide_saving(save_model=save_model, save_weights=save_weights, load_weights=load_weights, reduce_model=reduce_model)
