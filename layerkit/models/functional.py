"""Functional: a model of the calls between symbolic tensors."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from layerkit import tree
from layerkit.dtypes import STRING
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import as_tensor, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.layers.calling import training_phase
from layerkit.layers.layer import Layer
from layerkit.models import functional_config
from layerkit.models.function import Function, fits
from layerkit.models.model import Model
from layerkit.models.network import Network
from layerkit.ops.shape import expand_dims, squeeze


class Functional(Function, Model, module="keras.src.models.functional", registered_name="Functional"):
    """A model of the calls of layers and operations that lead from `inputs` to `outputs`.

    Args:
        inputs: a symbolic tensor (see `Input`) or a list or dictionary of them.
        outputs: a tensor, or a list or dictionary of them.
        name: the model's name.
        **kwargs: `trainable`, which is set on all its layers, and a layer's further arguments.

    >>> x = Input((2,))
    >>> Functional(x, Dense(1)(x)).count_params()
    3
    """

    _convert_inputs = False

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Model.__init__(self, name=name, **kwargs)
        self._connect(inputs, outputs)
        if isinstance(inputs, dict):
            _warn_of_keys(inputs, self.network)
        for layer in self.layers:
            self._track(layer)
        self.built = True
        if trainable is not None:
            self.trainable = trainable

    def build(self, input_shape: Any = None) -> None:
        """Nothing: it is built when it is made."""

    @property
    def layers(self) -> list[Layer]:
        """Its layers, those at the inputs first."""
        return [operation for operation in self.network.operations if isinstance(operation, Layer)]

    @property
    def operations(self) -> list[Any]:
        """Its layers, and the operations straight on tensors between them."""
        return list(self.network.operations)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        """The names of the input layers."""
        return [self.network.input_layer(tensor).name for tensor in self.network.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs."""
        return [self.network.places[id(tensor)][0] for tensor in self.network.outputs]

    @property
    def input_shape(self) -> Any:
        """The inputs' shapes: one, or a list."""
        shapes = [tensor.shape for tensor in self.network.inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The outputs' shapes: one, or a list."""
        shapes = [tensor.shape for tensor in self.network.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the layers. Inputs come as they were given to the model, as a flat list, or as a dictionary by name."""
        flat = self._standardize(inputs)
        if mask is not None:
            masks = self._flat_inputs(mask) if isinstance(mask, dict) else tree.flatten(mask)
            for x, one in zip(flat, masks, strict=True):
                if x is not None and one is not None:
                    x.mask = one
        with training_phase(training):
            outputs = self.network.run(flat)
        return self._packed(outputs)

    def _standardize(self, inputs: Any) -> list[Tensor | None]:
        """The inputs as a flat list of tensors of the input layers' dtypes and ranks. Raises ValueError for others."""
        flat = self._flat_inputs(inputs)
        references = self.network.inputs
        if len(flat) != len(references):
            raise ValueError(
                f"Model {self.name!r} has {len(references)} inputs {self.input_names}; received {len(flat)}."
            )
        return [self._fitted(x, reference) for x, reference in zip(flat, references, strict=True)]

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, dict):
            # A dictionary is matched by the model's own keys, or else by the names of its inputs.
            own = self._inputs_struct
            names = (
                sorted(own)
                if isinstance(own, dict) and all(isinstance(x, Tensor) for x in own.values())
                else self.input_names
            )
            missing = [name for name in names if name not in inputs]
            if not missing:
                return [inputs[name] for name in names]
            if not isinstance(own, dict) or names is not self.input_names and set(self.input_names) - set(inputs):
                raise ValueError(
                    f"Missing data for input {missing[0]!r} of model {self.name!r}. You passed a data dictionary "
                    f"with keys {list(inputs)}. Expected the following keys: {names}"
                )
        if not tree.is_nested(self._inputs_struct) and isinstance(inputs, list | tuple) and not _holds_arrays(inputs):
            return [inputs]  # nested lists of numbers
        return tree.flatten(inputs)

    def _fitted(self, x: Any, reference: Tensor) -> Tensor | None:
        layer = self.network.input_layer(reference)
        if x is None:
            if not layer.optional:
                raise ValueError(
                    f"The input {layer.name!r} is not optional, but None was passed. Please provide a valid tensor."
                )
            return None
        mask = getattr(x, "mask", None)
        x = as_tensor(x)
        if (x.dtype == STRING) != (reference.dtype == STRING):
            raise DtypeError(
                f"The input {layer.name!r} of model {self.name!r} takes dtype {reference.dtype}, but got {x.dtype}. "
                "Texts go into an `Input(dtype='string')`, of which StringLookup, TextVectorization or Hashing make "
                "numbers; numbers that came as text become such by `array.astype('float32')`."
            )
        x = cast_to(x, reference.dtype)
        if len(x.shape) == len(reference.shape) + 1 and x.shape[-1] == 1:
            x = squeeze(x, -1)
        elif len(x.shape) == len(reference.shape) - 1 and reference.shape[-1] == 1:
            x = expand_dims(x, -1)
        if len(x.shape) != len(reference.shape) or not fits(x.shape[1:], reference.shape[1:]):
            raise ShapeError(
                f"Invalid shape for the input {layer.name!r} of model {self.name!r}: expected {reference.shape}, "
                f"got {tuple(x.shape)}."
            )
        if mask is not None and x.mask is None:
            x.mask = mask
        return x

    def _set_masks(self, first: Any, outputs: Any, previous: Any) -> None:
        """Nothing: the layers inside have given the outputs their masks."""

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are connected, in Keras' format."""
        if not takes_inputs_and_outputs(type(self)):
            return super().get_config()
        return functional_config.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a config."""
        if "layers" in config and "input_layers" in config:
            inputs, outputs, rest = functional_config.rebuild(config, custom_objects)
            return cls(inputs=inputs, outputs=outputs, **rest)
        return super().from_config(config, custom_objects)


def takes_inputs_and_outputs(cls: type) -> bool:
    """Whether its constructor is like Functional's; a subclass's own can't be given inputs and outputs."""
    parameters = list(inspect.signature(cls.__init__).parameters)
    return cls is Functional or parameters[1:3] == ["inputs", "outputs"] or parameters[1:] == ["args", "kwargs"]


def _warn_of_keys(inputs: dict[str, Any], network: Network) -> None:
    for key, tensor in inputs.items():
        if isinstance(tensor, Tensor) and network.input_layer(tensor).name != key:
            name = network.input_layer(tensor).name
            warnings.warn(
                "When providing `inputs` as a dict, all keys in the dict must match the names of the "
                "corresponding tensors. "
                f"Received key {key!r} mapping to {tensor!r} which has name {name!r}. Change the tensor name to "
                f"{key!r} (via `Input(..., name={key!r})`)",
                stacklevel=4,
            )


def _holds_arrays(inputs: list | tuple) -> bool:
    return any(hasattr(leaf, "shape") for leaf in tree.flatten(inputs))


Model._functional = Functional
