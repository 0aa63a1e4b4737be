"""Layer: the base of all layers and models. It is called on arrays and computes, or on symbolic tensors and records."""

from __future__ import annotations

import difflib
import warnings
from typing import Any, ClassVar, Self

import numpy as np

from layerkit import regularizers, tree
from layerkit.dtypes import is_float
from layerkit.errors import ShapeError, add_layer_path
from layerkit.graph.graph import current_graph
from layerkit.graph.operation import as_tensor, cast_to
from layerkit.graph.scopes import current_scope
from layerkit.graph.tensor import Tensor
from layerkit.graph.unknown_sizes import trace_shapes
from layerkit.graph.variable import Variable
from layerkit.layers.building import aligned_shapes, as_shape, former_batch_shape, recording_build
from layerkit.layers.calling import (
    CallSignature,
    any_symbolic,
    context,
    holds_tensors,
    masks_of,
    shapes_of,
    tensor_arguments,
    tensor_of_lists,
)
from layerkit.layers.dtype_policy import DTypePolicy, get_policy
from layerkit.layers.input_spec import check_inputs
from layerkit.layers.operation import ComposedOperation, writes_own_config
from layerkit.layers.state import Stateful
from layerkit.layers.stateless import StatelessCalls
from layerkit.layers.tracking import TrackedDict, TrackedList
from layerkit.serialization import serialize_keras_object

__all__ = ["Layer"]

_BASE_ARGUMENTS = ("name", "trainable", "dtype", "activity_regularizer", "autocast")
_LEGACY_ARGUMENTS = ("input_shape", "input_dim", "input_length", "batch_input_shape", "batch_size")
"""Of Keras 2: the shape of a model's first layer. Noted, not written; a layer may have an argument of that name."""


class Layer(Stateful, StatelessCalls, ComposedOperation, kind="layer", module="keras.layers", registered=False):
    """A function of tensors with variables of its own.

    A subclass makes its variables in `build(input_shape)` (or `__init__`) with `add_weight`, and computes in
    `call(inputs)`, which may also take `training` and `mask`. Sublayers and variables in attributes, lists and
    dictionaries are found by themselves.
    There is no shape rule to write: shapes come from running `call` on tensors without values.

    Args:
        activity_regularizer: a function of the output whose value, by batch entry, is added to the loss.
        trainable: whether training changes its variables.
        dtype: "float32", "float64", or a DTypePolicy.
        autocast: whether float inputs are converted to the layer's dtype.
        name: its name; by default the class's in lower case with a number.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    _call_signature_: ClassVar[CallSignature | None] = None
    _convert_inputs: ClassVar[bool] = True
    _locks: ClassVar[bool] = True  # whether state can't be added once it is built
    _ready = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._call_signature_ = None
        if "build" in cls.__dict__:
            cls.build = recording_build(cls.__dict__["build"])

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the lists of state before `__init__` sets attributes."""
        made = super().__new__(cls, *args, **kwargs)
        made._start_tracking()
        return made

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(trainable, bool):
            raise ValueError(f"Expected `trainable` to be a boolean. Received: trainable={trainable!r}")
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        batch_shape = former_batch_shape(kwargs, input_shape, input_dim)
        if kwargs:
            raise self._unknown_arguments(kwargs)
        super().__init__(name=name)
        self._trainable = trainable
        self._dtype_policy = get_policy(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_spec = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        object.__setattr__(self, "_building", False)
        object.__setattr__(self, "_build_shapes", None)
        object.__setattr__(self, "_losses", [])
        object.__setattr__(self, "_batch_shape_arg", batch_shape)
        if batch_shape is not None:
            warnings.warn(
                "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, "
                "prefer using an "
                "`Input(shape)` object as the first layer in the model instead.",
                stacklevel=5,
            )
        self._ready = True

    def _unknown_arguments(self, unknown: dict[str, Any]) -> ValueError:
        """The error for arguments that the constructor does not take, with the nearest that it does."""
        known = {*self._constructor().parameters, *_BASE_ARGUMENTS} - {"args", "kwargs"}
        text = f"Unrecognized keyword arguments passed to {type(self).__name__}: {unknown}."
        near = [repr(match) for name in unknown for match in difflib.get_close_matches(name, sorted(known), n=1)]
        hint = f" Did you mean {' and '.join(near)}?" if near else ""
        return ValueError(f"{text}{hint} It takes {', '.join(sorted(known))}.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, 'name', '?')}, built={getattr(self, 'built', False)}>"

    # Dtypes.

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy that says its dtype."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = get_policy(value)

    @property
    def dtype(self) -> str:
        """The dtype of its variables."""
        return self._dtype_policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype_policy.compute_dtype

    input_dtype = compute_dtype

    # Building.

    def build(self, input_shape: Any = None) -> None:
        """Make the variables.

        Overridden by layers with weights; this one builds the sublayers by running `call` on tensors without values.
        """
        if type(self).build is not Layer.build:
            return  # called by a subclass's build, which may be half done: the call that follows builds the sublayers
        if input_shape is not None and any(not layer.built for layer in self._layers):
            self.compute_output_spec(
                tree.map_shape_structure(lambda shape: Tensor(shape, self.compute_dtype), input_shape)
            )

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that it was built with; None before, and for layers without variables."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": dict(self._build_shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of `get_build_config`."""
        if self.built or not config:
            return
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif type(self).build is Layer.build:
            self.compute_output_shape(**{name: as_shape(shape) for name, shape in config["shapes_dict"].items()})
        else:
            self.build(**config["shapes_dict"])

    def _maybe_build(self, arguments: dict[str, Any]) -> None:
        """Build by the shapes of a call's arguments."""
        shapes = {
            f"{name}_shape": shapes_of(value) for name, value in tensor_arguments(arguments).items() if name != "mask"
        }
        if type(self).build is not Layer.build:
            self.build(**aligned_shapes(self, shapes))
            return
        if self._layers:  # the call that follows builds them
            kept = {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else shapes
            object.__setattr__(self, "_build_shapes", kept)
        self._mark_built()

    def _mark_built(self) -> None:
        self.built = True
        object.__setattr__(self, "_locked", self._locks)
        if not self._trainable:
            for variable in self._trainable_variables:
                variable.trainable = False

    # Calling.

    @classmethod
    def _signature_of_call(cls) -> CallSignature:
        if cls._call_signature_ is None:
            cls._call_signature_ = CallSignature(cls.call)
        return cls._call_signature_

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Each layer states its own."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on arrays and tensors, building first, if need be.

        On symbolic tensors outside of a trace, note the call for a functional model.
        """
        if not self._ready:
            raise RuntimeError(
                f"In layer {type(self).__name__!r}, you forgot to call `super().__init__()` as the first "
                "statement in the `__init__()` method. Go add it!"
            )
        try:
            return self._called(args, kwargs)
        except Exception as error:
            add_layer_path(error, self._place())
            raise

    def _called(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        signature = self._signature_of_call()
        if self._convert_inputs:
            args = tuple([self._converted(value) for value in args])
            kwargs = {
                name: value if value is None or type(value) is bool else self._converted(value)
                for name, value in kwargs.items()
            }
        if current_graph() is None and any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        training = kwargs.pop("training", None) if not signature.has_training else kwargs.get("training")
        arguments = signature.arguments(args, kwargs)
        first = next(iter(arguments.values()), None)
        if self.input_spec is not None:
            check_inputs(self.input_spec, first, self._place())
        if not self.built:
            with self._scope():
                self._maybe_build(arguments)
            if self.input_spec is not None:
                check_inputs(self.input_spec, first, self._place())
        return self._run(signature, arguments, first, training, args, kwargs)

    def _run(
        self,
        signature: CallSignature,
        arguments: dict[str, Any],
        first: Any,
        training: bool | None,
        args: tuple,
        kwargs: dict[str, Any],
    ) -> Any:
        """Call `call` with the training phase and the masks that it takes, and see to losses and masks after it."""
        before = context.training
        if training is None:
            training = before if before is not None else signature.training_default
        if signature.has_training and training is not None:
            kwargs["training"] = training
        self._add_masks(signature, arguments, kwargs)
        if context.depth == 0:
            self._clear_losses()
        context.depth += 1
        context.training = training
        try:
            with self._scope():
                outputs = self.call(*args, **kwargs)
                self.built = True
                if self.activity_regularizer is not None:
                    self._regularize(outputs)
        finally:
            context.depth -= 1
            context.training = before
        given = kwargs.get("mask")
        self._set_masks(first, outputs, given if given is not None else masks_of(first))
        return outputs

    def _converted(self, value: Any) -> Any:
        """An argument as tensors: arrays and lists of numbers become tensors, floats take the layer's dtype."""
        if isinstance(value, Tensor):
            return self._cast_input(value)
        if isinstance(value, np.ndarray | Variable):
            return self._cast_input(as_tensor(value))
        if type(value) is list and value and _is_numbers(value):
            return self._cast_input(tensor_of_lists(value))
        if isinstance(value, TrackedList | TrackedDict):
            value = (list if isinstance(value, TrackedList) else dict)(value)
        if tree.is_nested(value):
            return tree.map_structure(lambda leaf: leaf if tree.is_nested(leaf) else self._converted(leaf), value)
        if hasattr(value, "__array__") and not isinstance(value, np.generic):
            return self._cast_input(as_tensor(np.asarray(value)))
        return value

    def _cast_input(self, x: Tensor) -> Tensor:
        dtype = self._dtype_policy._name
        if x.dtype == dtype or not self.autocast or not is_float(x.dtype) or not is_float(dtype):
            return x
        cast = cast_to(x, dtype)
        cast.mask = x.mask
        return cast

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Find the outputs' shapes by running on placeholders in a graph of their own, and note the call."""
        outputs = self._outputs_without_values(args, kwargs)
        self._note_call(args, kwargs, outputs)
        return outputs

    def _outputs_without_values(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        outputs = trace_shapes(lambda given: self(*given[0], **given[1]), (args, kwargs))
        self._clear_losses()  # they belong to the graph that goes now
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes for tensors with or without values, as tensors without values."""
        bare = tree.map_structure(lambda x: Tensor(x.shape, x.dtype) if isinstance(x, Tensor) else x, (args, kwargs))
        return self._outputs_without_values(*bare)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes for inputs of these shapes (by position, or as `query_shape=...`)."""

        def tensors(shapes: Any) -> Any:
            return tree.map_shape_structure(lambda shape: Tensor(shape, self.compute_dtype), shapes)

        given = {
            name.removesuffix("_shape"): tensors(shapes) for name, shapes in kwargs.items() if name != "input_shape"
        }
        args = (*args, kwargs["input_shape"]) if "input_shape" in kwargs else args
        return shapes_of(self.compute_output_spec(*[tensors(shapes) for shapes in args], **given))

    # Masks.

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output, given the inputs' masks: the same one, unless a layer says otherwise."""
        return previous_mask

    def _add_masks(self, signature: CallSignature, arguments: dict[str, Any], kwargs: dict[str, Any]) -> None:
        """Pass the inputs' masks to a `call` that takes them and was given none."""
        if signature.has_mask and arguments.get("mask") is None:
            tensors = [value for name, value in arguments.items() if name != "mask" and holds_tensors(value)]
            if len(tensors) == 1:
                kwargs["mask"] = masks_of(tensors[0])
        for name, mask_name in signature.mask_names.items():
            if arguments.get(mask_name) is None and name in arguments:
                kwargs[mask_name] = masks_of(arguments[name])

    def _set_masks(self, first: Any, outputs: Any, previous: Any) -> None:
        """Give the outputs their masks, or warn that a mask ends here."""
        if not self.supports_masking:
            if previous is not None and any(mask is not None for mask in tree.flatten(previous)):
                warnings.warn(
                    f"Layer {self.name!r} (of type {type(self).__name__}) was passed an input with a mask "
                    "attached to it. However, "
                    "this layer does not support masking and will therefore destroy the mask information. "
                    "Downstream layers will "
                    "not see the mask.",
                    stacklevel=4,
                )
            return
        if previous is None and type(self).compute_mask is Layer.compute_mask:
            return
        made = [leaf for leaf in tree.flatten(outputs) if isinstance(leaf, Tensor)]
        if all(tensor.mask is not None for tensor in made):
            return
        masks = self.compute_mask(first, previous)
        if masks is None:
            return
        for tensor, mask in zip(made, tree.flatten(masks), strict=False):
            if tensor.mask is None:
                tensor.mask = mask

    # Losses.

    def add_loss(self, loss: Any) -> None:
        """Add one or more scalar losses, computed from this call's inputs, to those of the model.

        Raises ShapeError for what is no scalar, ValueError for a symbolic tensor outside of `call`.
        """
        for one in tree.flatten(loss):
            if isinstance(one, Tensor) and one.symbolic and current_graph() is None:
                raise ValueError(
                    f"Layer {self.name!r}: `add_loss` of a symbolic tensor has its place in a layer's `call`, where "
                    "the tensor is computed from the inputs at every step. Write a layer that takes the tensors, "
                    "calls `self.add_loss(...)` and returns what it got, and put it into the model."
                )
            if len(getattr(one, "shape", ())) != 0:
                raise ShapeError(f"Layer {self.name!r}: `add_loss` takes scalars; got shape {tuple(one.shape)}.")
            scope = current_scope()
            if scope is not None and scope.collect_losses:
                scope.add_loss(as_tensor(one))
            else:
                self._losses.append(as_tensor(one))

    def _regularize(self, outputs: Any) -> None:
        for output in tree.flatten(outputs):
            if isinstance(output, Tensor):
                loss = self.activity_regularizer(output)
                if output.shape and output.shape[0]:
                    loss = loss / output.shape[0]
                self.add_loss(loss)

    @property
    def losses(self) -> list[Tensor]:
        """The losses of the last call, its own and its sublayers', and those of regularizers, computed now."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses]
        if current_graph() is None:  # a compiled step leaves the tensors of its trace, which have no values
            added = [loss for loss in added if not loss.symbolic]
        regularized = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return added + regularized

    def _clear_losses(self) -> None:
        self._losses.clear()
        for layer in self._layers:
            layer._clear_losses()

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments. A class with a `get_config()` of its own adds to what this one gives."""
        base: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self._dtype_policy),
        }
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if writes_own_config(type(self)):
            return base
        given = super().get_config()
        own = {
            name: value
            for name, value in given.items()
            if name not in _BASE_ARGUMENTS and name not in _LEGACY_ARGUMENTS
        }
        own.update((name, given[name]) for name in _LEGACY_ARGUMENTS if name in self._constructor().parameters)
        # A constructor that takes neither the base's arguments nor **kwargs can't be given them back.
        parameters = self._constructor().parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        kept = {name: value for name, value in base.items() if takes_all or name in parameters}
        return {**kept, **own}


Layer.build = recording_build(Layer.build)


def _is_numbers(value: list) -> bool:
    """Whether a list holds numbers, or lists of numbers."""
    first = value[0]
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, bool | int | float | np.number)
