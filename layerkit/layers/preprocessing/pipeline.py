"""Pipeline: layers one after the other, as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from layerkit import tree
from layerkit.layers.layer import Layer
from layerkit.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["Pipeline"]


class Pipeline(Layer):
    """Layers called one after the other, in training mode unless told otherwise.

    It makes one layer of several that prepare data, also of such that take strings.

    Args:
        layers: the layers in order.
        name: its name.

    >>> from layerkit.layers import Rescaling
    >>> Pipeline([Rescaling(2.0), Rescaling(1.0, offset=1.0)])([[1.0, 2.0]]).tolist()
    [[3.0, 5.0]]
    """

    _convert_inputs = False

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Pipeline: `layers` must be layers; got {layer!r} of type {type(layer).__name__}.")
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return list(self._pipeline_layers)

    def build(self, input_shape: Any = None) -> None:
        """Nothing: the layers are built when they are called."""

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        """What the last layer gives."""
        x = inputs
        for layer in self._pipeline_layers:
            signature = layer._signature_of_call()
            arguments = {"mask": mask} if signature.has_mask and mask is not None else {}
            if signature.has_training and training is not None:
                arguments["training"] = training
            x = layer(x, **arguments)
            mask = tree.map_structure(lambda leaf: getattr(leaf, "mask", None), x)
        return x

    def get_config(self) -> dict[str, Any]:
        """The layers' configs and the name."""
        return {"layers": serialize_keras_object(self.layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The pipeline of a config. Raises ValueError where that holds no list of layers."""
        layers = config.get("layers")
        if not isinstance(layers, list | tuple):
            raise ValueError(f"A Pipeline's config must have a list `layers`. Received: layers={layers!r}")
        return cls(**{**config, "layers": [deserialize_keras_object(one, custom_objects) for one in layers]})
