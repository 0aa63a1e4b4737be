"""`layerkit.dtype_policies`: the dtypes of layers, under Keras' names."""

from __future__ import annotations

from typing import Any

from layerkit.layers.dtype_policy import DTypePolicy, dtype_policy, get_policy, set_dtype_policy
from layerkit.serialization import serialize_keras_object

FloatDTypePolicy = DTypePolicy

__all__ = [
    "DTypePolicy", "FloatDTypePolicy", "deserialize", "dtype_policy", "get", "serialize", "set_dtype_policy",
]  # fmt: skip


def get(identifier: Any) -> DTypePolicy:
    """The policy that a dtype, a name, a config or a policy stands for. Raises ValueError for an unsupported one.

    >>> get("float64").compute_dtype
    'float64'
    """
    return get_policy(identifier)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as a config."""
    return serialize_keras_object(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy of a config. There are no policies of one's own, so `custom_objects` has to be empty."""
    if custom_objects:
        raise ValueError("There are no dtype policies of one's own: custom_objects has to be empty.")
    return get_policy(config)
