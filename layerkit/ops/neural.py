"""Activations, softmax, one-hot vectors and crossentropies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.config import epsilon
from layerkit.dtypes import floatx, is_float, is_inexact, is_int
from layerkit.errors import ShapeError, refuse_unknown
from layerkit.graph.operation import Composite, Elementwise, Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import isfinite
from layerkit.ops.elementwise import (
    Sigmoid,
    absolute,
    cast,
    clip,
    erf,
    exp,
    expm1,
    log,
    minimum,
    relu,
    sigmoid,
    softplus,
    sqrt,
    square,
    where,
)
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import expand_dims, reshape, split, squeeze, transpose
from layerkit.ops.trigonometry import tanh


class _AlongAxis(Composite, abstract=True):
    axis: int

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return [as_float(as_tensor(x)) for x in inputs]

    def infer(self, x: Tensor) -> Spec:
        if not 0 <= self.axis < x.ndim:
            raise ShapeError(f"axis {self.axis} is out of range for a tensor with {x.ndim} axes.")
        return x.shape, x.dtype


class Softmax(_AlongAxis):
    """exp(x) / sum(exp(x)) along an axis; the largest is subtracted first, so nothing overflows."""

    def reference(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(_below_largest(x, self.axis))
        return e / e.sum(self.axis, keepdims=True)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (y * (g - reduce_sum(g * y, self.axis, keepdims=True)),)

    def expand(self, x: Tensor) -> Tensor:
        e = exp(x - reduce_max(x, self.axis, keepdims=True))
        return e * (1.0 / reduce_sum(e, self.axis, keepdims=True))


class LogSoftmax(_AlongAxis):
    """x - log(sum(exp(x))) along an axis."""

    def reference(self, x: np.ndarray) -> np.ndarray:
        z = _below_largest(x, self.axis)
        return z - np.log(np.exp(z).sum(self.axis, keepdims=True))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g - exp(y) * reduce_sum(g, self.axis, keepdims=True),)

    def expand(self, x: Tensor) -> Tensor:
        z = x - reduce_max(x, self.axis, keepdims=True)
        return z - log(reduce_sum(exp(z), self.axis, keepdims=True))


class LogSumExp(_AlongAxis):
    """log(sum(exp(x))) along an axis, which stays with size 1."""

    def infer(self, x: Tensor) -> Spec:
        shape, dtype = super().infer(x)
        return shape[: self.axis] + (1,) + shape[self.axis + 1 :], dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        largest = x.max(self.axis, keepdims=True)
        largest = np.where(np.isfinite(largest), largest, x.dtype.type(0))
        with np.errstate(divide="ignore", over="ignore"):
            return largest + np.log(np.exp(x - largest).sum(self.axis, keepdims=True))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * exp(x - y),)

    def expand(self, x: Tensor) -> Tensor:
        largest = reduce_max(x, self.axis, keepdims=True)
        largest = where(isfinite(largest), largest, 0)  # a row of -inf has no largest to subtract
        return largest + log(reduce_sum(exp(x - largest), self.axis, keepdims=True))


def _below_largest(x: np.ndarray, axis: int) -> np.ndarray:
    return x - x.max(axis, keepdims=True)


class IndexAlong(Elementwise):
    """In the shape of its input: each element's index along an axis, int32. The input's values do not matter."""

    axis: int
    scalar = "index_along"
    shape_only = (0,)

    def infer(self, x: Tensor) -> Spec:
        return x.shape, "int32"

    def reference(self, x: np.ndarray) -> np.ndarray:
        shape = [1] * x.ndim
        shape[self.axis] = x.shape[self.axis]
        return np.broadcast_to(np.arange(x.shape[self.axis], dtype=np.int32).reshape(shape), x.shape)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


def as_float(x: Tensor) -> Tensor:
    """The tensor, or its values in the default float type where they are integers."""
    return x if is_inexact(x.dtype) else cast(x, floatx())


def index_along(x: object, axis: int = -1) -> Tensor:
    """In the shape of x: each element's index along an axis, int32."""
    x = as_tensor(x)
    return IndexAlong(*normalize_axes(axis, x.ndim))(x)


def _along(operation: type[_AlongAxis], x: object, axis: int | Sequence[int]) -> Tensor:
    """Apply along one axis, or along several as if they were one."""
    x = as_tensor(x)
    axes = normalize_axes(axis, x.ndim)
    if len(axes) == 1:
        return operation(axes[0])(x)
    others = tuple(at for at in range(x.ndim) if at not in axes)
    order = (*others, *axes)
    moved = transpose(x, order)
    y = operation(len(others))(reshape(moved, (*moved.shape[: len(others)], math.prod(x.shape[at] for at in axes))))
    back = tuple(order.index(at) for at in range(x.ndim))
    return transpose(reshape(y, moved.shape), back)


def softmax(x: object, axis: int | Sequence[int] = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, or along several together.

    >>> softmax(np.zeros((1, 4), "float32")).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return _along(Softmax, x, axis)


def log_softmax(x: object, axis: int | Sequence[int] = -1) -> Tensor:
    """The logarithm of softmax, exact where the probability is tiny."""
    return _along(LogSoftmax, x, axis)


def logsumexp(x: object, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes (all with None), without overflow."""
    x = as_tensor(x)
    axes = normalize_axes(axis, x.ndim)
    if not axes:
        return as_float(x)
    y = x
    for at in axes:  # one after the other gives the same, and each keeps its rows
        y = LogSumExp(at)(y)
    return y if keepdims else squeeze(y, axes)


def relu6(x: object) -> Tensor:
    """min(max(x, 0), 6)."""
    return minimum(relu(x), 6)


def leaky_relu(x: object, negative_slope: float = 0.2) -> Tensor:
    """X where it is positive, negative_slope * x elsewhere."""
    x = as_float(as_tensor(x))
    return where(x > 0, x, x * negative_slope)


def elu(x: object, alpha: float = 1.0) -> Tensor:
    """X where it is positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., arXiv:1511.07289)."""
    x = as_float(as_tensor(x))
    positive = x > 0
    # The inner choice keeps exp from overflowing where its value is not used: the gradient would be 0 * inf.
    return where(positive, x, alpha * expm1(where(positive, 0, x)))


def selu(x: object) -> Tensor:
    """A scaled elu that keeps mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def celu(x: object, alpha: float = 1.0) -> Tensor:
    """X where it is positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron, arXiv:1704.07483)."""
    x = as_float(as_tensor(x))
    positive = x > 0
    return where(positive, x, alpha * expm1(where(positive, 0, x) / alpha))


def silu(x: object) -> Tensor:
    """X * sigmoid(x)."""
    x = as_tensor(x)
    return x * sigmoid(x)


swish = silu


def gelu(x: object, approximate: bool = True) -> Tensor:
    """X times the normal distribution function of x; `approximate` takes tanh's form (arXiv:1606.08415)."""
    x = as_float(as_tensor(x))
    if approximate:
        inner = x * (math.sqrt(2 / math.pi) + math.sqrt(2 / math.pi) * 0.044715 * square(x))
        return x * (0.5 + 0.5 * tanh(inner))
    return x * (0.5 + 0.5 * erf(x * math.sqrt(0.5)))


def mish(x: object) -> Tensor:
    """X * tanh(softplus(x)) (Misra, arXiv:1908.08681)."""
    x = as_tensor(x)
    return x * tanh(softplus(x))


def softsign(x: object) -> Tensor:
    """X / (1 + |x|)."""
    x = as_tensor(x)
    return x / (absolute(x) + 1)


def log_sigmoid(x: object) -> Tensor:
    """log(sigmoid(x)), without underflow."""
    return -softplus(-as_tensor(x))


def hard_sigmoid(x: object) -> Tensor:
    """A piecewise linear sigmoid: x / 6 + 1/2 between -3 and 3."""
    return relu6(as_float(as_tensor(x)) + 3) * (1 / 6)


def hard_silu(x: object) -> Tensor:
    """X * hard_sigmoid(x)."""
    x = as_tensor(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x: object) -> Tensor:
    """X limited to the range from -1 to 1."""
    x = as_tensor(x)
    return minimum(x, 1) if x.dtype.startswith("uint") else clip(x, -1, 1)


def glu(x: object, axis: int = -1) -> Tensor:
    """The first half along an axis times the sigmoid of the second."""
    x = as_tensor(x)
    if x.shape[axis] is None or x.shape[axis] % 2:
        raise ShapeError(f"ops.glu halves axis {axis}, so its size has to be even; got shape {x.shape}.")
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


def hard_shrink(x: object, threshold: float = 0.5) -> Tensor:
    """X where |x| exceeds the threshold, 0 elsewhere."""
    x = as_float(as_tensor(x))
    return where(absolute(x) > threshold, x, 0)


def soft_shrink(x: object, threshold: float = 0.5) -> Tensor:
    """X moved towards 0 by the threshold, 0 where it is nearer."""
    x = as_float(as_tensor(x))
    return relu(x - threshold) - relu(-x - threshold)


def tanh_shrink(x: object) -> Tensor:
    """X - tanh(x)."""
    x = as_tensor(x)
    return x - tanh(x)


def threshold(x: object, threshold: float, default_value: float) -> Tensor:
    """X where it exceeds the threshold, the default value elsewhere."""
    x = as_tensor(x)
    return where(x > threshold, x, default_value)


def squareplus(x: object, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2 (Barron, arXiv:2112.11687)."""
    x = as_tensor(x)
    return (x + sqrt(square(x) + b)) * 0.5


def sparse_plus(x: object) -> Tensor:
    """0 below -1, x above 1, (x + 1)**2 / 4 between."""
    x = as_float(as_tensor(x))
    return where(x <= -1, 0, where(x >= 1, x, 0.25 * square(x + 1)))


def sparse_sigmoid(x: object) -> Tensor:
    """0 below -1, 1 above 1, (x + 1) / 2 between."""
    return clip(0.5 * (as_float(as_tensor(x)) + 1), 0, 1)


def one_hot(x: object, num_classes: int, axis: int = -1, dtype: object = None, sparse: bool = False) -> Tensor:
    """1 at each class index along a new axis of size num_classes, 0 elsewhere; all 0 for an index out of range.

    >>> one_hot(np.array([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if sparse:
        raise ValueError("ops.one_hot gives dense tensors; got sparse=True.")
    if num_classes < 0:
        raise ValueError(f"num_classes is a number of classes, not negative; got {num_classes}.")
    x = as_tensor(x)
    if is_float(x.dtype):
        x = cast(x, "int32")
    (axis,) = normalize_axes(axis, x.ndim + 1)
    classes = np.arange(num_classes, dtype=x.dtype if is_int(x.dtype) else "int32")
    classes = classes.reshape([-1 if at == axis else 1 for at in range(x.ndim + 1)])
    return cast(expand_dims(x, axis) == classes, floatx() if dtype is None else dtype)


def multi_hot(
    inputs: object,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: object = None,
    sparse: bool = False,
    **kwargs: object,
) -> Tensor:
    """1 at each class that stands along the last axis of the inputs, 0 elsewhere.

    Raises ValueError without `num_classes`, which has a default in Keras' signature only. (`num_tokens=` is its old
    name.)
    """
    num_tokens = kwargs.pop("num_tokens", None)
    refuse_unknown("multi_hot", kwargs)
    num_classes = num_tokens if num_classes is None else num_classes
    if num_classes is None:
        raise ValueError("multi_hot needs `num_classes`, the number of classes.")
    x = as_tensor(inputs)
    hot = one_hot(x, num_classes, axis, dtype, sparse)
    return reduce_max(hot, 1 if x.ndim > 1 else 0)


def _logits(output: Tensor, kind: type[Operation]) -> Tensor | None:
    """What a softmax or sigmoid gave `output` for, where it did: logarithms of it are then exact."""
    node = output.node
    return node.inputs[0] if node is not None and isinstance(node.operation, kind) else None


def _softmax_logits(output: Tensor, axis: int) -> Tensor | None:
    logits = _logits(output, Softmax)
    return logits if logits is not None and output.node.operation.axis == axis else None


def categorical_crossentropy(target: object, output: object, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-sum(target * log(output)) along an axis.

    Args:
        target: probabilities of the classes, in the shape of output.
        output: predicted probabilities, or logits with `from_logits`.
        from_logits: whether the output has still to pass a softmax.
        axis: the axis of the classes.

    Raises ShapeError where the shapes differ.
    """
    target, output = as_tensor(target), as_float(as_tensor(output))
    if output.ndim < 1 or not _same_shape(target.shape, output.shape):
        raise ShapeError(
            f"categorical_crossentropy: target and output must have the same shape with at least one axis; got "
            f"{target.shape} and {output.shape}. For integer labels use sparse_categorical_crossentropy."
        )
    (axis,) = normalize_axes(axis, output.ndim)
    logits = output if from_logits else _softmax_logits(output, axis)
    if logits is not None:
        logs = LogSoftmax(axis)(logits)
    else:
        logs = log(_clipped(output / reduce_sum(output, axis, keepdims=True)))
    return -reduce_sum(cast(target, output.dtype) * logs, axis)


def sparse_categorical_crossentropy(
    target: object, output: object, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-log(output) at the target's class along an axis.

    Args:
        target: class indices, in the shape of output without the axis (or with it of size 1).
        output: predicted probabilities, or logits with `from_logits`.
        from_logits: whether the output has still to pass a softmax.
        axis: the axis of the classes.

    Raises ShapeError where the shapes do not fit.
    """
    target, output = as_tensor(target), as_float(as_tensor(output))
    if output.ndim < 1:
        raise ShapeError(f"sparse_categorical_crossentropy: output needs an axis of classes; got shape {output.shape}.")
    (axis,) = normalize_axes(axis, output.ndim)
    rows = output.shape[:axis] + output.shape[axis + 1 :]
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = squeeze(target, -1)
    if not _same_shape(target.shape, rows):
        raise ShapeError(
            f"sparse_categorical_crossentropy: target must have the shape of output without axis {axis}, {rows}; got "
            f"{target.shape}. For one-hot targets use categorical_crossentropy."
        )
    hit = IndexAlong(axis)(output) == expand_dims(cast(target, "int32"), axis)
    logits = output if from_logits else _softmax_logits(output, axis)
    if logits is not None:
        return logsumexp(logits, axis) - reduce_sum(where(hit, logits, 0), axis)
    chosen = reduce_sum(where(hit, output, 0), axis) / reduce_sum(output, axis)
    return -log(_clipped(chosen))


def binary_crossentropy(target: object, output: object, from_logits: bool = False) -> Tensor:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element.

    Args:
        target: probabilities, in the shape of output.
        output: predicted probabilities, or logits with `from_logits`.
        from_logits: whether the output has still to pass a sigmoid.

    Raises ShapeError where the shapes differ.
    """
    target, output = as_tensor(target), as_float(as_tensor(output))
    if not _same_shape(target.shape, output.shape):
        raise ShapeError(
            f"binary_crossentropy: target and output must have the same shape; got {target.shape} and {output.shape}."
        )
    target = cast(target, output.dtype)
    logits = output if from_logits else _logits(output, Sigmoid)
    if logits is not None:
        return softplus(logits) - logits * target
    output = _clipped(output)
    return -(target * log(output) + (1 - target) * log(1 - output))


def _clipped(probability: Tensor) -> Tensor:
    return clip(probability, epsilon(), 1 - epsilon())


def _same_shape(a: Sequence[int | None], b: Sequence[int | None]) -> bool:
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))
