"""`keras.utils.legacy`: what `keras.legacy.saving` has, where packages look for it."""

from layerkit.legacy.saving import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
