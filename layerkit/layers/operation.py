"""Operations without state that are made of the operations that their `call` uses: `keras.Operation`."""

from __future__ import annotations

from typing import Any

from layerkit import tree
from layerkit.graph.graph import current_graph
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor
from layerkit.graph.unknown_sizes import trace_shapes
from layerkit.layers.calling import any_symbolic, holds_tensors
from layerkit.registry import auto_name
from layerkit.serialization import Configurable, is_own


class ComposedOperation(Configurable, kind="operation", module="keras", registered=False):
    """A named function of tensors; Keras' `Operation`, of which a layer is one with state.

    A subclass computes in `call`, out of functions of `layerkit.ops`. It works on arrays, in functional models and in
    compiled functions, and has a gradient, since its `call` is run or traced. Shapes come from tracing `call` too;
    `compute_output_spec` may be overridden to state them. The constructor's arguments are its config.

    An operation that states its own NumPy reference, gradient and kernel is a `layerkit.graph.Operation`.

    Args:
        name: its name; by default the class's in lower case with a number.

    Raises ValueError for a name that is no string or holds a "/".

    >>> import numpy as np
    >>> from layerkit import Input, Operation
    >>> class Scaled(Operation):
    ...     def __init__(self, factor, name=None):
    ...         super().__init__(name=name)
    ...         self.factor = factor
    ...     def call(self, x):
    ...         return x * self.factor
    >>> double = Scaled(2.0)
    >>> double(np.ones(2)).tolist(), double(Input((3,))).shape, double.get_config()["factor"]
    ([2.0, 2.0], (None, 3), 2.0)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not is_own(cls) and "reference" in vars(cls) and "infer" in vars(cls):
            raise TypeError(
                f"{cls.__name__} states `infer` and `reference`: then its base is layerkit.graph.Operation. What has "
                "layerkit.Operation as its base computes in `call`."
            )

    def __init__(self, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name!r}"
            )
        self.name = auto_name(type(self).__name__) if name is None else name
        object.__setattr__(self, "_inbound_nodes", [])  # a layer would keep track of a list

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on arrays and tensors; on symbolic tensors outside of a trace, note the call for a model."""
        if current_graph() is None and any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Each operation states its own."""
        raise NotImplementedError(f"{type(self).__name__} does not have a `call()` method implemented.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs, as a functional model's node."""
        outputs = tree.map_structure(_bare, self.compute_output_spec(*args, **kwargs))
        self._note_call(args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes for tensors with or without values, as tensors without values."""
        bare = tree.map_structure(_bare, (args, kwargs))
        try:
            return trace_shapes(lambda given: self.call(*given[0], **given[1]), bare)
        except Exception as error:
            error.add_note(
                f"While finding the shapes of what {self.name!r} (of type {type(self).__name__}) gives, by tracing its "
                "`call`. Where `call` can't run on tensors without values, state them in `compute_output_spec`."
            )
            raise

    def _note_call(self, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        inputs = [leaf for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, Tensor) and leaf.symbolic]
        made = [leaf for leaf in tree.flatten(outputs) if isinstance(leaf, Tensor)]
        path = getattr(self, "_path", None) or ""
        self._inbound_nodes.append(Node(self, inputs, made, path, arguments=(args, kwargs)))

    @property
    def input(self) -> Any:
        """The symbolic inputs of its first call. Raises AttributeError where it was not called on symbolic tensors."""
        args, kwargs = self._first_node("input").arguments
        given = tree.flatten((args, {name: value for name, value in kwargs.items() if holds_tensors(value)}))
        tensors = [leaf for leaf in given if isinstance(leaf, Tensor)]
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self) -> Any:
        """The symbolic outputs of its first call. Raises AttributeError where it was not called on symbolic tensors."""
        outputs = self._first_node("output").outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _first_node(self, what: str) -> Node:
        if not self._inbound_nodes:
            kind = "layer" if self._kind == "layer" else "operation"
            raise AttributeError(f"The {kind} {self.name} has never been called and thus has no defined {what}.")
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        """The name and the constructor's arguments. A class with a `get_config()` of its own adds to the name."""
        if writes_own_config(type(self)):
            return {"name": self.name}
        own = {name: value for name, value in super().get_config().items() if name != "name"}
        parameters = self._constructor().parameters
        named = "name" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        return {"name": self.name, **own} if named else own


def writes_own_config(cls: type) -> bool:
    """Whether a class outside of layerkit states the config."""
    return not is_own(next(base for base in cls.__mro__ if "get_config" in vars(base)))


def _bare(x: Any) -> Any:
    return Tensor(x.shape, x.dtype) if isinstance(x, Tensor) else x
