"""`layerkit.backend`: Keras' settings, and the functions that scripts for Keras 2 call as `K.mean`, `K.dot`, ...

Each is a function of `layerkit.ops` under its old name and signature; new code calls that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layerkit import ops, random
from layerkit.backend.neural import (
    batch_dot, batch_normalization, bias_add, conv1d, conv2d, conv2d_transpose, conv3d, depthwise_conv2d, dot,
    dropout, hard_sigmoid, in_top_k, l2_normalize, pool2d, pool3d, relu, separable_conv2d,
)  # fmt: skip
from layerkit.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_data_format,
)
from layerkit.dtypes import is_float, is_int, result_type, standardize_dtype
from layerkit.graph.operation import as_tensor
from layerkit.graph.scopes import name_scope
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.losses import (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
)  # fmt: skip
from layerkit.ops import (
    abs, all, any, arange, cast, clip, cos, elu, equal, exp, eye, greater, greater_equal, less, less_equal, log,
    max, maximum, mean, min, minimum, ndim, not_equal, ones, ones_like, prod, reshape, round, shape, sigmoid, sign,
    sin, softmax, softplus, softsign, sqrt, square, squeeze, stack, std, stop_gradient, sum, tanh, tile, transpose,
    var, zeros, zeros_like,
)  # fmt: skip
from layerkit.registry import unique_number
from layerkit.utils.session import clear_session

permute_dimensions = transpose
pow = ops.power  # noqa: A001
is_float_dtype = is_float
is_int_dtype = is_int


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a tensor without values, as of a functional model."""
    return isinstance(x, Tensor) and x.symbolic


def get_uid(prefix: str = "") -> int:
    """A number that this function did not give for the prefix before, from 1 on."""
    return unique_number(prefix)


# Variables.


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A Variable with a value."""
    made = Variable(value, dtype=dtype, name=name)
    made.constraint = constraint
    return made


def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """A tensor of a value, repeated to a shape where one is given. Tensors have no names: `name` says nothing."""
    made = ops.convert_to_tensor(value, dtype or floatx())
    return made if shape is None else ops.broadcast_to(made, tuple(shape))


def eval(x: Any) -> np.ndarray:  # noqa: A001
    """The values of a tensor or Variable as an array."""
    return ops.convert_to_numpy(x)


get_value = eval


def set_value(x: Variable, value: Any) -> None:
    """Change a Variable's value."""
    x.assign(value)


def batch_get_value(tensors: Sequence[Variable]) -> list[np.ndarray]:
    """The values of several Variables."""
    return [eval(x) for x in tensors]


def batch_set_value(tuples: Sequence[tuple[Variable, Any]]) -> None:
    """Change several Variables, given with their values."""
    for x, value in tuples:
        x.assign(value)


def update(x: Variable, new_x: Any) -> Tensor:
    """Assign."""
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Tensor:
    """Add in place."""
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Tensor:
    """Subtract in place."""
    return x.assign_sub(decrement)


def moving_average_update(x: Variable, value: Any, momentum: float) -> Tensor:
    """Change a Variable to momentum x + (1 - momentum) value."""
    return x.assign(x * momentum + as_tensor(value) * (1 - momentum))


def count_params(x: Any) -> int:
    """How many elements a Variable or tensor has."""
    return int(np.prod(x.shape, dtype=np.int64))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape."""
    return tuple(as_tensor(x).shape)


def dtype(x: Any) -> str:
    """The dtype's name."""
    return as_tensor(x).dtype


def is_sparse(tensor: Any) -> bool:
    """False: there are no sparse tensors."""
    return False


def to_dense(tensor: Any) -> Tensor:
    """The tensor: all are dense."""
    return as_tensor(tensor)


def cast_to_floatx(x: Any) -> Any:
    """A tensor, or an array for anything else, in the default float type."""
    return cast(x, floatx()) if isinstance(x, (Tensor, Variable)) else np.asarray(x, floatx())


# Shapes and elements.


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """A new axis of size 1."""
    return ops.expand_dims(x, axis)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Tensor:
    """Tensors one behind the other along an axis."""
    return ops.concatenate(tensors, axis)


def argmax(x: Any, axis: int = -1) -> Tensor:
    """The index of the largest along an axis."""
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Tensor:
    """The index of the smallest along an axis."""
    return ops.argmin(x, axis)


def cumsum(x: Any, axis: int = 0) -> Tensor:
    """Sums of the elements up to each one."""
    return ops.cumsum(x, axis)


def cumprod(x: Any, axis: int = 0) -> Tensor:
    """Products of the elements up to each one."""
    return ops.cumprod(x, axis)


def flatten(x: Any) -> Tensor:
    """All elements along one axis."""
    return reshape(x, (-1,))


def batch_flatten(x: Any) -> Tensor:
    """[N, ...] as [N, features]."""
    x = as_tensor(x)
    return reshape(x, (-1, int(np.prod(x.shape[1:], dtype=np.int64))))


def reverse(x: Any, axes: int | Sequence[int]) -> Tensor:
    """The elements in the opposite order along axes."""
    return ops.flip(x, axes)


def repeat(x: Any, n: int) -> Tensor:
    """[N, features] as [N, n, features]."""
    return ops.repeat(expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Each slice along an axis `rep` times."""
    return ops.repeat(x, rep, axis=axis)


def gather(reference: Any, indices: Any) -> Tensor:
    """Slices along the first axis."""
    return ops.take(reference, indices, axis=0)


def one_hot(indices: Any, num_classes: int) -> Tensor:
    """Rows with a 1 at each index."""
    return ops.one_hot(indices, num_classes)


def temporal_padding(x: Any, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """Zeros before and after the middle axis of [N, time, features]."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Zeros around images."""
    return _spatial_padding(x, padding, data_format)


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Zeros around volumes."""
    return _spatial_padding(x, padding, data_format)


def _spatial_padding(x: Any, padding: Any, data_format: str | None) -> Tensor:
    spatial = tuple(tuple(pair) for pair in padding)
    last = standardize_data_format(data_format) == "channels_last"
    return ops.pad(x, ((0, 0), *spatial, (0, 0)) if last else ((0, 0), (0, 0), *spatial))


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Tensor:
    """Images so many times as high and wide."""
    height, width = x.shape[1:3] if data_format == "channels_last" else x.shape[2:4]
    size = height * height_factor, width * width_factor
    return ops.image.resize(x, size, interpolation=interpolation, data_format=data_format)


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Tensor:
    """Volumes whose elements are repeated along the three axes."""
    first = 1 if data_format == "channels_last" else 2
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = ops.repeat(x, factor, axis=axis)
    return x


# Control flow.


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Tensor:
    """By a boolean scalar one of two tensors or functions' results; by more booleans element by element."""
    condition = cast(condition, "bool")
    if not condition.ndim and callable(then_expression):
        return ops.cond(condition, then_expression, else_expression)
    then, other = (one() if callable(one) else as_tensor(one) for one in (then_expression, else_expression))
    condition = reshape(condition, (*condition.shape, *(1,) * (then.ndim - condition.ndim)))
    return ops.where(condition, then, other)


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """A function of each slice along the first axis, stacked; cast where a dtype is given."""
    made = ops.map(fn, elems)
    return made if dtype is None else cast(made, dtype)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Tensor:
    """fn(value, slice) carried along the first axis, from its first slice on where no first value is given."""
    elems = as_tensor(elems)
    first, rest = (elems[0], elems[1:]) if initializer is None else (as_tensor(initializer), elems)
    return ops.scan(lambda value, x: (fn(value, x), None), first, rest)[0]


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Tensor:
    """As `foldl`, from the last slice to the first."""
    return foldl(fn, ops.flip(elems, 0), initializer)


def gradients(loss: Any, variables: Any) -> Any:
    """Raises NotImplementedError: gradients need what was computed, which a tape remembers."""
    raise NotImplementedError(
        "backend.gradients needs a global graph, which there is none of. Compute the loss inside "
        "`with layerkit.GradientTape() as tape:` and ask for tape.gradient(loss, variables)."
    )


def rnn(*args: Any, **kwargs: Any) -> Any:
    """Raises NotImplementedError: write the loop with `ops.scan`, or use `layers.RNN`."""
    raise NotImplementedError("backend.rnn is not there: write the loop with ops.scan, or use layers.RNN with a cell.")


# Random numbers.


def random_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal numbers within two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Uniform numbers."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def random_bernoulli(shape: Sequence[int], p: float = 0.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """1 with a probability, else 0."""
    return cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


def random_normal_variable(
    shape: Sequence[int], mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: Any = None
) -> Variable:
    """A Variable of normal numbers."""
    return variable(random.normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Sequence[int], low: float, high: float, dtype: Any = None, name: str | None = None, seed: Any = None
) -> Variable:
    """A Variable of uniform numbers."""
    return variable(random.uniform(shape, low, high, dtype, seed), dtype, name)


# Connectionist temporal classification.


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """The CTC loss [N, 1] of probabilities [N, time, classes] whose last class is the blank.

    Args:
        y_true: labels [N, length].
        y_pred: probabilities.
        input_length: [N, 1], how many steps count.
        label_length: [N, 1], how many labels count.
    """
    y_pred = as_tensor(y_pred)
    blank = y_pred.shape[-1] - 1
    lengths = [reshape(cast(one, "int32"), (-1,)) for one in (label_length, input_length)]
    scores = log(y_pred + epsilon())
    return expand_dims(ops.ctc_loss(cast(y_true, "int32"), scores, *lengths, mask_index=blank), 1)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Labels decoded from probabilities [N, time, classes] whose last class is the blank; -1 behind their ends."""
    y_pred = as_tensor(y_pred)
    options = {} if greedy else {"beam_width": beam_width, "top_paths": top_paths}
    paths, scores = ops.ctc_decode(
        log(y_pred + epsilon()),
        cast(input_length, "int32"),
        strategy="greedy" if greedy else "beam_search",
        mask_index=y_pred.shape[-1] - 1,
        **options,
    )
    return [paths[at] for at in range(paths.shape[0])], scores
