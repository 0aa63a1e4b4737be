"""The layers that most models are made of: Dense, Activation, Input, Lambda, Masking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from layerkit import activations, constraints, initializers, ops, regularizers
from layerkit.checks import check_integers
from layerkit.dtypes import tensor_dtype
from layerkit.errors import ShapeError
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.layers.lora import LowRankAdapted
from layerkit.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["Activation", "Dense", "Identity", "Input", "InputLayer", "Lambda", "Masking"]


def refuse(layer: Layer, **arguments: Any) -> None:
    """Raise NotImplementedError for arguments of Keras' that layerkit has nothing behind, where they are given."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"{type(layer).__name__} doesn't support `{name}`; got {value!r}.")


class Dense(LowRankAdapted):
    """`activation(inputs @ kernel + bias)` over the last axis.

    Args:
        units: the size of the output's last axis.
        activation: name or function; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: losses of the weights and the output.
        kernel_constraint, bias_constraint: projections of the weights after updates.
        lora_rank, lora_alpha: of a low-rank correction that is trained in the kernel's place; see `enable_lora`.
        quantization_config: not supported; raises NotImplementedError.

    Input [N, ..., I], kernel [I, units], bias [units], output [N, ..., units].

    >>> layer = Dense(2, kernel_initializer="ones")
    >>> layer(np.ones((1, 3))).tolist()
    [[3.0, 3.0]]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(self, quantization_config=quantization_config)
        check_integers(self, 1, units=units)
        self._set_lora(lora_rank, lora_alpha)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias."""
        inputs = input_shape[-1]
        if inputs is None:
            raise ShapeError(f"Dense {self.name!r} needs the size of its input's last axis; got shape {input_shape}.")
        self._kernel = self.add_weight(
            shape=(inputs, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})
        self._adapt_if_wanted()

    @property
    def kernel(self) -> Variable | Tensor:
        """The matrix that inputs are multiplied with. Raises AttributeError before the layer is built."""
        return self._merged_weight()

    def call(self, inputs: Tensor) -> Tensor:
        """The product, the bias and the activation."""
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)


class Activation(Layer):
    """An activation, by name or as a function, as a layer.

    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return self.activation(inputs)


class Identity(Layer):
    """Its input.

    >>> Identity()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs


class InputLayer(Layer):
    """Where a functional model's data come in. Use `Input`, which gives its tensor.

    >>> InputLayer((3,)).batch_shape
    (None, 3)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | int | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, **kwargs)
        refuse(self, sparse=sparse, ragged=ragged)
        if input_tensor is not None:
            given = {"batch_size": batch_size, "shape": shape, "batch_shape": batch_shape, "dtype": dtype}
            for argument, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"With `input_tensor` given, `{argument}` is known already; got {argument}={value}."
                    )
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        elif batch_size is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `batch_size` and `batch_shape` at the same time.")
        elif shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        for argument, given in (("shape", shape), ("batch_shape", batch_shape)):
            sizes = given if isinstance(given, list | tuple) else (given,)
            if any(size is not None and not hasattr(size, "__index__") for size in sizes):
                raise ShapeError(f"Input: `{argument}` must be a tuple of integers or None, got {argument}={given!r}.")
        if batch_shape is None:
            batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
        self.batch_shape = tuple(None if size is None else int(size) for size in batch_shape)
        if any(size is not None and size < 0 for size in self.batch_shape):
            raise ShapeError(f"Input {self.name!r}: sizes are not negative; got shape {self.batch_shape}.")
        self._dtype = tensor_dtype(dtype)
        self.optional = optional
        tensor = input_tensor if input_tensor is not None else Tensor(self.batch_shape, self._dtype, name=self.name)
        self._inbound_nodes.append(Node(self, (), (tensor,), arguments=((), {})))
        self.built = True

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._dtype

    def call(self) -> None:
        """Nothing: its tensor is made with it."""

    def get_config(self) -> dict[str, Any]:
        """The shape, the dtype and the name."""
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False, "ragged": False, "name": self.name,
            "optional": self.optional,
        }  # fmt: skip


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Tensor | None = None,
    optional: bool = False,
) -> Tensor:
    """A tensor without values, from which a functional model is built.

    Args:
        shape: the shape of one entry of a batch; None for sizes that may vary.
        batch_size: where it is fixed.
        dtype: "float32" unless given; "string" for texts, which layers such as TextVectorization take.
        sparse: not supported; raises NotImplementedError.
        ragged: not supported; raises NotImplementedError.
        batch_shape: shape with the batch axis, in place of `shape`.
        name: the input's name, by which dictionaries of data are matched.
        tensor: an existing tensor to wrap.
        optional: whether None may be passed for it.

    >>> Input((3,)).shape
    (None, 3)
    """
    return InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        name=name, input_tensor=tensor, optional=optional,
    ).output  # fmt: skip


class Lambda(Layer):
    """A function of tensors as a layer.

    Args:
        function: may take `mask` and `training`.
        output_shape: accepted as Keras has it; shapes are found by running the function.
        mask: the output's mask, or a function (inputs, mask) that gives it.
        arguments: further keyword arguments for the function.

    A model with it is saved only if the function has a name and is registered, since a file's code is never run:
    `@layerkit.saving.register_keras_serializable()`.

    >>> Lambda(lambda x: x * x)(np.array([[3.0]])).tolist()
    [[9.0]]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self.arguments = arguments or {}
        parameters = inspect.signature(function).parameters
        self._takes = tuple(name for name in ("mask", "training") if name in parameters)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Apply it."""
        phase = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: phase[name] for name in self._takes})

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """What `mask` says."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The arguments, those that are not given left out."""
        config = super().get_config()
        config["function"] = serialize_keras_object(self.function)
        return {
            name: value for name, value in config.items() if value is not None or name not in ("output_shape", "mask")
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Lambda:
        """Of the arguments; the function is looked up among the registered ones."""
        found = {
            name: deserialize_keras_object(config[name], custom_objects)
            for name in ("function", "mask", "arguments")
            if name in config
        }
        return cls(**{**config, **found})


class Masking(Layer):
    """Masks the steps of a sequence [N, T, C] whose every element is `mask_value`, and sets them to 0.

    >>> Masking()(np.array([[[0.0], [2.0]]])).mask.tolist()
    [[False, True]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = deserialize_keras_object(mask_value)
        self.supports_masking = True

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> Tensor:
        """Where a step has another value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        """The input with the masked steps at 0."""
        return ops.where(ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True), inputs, 0)
