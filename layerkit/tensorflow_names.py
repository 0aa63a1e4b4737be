"""TensorFlow's functions on arrays that scripts call around their Keras code, with TensorFlow's parameters.

What is here computes what TensorFlow's function of the name does, on layerkit's tensors; the one difference is that
operands of two dtypes are promoted where TensorFlow raises. What is not (`tf.data`, `tf.io`, `tf.image`, `tf.strings`,
`tf.distribute` ...) is not made up: `layerkit.running` says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from layerkit import initializers, ops, random
from layerkit.dtypes import is_float
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.ops import stop_gradient
from layerkit.random import set_seed
from layerkit.tracing import GradientTape
from layerkit.tracing import function as traced_function

Shape = Sequence[int]
Axes = int | Sequence[int] | None

DTYPES = (
    "bool", "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip


def function(func: Callable | None = None, *, jit_compile: bool | None = None, reduce_retracing: bool = False) -> Any:
    """`layerkit.function`; everything is compiled, and traced again where shapes change, so that the options are met.

    >>> function(jit_compile=True)(lambda x: x + 1)(as_tensor(1.0)).item()
    2.0
    """
    return traced_function(func) if func is not None else traced_function


def constant(value: Any, dtype: object = None, shape: Shape | None = None) -> Tensor:
    """A tensor of a value; a single number fills the `shape`."""
    x = ops.convert_to_tensor(value, dtype=dtype)
    if shape is None:
        return x
    return ops.broadcast_to(x, tuple(shape)) if x.size == 1 else ops.reshape(x, tuple(shape))


def convert_to_tensor(value: Any, dtype: object = None) -> Tensor:
    """A tensor of a value."""
    return ops.convert_to_tensor(value, dtype=dtype)


class _KnowsVariables(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Variable)


class VariableOfTensorFlow(metaclass=_KnowsVariables):
    """Makes a Variable; to `isinstance`, all Variables are of it. `shape` has to be that of the value."""

    def __new__(
        cls,
        initial_value: Any,
        trainable: bool = True,
        *,
        name: str | None = None,
        dtype: object = None,
        shape: Shape | None = None,
    ) -> Variable:  # type: ignore[misc]
        """Give a Variable."""
        value = ops.convert_to_tensor(initial_value() if callable(initial_value) else initial_value, dtype=dtype)
        if shape is not None and tuple(shape) != value.shape:
            raise ValueError(f"tf.Variable: the value's shape {value.shape} is not the shape {tuple(shape)}.")
        return Variable(value, trainable=trainable, name=name)


def identity(input: Any) -> Tensor:  # noqa: A002 - TensorFlow's name
    """The same values."""
    return as_tensor(input)


def cast(x: Any, dtype: object) -> Tensor:
    """The values in another dtype."""
    return ops.cast(x, dtype)


def zeros(shape: Shape, dtype: object = "float32") -> Tensor:
    """Zeros."""
    return ops.zeros(_shape(shape), dtype)


def ones(shape: Shape, dtype: object = "float32") -> Tensor:
    """Ones."""
    return ops.ones(_shape(shape), dtype)


def fill(dims: Shape, value: Any) -> Tensor:
    """A shape full of one value."""
    return ops.broadcast_to(ops.convert_to_tensor(value), _shape(dims))


def range_(start: float, limit: float | None = None, delta: float = 1, dtype: object = None) -> Tensor:
    """Numbers from `start` up to `limit`, or from 0 up to `start`.

    >>> range_(3).tolist(), range_(1, 6, 2).tolist()
    ([0, 1, 2], [1, 3, 5])
    """
    return ops.arange(0, start, delta, dtype) if limit is None else ops.arange(start, limit, delta, dtype)


def one_hot(indices: Any, depth: int, axis: int = -1, dtype: object = "float32") -> Tensor:
    """One at the place that an index names."""
    return ops.one_hot(indices, depth, axis=axis, dtype=dtype)


def reshape(tensor: Any, shape: Shape) -> Tensor:
    """The same elements under another shape."""
    return ops.reshape(tensor, _shape(shape))


def transpose(a: Any, perm: Sequence[int] | None = None) -> Tensor:
    """The axes in another order."""
    return ops.transpose(a, perm)


def expand_dims(input: Any, axis: int) -> Tensor:  # noqa: A002 - TensorFlow's name
    """With an axis of size 1 more."""
    return ops.expand_dims(input, axis)


def squeeze(input: Any, axis: Axes = None) -> Tensor:  # noqa: A002 - TensorFlow's name
    """Without axes of size 1."""
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    return ops.squeeze(input, axes)


def concat(values: Sequence[Any], axis: int) -> Tensor:
    """One behind the other along an axis."""
    return ops.concatenate(list(values), axis)


def stack(values: Sequence[Any], axis: int = 0) -> Tensor:
    """Along an axis of their own."""
    return ops.stack(list(values), axis)


def unstack(value: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The parts along an axis, without it."""
    return list(ops.unstack(value, num, axis))


def split(value: Any, num_or_size_splits: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Into equal parts, or into parts of these sizes.

    >>> [part.tolist() for part in split([1, 2, 3], [1, 2])]
    [[1], [2, 3]]
    """
    if isinstance(num_or_size_splits, int):
        return list(ops.split(value, num_or_size_splits, axis))
    sizes = list(num_or_size_splits)
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes) - 1)]
    return list(ops.split(value, ends, axis))


def tile(input: Any, multiples: Sequence[int]) -> Tensor:  # noqa: A002 - TensorFlow's name
    """Repeated along each axis."""
    return ops.tile(input, tuple(multiples))


def repeat(input: Any, repeats: Any, axis: int | None = None) -> Tensor:  # noqa: A002 - TensorFlow's name
    """Every element repeated."""
    return ops.repeat(input, repeats, axis)


def gather(params: Any, indices: Any, axis: int = 0) -> Tensor:
    """The slices along an axis that the indices name."""
    return ops.take(params, indices, axis)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """The product of matrices."""
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b else b
    return ops.matmul(a, b)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Tensor:
    """Nothing below and nothing above."""
    return ops.clip(t, clip_value_min, clip_value_max)


def argmax(input: Any, axis: int = 0, output_type: object = "int64") -> Tensor:  # noqa: A002 - TensorFlow's name
    """The place of the largest element, along the first axis unless another is named."""
    return ops.cast(ops.argmax(input, axis), output_type)


def argmin(input: Any, axis: int = 0, output_type: object = "int64") -> Tensor:  # noqa: A002 - TensorFlow's name
    """The place of the smallest element, along the first axis unless another is named."""
    return ops.cast(ops.argmin(input, axis), output_type)


def reduce_sum(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum over axes, in the dtype of the elements."""
    x = ops.convert_to_tensor(input_tensor)
    return ops.cast(ops.sum(x, axis, keepdims), x.dtype)


def reduce_mean(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean over axes, in the dtype of the elements: that of integers is cut off.

    >>> reduce_mean([1, 2]).item(), reduce_mean([1.0, 2.0]).item()
    (1, 1.5)
    """
    x = ops.convert_to_tensor(input_tensor)
    mean = ops.mean(x, axis, keepdims)
    return mean if is_float(x.dtype) else ops.cast(mean, x.dtype)


def reduce_max(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element over axes."""
    return ops.max(input_tensor, axis, keepdims)


def reduce_min(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element over axes."""
    return ops.min(input_tensor, axis, keepdims)


def reduce_prod(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The product over axes, in the dtype of the elements."""
    x = ops.convert_to_tensor(input_tensor)
    return ops.cast(ops.prod(x, axis, keepdims), x.dtype)


def reduce_any(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether one is true over axes."""
    return ops.any(input_tensor, axis, keepdims)


def reduce_all(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all are true over axes."""
    return ops.all(input_tensor, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over axes."""
    return ops.std(input_tensor, axis, keepdims)


def l2_normalize(x: Any, axis: Axes = None, epsilon: float = 1e-12) -> Tensor:
    """Divided by the root of the sum of squares, which is at least that of `epsilon`."""
    total = ops.sum(ops.square(x), axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(total, epsilon)))


def gelu(features: Any, approximate: bool = False) -> Tensor:
    """The values times the normal distribution's function of them, exact unless asked otherwise."""
    return ops.gelu(features, approximate)


def leaky_relu(features: Any, alpha: float = 0.2) -> Tensor:
    """The values, and alpha times those below 0."""
    return ops.leaky_relu(features, alpha)


def moments(x: Any, axes: Sequence[int], shift: None = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the variance over axes; `shift` does nothing in TensorFlow either."""
    return ops.moments(x, tuple(axes), keepdims)


def conv2d(input: Any, filters: Any, strides: int | Sequence[int], padding: str, data_format: str = "NHWC") -> Tensor:  # noqa: A002
    """Convolution of pictures [N, H, W, C] with filters [height, width, C, F].

    Strides are one number, those of the two axes, or four of which the first and the last are 1; the padding is "SAME"
    or "VALID".

    Raises ValueError for strides over pictures or channels, and for a data format other than "NHWC".
    """
    steps = (strides, strides) if isinstance(strides, int) else tuple(strides)
    steps = steps * 2 if len(steps) == 1 else steps
    if len(steps) == 4 and steps[0] == steps[3] == 1:
        steps = steps[1:3]
    if len(steps) != 2 or data_format != "NHWC":
        raise ValueError(f"tf.nn.conv2d: got strides={strides!r} and data_format={data_format!r}, which is not there.")
    return ops.conv(input, filters, steps, padding.lower(), "channels_last")


def softmax(logits: Any, axis: int = -1) -> Tensor:
    """Probabilities that grow with the logits."""
    return ops.softmax(logits, axis)


def log_softmax(logits: Any, axis: int = -1) -> Tensor:
    """The logarithms of the probabilities."""
    return ops.log_softmax(logits, axis)


def random_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: object = "float32", seed: int | None = None
) -> Tensor:
    """Numbers of the normal distribution."""
    return random.normal(_shape(shape), mean, stddev, dtype, seed)


def random_uniform(
    shape: Shape, minval: Any = 0, maxval: Any = None, dtype: object = "float32", seed: int | None = None
) -> Tensor:
    """Numbers of the uniform distribution on [minval, maxval), of integers where the dtype is theirs.

    Raises ValueError where the dtype is an integer's and there is no `maxval`.
    """
    if is_float(ops.convert_to_tensor(0, dtype=dtype).dtype):
        return random.uniform(_shape(shape), minval, 1.0 if maxval is None else maxval, dtype, seed)
    if maxval is None:
        raise ValueError("tf.random.uniform: maxval is needed where the dtype is an integer's.")
    return random.randint(_shape(shape), minval, maxval, dtype, seed)


def _shape(sizes: Any) -> tuple:
    """Sizes as a tuple: a shape, one size, or a tensor of sizes."""
    if isinstance(sizes, int):
        return (sizes,)
    return tuple(sizes if isinstance(sizes, list | tuple) else as_tensor(sizes).tolist())


def _named(made: Callable) -> Callable:
    """The same function with TensorFlow's `name`, which only labels a graph's nodes."""

    @functools.wraps(made)
    def call(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
        return made(*args, **kwargs)

    return call


# TensorFlow's name -> the function of `ops` with the same parameters by place.
_ELEMENTWISE = {
    "abs": ops.abs, "add": ops.add, "cos": ops.cos, "divide": ops.divide, "equal": ops.equal, "exp": ops.exp,
    "floor": ops.floor, "greater": ops.greater, "greater_equal": ops.greater_equal, "less": ops.less,
    "less_equal": ops.less_equal, "logical_and": ops.logical_and, "logical_not": ops.logical_not,
    "logical_or": ops.logical_or, "maximum": ops.maximum, "minimum": ops.minimum, "multiply": ops.multiply,
    "not_equal": ops.not_equal, "pow": ops.power, "round": ops.round, "sigmoid": ops.sigmoid, "sign": ops.sign,
    "sin": ops.sin, "sqrt": ops.sqrt, "square": ops.square, "subtract": ops.subtract, "tanh": ops.tanh,
    "argmax": argmax, "argmin": argmin, "reduce_all": reduce_all, "reduce_any": reduce_any, "reduce_max": reduce_max,
    "reduce_mean": reduce_mean, "reduce_min": reduce_min, "reduce_prod": reduce_prod, "reduce_sum": reduce_sum,
}  # fmt: skip

_FUNCTIONS = {
    "cast": cast, "clip_by_value": clip_by_value, "concat": concat, "constant": constant,
    "convert_to_tensor": convert_to_tensor, "einsum": ops.einsum, "expand_dims": expand_dims, "eye": ops.eye,
    "fill": fill, "gather": gather, "identity": identity, "matmul": matmul, "linalg.matmul": matmul, "one_hot": one_hot,
    "ones": ones, "ones_like": ops.ones_like, "range": range_, "repeat": repeat, "reshape": reshape, "shape": ops.shape,
    "split": split, "squeeze": squeeze, "stack": stack, "stop_gradient": stop_gradient, "tile": tile,
    "transpose": transpose, "unstack": unstack, "where": ops.where, "zeros": zeros, "zeros_like": ops.zeros_like,
    "math.l2_normalize": l2_normalize, "math.log": ops.log, "math.log1p": ops.log1p, "math.reduce_std": reduce_std,
    "math.rsqrt": ops.rsqrt, "math.softplus": ops.softplus, "math.top_k": ops.top_k, "math.ceil": ops.ceil,
    "nn.conv2d": conv2d, "nn.moments": moments, "nn.elu": ops.elu, "nn.gelu": gelu, "nn.l2_normalize": l2_normalize,
    "nn.leaky_relu": leaky_relu,
    "nn.log_softmax": log_softmax, "nn.relu": ops.relu, "nn.sigmoid": ops.sigmoid, "nn.silu": ops.silu,
    "nn.softmax": softmax, "nn.softplus": ops.softplus, "nn.tanh": ops.tanh,
    "random.normal": random_normal, "random.uniform": random_uniform,
    **_ELEMENTWISE, **{f"math.{name}": value for name, value in _ELEMENTWISE.items()},
}  # fmt: skip

NAMES: dict[str, Any] = {
    "GradientTape": GradientTape, "Tensor": Tensor, "Variable": VariableOfTensorFlow, "newaxis": None,
    "function": function,
    "ones_initializer": initializers.Ones, "random_normal_initializer": initializers.RandomNormal,
    "random_uniform_initializer": initializers.RandomUniform, "zeros_initializer": initializers.Zeros,
    "random.set_seed": set_seed,
    **{name: _named(made) for name, made in _FUNCTIONS.items()},
    **{name: name for name in DTYPES}, **{f"dtypes.{name}": name for name in DTYPES},
}  # fmt: skip
"""What `tensorflow` has where layerkit stands in for it: the name without `tf.` -> what it is."""
