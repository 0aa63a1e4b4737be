"""Serialisation under Keras' older names and arguments; the functions of `layerkit.saving` do the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerkit import serialization

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """An object as `{"class_name", "config"}`, a function or class as its name, None as None.

    Raises ValueError for what has neither `get_config()` nor a name.

    >>> from layerkit.optimizers import SGD
    >>> serialize_keras_object(SGD)
    'SGD'
    >>> serialize_keras_object(SGD(0.5))["class_name"]
    'SGD'
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not isinstance(instance, type):
        entry = serialization.serialize_keras_object(instance)
        return {"class_name": entry["registered_name"] or entry["class_name"], "config": entry["config"]}
    if hasattr(instance, "__name__"):
        return serialization.get_registered_name(instance)
    raise ValueError(f"Cannot serialize {instance!r} because it doesn't implement `get_config()`.")


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """What `serialize_keras_object` wrote: a config's object, or for a name its function or an object of its class.

    Args:
        identifier: `{"class_name", "config"}` or a name; None stays None, a function is given back.
        module_objects: name -> class or function, looked at after `custom_objects` and what is registered.
        custom_objects: name -> class or function.
        printable_module_name: what the names are of, for the error.

    Raises:
        UnknownNameError: the name is not known.
        ValueError: the config is not one, or `identifier` is something else.

    >>> from layerkit.optimizers import SGD
    >>> float(deserialize_keras_object({"class_name": "SGD", "config": {"learning_rate": 0.5}}).learning_rate)
    0.5
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    if not isinstance(identifier, str | dict):
        raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier!r}")
    if isinstance(identifier, dict) and not {"class_name", "config"} <= identifier.keys():
        raise ValueError(
            f"Improper config format for {printable_module_name} {identifier!r}: expected a dict with `class_name` "
            "and `config`."
        )
    known = {**(module_objects or {}), **serialization.get_custom_objects(), **(custom_objects or {})}
    if isinstance(identifier, dict):
        return serialization.deserialize_keras_object(identifier, known)
    found = serialization.find_object(identifier, None, known)
    return found() if isinstance(found, type) else found
