"""Sequential: a stack of layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from layerkit import tree
from layerkit.dtypes import STRING
from layerkit.errors import NotBuiltError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.calling import training_phase
from layerkit.layers.core import InputLayer
from layerkit.layers.layer import Layer
from layerkit.models.functional import Functional
from layerkit.models.model import Model
from layerkit.serialization import deserialize_keras_object, serialize_keras_object


class Sequential(Model, module="keras"):
    """A stack of layers, each called on the output of the one before.

    Args:
        layers: the layers; an `Input` first fixes the shape, else the first call does.
        trainable: whether training changes the weights.
        name: the model's name.

    >>> model = Sequential([Input((4,)), Dense(2)])
    >>> model.output_shape
    (None, 2)
    """

    _convert_inputs = False
    _called_on_strings = False

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        object.__setattr__(self, "_network", None)
        if layers is not None and not isinstance(layers, Iterable):
            raise TypeError(
                f"Sequential: `layers` must be a list of layers, got {layers!r} of type {type(layers).__name__}: write "
                "Sequential([layer])."
            )
        for layer in layers or ():
            self.add(layer, rebuild=False)
        if layers:
            self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top. Raises ValueError for something else, and for a name that is there already."""
        if isinstance(layer, Tensor) and layer.node is not None and isinstance(layer.node.operation, InputLayer):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Only instances of `layerkit.Layer` can be added to a Sequential model. Received: {layer!r} (of "
                f"type {type(layer).__name__}), for the model '{self.name}'"
            )
        if not self._layers and getattr(layer, "_batch_shape_arg", None) is not None:
            self.add(InputLayer(batch_shape=layer._batch_shape_arg), rebuild=False)
        if any(known.name == layer.name and known is not layer for known in self._layers) or any(
            known is layer for known in self._layers
        ):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is "
                f"already the name of a layer in this model, '{self.name}'. Update the `name` argument to pass a "
                "unique name."
            )
        if isinstance(layer, InputLayer) and self._layers:
            if isinstance(self._layers[0], InputLayer):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input shape "
                    f"{self._layers[0].batch_shape}. You cannot add a different Input layer to it."
                )
            raise ValueError(f"Sequential model '{self.name}': an Input has to be the first layer.")
        self._layers.append(layer)
        self._forget()
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and give it."""
        if not self.layers:
            raise TypeError(f"Sequential model '{self.name}' has no layers to pop.")
        layer = self._layers.pop()
        self._forget()
        if rebuild:
            self._rebuild()
        return layer

    def _forget(self) -> None:
        self.built = False
        object.__setattr__(self, "_network", None)
        object.__setattr__(self, "_build_shapes", None)

    def _rebuild(self) -> None:
        """Build where the input's shape is known."""
        if len(self._layers) < 2:
            return
        if isinstance(self._layers[0], InputLayer):
            self.build(self._layers[0].batch_shape)
        elif isinstance(self._layers[0], Functional) and not isinstance(self._layers[0].input_shape, list):
            self.build(self._layers[0].input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the layers' variables for inputs of this shape (with the batch axis)."""
        if not self._layers:
            raise ValueError(
                f"Sequential model '{self.name}' cannot be built because it has no layers. Call `model.add(layer)`."
            )
        first = self._layers[0]
        if input_shape is None or not _is_shape(input_shape):
            # Several inputs: the layers are called one after the other.
            return
        if not isinstance(first, InputLayer):
            dtype = STRING if self._called_on_strings else first.compute_dtype
            self._layers.insert(0, InputLayer(batch_shape=input_shape, dtype=dtype))
        elif first.batch_shape != tuple(input_shape):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{first.batch_shape}. You cannot build it with input_shape {tuple(input_shape)}"
            )
        x = self._layers[0].output
        for layer in self._layers[1:]:
            x = layer(x)
        object.__setattr__(self, "_network", Functional(self._layers[0].output, x, name=self.name))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """Run the layers. Raises TypeError for further arguments: no layer would be given them."""
        if kwargs:
            raise TypeError(
                f"Sequential model {self.name!r} takes inputs, `training` and `mask`; got {', '.join(kwargs)}. A "
                "functional model gives its layers what each of them takes."
            )
        if self._network is not None:
            return self._network.call(inputs, training=training, mask=mask)
        outputs = inputs
        with training_phase(training):
            for layer in self.layers:
                outputs = layer(outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input of this shape (with the batch axis)."""
        return super().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """The output's shape and dtype for a tensor with or without values, as a tensor without values."""
        return super().compute_output_spec(inputs, training=training, mask=mask, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on data, building for its shape first, or note a call of this model as a layer of another."""
        if not self.built and args:
            if isinstance(args[0], list) and _holds_texts(args[0]):
                args = (as_tensor(args[0]), *args[1:])
            args = (
                tree.map_structure(self._converted, args[0])
                if tree.is_nested(args[0]) and _holds_arrays(args[0])
                else self._converted(args[0]),
                *args[1:],
            )
            object.__setattr__(self, "_called_on_strings", getattr(args[0], "dtype", None) == STRING)
        return super().__call__(*args, **kwargs)

    def _set_masks(self, first: Any, outputs: Any, previous: Any) -> None:
        """Nothing: the layers have given the outputs their masks."""

    @property
    def layers(self) -> list[Layer]:
        """Its layers, without the input's."""
        return self._layers[1:] if self._layers and isinstance(self._layers[0], InputLayer) else list(self._layers)

    @property
    def network(self) -> Any:
        """The graph of calls. Raises NotBuiltError before it is built."""
        return self._functional_model().network

    def _functional_model(self) -> Functional:
        if self._network is None:
            raise NotBuiltError(
                f"Sequential model '{self.name}' has no defined inputs or outputs yet: call it on data, or add "
                "an `Input` first."
            )
        return self._network

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic input, in a list."""
        return self._functional_model().inputs

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs, in a list."""
        return self._functional_model().outputs

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._functional_model().input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._functional_model().output

    @property
    def input_shape(self) -> Any:
        """The input's shape."""
        return self._functional_model().input_shape

    @property
    def output_shape(self) -> Any:
        """The output's shape."""
        return self._functional_model().output_shape

    @property
    def input_names(self) -> list[str]:
        """The input layer's name, in a list."""
        return self._functional_model().input_names

    @property
    def output_names(self) -> list[str]:
        """The last layer's name, in a list."""
        return self._functional_model().output_names

    def get_config(self) -> dict[str, Any]:
        """The layers, in Keras' format."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._layers],
        }
        if self._network is not None:
            config["build_input_shape"] = self._layers[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """The model of a config."""
        if "layers" not in config:
            raise ValueError(
                "Sequential.from_config: `config` cannot be understood: expected the key 'layers', as `get_config` "
                f"gives it, got {list(config)}."
            )
        layers = [deserialize_keras_object(layer, custom_objects, kind="layer") for layer in config["layers"]]
        model = cls(layers, **{name: config[name] for name in ("name", "trainable") if config.get(name) is not None})
        shape = config.get("build_input_shape")
        if shape is not None and not model.built and layers:
            model.build(tuple(shape))
        return model


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(size is None or isinstance(size, int) for size in value)


def _holds_texts(value: list) -> bool:
    return any(isinstance(leaf, str | bytes) for leaf in tree.flatten(value)[:1])


def _holds_arrays(value: Any) -> bool:
    return any(hasattr(leaf, "shape") for leaf in tree.flatten(value))
