"""Floor 6: the layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerkit.layers.activation import *
from layerkit.layers.adaptive_pooling import *
from layerkit.layers.attention import *
from layerkit.layers.convolutional import *
from layerkit.layers.convolutional_recurrent import *
from layerkit.layers.core import *
from layerkit.layers.depthwise_convolutional import *
from layerkit.layers.dtype_policy import *
from layerkit.layers.einsum_dense import *
from layerkit.layers.embedding import *
from layerkit.layers.grouped_query_attention import *
from layerkit.layers.image_preprocessing import *
from layerkit.layers.input_spec import *
from layerkit.layers.layer import *
from layerkit.layers.merging import *
from layerkit.layers.multi_head_attention import *
from layerkit.layers.normalization import *
from layerkit.layers.pooling import *
from layerkit.layers.preprocessing import *
from layerkit.layers.recurrent import *
from layerkit.layers.recurrent_cells import *
from layerkit.layers.recurrent_layers import *
from layerkit.layers.recurrent_stacking import *
from layerkit.layers.regularization import *
from layerkit.layers.reshaping import *
from layerkit.layers.spectral_normalization import *
from layerkit.layers.wrappers import *
from layerkit.namespaces import public_names
from layerkit.serialization import deserialize_keras_object, serialize_keras_object


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as JSON can hold it.

    >>> serialize(Dense(2))["class_name"]
    'Dense'
    """
    return serialize_keras_object(layer)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer that `serialize` wrote. Raises UnknownNameError for a class that nothing has."""
    made = deserialize_keras_object(config, custom_objects, kind="layer")
    if not isinstance(made, Layer):
        raise ValueError(f"`layers.deserialize` takes the config of a layer. Received: config={config!r}")
    return made


__all__ = public_names(globals())
