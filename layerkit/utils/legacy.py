"""`keras.utils.legacy`: objects as Keras 2 wrote them, `{"class_name": ..., "config": ...}` without a module.

Packages that keep classes of their own this way give the table to find them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerkit.errors import UnknownNameError
from layerkit.serialization import custom_object_scope, get_registered_name, get_registered_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> dict[str, Any] | str | None:
    """An object as its class's name and its `get_config()`; a function or class as its name; None as None.

    Raises ValueError for anything else.

    >>> from layerkit.layers import Dropout
    >>> serialize_keras_object(Dropout(0.5))["class_name"]
    'Dropout'
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(f"{instance!r} has neither `get_config` nor a name, and can't be serialized.")


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """What `serialize_keras_object` wrote, made again; classes are looked for by name in the tables given.

    Args:
        identifier: a config, a name (of a class: an object made without arguments), a function or None.
        module_objects: classes and functions by name, which the registered ones precede.
        custom_objects: classes and functions by name, which precede all.
        printable_module_name: what errors call the object.

    Raises:
        UnknownNameError: no table has the name.
        ValueError: the identifier is none of these.

    >>> from layerkit.layers import Dropout
    >>> deserialize_keras_object({"class_name": "Dropout", "config": {"rate": 0.5}}, {"Dropout": Dropout}).rate
    0.5
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    if isinstance(identifier, str):
        found = _find(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if not isinstance(identifier, dict) or not {"class_name", "config"} <= identifier.keys():
        raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier!r}")
    cls = _find(identifier["class_name"], module_objects, custom_objects, printable_module_name)
    with custom_object_scope(custom_objects or {}):
        return cls.from_config(identifier["config"]) if hasattr(cls, "from_config") else cls(**identifier["config"])


def _find(
    name: str, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None, kind: str
) -> Any:
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None:
        raise UnknownNameError(f"Unknown {kind}: {name!r}. Pass it in `custom_objects` or `module_objects`.")
    return found
