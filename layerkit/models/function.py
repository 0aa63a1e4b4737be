"""Function: a graph between symbolic tensors, to be called on other tensors. A functional model is one with layers."""

from __future__ import annotations

from typing import Any

from layerkit import tree
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.calling import shapes_of
from layerkit.layers.core import InputLayer
from layerkit.layers.operation import ComposedOperation
from layerkit.models.network import Network


class Function(ComposedOperation, module="keras", registered=False):
    """The operations (and layers) that lead from `inputs` to `outputs`, applied to other tensors.

    It is like a functional model, without state of its own and without what a layer has besides. To compile a Python
    function, see `layerkit.function`.

    Args:
        inputs: a symbolic tensor (see `KerasTensor` and `Input`), or a structure of them.
        outputs: a symbolic tensor, or a structure of them.
        name: its name.

    Raises:
        ValueError: there are none, or they are not symbolic.
        GraphError: an output does not come from the inputs.

    >>> import numpy as np
    >>> from layerkit import KerasTensor, ops
    >>> a, b = KerasTensor((None, 2)), KerasTensor((None, 2))
    >>> function = Function([a, b], {"sum": a + b, "norm": ops.norm(a, axis=-1)})
    >>> ones = np.ones((1, 2), "float32")
    >>> function([ones, ones])["sum"].tolist(), function.compute_output_shape([(5, 2), (5, 2)])
    ([[2.0, 2.0]], {'sum': (5, 2), 'norm': (5,)})
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._connect(inputs, outputs)

    def _connect(self, inputs: Any, outputs: Any) -> None:
        for what, struct in (("inputs", inputs), ("outputs", outputs)):
            for x in tree.flatten(struct):
                if not isinstance(x, Tensor) or not x.symbolic:
                    raise ValueError(
                        f"All `{what}` values must be symbolic tensors, made by `Input` and layers. Received: "
                        f"{what}={struct!r} including {x!r}"
                    )
            if not tree.flatten(struct):
                raise ValueError(f"`{what}` argument cannot be empty.")
        # Plain attributes, in a model too: the tensors and layers are no state beside the layers that it tracks.
        for attribute, value in (
            ("_inputs_struct", inputs), ("_outputs_struct", outputs),
            ("network", Network(tree.flatten(inputs), tree.flatten(outputs))),
        ):  # fmt: skip
            object.__setattr__(self, attribute, value)

    @property
    def operations(self) -> list[Any]:
        """Its operations and layers, those at the inputs first."""
        own = {id(x) for x in self.network.inputs}
        return [one for one in self.network.operations if not isinstance(one, InputLayer) or id(one.output) in own]

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic inputs as a flat list."""
        return list(self.network.inputs)

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs as a flat list."""
        return list(self.network.outputs)

    def call(self, inputs: Any) -> Any:
        """The outputs for inputs of the structure, the ranks and the known sizes of its own."""
        try:
            tree.assert_same_structure(inputs, self._inputs_struct)
        except ValueError:
            raise ValueError(
                f"Function {self.name!r} was called with an invalid input structure. Expected input structure: "
                f"{shapes_of(self._inputs_struct)}. Received input structure: {inputs!r}"
            ) from None
        flat = [as_tensor(x) for x in tree.flatten(inputs)]
        for x, own in zip(flat, self.network.inputs, strict=True):
            if not fits(x.shape, own.shape):
                raise ShapeError(
                    f"Function {self.name!r} was passed incompatible inputs. For input {own.name!r}, expected shape "
                    f"{own.shape}, but received instead a tensor with shape {tuple(x.shape)}."
                )
        return self._packed(self.network.run(flat))

    def _packed(self, outputs: list[Any]) -> Any:
        """A flat list of outputs in the structure in which they were given."""
        nested = tree.is_nested(self._outputs_struct)
        return tree.pack_sequence_as(self._outputs_struct, outputs) if nested else outputs[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The outputs' shapes for inputs of these shapes."""
        own = iter(self.network.inputs)
        tensors = tree.map_shape_structure(lambda shape: Tensor(shape, next(own).dtype), input_shape)
        return shapes_of(self.compute_output_spec(tensors))


def fits(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether a shape has the rank and the known sizes of another."""
    return len(shape) == len(wanted) and all(
        known is None or size is None or size == known for size, known in zip(shape, wanted, strict=True)
    )
