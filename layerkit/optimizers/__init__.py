"""Optimizers and learning rate schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerkit.namespaces import public_names
from layerkit.optimizers import legacy, schedules
from layerkit.optimizers.adam import *
from layerkit.optimizers.adaptive import *
from layerkit.optimizers.factored import *
from layerkit.optimizers.gradient_descent import *
from layerkit.optimizers.layerwise import *
from layerkit.optimizers.optimizer import *
from layerkit.optimizers.schedule_free import *
from layerkit.optimizers.wrapping import *
from layerkit.registry import registry
from layerkit.serialization import deserialize_keras_object, get_object, serialize_keras_object


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """An optimizer's configuration as JSON can hold it."""
    return serialize_keras_object(optimizer)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """What `serialize` wrote; names of classes are also found in lower case."""
    name = config.get("class_name")
    if isinstance(name, str) and name not in registry("optimizer") and name.lower() in registry("optimizer"):
        config = {**config, "class_name": name.lower()}
    return deserialize_keras_object(config, custom_objects, kind="optimizer")


def get(identifier: Any) -> Optimizer | None:
    """The optimizer for a name (in any case), a configuration, a class, an object or None.

    Raises:
        UnknownNameError: nothing has the name.
        TypeError: the identifier is nothing of these kinds.

    Example:
        >>> type(get("Adam")).__name__
        'Adam'
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str) and identifier.lower() in registry("optimizer"):
        identifier = identifier.lower()
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str) or (isinstance(identifier, type) and issubclass(identifier, Optimizer)):
        found = registry("optimizer").find(identifier) if isinstance(identifier, str) else identifier
        return found()
    # An object that has an optimizer's methods will do.
    if hasattr(identifier, "apply") and hasattr(identifier, "build"):
        return identifier
    return get_object("optimizer", identifier)


__all__ = [*public_names(globals()), "legacy", "schedules"]
